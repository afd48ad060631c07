package validity

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"pushbench/results"
)

// A window is cut into sliceCount slices for the trend test. With fewer than fewestSlices
// the test is not applied.
const (
	sliceCount   = 10
	fewestSlices = 8
)

// trendLevel is the probability of a false positive per trial. The median and the 99th
// percentile share it.
const trendLevel = 0.01

// driftShare is the allowed drift of a latency quantile through a window, as a share of the
// margin within which the run's differences do not matter. The drift then moves a median over
// the window by at most a tenth of that margin. Without this allowance the check would require
// what no machine provides: if a message spends 25 ms on the link and 0.3 ms in processing, a
// change of the processing time by a third is a significant trend without consequence.
const driftShare = 0.2

// stationary: neither the median nor the 99th percentile has a trend through the window,
// slice by slice, beyond the trend of the schedule, except one too small to matter.
// A trend means that the warm-up was too short or that a queue grows: the window's values then
// describe no steady state. If a few topics have most of the subscribers, more of the messages
// with a large fan-out may by chance be due at one end, and latencies follow them.
//
// A slice contains the messages delivered in it. During the first poll interval, only fast
// deliveries of the window's messages can have happened, so slices begin after it. Deliveries
// of messages with a large fan-out become later until a whole interval is over, so no slice is
// shorter than a poll interval.
func stationary(e Evidence) (bool, string) {
	parts := cut(e.Seconds, e.Due, e.Poll, e.Window)
	if len(parts) < fewestSlices {
		return true, fmt.Sprintf("not applied: %d slices with deliveries, at least %d are needed", len(parts), fewestSlices)
	}
	p50, p99, due := make([]float64, len(parts)), make([]float64, len(parts)), make([]float64, len(parts))
	for i, part := range parts {
		p50[i], p99[i] = float64(part.delivered.Quantile(0.5)), float64(part.delivered.Quantile(0.99))
		due[i] = part.due.fanOut()
	}
	a, b := partialMannKendall(p50, due), partialMannKendall(p99, due)
	drifts, most := [2]float64{drift(p50), drift(p99)}, driftShare*e.Margin
	return (a >= trendLevel/2 || drifts[0] <= most) && (b >= trendLevel/2 || drifts[1] <= most),
		fmt.Sprintf("over %d slices p50 drifts by %.2f %% (p = %.3f), p99 by %.2f %% (p = %.3f); fails above %.2f %% with p below %.3f",
			len(parts), 100*drifts[0], a, 100*drifts[1], b, 100*most, trendLevel/2)
}

// drift is the change of a series from its first value to its last along the median of the
// slopes between any two values (Theil, 1950; Sen, 1968), as a share of the series' median.
func drift(series []float64) float64 {
	var slopes []float64
	for i := range series {
		for j := i + 1; j < len(series); j++ {
			slopes = append(slopes, (series[j]-series[i])/float64(j-i))
		}
	}
	sorted := slices.Sorted(slices.Values(series))
	middle := sorted[len(sorted)/2]
	slices.Sort(slopes)
	if len(slopes) == 0 || middle == 0 {
		return 0
	}
	return math.Abs(slopes[len(slopes)/2]) * float64(len(series)-1) / middle
}

// A slice is a part of a window, with the latencies delivered in it and the deliveries due.
type slice struct {
	delivered results.Histogram
	due       Due
}

// cut merges a window's intervals into at most sliceCount slices of equal length. The first
// starts after the first poll interval, and no slice is shorter than a poll interval. Slices
// without deliveries are left out. due has one entry per second; nil: unknown.
func cut(seconds []results.Interval, due []Due, poll, window time.Duration) (parts []slice) {
	var all []slice
	for _, s := range seconds {
		if s.Start < poll || s.Start >= window {
			continue
		}
		one := slice{delivered: s.Latency}
		if i := int(s.Start / time.Second); i < len(due) {
			one.due = due[i]
		}
		all = append(all, one)
	}
	each := max((len(all)+sliceCount-1)/sliceCount, int((poll+time.Second-1)/time.Second))
	for len(all) > 0 {
		var part slice
		n := min(each, len(all))
		for _, one := range all[:n] {
			part.delivered.Merge(one.delivered)
			part.due.Pairs += one.due.Pairs
			part.due.Squares += one.due.Squares
		}
		all = all[n:]
		if part.delivered.Count() > 0 {
			parts = append(parts, part)
		}
	}
	return parts
}

// partialMannKendall is the two-sided p of a trend in a series beyond the trend of a covariate
// (Libiseller and Grimvall, Environmetrics 13, 2002): S minus its expectation given the
// covariate's S, with the covariance of Dietz and Killeen (JASA 76, 1981). If the covariance is
// zero, the exact test of Mann (1945) and Kendall is used.
func partialMannKendall(series, other []float64) float64 {
	n := float64(len(series))
	variance := n * (n - 1) * (2*n + 5) / 18
	shared := covariance(series, other)
	if shared == 0 {
		return mannKendall(series)
	}
	left := variance - shared*shared/variance
	if left < variance/1e6 { // the series have the same order
		return 1
	}
	z := (float64(concordant(series)) - shared/variance*float64(concordant(other))) / math.Sqrt(left)
	return math.Erfc(math.Abs(z) / math.Sqrt2)
}

// covariance is the covariance of S of two series without a trend.
func covariance(x, y []float64) float64 {
	n, agree, product := float64(len(x)), 0.0, 0.0
	for i := range x {
		for j := i + 1; j < len(x); j++ {
			agree += sign(x[j]-x[i]) * sign(y[j]-y[i])
		}
		product += rank(x, i) * rank(y, i)
	}
	return (agree + 4*product - n*(n+1)*(n+1)) / 3
}

// rank is the rank of the i-th value among all, from 1; ties share the mean rank.
func rank(all []float64, i int) float64 {
	r := (float64(len(all)) + 1) / 2
	for _, x := range all {
		r += sign(all[i]-x) / 2
	}
	return r
}

func sign(x float64) float64 { return float64(cmp.Compare(x, 0)) }

// mannKendall is the two-sided p of a trend in a series: the probability that a random order
// has an |S| at least as large. Ties count as neither, which is conservative: it favours no trend.
func mannKendall(series []float64) float64 { return concordance(len(series), concordant(series)) }

// concordant is S: the number of increasing pairs minus the number of decreasing ones.
func concordant(series []float64) (s int) {
	for i := range series {
		for _, later := range series[i+1:] {
			s += int(sign(later - series[i]))
		}
	}
	return s
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
