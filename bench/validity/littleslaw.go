package validity

import (
	"fmt"
	"math"
	"time"

	"pushbench/bench/clock"
	"pushbench/results"
)

// InFlight describes the number of (message, subscriber) pairs in flight, from the window's
// opening until all sessions were closed. A sampler counts, at random instants, the pairs due
// minus the pairs delivered. This count is independent of the measured latencies, and Little's
// law (1961) relates the two: mean in flight × span = the sum of all times in flight.
type InFlight struct {
	Mean     float64       `json:"mean"`    // pairs
	Error    float64       `json:"error"`   // standard error of Mean, from the differences of successive samples
	MaxError float64       `json:"blur"`    // maximum error of Mean due to late samples
	Squares  float64       `json:"squares"` // square of the pairs due at an instant, summed over the instants
	Samples  int           `json:"samples"` // 0: not counted
	Late     int           `json:"late"`    // samples taken too late to be exact; they contribute to MaxError
	MaxGap   time.Duration `json:"gap_ns"`  // longest interval between two readings during which something was delivered
	Span     time.Duration `json:"span_ns"`
	Missing  time.Duration `json:"missing_ns"` // summed over the pairs never delivered: time from due to the span's end
}

// samplingError is the standard error of Mean due to the random sampling instants, calculated from
// the trial's schedule.
// The samples' own variance underestimates it if few samples found a pair in flight: with short
// times in flight, perhaps none did, and the samples then seem exact. N pairs due at once, by one
// message or a burst, and in flight for τ add N·τ to the sum of times in flight. Samples Δ apart
// find N·Δ of it, or nothing: a variance of N²·τ·Δ, at most N²·Δ².
func samplingError(e Evidence) float64 {
	f := e.InFlight
	if f.Samples == 0 || f.Span <= 0 {
		return 0
	}
	samplers := max(1, e.Trial.Cost.Generator.Processes)
	spacing := float64(f.Span) * float64(samplers) / float64(f.Samples)
	inFlight := float64(e.Trial.Latency.Histogram.Mean())
	return math.Sqrt(f.Squares*min(inFlight, spacing)*spacing) / float64(f.Span)
}

// CheckLittlesLaw reports whether the counted number in flight equals rate × mean latency. The
// tolerance is 2 %, or 3.3 standard errors of the sampling if that is more, plus MaxError. If
// MaxError exceeds half of the count, agreement proves nothing: the check then reports that it was
// not applied. A difference beyond the tolerance always fails it.
func CheckLittlesLaw(e Evidence) (bool, string) {
	f := e.InFlight
	switch {
	case f.Samples == 0:
		return true, "not applied: no sample was taken"
	case e.Trial.Status == results.Partial:
		return true, "not applied: the trial was cut short"
	}
	h := e.Trial.Latency.Histogram
	area := float64(h.Mean())*float64(h.Count()) + float64(f.Missing)
	expected := area / float64(f.Span)
	allowed := max(expected/50, 3.3*max(f.Error, samplingError(e))) + f.MaxError
	passed := math.Abs(f.Mean-expected) <= allowed
	detail := fmt.Sprintf("in flight: %.4g counted in %d samples, %.4g by rate × mean latency, allowed ± %.2g", f.Mean, f.Samples, expected, allowed)
	if passed && f.MaxError > f.Mean/2 {
		detail = fmt.Sprintf("not applied: no reading for up to %v, so %d samples are only bounds; %s", clock.Round(f.MaxGap), f.Late, detail)
	}
	return passed, detail
}
