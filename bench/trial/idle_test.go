package trial

import (
	"fmt"
	"strings"
	"testing"

	"pushbench/bench/agent"
	"pushbench/bench/generator/generatortest"
)

// A failed probe leaves no value and its reason, and the trial is complete.
func TestIdleMemoryIsNotMeasuredForAReason(t *testing.T) {
	for name, c := range map[string]struct {
		server  string
		clients agent.IdleClients
		quick   bool
		want    string
	}{
		"no garbage collection": {"server-no-collect", agent.IdleClients{First: 1, Added: 1}, false, "server did not collect garbage"},
		"too few descriptors":   {"server", agent.IdleClients{First: 1, Added: 1 << 40}, false, "need 1099511627877 open files"},
		"quick":                 {"server", agent.IdleClients{}, true, "--quick"},
	} {
		t.Run(name, func(t *testing.T) {
			one := localAgent(c.server, "generator")
			p := runSetup(t, t.Context(), &Setup{Servers: one, Generators: []agent.Agent{one}, IdleClients: c.clients, Quick: c.quick}, fmt.Sprintf(generatortest.PollScenario, "clients"), nil, ignorePhase)
			if p.err != nil {
				t.Fatal(p.err)
			}
			idle := p.result.Cost.Idle
			if !strings.Contains(idle.NotMeasured, c.want) || idle.Probes != 0 || p.result.Ledger.Delivered == 0 {
				t.Errorf("got %+v and %d messages, want no memory, a reason with %q, and all messages", idle, p.result.Ledger.Delivered, c.want)
			}
		})
	}
}
