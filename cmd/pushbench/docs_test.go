package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/bench/model"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/metric"
	"pushbench/results/report"
	"pushbench/results/summary"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each metric that the model predicts has a tolerance, and the documentation lists it with its reason.
func TestPredictionsHaveTolerances(t *testing.T) {
	page := readPage(t, "docs/method.md")
	for _, tolerance := range summary.Tolerances {
		cells := tolerance.Text()
		if row := "| " + strings.Join(cells[:], " | ") + " |\n"; !strings.Contains(page, row) {
			t.Errorf("docs/method.md does not contain: %s", row)
		}
	}
	for _, name := range scenarios.Names() {
		s, err := scenarios.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Configurations() {
			timed := transports.Of(c.Transport).Timed
			for _, p := range model.Predict(s.For(c), c.Transport, model.Measured{Delay: time.Millisecond, RepollGap: time.Millisecond, Write: time.Microsecond}) {
				if !slices.ContainsFunc(summary.Tolerances, func(t summary.Tolerance) bool { return t.Metric == p.Metric && t.Timed == timed }) {
					t.Errorf("%s, %s: %s is predicted and has no tolerance", name, c.Name(), p.Metric)
				}
			}
		}
	}
}

// The documentation explains each metric, validity check and chart.
func TestDocsExplainEverything(t *testing.T) {
	metrics, checks, charts := readPage(t, "docs/metrics.md"), readPage(t, "docs/validity-checks.md"), readPage(t, "docs/charts.md")
	for _, m := range metric.All {
		if !strings.Contains(metrics, "`"+m.Name+"`") {
			t.Errorf("docs/metrics.md does not explain %s", m.Name)
		}
	}
	for _, c := range validity.Check(validity.ValidEvidence()) {
		if !strings.Contains(checks, "| "+c.Name+" ") {
			t.Errorf("docs/validity-checks.md does not explain %q", c.Name)
		}
	}
	run, err := results.Open(filepath.Join("..", "..", "results", "reference", "chat"))
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := chart.Draw(run, summary.Of(run), report.New(run).Badge())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range drawn {
		if !slices.Contains(chart.Names(), f.Name) {
			t.Errorf("chart.Names does not list %s", f.Name)
		}
	}
	for _, name := range chart.Names() {
		if !strings.Contains(charts, "`"+name+"`") {
			t.Errorf("docs/charts.md does not explain %s", name)
		}
	}
}

// Each direct dependency has its reason in CONTRIBUTING.md.
func TestDependenciesHaveReasons(t *testing.T) {
	page, required := readPage(t, "CONTRIBUTING.md"), 0
	for line := range strings.Lines(readPage(t, "go.mod")) {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) != 2 || !strings.HasPrefix(fields[1], "v") { // not a direct one
			continue
		}
		required++
		if name := strings.TrimPrefix(fields[0], "github.com/"); !strings.Contains(page, name) {
			t.Errorf("CONTRIBUTING.md does not state what %s saves", name)
		}
	}
	if required < 10 {
		t.Errorf("go.mod requires %d modules, want 10 or more", required)
	}
}
