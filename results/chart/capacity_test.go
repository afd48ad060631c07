package chart

import (
	"slices"
	"strings"
	"testing"

	"pushbench/results"
)

// A chart of an unfinished search marks loads that are no capacity, and has no panel without data.
func TestCapacityOfAnUnfinishedSearch(t *testing.T) {
	c := results.Capacity{Scenario: "chat", Limit: []string{"p(99)<200ms"}, Axis: "rate", Within: 0.05, Found: []results.Highest{
		{Transport: "sse", Load: 400, Unfinished: "interrupted", Probes: []results.Probe{{Load: 400, Held: true}}},
		{Transport: "websocket", Unfinished: "an earlier search did not finish"},
	}}
	f, err := Capacity(c)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.Alt, "sse: 400 so far; websocket: not found.") || len(f.Panels) != 1 {
		t.Errorf("%d panels, %s", len(f.Panels), f.Alt)
	}
	c.Found[1] = results.Highest{Transport: "websocket", Beyond: 50, SetupLimited: true}
	if f, err = Capacity(c); err != nil || !strings.Contains(f.Alt, "websocket: not measured.") {
		t.Errorf("without a measured load: %s, %v", f.Alt, err)
	}
	c.Found[0].Probes[0].P99 = 120
	if f, err = Capacity(c); err != nil || len(f.Panels) != 2 {
		t.Errorf("with a latency: %d panels, %v", len(f.Panels), err)
	}
	if f.Mark != "INTERRUPTED" || strings.Contains(f.Basis, "≥") {
		t.Errorf("the mark is %q, the basis %q", f.Mark, f.Basis)
	}
}

// The latency at a load is that of the table: of the last probe that met the limit, not of the first.
func TestCapacityHasTheLatencyOfTheTable(t *testing.T) {
	h := results.Highest{Transport: "sse", Load: 400, Confirmed: 1, Probes: []results.Probe{
		{Load: 400, Held: true, P99: 2}, {Load: 400, Held: true, P99: 4}, {Load: 800, P99: 300},
	}}
	f := capacity(results.Capacity{Axis: "rate", Found: []results.Highest{h}}).complete()
	if got := f.Panels[1].Series[0].Y; !slices.Equal(got, []float64{4, 300}) {
		t.Errorf("latencies %v, want 4 and 300", got)
	}
	if f.Mark != "ESTIMATE" || !strings.Contains(f.Basis, "≥: the search ended") {
		t.Errorf("the mark is %q, the basis %q", f.Mark, f.Basis)
	}
}
