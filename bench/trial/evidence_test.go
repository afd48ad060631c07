package trial

import (
	"testing"
	"time"

	"pushbench/bench/validity"
	"pushbench/scenarios"
)

// A backend's message comes down; a client's has gone up before.
func TestLeastTimes(t *testing.T) {
	far := scenarios.Network{RTT: scenarios.Duration(20 * time.Millisecond)}
	for by, want := range map[scenarios.Publisher]validity.Nearest{
		scenarios.ByBackend: {Connect: 20 * time.Millisecond, Deliver: 10 * time.Millisecond},
		scenarios.ByClients: {Connect: 20 * time.Millisecond, Deliver: 20 * time.Millisecond},
	} {
		if got := nearestBy(&scenarios.Scenario{Network: far, Publish: scenarios.Publish{By: by}}); got != want {
			t.Errorf("%s: got %+v, want %+v", by, got, want)
		}
	}
	if got := nearestBy(&scenarios.Scenario{Network: scenarios.Network{RTT: 1e9, Reorder: 1}}); got != (validity.Nearest{}) {
		t.Errorf("where some packets do not wait: %+v, want nothing", got)
	}
	if got := nearestBy(&scenarios.Scenario{}); got != (validity.Nearest{}) {
		t.Errorf("on loopback: got %+v, want nothing", got)
	}
}
