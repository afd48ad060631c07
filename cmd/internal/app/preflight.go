package app

import (
	"fmt"
	"os"
	"slices"
	"syscall"

	"pushbench/bench/lab"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// spareDescriptors is what a process needs beside its clients' sockets.
const spareDescriptors = 100

// preflight refuses what cannot fit this machine: see fit.
func (e Env) preflight(s *scenarios.Scenario, given bool) error {
	room, err := roomHere()
	if err != nil {
		return err
	}
	return e.fit(s, room, given)
}

// fit refuses what needs more than there is room for, with the arithmetic. If several servers
// make it fit, and the number is not given, it takes so many and reports it.
func (e Env) fit(s *scenarios.Scenario, room room, given bool) error {
	perClient, why := connections(s)
	need, most := openFiles(s), room.clients(perClient, s.PublishOnly())
	if serverShare(s) <= most {
		return nil
	}
	if n := s.PublishOnly(); n > 0 {
		why += fmt.Sprintf(" + %d reporters", n)
	}
	arithmetic := fmt.Sprintf("%d clients × %s + %d = %d open files in the server and as many in the generator, but %s",
		serverShare(s), why, spareDescriptors, need, room)
	switch enough := ceilDiv(s.MostClients(), max(1, most)); {
	case most < 1 || s.ClientsPublish():
		return Usagef("%s; use fewer clients or raise the limit", arithmetic)
	case given || s.Servers > 1:
		return Usagef("%s; use %d servers, fewer clients or a higher limit", arithmetic, enough)
	default:
		s.Servers = enough
		if err := s.Check(); err != nil {
			return Usagef("%s: %w", arithmetic, err)
		}
		_, err := fmt.Fprintf(e.Err, "%s: %d servers share them, %d clients each, and each has a generator of its own\n", arithmetic, enough, serverShare(s))
		return err
	}
}

// canLink says why a link of packets that is asked for cannot be made here.
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

// room is what a process may hold here.
type room struct {
	files uint64 // open at once
	ports uint64 // from which one address can be connected to
}

// String says which of the two is the limit.
func (r room) String() string {
	if r.files-spareDescriptors <= r.ports {
		return fmt.Sprintf("a process may have %d (ulimit -n)", r.files)
	}
	return fmt.Sprintf("the kernel has %d ports ready for connections to one server", r.ports)
}

// clients is how many a server and a generator can have beside those that only publish.
func (r room) clients(connections, reporters int) int {
	if r.files <= spareDescriptors {
		return 0
	}
	return max(0, int(min(r.files-spareDescriptors, r.ports))-reporters) / connections
}

func roomHere() (r room, err error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return r, fmt.Errorf("read the limit of open files: %w", err)
	}
	const most = 1 << 31 // no limit at all is a larger number than a client count can be
	return room{files: min(uint64(limit.Cur), most), ports: localPorts()}, nil
}

// localPorts is how many ports the kernel gives readily to connections to one server:
// half of those that Linux says it has, as it looks through all of one parity in vain
// before it takes one of the other (measured: 2,500 connections a second, then 230);
// elsewhere half of the dynamic ones (RFC 6335, section 6).
func localPorts() uint64 {
	var first, last uint64
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if n, _ := fmt.Sscan(string(text), &first, &last); err != nil || n != 2 || last < first {
		first, last = 49152, 65535
	}
	return (last - first + 1) / 2
}

// serverShare is how many clients the largest share of a server is, in any case.
func serverShare(s *scenarios.Scenario) int { return ceilDiv(s.MostClients(), s.Servers) }

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// openFiles is how many a server or a generator of the scenario needs.
func openFiles(s *scenarios.Scenario) uint64 {
	perClient, _ := connections(s)
	return uint64(serverShare(s)*perClient + s.PublishOnly() + spareDescriptors)
}

// connections is how many a client needs.
func connections(s *scenarios.Scenario) (perClient int, why string) {
	publishes := s.Publish.By == scenarios.ByClients || s.Upstream.Rate > 0
	if publishes && slices.ContainsFunc(s.Transports, func(t scenarios.Transport) bool { return !transports.Of(t).PublishesInSocket }) {
		return 2, "2 connections, as it also publishes"
	}
	return 1, "1 connection"
}
