//go:build !race

// The race detector makes these tests take minutes: a reference of 12 repetitions is read and drawn.

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/results/report"
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
