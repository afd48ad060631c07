package trial

import (
	"testing"
	"time"

	"pushbench/bench/validity"
	"pushbench/scenarios"
)

// A backend's message crosses the link once, a client's twice.
func TestMinimumTimesOfTheLink(t *testing.T) {
	far := scenarios.Network{RTT: scenarios.Duration(20 * time.Millisecond)}
	for by, want := range map[scenarios.Publisher]validity.MinTimes{
		scenarios.ByBackend: {Connect: 20 * time.Millisecond, Deliver: 10 * time.Millisecond},
		scenarios.ByClients: {Connect: 20 * time.Millisecond, Deliver: 20 * time.Millisecond},
	} {
		if got := nearest(&scenarios.Scenario{Network: far, Publish: scenarios.Publish{By: by}}); got != want {
			t.Errorf("%s: got %+v, want %+v", by, got, want)
		}
	}
	if got := nearest(&scenarios.Scenario{Network: scenarios.Network{RTT: 1e9, Reorder: 1}}); got != (validity.MinTimes{}) {
		t.Errorf("with reordering: got %+v, want zero", got)
	}
	if got := nearest(&scenarios.Scenario{}); got != (validity.MinTimes{}) {
		t.Errorf("on loopback: got %+v, want zero", got)
	}
}
