package bench

import (
	"time"

	"pushbench/bench/client/engines"
	"pushbench/results"
	"pushbench/scenarios"
)

// describeLink says in a manifest how far the clients were.
func describeLink(m *results.Manifest, s *scenarios.Scenario) {
	n := s.Network
	m.Network = results.Loopback
	n.TLS = false // which the cases tell
	if n == (scenarios.Network{Link: scenarios.StreamLink}) && len(s.Sweep.RTT) == 0 {
		return
	}
	m.Network = results.StreamLink
	m.RTT, m.Jitter, m.LineRate = time.Duration(n.RTT), time.Duration(n.Jitter), int64(n.Rate)
	if n.Link == scenarios.PacketLink {
		m.Network, m.Loss, m.Reorder = results.PacketLink, float64(n.Loss)/100, float64(n.Reorder)/100
		m.NAT, m.IdleFor = n.NAT, time.Duration(n.IdleTimeout)
		if n.NAT {
			m.Conditions = append(m.Conditions, "each client has an address of its own behind a router, which masquerades, drops what is new from outside and what belongs to no connection that it knows (tcp_loose is off), and is in none of the costs; kernel keep-alive is off on both sides")
		}
		m.Conditions = append(m.Conditions, "servers and clients are in network namespaces of their own, joined by a link of packets that a process of its own carries, on the generator's core and in none of the costs; a backend stands beside the servers")
		return
	}
	m.Conditions = append(m.Conditions, "the distance is made inside the generator, in each client's connection: nothing is lost, and the kernels, which know of no distance, acknowledge at once")
	if m.Engine == engines.Goroutine {
		m.Conditions = append(m.Conditions, "goroutines let bytes out of the link as late as Go's timers are, by up to about a millisecond")
	}
}
