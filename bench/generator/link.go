package generator

import (
	"time"

	"pushbench/bench/client"
	"pushbench/scenarios"
)

// link is the distance that a scenario asks of the generator.
func link(s *scenarios.Scenario) client.Link {
	if s.Network.Link == scenarios.PacketLink {
		return client.Link{} // the kernel's
	}
	return client.Link{RTT: time.Duration(s.Network.RTT), Jitter: time.Duration(s.Network.Jitter), Rate: int64(s.Network.Rate), Seed: s.Seed}
}
