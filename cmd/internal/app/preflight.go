package app

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"pushbench/bench/lab"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// spareDescriptors is the number of open files of a process in addition to its clients' sockets.
const spareDescriptors = 100

// preflight refuses scenarios that exceed the limits for other hosts, or that this machine cannot run: see fit.
func (e Env) preflight(s *scenarios.Scenario, given bool) error {
	if err := e.Hosts.allows(s); err != nil {
		return err
	}
	room, err := roomHere()
	if err != nil {
		return err
	}
	return e.fit(s, room, given)
}

// fit refuses scenarios that exceed the limits; the error shows the arithmetic. If several servers
// keep within the limits and their number is not given, fit sets it and prints that.
func (e Env) fit(s *scenarios.Scenario, room room, given bool) error {
	perClient, why := connections(s)
	need, capacity := openFiles(s), room.clients(perClient, s.PublishOnly())
	if serverShare(s) <= capacity {
		return nil
	}
	if n := s.PublishOnly(); n > 0 {
		why += fmt.Sprintf(" + %d publish-only clients", n)
	}
	arithmetic := fmt.Sprintf("%d clients × %s + %d = %d open files in the server and as many in the load generator, but %s",
		serverShare(s), why, spareDescriptors, need, room)
	switch enough := ceilDiv(s.MostClients(), max(1, capacity)); {
	case capacity < 1 || s.ClientsPublish() || s.AnyTarget((*scenarios.Target).Running):
		return Usagef("%s; use fewer clients or raise the limit", arithmetic)
	case given || s.Servers > 1:
		return Usagef("%s; use %d servers, fewer clients or a higher limit", arithmetic, enough)
	default:
		s.Servers = enough
		if err := s.Check(); err != nil {
			return Usagef("%s: %w", arithmetic, err)
		}
		_, err := fmt.Fprintf(e.Err, "%s: %d servers share the clients, %d each, and each server has its own load generator\n", arithmetic, enough, serverShare(s))
		return err
	}
}

// canLink returns the reason why this process cannot create the scenario's packet link.
func canLink(s *scenarios.Scenario) error {
	if s.Network.Link != scenarios.PacketLink {
		return nil
	}
	path, err := lab.NewPath(nil)
	if err != nil {
		return err
	}
	return path.Close()
}

// A room is the resources that a process may use on this machine.
type room struct {
	files uint64 // open at the same time
	ports uint64 // local ports for connections to one address
}

// String describes the lower of the two limits.
func (r room) String() string {
	if r.files <= r.ports+spareDescriptors {
		return fmt.Sprintf("a process may have %d (ulimit -n)", r.files)
	}
	return fmt.Sprintf("the kernel has %d ports available for connections to one server", r.ports)
}

// clients is the number of clients that fit in addition to the publish-only clients.
func (r room) clients(connections, publishOnly int) int {
	if r.files <= spareDescriptors {
		return 0
	}
	return max(0, int(min(r.files-spareDescriptors, r.ports))-publishOnly) / connections
}

func roomHere() (r room, err error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return r, fmt.Errorf("read the open-file limit: %w", err)
	}
	const unlimited = 1 << 31 // more than any number of clients
	return room{files: min(uint64(limit.Cur), unlimited), ports: localPorts()}, nil
}

// localPorts is the number of ports that the kernel assigns quickly to connections to one server.
// On Linux it is half of its port range: the kernel searches all ports of one parity before it
// tries the other (measured: 2,500 connections per second, then 230). On other systems it is half
// of the dynamic ports (RFC 6335, section 6).
func localPorts() uint64 {
	text, _ := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range") // without it: none
	if first, last, ok := portRange(string(text)); ok {
		return (last - first + 1) / 2
	}
	return (65535 - 49152 + 1) / 2
}

// portRange reads the first and the last port of the kernel's range.
func portRange(text string) (first, last uint64, ok bool) {
	ports := strings.Fields(text)
	if len(ports) != 2 {
		return 0, 0, false
	}
	first, err := strconv.ParseUint(ports[0], 10, 16)
	if err != nil {
		return 0, 0, false
	}
	last, err = strconv.ParseUint(ports[1], 10, 16)
	return first, last, err == nil && first <= last
}

// serverShare is the largest number of clients per server over all configurations.
func serverShare(s *scenarios.Scenario) int { return ceilDiv(s.MostClients(), s.Servers) }

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// openFiles is the number of open files of a server or a load generator of the scenario.
func openFiles(s *scenarios.Scenario) uint64 {
	perClient, _ := connections(s)
	return uint64(serverShare(s)*perClient + s.PublishOnly() + spareDescriptors)
}

// connections is the number of connections per client.
func connections(s *scenarios.Scenario) (perClient int, why string) {
	publishes := s.Publish.By == scenarios.ByClients || s.Upstream.Rate > 0
	if publishes && slices.ContainsFunc(s.Transports, func(t scenarios.Transport) bool { return !transports.Of(t).PublishesInSocket }) {
		return 2, "2 connections, as it also publishes"
	}
	return 1, "1 connection"
}
