package trial

import (
	"slices"
	"testing"

	"pushbench/bench/child"
	"pushbench/bench/generator"
	"pushbench/bench/host"
	"pushbench/scenarios"
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

// The load of other processes is what remains of all load, so it is unknown if a process of the server is.
func TestSharedCores(t *testing.T) {
	monitored := Setup{Monitor: &host.Monitor{}, ServerCores: []int{2}, GeneratorCores: []int{5, 7}}
	anywhere, alone := monitored, monitored
	anywhere.ServerCores, anywhere.GeneratorCores = nil, nil
	alone.Monitor = nil
	running := func(c scenarios.TargetCost) *scenarios.Target {
		return &scenarios.Target{URL: "http://127.0.0.1:3000", Cost: c}
	}
	for name, c := range map[string]struct {
		setup  Setup
		target *scenarios.Target
		want   []int
	}{
		"pinned":             {monitored, nil, []int{2, 5, 7}},
		"not pinned":         {anywhere, nil, child.OwnCores()},
		"not monitored":      {alone, nil, nil},
		"started target":     {monitored, new(scenarios.Target), []int{2, 5, 7}},
		"running, by pid":    {monitored, running(scenarios.TargetCost{PID: 4711}), []int{2, 5, 7}},
		"running, by a page": {monitored, running(scenarios.TargetCost{Prometheus: "http://127.0.0.1:3000/metrics"}), nil},
		"running, unknown":   {monitored, running(scenarios.TargetCost{}), nil},
	} {
		if got := c.setup.sharedCores(c.target); !slices.Equal(got, c.want) {
			t.Errorf("%s: cores %v, want %v", name, got, c.want)
		}
	}
}
