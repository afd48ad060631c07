package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pushbench/bench"
	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/results/report"
	"pushbench/scenarios"
)

const (
	readmeLimit = 8 << 10 // bytes that people read to the end
	readmeChart = "results/reference/chat/charts/pareto.svg"
)

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

func TestReadmeIsShort(t *testing.T) {
	if size := len(readPage(t, "README.md")); size > readmeLimit {
		t.Errorf("README.md has %d bytes, want at most %d: move details to docs/", size, readmeLimit)
	}
}

// The durations in the README are those of pushbench list.
func TestReadmeStatesDurations(t *testing.T) {
	page := readPage(t, "README.md")
	for name, command := range map[string]string{"quick": "pushbench run quick", "chat": "make bench"} {
		s, err := scenarios.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile(`(?m)^ *` + command + ` +# ` + app.InMinutes(bench.Duration(s, 1)) + `:`)
		if !want.MatchString(page) {
			t.Errorf("README.md does not match %s", want)
		}
	}
}
