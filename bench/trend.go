package bench

import (
	"fmt"
	"math"
	"time"

	"pushbench/results"
)

// sliceCount is how many parts a window is cut into to look for a trend, and fewestSlices
// with how few it is still looked for.
const (
	sliceCount   = 10
	fewestSlices = 8
)

// trendLevel is how often chance may find a trend where there is none, in a trial. It
// is shared between the median and the 99th percentile.
const trendLevel = 0.01

// stationary: neither the median nor the 99th percentile went up or down through the
// window, slice by slice, as Mann (1945) and Kendall test it, exactly. A trend says
// that the warm-up was too short or that something piles up: the window's figures
// are then of no state in particular.
func stationary(e Evidence) (bool, string) {
	parts := cut(e.Seconds, e.Window)
	if len(parts) < fewestSlices {
		return true, fmt.Sprintf("not judged: %d slices with deliveries, of the %d it takes", len(parts), fewestSlices)
	}
	p50, p99 := make([]float64, len(parts)), make([]float64, len(parts))
	for i, h := range parts {
		p50[i], p99[i] = float64(h.Quantile(0.5)), float64(h.Quantile(0.99))
	}
	a, b := mannKendall(p50), mannKendall(p99)
	return min(a, b) >= trendLevel/2,
		fmt.Sprintf("over %d slices a trend of p50 has p = %.3f, of p99 %.3f; allowed %.3f", len(parts), a, b, trendLevel/2)
}

// cut merges a window's intervals into ten slices or fewer, of equal length, and leaves
// out those in which nothing came.
func cut(seconds []results.Interval, window time.Duration) (parts []results.Histogram) {
	var all []results.Histogram
	for _, s := range seconds {
		if s.Start >= 0 && s.Start < window {
			all = append(all, s.Latency)
		}
	}
	each := (len(all) + sliceCount - 1) / sliceCount
	for len(all) > 0 {
		var part results.Histogram
		n := min(each, len(all))
		for _, h := range all[:n] {
			part.Merge(h)
		}
		all = all[n:]
		if part.Count() > 0 {
			parts = append(parts, part)
		}
	}
	return parts
}

// mannKendall is the two-sided p of a trend in a series: how likely an order drawn at
// random is as far from disorder. Ties count for neither side, which errs on the side of no trend.
func mannKendall(series []float64) float64 {
	s := 0
	for i := range series {
		for _, later := range series[i+1:] {
			switch {
			case later > series[i]:
				s++
			case later < series[i]:
				s--
			}
		}
	}
	return concordance(len(series), s)
}

// concordance is P(|S| ≥ |s|) for the difference S of concordant and discordant pairs
// of n values in random order. The number of orders with k inversions is counted
// exactly (MacMahon, 1916).
func concordance(n, s int) float64 {
	pairs := n * (n - 1) / 2
	orders := make([]float64, pairs+1) // with k inversions, as a share of n!
	orders[0] = 1
	for i := 2; i <= n; i++ {
		next := make([]float64, pairs+1)
		for k := range orders {
			for j := 0; j < i && j <= k; j++ {
				next[k] += orders[k-j] / float64(i)
			}
		}
		orders = next
	}
	p := 0.0
	for k, share := range orders {
		if math.Abs(float64(pairs-2*k)) >= math.Abs(float64(s)) {
			p += share
		}
	}
	return min(1, p)
}
