package generator

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pushbench/bench/generator/generatortest"
	"pushbench/scenarios"
)

// The measured ceiling is far above the rate of any scenario in these tests.
func TestCeilingIsFarAboveTheOfferedRate(t *testing.T) {
	for _, publisher := range []string{"clients", "backend"} {
		text := fmt.Sprintf(generatortest.PollScenario, publisher)
		s, err := scenarios.Read("test", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, limit := range []time.Duration{CeilingTime, QuickCeilingTime} {
			got, err := MeasureCeiling{Scenario: text, Time: limit}.measure()
			if err != nil {
				t.Fatal(err)
			}
			offered := float64(s.Publish.Rate) + s.DeliveryRate()
			if got.PerSecond < 10*offered {
				t.Errorf("published by %s, in %v: %.0f per second, want at least 10 times the offered %.0f", publisher, limit, got.PerSecond, offered)
			}
		}
	}
}

func TestMeasureCeilingMustBeTheFirstCommand(t *testing.T) {
	g := startGenerator(t, "clients")
	g.send(Command{MeasureCeiling: &MeasureCeiling{}})
	failed := ""
	for r := range g.reports {
		failed = r.Failed
	}
	if err := <-g.ended; err == nil || !strings.Contains(failed, "measure_ceiling must be the first command") {
		t.Errorf("ended with error %v and report %q", err, failed)
	}
}

func TestMeasureCeilingRefusesAnInvalidScenario(t *testing.T) {
	var out strings.Builder
	if err := Drive(strings.NewReader(`{"measure_ceiling":{"scenario":"version: 9","time_ns":1}}`), &out); err == nil || !strings.Contains(out.String(), "scenario:1") {
		t.Errorf("ended with error %v and report %q", err, out.String())
	}
}

func TestMeasureCeilingRefusesTimeZero(t *testing.T) {
	if got, err := (MeasureCeiling{Scenario: fmt.Sprintf(generatortest.PollScenario, "clients")}).measure(); err == nil {
		t.Errorf("got %v, want an error", got)
	}
}

// For any fan-out, the plan has more messages than can be published, and still fits into memory.
func TestCeilingPlanHasEnoughMessages(t *testing.T) {
	for _, clients := range []int{1, 100, 10_000} {
		s, err := scenarios.Read("test", strings.NewReader(strings.Replace(fmt.Sprintf(generatortest.PollScenario, "backend"), "count: 4", fmt.Sprint("count: ", clients), 1)))
		if err != nil {
			t.Fatal(err)
		}
		s.Clients.Count = clients
		if n := len(ceilingPlan(s, QuickCeilingTime).Messages); n < 90 || n > 100_000 || n*clients < 60_000 {
			t.Errorf("%d clients, quick: %d messages", clients, n)
		}
		plan := ceilingPlan(s, CeilingTime)
		if n := len(plan.Messages); n < 90 || n > 500_000 || n*clients < 300_000 {
			t.Errorf("%d clients: %d messages", clients, n)
		}
		if plan.Opens != 0 || plan.Closes != time.Second {
			t.Errorf("window from %v to %v", plan.Opens, plan.Closes)
		}
	}
}
