package validity

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"pushbench/results"
)

// A window is cut into segmentCount segments for the trend test. With fewer than minSegments that
// have deliveries, the test is not applied.
const (
	segmentCount = 10
	minSegments  = 8
)

// trendLevel is the probability of a false positive per trial. The median and the 99th
// percentile share it.
const trendLevel = 0.01

// driftShare is the largest drift allowed for a latency quantile through a window, as a share of the
// run's margin, the largest difference that does not matter. The drift then moves a median over the
// window by at most a tenth of that margin. Without this allowance, a trend would fail the check
// however small it is: if a message spends 25 ms on the link and 0.3 ms in processing, a change of
// the processing time by a third is significant but has no consequence.
const driftShare = 0.2

// noTrend reports whether neither the median nor the 99th percentile has a trend from segment to
// segment of the window: none beyond that of the schedule, or one too small to matter. A trend means
// that the warm-up was too short or that a queue grows: the window's values then describe no steady
// state. The schedule can have a trend by chance, because latencies grow with the fan-out: if a few
// topics have most of the subscribers, more of their messages may be due at one end of the window.
//
// A segment contains the messages delivered in it. With short polling, latencies delivered in the
// first interval are biased low, because slow deliveries are still pending: it is excluded. Latency
// also varies within a poll interval, so a segment spans at least one.
func noTrend(e Evidence) (bool, string) {
	segments := cut(e.Seconds, e.Due, e.Poll, e.Window)
	if len(segments) < minSegments {
		return true, fmt.Sprintf("not applied: %d segments with deliveries, at least %d are needed", len(segments), minSegments)
	}
	p50, p99, fanOut := make([]float64, len(segments)), make([]float64, len(segments)), make([]float64, len(segments))
	for i, s := range segments {
		p50[i], p99[i] = float64(s.delivered.Quantile(0.5)), float64(s.delivered.Quantile(0.99))
		fanOut[i] = s.due.fanOut()
	}
	p, pTail := partialMannKendall(p50, fanOut), partialMannKendall(p99, fanOut) // p-values
	drifts, allowed := [2]float64{drift(p50), drift(p99)}, driftShare*e.Margin
	return (p >= trendLevel/2 || drifts[0] <= allowed) && (pTail >= trendLevel/2 || drifts[1] <= allowed),
		fmt.Sprintf("over %d segments p50 drifts by %.2f %% (p = %.3f), p99 by %.2f %% (p = %.3f); fails above %.2f %% with p below %.3f",
			len(segments), 100*drifts[0], p, 100*drifts[1], pTail, 100*allowed, trendLevel/2)
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
	median := sorted[len(sorted)/2]
	slices.Sort(slopes)
	if len(slopes) == 0 || median == 0 {
		return 0
	}
	return math.Abs(slopes[len(slopes)/2]) * float64(len(series)-1) / median
}

// A segment is a part of a window: the latencies of the deliveries in it, and the messages due in it.
type segment struct {
	delivered results.Histogram
	due       Due
}

// cut merges a window's intervals into at most segmentCount segments of equal length; the last may
// be shorter. The first starts after the first poll interval. Each has enough intervals for a poll
// interval. Segments without deliveries are left out. due has one entry per second; nil: unknown.
func cut(seconds []results.Interval, due []Due, poll, window time.Duration) (segments []segment) {
	var all []segment // one per interval
	for _, s := range seconds {
		if s.Start < poll || s.Start >= window {
			continue
		}
		one := segment{delivered: s.Latency}
		if i := int(s.Start / time.Second); i < len(due) {
			one.due = due[i]
		}
		all = append(all, one)
	}
	each := max((len(all)+segmentCount-1)/segmentCount, int((poll+time.Second-1)/time.Second))
	for len(all) > 0 {
		var merged segment
		n := min(each, len(all))
		for _, one := range all[:n] {
			merged.delivered.Merge(one.delivered)
			merged.due.Pairs += one.due.Pairs
			merged.due.Squares += one.due.Squares
		}
		all = all[n:]
		if merged.delivered.Count() > 0 {
			segments = append(segments, merged)
		}
	}
	return segments
}

// partialMannKendall returns the two-sided p-value of a trend in a series beyond the trend of a
// covariate (Libiseller and Grimvall, Environmetrics 13, 2002). Kendall's S is the number of
// increasing pairs of values minus the number of decreasing ones. The test subtracts the
// expectation of S given the covariate's S, with the covariance of Dietz and Killeen (JASA 76,
// 1981). If the covariance is zero, the exact test of Mann (1945) and Kendall is used.
func partialMannKendall(series, covariate []float64) float64 {
	n := float64(len(series))
	variance := n * (n - 1) * (2*n + 5) / 18
	shared := covariance(series, covariate)
	if shared == 0 {
		return mannKendall(series)
	}
	remaining := variance - shared*shared/variance
	if remaining < variance/1e6 { // the series have the same order
		return 1
	}
	z := (float64(kendallS(series)) - shared/variance*float64(kendallS(covariate))) / math.Sqrt(remaining)
	return math.Erfc(math.Abs(z) / math.Sqrt2)
}

// covariance returns the covariance of the S of two series under the null hypothesis of no trend.
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

// rank returns the rank of the i-th value among all, from 1; ties share the mean rank.
func rank(all []float64, i int) float64 {
	r := (float64(len(all)) + 1) / 2
	for _, x := range all {
		r += sign(all[i]-x) / 2
	}
	return r
}

func sign(x float64) float64 { return float64(cmp.Compare(x, 0)) }

// mannKendall returns the two-sided p-value of a trend in a series: the probability that a random
// order has an |S| at least as large. Ties count as neither, which is conservative.
func mannKendall(series []float64) float64 { return kendallPValue(len(series), kendallS(series)) }

// kendallS returns Kendall's S: the number of increasing pairs minus the number of decreasing ones.
func kendallS(series []float64) (s int) {
	for i := range series {
		for _, later := range series[i+1:] {
			s += int(sign(later - series[i]))
		}
	}
	return s
}

// kendallPValue returns P(|S| ≥ |s|) for n values in random order without ties. The number of orders
// with k inversions is counted exactly (MacMahon, 1916).
func kendallPValue(n, s int) float64 {
	pairs := n * (n - 1) / 2
	orders := make([]float64, pairs+1) // orders[k]: those with k inversions, as a share of all n!
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
