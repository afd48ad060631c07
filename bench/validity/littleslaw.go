package validity

import (
	"fmt"
	"math"
	"time"

	"pushbench/bench/clock"
	"pushbench/results"
)

// A Flight is how many (message, subscriber) pairs were in flight, on average, from the
// window's opening until all sessions were closed. It is counted, at instants of the
// sampler's own: due by then, less delivered by then. So it shares nothing with the
// latencies but the messages, and Little's law (1961) ties the two: mean in flight × span =
// the sum of all stays.
type Flight struct {
	Mean    float64       `json:"mean"`    // pairs
	Error   float64       `json:"error"`   // standard error of Mean, from how much successive samples differ
	Blur    float64       `json:"blur"`    // largest error of Mean because samples were taken late
	Squares float64       `json:"squares"` // pairs due at one instant, squared, summed over the instants
	Samples int           `json:"samples"` // 0: not counted
	Late    int           `json:"late"`    // samples taken later than punctual allows
	Gap     time.Duration `json:"gap_ns"`  // longest time between two readings in which something was delivered
	Span    time.Duration `json:"span_ns"`
	Missing time.Duration `json:"missing_ns"` // summed over pairs never delivered: due → the span's end
}

// chance is the standard error that samples of such a trial have. What they show of it
// themselves is too little where few fell on anything, as of short stays: none may see
// any, and then seem exact. What is due to N at once, be it one message or a burst, and stays
// for τ adds N·τ to the area, of which samples Δ apart see N·Δ, or nothing: a variance of
// N²·τ·Δ, of N²·Δ² at most.
func chance(e Evidence) float64 {
	f := e.Flight
	if f.Samples == 0 || f.Span <= 0 {
		return 0
	}
	samplers := max(1, e.Trial.Cost.Generator.Processes)
	apart := float64(f.Span) * float64(samplers) / float64(f.Samples)
	stay := float64(e.Trial.Latency.Histogram.Mean())
	return math.Sqrt(f.Squares*min(stay, apart)*apart) / float64(f.Span)
}

// Little: what was counted in flight is the rate times the mean latency, within 2 %, or
// within what chance explains of the samples where that is more; and within what late
// samples could not see. Where that is more than half of what was counted, agreement says
// nothing, and the check reports that it was not applied. Disagreement beyond it is a defect
// all the same.
func Little(e Evidence) (bool, string) {
	f := e.Flight
	switch {
	case f.Samples == 0:
		return true, "not applied: no sample was taken"
	case e.Trial.Status == results.Partial:
		return true, "not applied: the trial was cut short"
	}
	h := e.Trial.Latency.Histogram
	stays := float64(h.Mean())*float64(h.Count()) + float64(f.Missing)
	expected := stays / float64(f.Span)
	allowed := max(expected/50, 3.3*max(f.Error, chance(e))) + f.Blur
	passed := math.Abs(f.Mean-expected) <= allowed
	detail := fmt.Sprintf("%.4g in flight by %d samples, %.4g by rate × mean latency, allowed ± %.2g", f.Mean, f.Samples, expected, allowed)
	if passed && f.Blur > f.Mean/2 {
		detail = fmt.Sprintf("not applied: no reading for up to %v, so that %d samples are bounds only; %s", clock.Round(f.Gap), f.Late, detail)
	}
	return passed, detail
}
