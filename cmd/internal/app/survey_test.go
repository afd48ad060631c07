package app

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pushbench/bench/fleet"
	"pushbench/bench/host"
	"pushbench/scenarios"
)

// A stubCandidate is an agent without a machine. Those that share busy have one machine.
type stubCandidate struct {
	busy     *atomic.Int32
	overlaps *atomic.Bool
	found    []host.Diagnosis
	ceiling  error
	finished bool
}

func (s *stubCandidate) Clock(context.Context) (fleet.Offset, error) {
	return fleet.Offset{Value: 25 * time.Hour, Bound: 40 * time.Microsecond}, nil
}

func (s *stubCandidate) Examine(context.Context) ([]host.Diagnosis, error) {
	if s.busy.Add(1) > 1 {
		s.overlaps.Store(true)
	}
	return s.found, nil
}
func (s *stubCandidate) Begin(context.Context) (string, error) { return "", nil }

func (s *stubCandidate) Ceiling(_ context.Context, chat *scenarios.Scenario, _ time.Duration) (float64, error) {
	s.busy.Add(-1)
	return float64(len(chat.Name)), s.ceiling
}
func (s *stubCandidate) Finish() error { s.finished = true; return nil }

func TestSurveyOfAgents(t *testing.T) {
	t.Parallel()
	chat, err := scenarios.Load(surveyScenario)
	if err != nil {
		t.Fatal(err)
	}
	var shared, other atomic.Int32
	var overlaps atomic.Bool
	fine := []host.Diagnosis{{Check: "governor", State: host.Warn}}
	agents := []*stubCandidate{
		{busy: &shared, overlaps: &overlaps, found: fine},
		{busy: &shared, overlaps: &overlaps, found: fine, ceiling: errors.New("agent b: no sign of life")},
		{busy: &other, overlaps: &overlaps, found: []host.Diagnosis{{Check: "clock", State: host.Fail}}},
	}
	all := []Surveyed{{Name: "a", BootID: "1"}, {Name: "b", BootID: "1"}, {Name: "c", BootID: "2"}}
	var candidates []candidate
	for _, one := range agents {
		candidates = append(candidates, one)
	}
	survey(t.Context(), chat, all, candidates)
	if overlaps.Load() {
		t.Error("two agents of one machine were checked at the same time")
	}
	if one := all[0]; one.Unusable != "" || one.Ceiling != 4 || one.Clock() != "25h0m0s ± 40µs" || len(one.Checks) != 1 || !agents[0].finished || !agents[1].finished {
		t.Errorf("%+v", one)
	}
	err = unusable(all)
	const want = "agent b is not usable: no sign of life\nagent c is not usable: "
	if CodeOf(err) != Invalid || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), ": clock") {
		t.Errorf("%v, want %s", err, want)
	}
	if unusable(all[:1]) != nil {
		t.Error("a usable agent was refused")
	}
}
