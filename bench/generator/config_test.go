package generator

import (
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/scenarios"
)

// The link has the scenario's parameters, and its jitter uses the scenario's seed.
func TestLinkOfAScenario(t *testing.T) {
	s := &scenarios.Scenario{Seed: 7, Network: scenarios.Network{RTT: scenarios.Duration(20 * time.Millisecond), Jitter: scenarios.Duration(2 * time.Millisecond), Rate: 1e6}}
	if got, want := link(s), (client.Link{RTT: 20 * time.Millisecond, Jitter: 2 * time.Millisecond, Rate: 1e6, Seed: 7}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
