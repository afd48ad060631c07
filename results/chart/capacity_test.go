package chart

import (
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
}
