package selftest

import (
	"fmt"
	"math"
	"slices"
	"time"

	"pushbench/results"
)

// andersonDarling is A² of values that ought to be uniform on (0, 1).
func andersonDarling(u []float64) float64 {
	u = slices.Sorted(slices.Values(u))
	n, sum := float64(len(u)), 0.0
	for i, x := range u {
		y := u[len(u)-1-i]
		sum += (2*float64(i) + 1) * (math.Log(max(x, 1e-300)) + math.Log(max(1-y, 1e-300)))
	}
	return -n - sum/n
}

// kolmogorov is the largest distance between a histogram's distribution and a law.
// Only the edges of buckets are compared: between them the histogram knows nothing.
func kolmogorov(h results.Histogram, law func(time.Duration) float64) (worst float64) {
	hdr := h.HDR()
	if hdr == nil {
		return 1
	}
	seen, n := int64(0), float64(hdr.TotalCount())
	for _, bar := range hdr.Distribution() {
		if bar.Count == 0 {
			continue
		}
		worst = max(worst, math.Abs(float64(seen)/n-law(time.Duration(bar.From))))
		seen += bar.Count
		worst = max(worst, math.Abs(float64(seen)/n-law(time.Duration(bar.To))))
	}
	return worst
}

// uniform is the law of a uniform distribution on (low, low + width).
func uniform(low, width time.Duration) func(time.Duration) float64 {
	return func(d time.Duration) float64 { return min(1, max(0, float64(d-low)/float64(width))) }
}

// kolmogorovLimit is the largest distance that chance explains for m independent
// observations, at one in a thousand: a self-test of many rows that was right to
// 5 % each would cry wolf nearly every time. What timers may be late by, a share of
// the interval, is added.
func kolmogorovLimit(m int64, interval time.Duration) float64 {
	return 1.95/math.Sqrt(float64(m)) + timers(interval).Seconds()/interval.Seconds()
}

// uniformRow holds m independent latencies to the law of (low, low + width).
func uniformRow(what string, h results.Histogram, m int64, low, width time.Duration) Result {
	return between(fmt.Sprintf("%s, m = %d", what, m), "", 0, kolmogorovLimit(m, width), kolmogorov(h, uniform(low, width)))
}

// timers is what an interval's timers may be late by.
func timers(interval time.Duration) time.Duration { return max(2*time.Millisecond, interval/100) }
