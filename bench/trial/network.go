package trial

import (
	"bufio"
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

// A network is where a trial's servers and clients are: this machine's own loopback, or
// namespaces at both ends of a link of packets.
type network struct {
	near, far child.Options // with which servers and generators are started
	host      string        // the address that servers listen on
	beside    int           // descriptor of the servers' namespace in a generator, for publishers beside them; 0: loopback

	path     *lab.Path // nil: loopback
	backends *os.File  // the servers' namespace
	link     *child.Process
	told     *bufio.Reader // what the link reports
}

// newNetwork makes what the scenario requires, and starts the link.
func newNetwork(ctx context.Context, rig *Setup, s *scenarios.Scenario) (*network, error) {
	n := &network{
		near: child.Options{Cores: rig.ServerCores},
		far:  child.Options{Cores: rig.GeneratorCores},
		host: "127.0.0.1",
	}
	if s.Network.Link != scenarios.PacketLink {
		return n, nil
	}
	if err := n.make(ctx, rig, s); err != nil {
		_, ended := n.end(child.Grace(ctx))
		return &network{}, fmt.Errorf("make the network: %w", errors.Join(err, ended))
	}
	return n, nil
}

func (n *network) make(ctx context.Context, rig *Setup, s *scenarios.Scenario) (err error) {
	if n.path, err = newPath(s); err != nil {
		return err
	}
	if n.backends, err = n.path.Near.Namespace(); err != nil {
		return err
	}
	n.near.Inside, n.far.Inside = n.path.Near.Inside, n.path.Far.Inside
	n.host = n.path.Near.Address.String()
	n.far.Files, n.beside = []*os.File{n.backends}, 3 // the first of the files
	devices := child.Options{Cores: rig.GeneratorCores, Files: []*os.File{n.path.Near.Device, n.path.Far.Device}}
	if n.link, err = child.Start("link", rig.Link, devices); err != nil {
		return err
	}
	n.told = bufio.NewReader(n.link.Stdout)
	ctx, release := child.EndsWith(ctx, n.link)
	defer release()
	return child.Cause(ctx, n.begin(shape(s)))
}

// newPath makes the namespaces of a scenario's network.
func newPath(s *scenarios.Scenario) (*lab.Path, error) {
	if s.Network.NAT {
		return lab.NewPath(&lab.Router{Hosts: s.Sessions(), Doors: s.Network.Forward, Forget: time.Duration(s.Network.IdleTimeout)})
	}
	return lab.NewPath(nil)
}

// begin tells the link its shape and waits until it carries.
func (n *network) begin(s lab.Shape) error {
	if err := json.NewEncoder(n.link.Stdin).Encode(s); err != nil {
		return fmt.Errorf("tell the link its shape: %w", err)
	}
	if _, err := n.told.ReadBytes('\n'); err != nil {
		return fmt.Errorf("wait for the link: %w", err)
	}
	return nil
}

// shape is the link that a scenario asks for.
func shape(s *scenarios.Scenario) lab.Shape {
	return lab.Shape{
		RTT: time.Duration(s.Network.RTT), Jitter: time.Duration(s.Network.Jitter),
		Loss: float64(s.Network.Loss) / 100, Reorder: float64(s.Network.Reorder) / 100,
		Rate: int64(s.Network.Rate), Seed: s.Seed,
	}
}

// rules is how many of the router's let connections in.
func (n *network) rules() int {
	if n.path == nil {
		return 0
	}
	return n.path.Doors
}

// processes are those of the network, beside servers and generators.
func (n *network) processes() processes {
	if n.link == nil {
		return nil
	}
	return processes{n.link}
}

// end ends the link and takes the network away. A link that does not say what crossed is an
// error: how late it was would be judged by nobody.
func (n *network) end(grace time.Duration) (crossed *results.Link, err error) {
	var failed []error
	if n.link != nil {
		crossed, err = n.account(grace)
		failed = append(failed, err)
	}
	if n.backends != nil {
		failed = append(failed, n.backends.Close())
	}
	if n.path != nil {
		failed = append(failed, n.path.Close())
	}
	return crossed, errors.Join(failed...)
}

// account hears what crossed: all that the link says once its input ends.
func (n *network) account(grace time.Duration) (*results.Link, error) {
	early := n.link.Gone()
	n.link.Stdin.Close()
	heard := make(chan *results.Link, 1)
	go func() {
		crossed := new(results.Link)
		if n.told == nil || json.NewDecoder(n.told).Decode(crossed) != nil {
			crossed = nil
		}
		heard <- crossed
	}()
	select {
	case crossed := <-heard:
		err := n.link.EndQuietly(grace)
		if crossed == nil && !early {
			err = errors.Join(errors.New("the link did not say what crossed"), err)
		}
		return crossed, err
	case <-time.After(grace):
		err := n.link.End(0)
		if early {
			err = nil // who waited for it knows
		}
		return nil, err
	}
}
