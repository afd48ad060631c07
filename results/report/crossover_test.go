package report

import (
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/summary"
)

// The sentence names a staleness if short polling alone is cheapest there, without a tie. It ends with "on" if
// that holds from there to the end of the map.
func TestStalenessesAtWhichPollingIsCheapest(t *testing.T) {
	cell := func(names ...string) (c compare.Cell) {
		for _, name := range names {
			c.Eligible = append(c.Eligible, summary.Row{Configuration: results.Configuration{Name: name, Transport: name}})
		}
		c.Cheapest, c.Measured = len(names), true
		return c
	}
	poll, push, tie, none, unmeasured := cell("shortpoll"), cell("websocket"), cell("shortpoll", "websocket"), cell(), compare.Cell{}
	for want, cells := range map[string][]compare.Cell{
		"short polling is cheapest from 1 s on":           {none, push, poll, poll},
		"short polling is cheapest from 50 ms on":         {poll, poll, poll, poll},
		"short polling is cheapest only at 200 ms":        {push, poll, push, push},
		"short polling is cheapest only at 50 ms and 5 s": {poll, push, tie, poll},
		"short polling is never cheapest up to 5 s":       {none, push, push, tie},
		"no transport qualifies up to 5 s":                {none, none, none, none},
		"":                                                {unmeasured, unmeasured, unmeasured, unmeasured},
	} {
		m := compare.CostMap{Loads: []float64{0}, Staleness: []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, time.Second, 5 * time.Second}, Cells: [][]compare.Cell{cells}}
		if got := polledWhere(m, 0); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A run that was interrupted before its first trial has no findings.
func TestMapOfAnInterruptedRunIsNotMeasured(t *testing.T) {
	run := &results.Run{Manifest: results.Manifest{
		Status: results.Partial, Reason: "interrupted after 0 of 3 trials", Transports: []string{"shortpoll", "websocket"},
		Configurations: []results.Configuration{
			{Name: "shortpoll interval=40ms", Transport: "shortpoll", Interval: 40 * time.Millisecond},
			{Name: "shortpoll interval=800ms", Transport: "shortpoll", Interval: 800 * time.Millisecond},
			{Name: "websocket", Transport: "websocket"},
		},
	}}
	r := New(run)
	table := r.crossoverSection().drawn(TableOptions{})
	if text := table + strings.Join(r.crossoverBorders(), ""); strings.Count(table, "not measured") != 2 || !strings.HasSuffix(text, "not measured") || strings.Contains(text, "limit") {
		t.Errorf("want two cells and a sentence that are not measured:\n%s", text)
	}
}
