package chart

import (
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/summary"
)

// A chart of a run that was interrupted before its first trial reports no result.
func TestCrossoverOfAnInterruptedRunIsNotMeasured(t *testing.T) {
	run := &results.Run{Manifest: results.Manifest{
		Status: results.Partial, Transports: []string{"shortpoll", "websocket"},
		Configurations: []results.Configuration{
			{Name: "shortpoll interval=40ms", Transport: "shortpoll", Interval: 40 * time.Millisecond},
			{Name: "shortpoll interval=800ms", Transport: "shortpoll", Interval: 800 * time.Millisecond},
			{Name: "websocket", Transport: "websocket"},
		},
	}}
	c := crossover(run, summary.Of(run))
	if strings.Count(c.Alt, "not measured") != 2 || strings.Contains(c.Alt, "limit") {
		t.Error(c.Alt)
	}
}
