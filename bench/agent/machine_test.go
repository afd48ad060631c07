package agent

import (
	"slices"
	"testing"

	"pushbench/bench/child"
	"pushbench/bench/host"
	"pushbench/scenarios"
)

// The load of other processes is what remains of all load, so it is unknown if a process of the server is.
func TestSharedCores(t *testing.T) {
	pinned := Machine{ServerCores: []int{2}, GeneratorCores: []int{5, 7}}
	monitored := &Local{Machine: pinned, monitor: &host.Monitor{}}
	anywhere, alone := &Local{monitor: &host.Monitor{}}, &Local{Machine: pinned}
	running := func(c scenarios.TargetCost) *scenarios.Target {
		return &scenarios.Target{URL: "http://127.0.0.1:3000", Cost: c}
	}
	for name, c := range map[string]struct {
		agent  *Local
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
		if got := c.agent.sharedCores(c.target); !slices.Equal(got, c.want) {
			t.Errorf("%s: cores %v, want %v", name, got, c.want)
		}
	}
}
