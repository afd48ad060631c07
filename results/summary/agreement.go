package summary

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

// A Tolerance is how far a measured metric may be from its prediction. It covers what the formula leaves
// out, and what the validity checks of a trial allow.
type Tolerance struct {
	Metric   string
	Timed    bool    // applies to transports that poll at intervals; otherwise to all others
	Absolute float64 // in the metric's unit
	Relative float64 // of the prediction
	Random   float64 // standard deviation of one observation, relative to the prediction; 0: the metric is not random
	Reason   string
}

const (
	timers     = "timers and publications may be late by 2 ms and by 1 % of the interval in a valid trial"
	wakeups    = "d is the fastest connect, and does not contain the wake-ups of server and client"
	lateness   = "publications may leave 1 ms late at p99 in a valid trial, and the formula ignores queueing"
	stalls     = "CPU stalls of 0.5 % of a window of 6 s are valid"
	edges      = "a request at an edge of the window counts for a message on its other side"
	visits     = edges + "; short-lived clients come at random times"
	exact      = "a count without chance"
	sharedPoll = "the clients of a topic find the same messages, so their shares vary together"
)

// Text returns the tolerance as a row of the documentation: the transports, the metric, what is allowed, and why.
func (t Tolerance) Text() (cells [4]string) {
	m := metric.ByName(t.Metric)
	kind := "other"
	if t.Timed {
		kind = "short polling"
	}
	var parts []string
	if t.Absolute > 0 {
		parts = append(parts, strings.TrimSpace(metric.Number(t.Absolute)+" "+m.Unit))
	}
	if t.Relative > 0 {
		parts = append(parts, metric.Percent(t.Relative))
	}
	if t.Random > 0 {
		parts = append(parts, metric.Percent(standardErrors*t.Random)+" / √n")
	}
	return [4]string{kind, m.Title, cmp.Or(strings.Join(parts, " + "), "0"), t.Reason}
}

// Tolerances has a row for each metric that the model predicts. Absolute and Relative are added. A random
// metric adds 3.3 standard errors, which chance exceeds in one of 1,000 cases.
var Tolerances = []Tolerance{
	{metric.P50, true, 2, 0.02, 1, timers},
	{metric.P50, false, 0.1, 0.05, 0, wakeups},
	{metric.P99, true, 2, 0.01, 0.1, timers},
	{metric.P99, false, 1, 0.05, 0, lateness},
	{metric.P999, true, 2, 0.01, 0.03, timers},
	{metric.Mean, false, 0.1, 0.05, 0, wakeups},
	{metric.Max, true, 30, 0.01, 0, stalls},
	{metric.AgeMean, true, 2, 0.02, 1, timers},
	{metric.AgeMean, false, 1, 0.02, 1, lateness},
	{metric.AgeP99, true, 2, 0.02, 1, timers},
	{metric.AgeP99, false, 2, 0.02, 1, lateness},
	{metric.ReplyP50, false, 0.2, 0.05, 0, wakeups},
	{metric.ReplyP99, false, 2, 0.05, 0, lateness},
	{metric.RequestsPerMessage, true, 0, 0.01, 1, edges},
	{metric.RequestsPerMessage, false, 0, 0.05, 0, visits},
	{metric.EmptyResponseShare, true, 0.02, 0, 1, sharedPoll},
	{metric.MessagesPerBatch, true, 0, 0.01, 1, edges},
	{metric.MessagesPerBatch, false, 0, 0.01, 0, edges},
	{metric.ConnectP50, true, 2, 0.05, 0, wakeups},
	{metric.ConnectP50, false, 2, 0.05, 0, wakeups},
	{metric.ConnectRoundTrips, true, 0, 0, 0, exact},
	{metric.ConnectRoundTrips, false, 0, 0, 0, exact},
}

// An Agreement compares a measured metric with its prediction.
type Agreement struct {
	Metric    string
	Measured  Value // see Row.Typical
	Predicted float64
	Tolerance float64 // in the metric's unit, chance included
	Formula   string
	Known     bool // false: n/a, as there is no measured value, or the row was overloaded
	Agrees    bool // some value between the lowest and the highest repetition is within the tolerance
}

// standardErrors is the number of standard errors that chance exceeds in one of 1,000 cases.
const standardErrors = 3.3

// Agreement compares the row's metric with the model's prediction; ok is false if the model predicts none.
// The range of the repetitions is their noise: the model agrees if it is within the tolerance of any value
// in it.
func (r Row) Agreement(name string) (a Agreement, ok bool) {
	p, ok := r.Predicted(name)
	if !ok {
		return a, false
	}
	a = Agreement{Metric: name, Measured: r.Typical(name), Predicted: p.Value, Formula: p.Formula, Tolerance: r.tolerance(p)}
	a.Known = !r.Saturated && (a.Measured.Known == Shown || a.Measured.Known == Infinite)
	noise, several := r.Range(name)
	if !several {
		noise = Range{a.Measured, a.Measured}
	}
	a.Agrees = a.Known && noise.Lo.Known == Shown && noise.Lo.X <= p.Value+a.Tolerance && (noise.Hi.Known == Infinite || noise.Hi.X >= p.Value-a.Tolerance)
	return a, true
}

// tolerance returns the tolerance of a prediction for the row's transport and number of observations.
func (r Row) tolerance(p results.Prediction) float64 {
	timed := transports.Of(r.Transport).Timed
	i := slices.IndexFunc(Tolerances, func(t Tolerance) bool { return t.Metric == p.Metric && t.Timed == timed })
	if i < 0 {
		return 0
	}
	t := Tolerances[i]
	n := min(r.Pooled.Latency.Independent, r.Pooled.Publishes.Planned)
	chance := t.Random * standardErrors / math.Sqrt(float64(max(1, n)))
	return t.Absolute + (t.Relative+chance)*p.Value
}
