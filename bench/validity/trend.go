package validity

import (
	"cmp"
	"fmt"
	"math"
	"slices"
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

// driftShare is how far a trend may take a figure through a window, as a share of the margin
// within which the run's differences do not matter. A median over the window is then off by a
// tenth of that margin at most. Without this, the check would require what no machine gives:
// where messages take 25 ms of distance and 0.3 ms of work, the work's wavering by a
// third is a trend as sure as it is without consequence.
const driftShare = 0.2

// stationary: neither the median nor the 99th percentile went up or down through the
// window, slice by slice, but as the schedule did, or by so little that it does not matter.
// A trend says that the warm-up was too
// short or that something piles up: the window's figures are then of no state in
// particular. Where a few topics have most of the subscribers, more of the large messages
// may be due at one end by chance, and latencies follow them.
//
// A slice is of what came in it. Until the first poll interval is over, only what was
// quick can have come of the window's messages, so slices begin there; and a large message
// comes later and later until a whole interval is over, so none is shorter than that.
func stationary(e Evidence) (bool, string) {
	parts := cut(e.Seconds, e.Due, e.Poll, e.Window)
	if len(parts) < fewestSlices {
		return true, fmt.Sprintf("not judged: %d slices with deliveries, of the %d it takes", len(parts), fewestSlices)
	}
	p50, p99, due := make([]float64, len(parts)), make([]float64, len(parts)), make([]float64, len(parts))
	for i, part := range parts {
		p50[i], p99[i] = float64(part.came.Quantile(0.5)), float64(part.came.Quantile(0.99))
		due[i] = part.due.fanOut()
	}
	a, b := partialMannKendall(p50, due), partialMannKendall(p99, due)
	moved, most := [2]float64{drift(p50), drift(p99)}, driftShare*e.Margin
	return (a >= trendLevel/2 || moved[0] <= most) && (b >= trendLevel/2 || moved[1] <= most),
		fmt.Sprintf("over %d slices p50 moves by %.2f %% (p = %.3f), p99 by %.2f %% (p = %.3f); refused is more than %.2f %% with p below %.3f",
			len(parts), 100*moved[0], a, 100*moved[1], b, 100*most, trendLevel/2)
}

// drift is how far a series goes from its first value to its last along the median of the
// slopes between any two (Theil, 1950; Sen, 1968), as a share of its median.
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

// A slice is a stretch of a window: what came in it, and what was due in it.
type slice struct {
	came results.Histogram
	due  Due
}

// cut merges a window's intervals into ten slices or fewer, of equal length, from the
// first poll interval's end on and none shorter than one, and leaves out those in which
// nothing came. due is of each second; none: unknown.
func cut(seconds []results.Interval, due []Due, poll, window time.Duration) (parts []slice) {
	var all []slice
	for _, s := range seconds {
		if s.Start < poll || s.Start >= window {
			continue
		}
		one := slice{came: s.Latency}
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
			part.came.Merge(one.came)
			part.due.Pairs += one.due.Pairs
			part.due.Squares += one.due.Squares
		}
		all = all[n:]
		if part.came.Count() > 0 {
			parts = append(parts, part)
		}
	}
	return parts
}

// partialMannKendall is the two-sided p of a trend in a series beyond what follows another
// one's (Libiseller and Grimvall, Environmetrics 13, 2002): S less its expectation given
// the other's S, with the covariance of Dietz and Killeen (JASA 76, 1981). Series that have
// nothing in common are tested by Mann (1945) and Kendall, exactly.
func partialMannKendall(series, other []float64) float64 {
	n := float64(len(series))
	variance := n * (n - 1) * (2*n + 5) / 18
	shared := covariance(series, other)
	if shared == 0 {
		return mannKendall(series)
	}
	left := variance - shared*shared/variance
	if left < variance/1e6 { // the one is the other
		return 1
	}
	z := (float64(concordant(series)) - shared/variance*float64(concordant(other))) / math.Sqrt(left)
	return math.Erfc(math.Abs(z) / math.Sqrt2)
}

// covariance is that of S of two series of which none has a trend.
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

// rank is the place of the i-th value among all, from 1; ties share theirs.
func rank(all []float64, i int) float64 {
	r := (float64(len(all)) + 1) / 2
	for _, x := range all {
		r += sign(all[i]-x) / 2
	}
	return r
}

func sign(x float64) float64 { return float64(cmp.Compare(x, 0)) }

// mannKendall is the two-sided p of a trend in a series: how likely an order drawn at
// random is as far from disorder. Ties count for neither side, which errs on the side of no trend.
func mannKendall(series []float64) float64 { return concordance(len(series), concordant(series)) }

// concordant is S: the pairs that go up, less those that go down.
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
