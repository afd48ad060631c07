//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// sample describes a fictional machine.
var sample = about{date: "2026-11-29", properties: []property{
	{"processor", "AMD EPYC, 2 cores"},
	{"kernel", "Linux 6.18.44"},
	{"load average at the start", "0.12"},
	{"Go", "go1.26.8"},
	{"pushbench", "0.1.0 (0123456789ab)"},
	{"wrk", "debian/4.1.0-4+b1"},
	{"k6", "not installed"},
	{"pairs per row", "3"},
}}

// findings returns one row for each way in which a row can end.
func findings(t *testing.T) []finding {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	slow := notReached(63_538, 112_252, "/s")
	found := []finding{}
	for _, r := range []row{
		{name: "Met and missed", load: "1024 subscribers", unit: "µs per delivery", sides: []side{
			{name: ownSide, once: returns(7.42, 7.2, 8.53)},
			{name: floorSide, bar: 1.15, once: returns(5.59, 6.01, 7.34)},
			{name: "nchan", bar: 0.95, once: returns(9.79, 8.92, 11.8)},
			{name: "without a bar", once: returns(10.0, 10.0, 10.0)},
		}},
		{name: "Absolute bar", load: "10,000 clients", unit: "KB per client", sides: []side{
			{name: ownSide, bar: 6.5, once: returns(4.56, 4.4, 6.68)},
		}},
		{name: "Load not reached", load: "64 connections", unit: "µs per poll", sides: []side{
			{name: ownSide, once: returns(slow, slow)},
			{name: "wrk", bar: 1, once: returns(14.5, 13.7, 16.7)},
		}},
		{name: "Peer not installed", load: "64 connections", unit: "µs per echo", sides: []side{
			{name: ownSide, once: returns(65.3, 61.5, 71.0)},
			{name: "k6", bar: 0.35, missing: "not installed (make peers)"},
		}},
		{name: "Failures of a peer", load: "64 connections", unit: "µs per echo", sides: []side{
			{name: ownSide, once: returns(65.3, 61.5, 71.0)},
			{name: "once", bar: 0.35, once: returns(errors.New("wrk printed\na table | of two columns"), 200.0, 210.0)},
			{name: "twice", bar: 0.35, once: returns(errors.New("timed out after 3m0s"), 200.0, errors.New("timed out after 3m0s"))},
		}},
		{name: "Interrupted", load: "64 connections", unit: "µs per poll", sides: []side{
			{name: ownSide, once: returns(14.1, 15.2)},
			{name: "wrk", bar: 1, once: func(context.Context) (float64, error) { cancel(); return 0, context.Canceled }},
		}},
	} {
		found = append(found, r.measure(ctx, 3, io.Discard))
	}
	last := row{name: "Not started", load: "1000 subscribers", unit: "ms at p99", sides: []side{{name: ownSide, bar: 1}, {name: "nchan", missing: "not installed"}}}
	return append(found, pending(last, 3, interrupted))
}

func TestTableMatchesGolden(t *testing.T) {
	golden(t, "table.md", table(sample, findings(t)))
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update to write it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

func TestValuesAreRounded(t *testing.T) {
	for x, want := range map[float64]string{0.9499: "0.95", 7.416: "7.42", 92.34: "92.3", 1234: "1230", 112_252: "112000", 0.00012345: "0.000123"} {
		if got := format(x); got != want {
			t.Errorf("%g: got %s, want %s", x, got, want)
		}
	}
}

// A reason of any length and with any characters fits its cell.
func TestCellIsOneLine(t *testing.T) {
	long := ""
	for range 100 {
		long += "ein µ | "
	}
	for _, text := range []string{"two\nlines", "tab\tand | bar", long} {
		got := []rune(cell(text))
		for i, r := range got {
			if r == '\n' || r == '\t' || r == '|' && (i == 0 || got[i-1] != '\\') {
				t.Errorf("%q: got %q, which exceeds its cell", text, string(got))
			}
		}
		if len(got) > 2*cellWidth {
			t.Errorf("got %d characters, want at most %d and the escapes", len(got), cellWidth)
		}
	}
}
