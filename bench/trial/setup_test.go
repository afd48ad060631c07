package trial

import (
	"testing"

	"pushbench/bench/generator"
	"pushbench/bench/host"
)

// A quick setup does not measure stalls of idle cores, states that, and still measures a ceiling.
func TestQuickSetupStatesItsConditions(t *testing.T) {
	full, quick := &Setup{}, &Setup{Quick: true, Monitor: &host.Monitor{}} // a monitor that cannot answer
	if conditions := full.Conditions(); len(conditions) != 1 || full.ceilingTime() != generator.CeilingTime {
		t.Errorf("%q, a ceiling in %v; want one condition, %v", conditions, full.ceilingTime(), generator.CeilingTime)
	}
	const want = "quick: stalls of idle cores were not measured before and after the run, nor the memory of idle clients; the load generator's maximum rate was measured for 100 ms"
	if conditions := quick.Conditions(); len(conditions) != 2 || conditions[1] != want {
		t.Errorf("%q, want %q", conditions, want)
	}
	if stalls, err := quick.IdleStalls(t.Context()); err != nil || stalls != "" {
		t.Errorf("a quick setup measured idle stalls: %q, %v", stalls, err)
	}
}
