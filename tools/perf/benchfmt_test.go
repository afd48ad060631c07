//go:build linux

package main

import (
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"
)

func TestBenchmarksMatchGolden(t *testing.T) {
	golden(t, "perf.txt", benchmarks(sample, findings(t)))
}

// benchstat can parse row, side, unit and value of every line.
func TestBenchmarksAreReadable(t *testing.T) {
	found := findings(t)
	for _, r := range rows("pushbench") {
		f := pending(r, 1, "")
		for i := range f.sides {
			f.sides[i].values[0] = 1.25
		}
		found = append(found, f)
	}
	want := 0
	for _, f := range found {
		for _, s := range f.sides {
			if f.ended == "" && s.decided() {
				want += len(s.values)
			}
		}
	}
	reader := benchfmt.NewReader(strings.NewReader(benchmarks(sample, found)), "perf.txt")
	got := 0
	for ; reader.Scan(); got++ {
		if _, unit := reader.Result().(*benchfmt.UnitMetadata); unit {
			got--
			continue
		}
		result, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			t.Fatalf("got %v, want a result", reader.Result())
		}
		if _, parts := result.Name.Parts(); len(parts) != 1 || !strings.HasPrefix(string(parts[0]), "/side=") || len(result.Values) != 1 || result.Values[0].Value <= 0 {
			t.Errorf("got %s with %v, want a side and its value", result.Name, result.Values)
		}
		if unit := result.Values[0].Unit; reader.Units().GetBetter(unit) != -1 {
			t.Errorf("%s: benchstat does not know that lower is better", unit)
		}
	}
	if err := reader.Err(); err != nil || got != want {
		t.Errorf("read %d measurements (%v), want %d", got, err, want)
	}
}
