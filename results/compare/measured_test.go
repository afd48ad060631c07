package compare

import (
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
)

// The measured value of a claim is the median of its repetitions, in whatever order they came.
func TestMeasuredValueIsTheMedian(t *testing.T) {
	run := synthetic.Run(3, time.Second)
	for i := range run.Trials {
		run.Trials[i].Ledger.Lost = int64([]int{3, 1, 2}[run.Trials[i].Block-1])
	}
	claim := results.Claim{Case: "sse", Figure: "lost", Op: "<", Bound: 10}
	found := Claims([]results.Claim{claim}, run.Summary())
	if len(found) != 1 || found[0].Measured.X != 2 {
		t.Errorf("measured %+v, want 2, the median of 3, 1 and 2", found)
	}
}
