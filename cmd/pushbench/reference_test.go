//go:build !race

// The race detector makes these tests take minutes: a reference of 12 repetitions is read and drawn.

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pushbench/bench/validity"
	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/metric"
	"pushbench/results/report"
	"pushbench/results/summary"
)

// The report regenerates the files of a run that are not committed.
func TestReportRedrawsAReference(t *testing.T) {
	reference, dir := filepath.Join("..", "..", "results", "reference", "chat"), filepath.Join(t.TempDir(), "chat")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"SHA256SUMS", "manifest.json", "scenario.yaml", "trials.jsonl", "intervals.jsonl"} {
		data, err := os.ReadFile(filepath.Join(reference, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"report", dir}, strings.NewReader(""), &stdout, &stderr); code != int(app.OK) && code != int(app.Inconclusive) {
		t.Fatalf("got exit code %d: %s", code, &stderr)
	}
	sums, err := os.ReadFile(filepath.Join(reference, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range regexp.MustCompile(`(?m)^[0-9a-f]{64}  (.+)$`).FindAllSubmatch(sums, -1) {
		name := string(line[1])
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("the report does not regenerate a file of the run: %v", err)
		}
	}
}

// The README shows the conclusion, the table and a chart of the committed run of chat.
func TestReadmeShowsTheReference(t *testing.T) {
	run, err := results.Open(filepath.Join(moduleRoot(t), "results", "reference", "chat"))
	if err != nil {
		t.Fatal(err)
	}
	r := report.New(run)
	comparePart(t, "README.md", "result", readmeResult(t, r))
	drawn := []string{run.Manifest.Tool.Commit[:10]}
	if r.Badge() != "VERDICT" { // the usual badge is not drawn
		drawn = append(drawn, ">"+r.Badge()+"<")
	}
	for _, drawn := range drawn {
		if !strings.Contains(readPage(t, readmeChart), drawn) {
			t.Errorf("%s does not show %q: run pushbench report results/reference/chat", readmeChart, drawn)
		}
	}
}

// readmeResult is the headline, the table without its notes, and the chart.
func readmeResult(t *testing.T, r *report.Report) string {
	t.Helper()
	d := r.Document()
	d.Sections = d.Sections[:1]
	d.Sections[0].Note = ""
	var b bytes.Buffer
	if err := d.Terminal(&b, report.TableOptions{Width: 100}); err != nil {
		t.Fatal(err)
	}
	return "```text\n" + b.String() + "```\n\n![Delivery latency p99 and price per 1,000 clients and month of each transport](" + readmeChart + ")\n"
}

// The table of a run has only columns that are explained.
func TestColumnsOfAReferenceAreExplained(t *testing.T) {
	run, err := results.Open(filepath.Join("..", "..", "results", "reference", "chat"))
	if err != nil {
		t.Fatal(err)
	}
	page, table := readPage(t, "docs/reading-results.md"), report.New(run).Document().Sections[0]
	for _, c := range table.Columns[1:] { // the first one names the transport
		explained := regexp.MustCompile(`(?m)^\|[^|]*\b` + regexp.QuoteMeta(c.Title) + `\b[^|]* \|`)
		if c.Detail == report.Brief && !explained.MatchString(page) {
			t.Errorf("docs/reading-results.md does not explain the column %q", c.Title)
		}
	}
}

// The documentation explains each metric, validity check and chart.
func TestDocsExplainWhatAReferenceHas(t *testing.T) {
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
		if report.CheckCauses[c.Name] == "" {
			t.Errorf("the answer of a run that fails %q has no plain cause", c.Name)
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

// A committed run opens without a warning.
func TestTheReferencesAreIntact(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join("..", "..", "results", "reference", "*", "manifest.json"))
	if err != nil || len(folders) < 5 {
		t.Fatalf("%d references, %v", len(folders), err)
	}
	for _, manifest := range folders {
		run, err := results.Open(filepath.Dir(manifest))
		if err != nil {
			t.Errorf("%s: %v", manifest, err)
			continue
		}
		if len(run.Warnings) > 0 {
			t.Errorf("%s: got the warnings %q, want none", manifest, run.Warnings)
		}
	}
}
