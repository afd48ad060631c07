package compare

import (
	"testing"
	"time"

	"pushbench/results/internal/synthetic"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// The measured value of an assertion is the median of its repetitions, in any order.
func TestMeasuredValueIsTheMedian(t *testing.T) {
	run := synthetic.Run(3, time.Second)
	for i := range run.Trials {
		run.Trials[i].Ledger.Lost = int64([]int{3, 1, 2}[run.Trials[i].Repetition-1])
	}
	assertion := metric.Assertion{Configuration: "sse", Metric: "lost", Op: "<", Bound: 10}
	found := Assertions([]metric.Assertion{assertion}, summary.Of(run))
	if len(found) != 1 || found[0].Measured.X != 2 {
		t.Errorf("measured %+v, want 2, the median of 3, 1 and 2", found)
	}
}
