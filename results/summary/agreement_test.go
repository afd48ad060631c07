package summary_test

import (
	"math"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// predictedRow returns a row whose trials all have a latency, of 1,000 publications each.
func predictedRow(transport string, predicted float64, latencies ...time.Duration) summary.Row {
	r := summary.Row{Configuration: results.Configuration{Name: transport, Transport: transport}}
	for _, latency := range latencies {
		t := results.Trial{Predicted: []results.Prediction{{Metric: metric.P50, Value: predicted, Formula: "d"}}}
		for range 1000 {
			t.Latency.Histogram.Record(latency)
		}
		t.Latency.Independent, t.Publishes.Planned = 1000, 1000
		r.Trials = append(r.Trials, t)
	}
	r.Pooled = results.Pool(r.Trials)
	return r
}

func TestAgreementWithTheModel(t *testing.T) {
	const pushed, polled = "sse", "shortpoll"
	saturated := predictedRow(pushed, 10, 10*time.Millisecond)
	saturated.Saturated = true
	lost := predictedRow(pushed, 10, 10*time.Millisecond)
	lost.Trials[0].Latency.Infinite = 10_000
	lost.Pooled = results.Pool(lost.Trials)
	few := predictedRow(pushed, 10, 10*time.Millisecond)
	few.Trials[0].Latency.Independent = 1
	few.Pooled = results.Pool(few.Trials)
	for _, c := range []struct {
		name          string
		row           summary.Row
		known, agrees bool
	}{
		{"0.5 ms is 5 % of 10 ms, and 0.1 ms are wake-ups", predictedRow(pushed, 10, 10590*time.Microsecond), true, true},
		{"more is not", predictedRow(pushed, 10, 10700*time.Microsecond), true, false},
		{"less is not", predictedRow(pushed, 10, 9300*time.Microsecond), true, false},
		{"a repetition within the tolerance", predictedRow(pushed, 10, 10500*time.Microsecond, 11*time.Millisecond), true, true},
		{"repetitions on both sides", predictedRow(pushed, 10, 8*time.Millisecond, 12*time.Millisecond), true, true},
		{"no repetition within it", predictedRow(pushed, 10, 11*time.Millisecond, 12*time.Millisecond), true, false},
		{"polls at random phases vary more", predictedRow(polled, 500, 560*time.Millisecond), true, true},
		{"but not by a quarter", predictedRow(polled, 500, 625*time.Millisecond), true, false},
		{"overload describes a queue", saturated, false, false},
		{"too few observations", few, false, false},
		{"lost messages are infinitely late", lost, true, false},
	} {
		a, ok := c.row.Agreement(metric.P50)
		if !ok || a.Known != c.known || a.Agrees != c.agrees || a.Formula != "d" {
			t.Errorf("%s: %+v (%v); want known %v, agrees %v", c.name, a, ok, c.known, c.agrees)
		}
	}
	if a, ok := predictedRow(pushed, 10, time.Millisecond).Agreement(metric.P99); ok {
		t.Errorf("%+v of a metric that the model does not predict", a)
	}
}

// More observations leave less to chance: 3.3 standard errors of 1/√n of the prediction.
func TestToleranceShrinksWithObservations(t *testing.T) {
	one, _ := predictedRow("shortpoll", 500, time.Second).Agreement(metric.P50)
	four, _ := predictedRow("shortpoll", 500, time.Second, time.Second, time.Second, time.Second).Agreement(metric.P50)
	for n, a := range map[float64]summary.Agreement{1000: one, 4000: four} {
		if want := 2 + 500*(0.02+3.3/math.Sqrt(n)); !near(a.Tolerance, want) {
			t.Errorf("%v observations: tolerance %v, want %v", n, a.Tolerance, want)
		}
	}
}
