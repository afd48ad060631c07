package generator

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pushbench/bench/generator/generatortest"
	"pushbench/scenarios"
)

// A generator finds a ceiling far above what any scenario of these tests asks, and
// takes it once, before anything else.
func TestGeneratorFindsItsCeiling(t *testing.T) {
	for _, publisher := range []string{"clients", "backend"} {
		text := fmt.Sprintf(generatortest.PollScenario, publisher)
		s, err := scenarios.Read("test", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, limit := range []time.Duration{GaugeTime, QuickGaugeTime} {
			got, err := Gauge{Scenario: text, Time: limit}.gauge()
			if err != nil {
				t.Fatal(err)
			}
			asked := float64(s.Publish.Rate) + s.DeliveryRate()
			if got.PerSecond < 10*asked {
				t.Errorf("published by %s, in %v: %.0f per second, less than ten times the %.0f that are asked", publisher, limit, got.PerSecond, asked)
			}
		}
	}
}

func TestCeilingComesFirst(t *testing.T) {
	g := startGenerator(t, "clients")
	g.order(Order{Gauge: &Gauge{}})
	told := ""
	for m := range g.heard {
		told = m.Failed
	}
	if err := <-g.ended; err == nil || !strings.Contains(told, "before anything else") {
		t.Errorf("ended with %v and told %q", err, told)
	}
}

func TestCeilingOfNoScenario(t *testing.T) {
	var out strings.Builder
	if err := Drive(strings.NewReader(`{"gauge":{"scenario":"version: 9","time_ns":1}}`), &out); err == nil || !strings.Contains(out.String(), "scenario:1") {
		t.Errorf("ended with %v and told %q", err, out.String())
	}
}

func TestCeilingInNoTime(t *testing.T) {
	if got, err := (Gauge{Scenario: fmt.Sprintf(generatortest.PollScenario, "clients")}).gauge(); err == nil {
		t.Errorf("got %v, want an error", got)
	}
}

// The plan is more than is done, and not more than memory holds, whatever the fan-out.
func TestFlatOutIsEnoughAndNotTooMuch(t *testing.T) {
	for _, clients := range []int{1, 100, 10_000} {
		s, err := scenarios.Read("test", strings.NewReader(strings.Replace(fmt.Sprintf(generatortest.PollScenario, "backend"), "count: 4", fmt.Sprint("count: ", clients), 1)))
		if err != nil {
			t.Fatal(err)
		}
		s.Clients.Count = clients
		if n := len(flatOut(s, QuickGaugeTime).Messages); n < 90 || n > 100_000 || n*clients < 60_000 {
			t.Errorf("%d clients, quick: %d messages", clients, n)
		}
		plan := flatOut(s, GaugeTime)
		if n := len(plan.Messages); n < 90 || n > 500_000 || n*clients < 300_000 {
			t.Errorf("%d clients: %d messages", clients, n)
		}
		if plan.Opens != 0 || plan.Closes != time.Second {
			t.Errorf("window from %v to %v", plan.Opens, plan.Closes)
		}
	}
}
