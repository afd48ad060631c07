//go:build !race

// The race detector allocates memory of its own.

package agent

import (
	"math"
	"strings"
	"testing"

	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

func polling(*scenarios.Scenario) scenarios.Configuration {
	return scenarios.Configuration{Transport: transports.ShortPoll}
}

// The slope must be the memory that a server really keeps per client, whatever it has allocated before.
func TestIdleMemoryAllocatedByAServer(t *testing.T) {
	m, err := idleMemory(t, "server-known-memory", polling, IdleClients{First: 5, Added: 40})
	if err != nil {
		t.Fatal(err)
	}
	if m.Probes != 1 || m.First != 5 || m.Added != 40 || m.Server.Resident < m.Server.First || m.Generator.First <= 0 {
		t.Errorf("got %+v, want one probe of 5 and 40 clients", m)
	}
	if got, want := float64(m.Server.All-m.Server.First), float64(40*knownPerClient); math.Abs(got/want-1) > 0.1 {
		t.Errorf("40 clients added %.0f bytes, want %.0f within 10 %%", got, want)
	}
}

// idleTarget returns what makes a scenario measure a server that is running already, whose costs are in the given line.
func idleTarget(t *testing.T, cost string) func(s *scenarios.Scenario) scenarios.Configuration {
	t.Helper()
	target, err := scenarios.ReadTarget("mine.yaml", strings.NewReader(`version: 1
name: mine
url: http://127.0.0.1:9
`+cost+`
transports: {shortpoll: {path: /poll}}
publish: {post: /publish, create: {put: "/topics/{topic}"}}
`))
	if err != nil {
		t.Fatal(err)
	}
	return func(s *scenarios.Scenario) scenarios.Configuration {
		s.Targets = map[scenarios.TargetName]*scenarios.Target{"mine": target}
		return scenarios.Configuration{Transport: transports.ShortPoll, Target: "mine"}
	}
}

// The server of a target receives no commands and reports no requests. It refuses to create a topic twice.
func TestIdleMemoryAllocatedByATarget(t *testing.T) {
	m, err := idleMemory(t, "target-known-memory", idleTarget(t, "cost: {pid: 1}"), IdleClients{First: 20, Added: 40})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := float64(m.Server.All-m.Server.First), float64(40*knownPerClient); math.Abs(got/want-1) > 0.1 {
		t.Errorf("40 clients added %.0f bytes, want %.0f within 10 %%", got, want)
	}
}

func TestIdleAllocationsThatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct{ server, cost, want string }{
		"page":         {"target-known-memory", "cost: {prometheus: 'http://127.0.0.1:9/metrics'}", "cost.prometheus"},
		"no cost":      {"target-known-memory", "", "neither start nor cost.pid"},
		"used earlier": {"target-used-memory", "cost: {pid: 1}", "left over from earlier clients"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := idleMemory(t, c.server, idleTarget(t, c.cost), IdleClients{First: 1, Added: 1})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
