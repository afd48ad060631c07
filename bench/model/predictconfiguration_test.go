package model

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/scenarios"
)

// The latency formulas do not apply with a batching delay.
func TestPredictionFollowsTheConfiguration(t *testing.T) {
	s, err := scenarios.Read("test", strings.NewReader(`
version: 1
name: swept
clients: {count: 10}
publish: {by: backend, rate: 10/s}
payload: {size: 64B}
window: 5s
sweep: {batching_delay: [0s, 5ms]}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.Configurations() {
		predictions := Predict(s.For(c), c.Transport, Measured{Delay: time.Millisecond, RepollGap: 2 * time.Millisecond})
		predicts := slices.ContainsFunc(predictions, func(p results.Prediction) bool { return p.Metric == metric.P50 })
		if want := c.BatchingDelay == 0; predicts != want {
			t.Errorf("%s: p50 is predicted: %v, want %v", c.Name(), predicts, want)
		}
	}
}
