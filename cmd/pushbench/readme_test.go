package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbench/results"
	"pushbench/results/report"
)

const (
	readmeLimit  = 8 << 10 // bytes that people read to the end
	resultBegins = "<!-- result of results/reference/chat, by make docs -->\n"
	resultEnds   = "<!-- end of the result -->\n"
	readmeChart  = "results/reference/chat/charts/pareto.svg"
)

// The README shows the conclusion, the table and a chart of the committed run of chat.
func TestReadmeShowsTheReference(t *testing.T) {
	text := readPage(t, "README.md")
	before, rest, begins := strings.Cut(text, resultBegins)
	_, after, ends := strings.Cut(rest, resultEnds)
	if !begins || !ends {
		t.Fatalf("README.md has no result between %q and %q", resultBegins, resultEnds)
	}
	run, err := results.Open(filepath.Join(moduleRoot(t), "results", "reference", "chat"))
	if err != nil {
		t.Fatal(err)
	}
	r := report.New(run)
	want := before + resultBegins + readmeResult(t, r) + resultEnds + after
	if *update {
		if err := os.WriteFile(filepath.Join(moduleRoot(t), "README.md"), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("README.md does not show the reference: run make docs (-reference +page):\n%s", diff)
	}
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
