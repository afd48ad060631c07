package generator

import (
	"net"
	"os"
	"strings"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/client"
	"pushbench/bench/lab"
	"pushbench/bench/target"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// clientConfig returns the clients' configuration.
func (d *driver) clientConfig(p *Prepare) (c client.Config, err error) {
	c = client.Config{
		Target: p.Target, Authority: p.Authority, Transport: d.transport, Workers: workers(d.scenario), Traffic: &d.traffic, Link: link(d.scenario),
		HeaderBytes: int(d.scenario.Headers.Request), PostTimeout: time.Duration(scenarios.MaxResponse),
	}
	if p.BackendNamespace > 0 {
		c.InBackendNamespace = lab.InsideOf(p.BackendNamespace)
	}
	if d.scenario.Network.NAT {
		c.Host = lab.Host
	}
	if transports.Of(d.transport).ServerDials {
		c.Receive = receives(d.scenario.Network)
	}
	if foreign := p.Protocol != ""; !foreign || !transports.Of(d.transport).Holds { // a target decides how long it holds a poll
		c.ReadTimeout = time.Duration(d.scenario.ReadTimeout(d.transport))
	}
	if c.ReadTimeout == 0 && transports.Of(d.transport).Holds {
		c.RestTimeout = time.Duration(scenarios.MaxResponse)
	}
	switch traits := transports.Of(d.transport); {
	case traits.Timed:
		c.Interval = time.Duration(d.scenario.ShortPoll.Interval)
		c.Pacing = d.scenario.ShortPoll.Pacing
		c.NewConnection = d.scenario.ShortPoll.NewConnection
	case traits.Holds:
		c.PollTimeout = time.Duration(d.scenario.PollTimeout())
		c.NewConnection = d.scenario.LongPoll.NewConnection
	}
	if c.TLS, err = child.TLSConfig(p.Certificate); err != nil || p.Protocol == "" {
		return c, err
	}
	file, err := scenarios.ReadTarget("target", strings.NewReader(p.Protocol))
	if err != nil {
		return c, err
	}
	file.Path = p.ProtocolPath
	if err := file.ReadLogins(); err != nil {
		return c, err
	}
	if file.Secured() {
		if c.TLS, err = target.TLS(p.Certificate); err != nil {
			return c, err
		}
	}
	c.Dialect, err = target.Compile(file, d.transport, os.LookupEnv)
	return c, err
}

// receives returns a function from a client to the address where it listens for the server's
// posts, and the address under which the server reaches it.
func receives(n scenarios.Network) func(client int) (listen, external string) {
	switch {
	case n.NAT:
		return func(client int) (listen, external string) {
			inside, outside := lab.ForwardedPort(client)
			return inside.String(), outside.String()
		}
	case n.Link == scenarios.PacketLink:
		return func(int) (listen, external string) { return net.JoinHostPort(lab.FarAddress().String(), "0"), "" }
	default:
		return nil
	}
}

// link returns the link that the load generator emulates for a scenario.
func link(s *scenarios.Scenario) client.Link {
	if s.Network.Link == scenarios.PacketLink {
		return client.Link{} // emulated with network namespaces instead
	}
	return client.Link{RTT: time.Duration(s.Network.RTT), Jitter: time.Duration(s.Network.Jitter), Rate: int64(s.Network.Rate), Seed: s.Seed}
}
