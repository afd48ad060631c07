//go:build nightly

package endtoend

import (
	"math"
	"strings"
	"testing"

	"pushbench/bench/agent"
	"pushbench/bench/client/engines"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios"
)

// The memory per client must be a slope: that of 1,000 and that of 2,000 added clients agree within 10 %, medians of five
// probes each. The log is a table of all transports on both libraries.
func TestIdleMemoryIsASlope(t *testing.T) {
	s, err := scenarios.Read("observed", strings.NewReader(observed))
	if err != nil {
		t.Fatal(err)
	}
	one := &agent.Local{Machine: agent.Machine{
		Drive: []string{pushbench, "drive"},
		Serve: func(j agent.Job, _ string) []string {
			c := j.Measured
			if t := s.TargetOf(c); t != nil {
				return []string{pushbench, "supervise", t.Path}
			}
			return append([]string{pushbench, "serve", string(c.Transport), "--control", "--listen", "127.0.0.1:0"}, c.ServeFlags()...)
		},
	}}
	one.Pin()
	t.Logf("%-22s %12s %12s %7s %12s", "KiB per client", "1,000 added", "2,000 added", "ratio", "start-up MiB")
	agree := func(name string, c scenarios.Configuration) {
		small, startup := idleSlope(t, one, s, c, 1000)
		large, _ := idleSlope(t, one, s, c, 2000)
		t.Logf("%-22s %12.2f %12.2f %7.2f %12.1f", name, small, large, large/small, startup/1024)
		if math.Abs(large/small-1) > 0.1 {
			t.Errorf("%s: %.2f KiB per client with 1,000 added, %.2f with 2,000; want within 10 %%", name, small, large)
		}
	}
	for _, library := range []scenarios.Library{scenarios.NetHTTP, scenarios.FastHTTP} {
		for _, transport := range scenarios.ClientOpened {
			agree(string(transport)+" on "+string(library), scenarios.Configuration{Transport: transport, Library: library})
		}
	}
	s.Targets = map[scenarios.TargetName]*scenarios.Target{}
	for _, name := range []scenarios.TargetName{"nchan", "mosquitto"} { // their memory is in use: nothing waits for a garbage collection
		target, err := scenarios.LoadTarget("../../../servers/foreign/" + string(name) + "/target.yaml")
		if err != nil {
			t.Fatal(err)
		}
		s.Targets[name] = target
		for _, transport := range target.Offered() {
			agree(string(transport)+" of "+string(name), scenarios.Configuration{Transport: transport, Target: name})
		}
	}
}

// idleSlope returns medians of five memory probes, in KiB.
func idleSlope(t *testing.T, one agent.Agent, s *scenarios.Scenario, c scenarios.Configuration, added int) (perClient, startup float64) {
	t.Helper()
	var slopes, startups []float64
	for range 5 {
		m, err := one.IdleMemory(t.Context(), agent.Job{Scenario: s, Measured: c, Engine: engines.Names()[0]}, agent.IdleClients{First: agent.DefaultIdleClients.First, Added: added})
		if err != nil {
			t.Fatal(err)
		}
		probed := results.Trial{Cost: results.Cost{Idle: m}}
		slopes = append(slopes, summary.Measure(metric.ServerMemoryPerClient, probed).X)
		startups = append(startups, summary.Measure(metric.ServerMemoryStartup, probed).X)
	}
	return summary.Median(slopes), summary.Median(startups)
}
