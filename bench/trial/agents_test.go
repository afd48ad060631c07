package trial

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pushbench/bench/agent"
	"pushbench/bench/generator/generatortest"
	"pushbench/bench/validity"
	"pushbench/results"
)

// Servers on one agent and load generators on others deliver and count what one agent with all of them does.
func TestTrialWithSeveralAgents(t *testing.T) {
	text := fmt.Sprintf(generatortest.PollScenario, "backend") + "servers: 3\n"
	one := runScenario(t, t.Context(), text, "server", "generator", nil, ignorePhase)
	servers, first, second := localAgent("server", "generator"), localAgent("server", "generator"), localAgent("server", "generator")
	several := runSetup(t, t.Context(), &Setup{Servers: servers, Generators: []agent.Agent{first, second}}, text, nil, ignorePhase)
	if one.err != nil || several.err != nil {
		t.Fatal(one.err, several.err)
	}
	for _, c := range several.result.Checks {
		if !c.Passed && !validity.Retryable(c.Name) {
			t.Errorf("%s: %s", c.Name, c.Detail)
		}
	}
	a, b := one.result, several.result
	if b.Ledger.Expected == 0 || b.Ledger.Expected != a.Ledger.Expected || b.Ledger.Delivered != b.Ledger.Expected || b.Publishes.Acknowledged != a.Publishes.Acknowledged {
		t.Errorf("ledger %+v and publishes %+v, of one agent %+v and %+v", b.Ledger, b.Publishes, a.Ledger, a.Publishes)
	}
	if b.Connect.Clients != a.Connect.Clients || b.Cost.Server.Processes != 3 || b.Cost.Generator.Processes != 3 || b.Cost.Server.Goroutines != a.Cost.Server.Goroutines {
		t.Errorf("%+v, cost %+v; of one agent %+v, %+v", b.Connect, b.Cost, a.Connect, a.Cost)
	}
	counted := int64(0)
	for _, i := range several.intervals {
		counted += i.Counted
	}
	if counted != b.Ledger.Delivered || len(several.intervals) > int(b.Took/time.Second)+2 {
		t.Errorf("%d intervals count %d messages, the ledger %d", len(several.intervals), counted, b.Ledger.Delivered)
	}
}

// A failure on one agent ends the step on all, and every process of the trial.
func TestFailureOfOneAgentEndsTheTrial(t *testing.T) {
	setup := &Setup{Servers: localAgent("server", "generator"), Generators: []agent.Agent{localAgent("server", "generator"), localAgent("server", "generator-exits")}}
	p := runSetup(t, t.Context(), setup, fmt.Sprintf(generatortest.PollScenario, "backend")+"servers: 2\n", nil, ignorePhase)
	if p.err == nil || p.err.Error() != "generator ended: exit status 4: out of memory" || p.result.Status != results.Invalid {
		t.Errorf("error %v, status %s", p.err, p.result.Status)
	}
}

func TestOtherLoadOfMachinesIsAdded(t *testing.T) {
	measured := func(machine string, user time.Duration, cores []int, own time.Duration) *agent.Measured {
		return &agent.Measured{Machine: machine, User: user, Cores: cores, Used: agent.Used{Servers: results.Process{CPU: own}}}
	}
	for name, c := range map[string]struct {
		all   []*agent.Measured
		other time.Duration
		cores int
	}{
		"one machine":             {[]*agent.Measured{measured("a", 10, []int{0, 1}, 7)}, 3, 2},
		"two agents on a machine": {[]*agent.Measured{measured("a", 10, []int{0, 1}, 3), measured("a", 0, nil, 4)}, 3, 2},
		"two machines":            {[]*agent.Measured{measured("a", 10, []int{0, 1}, 3), measured("b", 5, []int{0}, 4)}, 8, 3},
		"one cannot be known":     {[]*agent.Measured{measured("a", 10, []int{0, 1}, 3), measured("b", 0, nil, 4)}, 0, 0},
	} {
		if other, cores := otherUser(c.all); other != c.other || cores != c.cores {
			t.Errorf("%s: %v on %d cores, want %v on %d", name, other, cores, c.other, c.cores)
		}
	}
}

// The weakest agent limits all, because their shares are equal.
func TestCeilingIsThatOfTheWeakestAgent(t *testing.T) {
	strong, weak := &stubAgent{ceiling: 3e6}, &stubAgent{ceiling: 1e6}
	s := Setup{Servers: &stubAgent{}, Generators: []agent.Agent{strong, weak}, Placement: []string{"placed"}}
	conditions, err := s.Begin(t.Context(), nil)
	if err != nil || s.Ceiling != 2e6 || !slices.Equal(conditions, []string{"placed", "condition"}) {
		t.Errorf("ceiling %v, conditions %q, %v", s.Ceiling, conditions, err)
	}
}
