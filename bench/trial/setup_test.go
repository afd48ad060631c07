package trial

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pushbench/bench/agent"
	"pushbench/bench/generator"
	"pushbench/scenarios"
)

// A stubAgent measures ceilings only.
type stubAgent struct {
	agent.Agent
	took    time.Duration // for the ceiling
	ceiling float64
}

func (s *stubAgent) Begin(context.Context) (string, error) { return "condition", nil }

func (s *stubAgent) Ceiling(_ context.Context, _ *scenarios.Scenario, during time.Duration) (float64, error) {
	s.took = during
	return s.ceiling, nil
}

func (s *stubAgent) IdleStalls(context.Context) (string, error) { return "", errors.New("called") }

// A quick setup does not measure stalls of idle cores, states that, and still measures a ceiling.
func TestQuickSetupStatesItsConditions(t *testing.T) {
	const quick = "quick: stalls of idle cores were not measured before and after the run, nor the memory of idle clients; the load generator's maximum rate was measured for 100 ms"
	for _, c := range []struct {
		setup      Setup
		conditions []string
		ceiling    time.Duration
	}{
		{Setup{}, []string{"condition"}, generator.CeilingTime},
		{Setup{Quick: true}, []string{"condition", quick}, generator.QuickCeilingTime},
	} {
		stub := &stubAgent{ceiling: 1e6}
		c.setup.Servers, c.setup.Generators = stub, []agent.Agent{stub}
		conditions, err := c.setup.Begin(t.Context(), nil)
		if err != nil || !slices.Equal(conditions, c.conditions) || stub.took != c.ceiling || c.setup.Ceiling != 1e6 {
			t.Errorf("quick %v: %q, a ceiling of %v in %v, %v", c.setup.Quick, conditions, c.setup.Ceiling, stub.took, err)
		}
		if _, err := c.setup.IdleStalls(t.Context()); (err != nil) == c.setup.Quick {
			t.Errorf("quick %v: the stalls of idle cores: %v", c.setup.Quick, err)
		}
	}
}
