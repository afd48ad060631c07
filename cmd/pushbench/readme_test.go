package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"pushbench/results"
	"pushbench/results/report"
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
	for _, drawn := range []string{">" + r.Badge() + "<", run.Manifest.Tool.Commit[:10]} {
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
