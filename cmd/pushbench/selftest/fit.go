package selftest

import (
	"fmt"
	"math"
	"slices"
	"time"

	"pushbench/results"
)

// andersonDarling returns A² of values against the uniform distribution on (0, 1).
func andersonDarling(u []float64) float64 {
	u = slices.Sorted(slices.Values(u))
	n, sum := float64(len(u)), 0.0
	for i, x := range u {
		y := u[len(u)-1-i]
		sum += (2*float64(i) + 1) * (math.Log(max(x, 1e-300)) + math.Log(max(1-y, 1e-300)))
	}
	return -n - sum/n
}

// kolmogorov returns the largest distance between the distribution of a histogram and a
// cumulative distribution function. It compares only bucket edges: the histogram contains
// no information between them.
func kolmogorov(h results.Histogram, cdf func(time.Duration) float64) (worst float64) {
	hdr := h.HDR()
	if hdr == nil {
		return 1
	}
	seen, n := int64(0), float64(hdr.TotalCount())
	for _, bar := range hdr.Distribution() {
		if bar.Count == 0 {
			continue
		}
		worst = max(worst, math.Abs(float64(seen)/n-cdf(time.Duration(bar.From))))
		seen += bar.Count
		worst = max(worst, math.Abs(float64(seen)/n-cdf(time.Duration(bar.To))))
	}
	return worst
}

// uniform returns the CDF of the uniform distribution on (low, low + width).
func uniform(low, width time.Duration) func(time.Duration) float64 {
	return func(d time.Duration) float64 { return min(1, max(0, float64(d-low)/float64(width))) }
}

// kolmogorovLimit returns the critical distance for m independent observations at
// p = 0.001, plus the lateness of timers as a share of the interval. At p = 0.05 per row
// a self-test of many rows would fail by chance nearly every time.
func kolmogorovLimit(m int64, interval time.Duration) float64 {
	return 1.95/math.Sqrt(float64(m)) + timers(interval).Seconds()/interval.Seconds()
}

// uniformRow tests m independent latencies against the uniform distribution on
// (low, low + width).
func uniformRow(what string, h results.Histogram, m int64, low, width time.Duration) Result {
	return between(fmt.Sprintf("%s, m = %d", what, m), "", 0, kolmogorovLimit(m, width), kolmogorov(h, uniform(low, width)))
}

// timers returns the allowed lateness of timers with an interval.
func timers(interval time.Duration) time.Duration { return max(2*time.Millisecond, interval/100) }
