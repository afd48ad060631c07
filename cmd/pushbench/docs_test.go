package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/metric"
	"pushbench/results/report"
	"pushbench/results/summary"
)

func readPage(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
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
