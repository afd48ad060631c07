package agent

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/lab"
	"pushbench/results"
	"pushbench/scenarios"
)

// A network connects a trial's servers and clients: the loopback of this machine, or network
// namespaces at the two ends of an emulated link.
type network struct {
	near, far child.Options // to start servers and load generators
	host      string        // address on which servers listen
	backendFD int           // in a load generator: descriptor of the servers' namespace, for its backend publishers; 0: loopback

	path     *lab.Path // nil: loopback
	backends *os.File  // the servers' namespace
	link     *child.Process
	reports  *bufio.Reader // of the link
}

// loopback is the host of servers without a link.
const loopback = "127.0.0.1"

// newNetwork creates the network of the scenario and starts the link.
func newNetwork(ctx context.Context, m *Machine, s *scenarios.Scenario) (*network, error) {
	n := &network{
		near: child.Options{Cores: m.ServerCores},
		far:  child.Options{Cores: m.GeneratorCores},
		host: cmp.Or(m.Host, loopback),
	}
	if s.Network.Link != scenarios.PacketLink {
		return n, nil
	}
	if err := n.create(ctx, m, s); err != nil {
		_, ended := n.end(child.Grace(ctx))
		return &network{}, fmt.Errorf("create the network: %w", errors.Join(err, ended))
	}
	return n, nil
}

func (n *network) create(ctx context.Context, m *Machine, s *scenarios.Scenario) (err error) {
	if n.path, err = newPath(s); err != nil {
		return err
	}
	if n.backends, err = n.path.Near.Namespace(); err != nil {
		return err
	}
	n.near.Inside, n.far.Inside = n.path.Near.Inside, n.path.Far.Inside
	n.host = n.path.Near.Address.String()
	n.far.Files, n.backendFD = []*os.File{n.backends}, 3 // descriptor of the first file
	devices := child.Options{Cores: m.GeneratorCores, Files: []*os.File{n.path.Near.Device, n.path.Far.Device}}
	if n.link, err = child.Start("link", m.Link, devices); err != nil {
		return err
	}
	n.reports = bufio.NewReader(n.link.Stdout)
	ctx, release := child.CancelOnExit(ctx, n.link)
	defer release()
	return child.Cause(ctx, n.begin(shape(s)))
}

// newPath creates the namespaces of a scenario's network.
func newPath(s *scenarios.Scenario) (*lab.Path, error) {
	if s.Network.NAT {
		return lab.NewPath(&lab.Router{Hosts: s.Sessions(), PortForwarding: s.Network.Forward, IdleTimeout: time.Duration(s.Network.IdleTimeout)})
	}
	return lab.NewPath(nil)
}

// begin configures the link and waits until it is ready.
func (n *network) begin(s lab.Shape) error {
	if err := json.NewEncoder(n.link.Stdin).Encode(s); err != nil {
		return fmt.Errorf("configure the link: %w", err)
	}
	if _, err := n.reports.ReadBytes('\n'); err != nil {
		return fmt.Errorf("wait for the link: %w", err)
	}
	return nil
}

// shape returns the link parameters of a scenario.
func shape(s *scenarios.Scenario) lab.Shape {
	return lab.Shape{
		RTT: time.Duration(s.Network.RTT), Jitter: time.Duration(s.Network.Jitter),
		Loss: float64(s.Network.Loss) / 100, Reorder: float64(s.Network.Reorder) / 100,
		Rate: int64(s.Network.Rate), Seed: s.Seed,
	}
}

// rules is the number of the router's port-forwarding rules.
func (n *network) rules() int {
	if n.path == nil {
		return 0
	}
	return n.path.ForwardingRules
}

// processes are the network's own processes, without servers and load generators.
func (n *network) processes() processes {
	if n.link == nil {
		return nil
	}
	return processes{n.link}
}

// end ends the link and removes the network. A missing report of the link is an error, since no
// check could evaluate the link's lateness.
func (n *network) end(grace time.Duration) (report *results.Link, err error) {
	var failed []error
	if n.link != nil {
		report, err = n.readReport(grace)
		failed = append(failed, err)
	}
	if n.backends != nil {
		failed = append(failed, n.backends.Close())
	}
	if n.path != nil {
		failed = append(failed, n.path.Close())
	}
	return report, errors.Join(failed...)
}

// readReport ends the link's input and reads its final report.
func (n *network) readReport(grace time.Duration) (*results.Link, error) {
	early := n.link.Exited()
	n.link.Stdin.Close()
	received := make(chan *results.Link, 1)
	go func() {
		report := new(results.Link)
		if n.reports == nil || json.NewDecoder(n.reports).Decode(report) != nil {
			report = nil
		}
		received <- report
	}()
	select {
	case report := <-received:
		err := n.link.EndQuietly(grace)
		if report == nil && !early {
			err = errors.Join(errors.New("the link did not report its packet counts"), err)
		}
		return report, err
	case <-time.After(grace):
		err := n.link.End(0)
		if early {
			err = nil // CancelOnExit has reported the exit
		}
		return nil, err
	}
}
