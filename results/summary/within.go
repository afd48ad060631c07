package summary

import (
	"math"

	"pushbench/results"
	"pushbench/results/metric"
)

// QuantileRanks returns the ranks, from 1, of the order statistics that enclose the quantile q of
// n independent observations with about 95 % confidence, for any distribution. The interval must
// be labelled as within one run: it excludes the variation between trials. ok is false if a rank
// lies outside the observations.
func QuantileRanks(n int64, q float64) (lo, hi int64, ok bool) {
	const z = 1.959964 // the normal's 97.5 % point
	centre, spread := float64(n)*q, z*math.Sqrt(float64(n)*q*(1-q))
	lo, hi = int64(math.Floor(centre-spread)), int64(math.Ceil(centre+spread))+1
	return lo, hi, lo >= 1 && hi <= n
}

// Within returns the within-run 95 % interval of the quantile q in ms. Its n is the number of
// independent observations, not of deliveries: the ranks are computed for the former and looked up
// at the same share of all deliveries. A lost message is infinite. ok is false if the quantile
// itself is not printed.
func Within(l results.Latency, q float64) (over Range, ok bool) {
	lo, hi, ok := QuantileRanks(l.Independent, q)
	if v := quantile(l, q); !ok || v.Known == TooFew {
		return Range{}, false
	}
	return Range{Lo: atShare(l, lo), Hi: atShare(l, hi)}, true
}

// atShare returns the delivery whose share of all deliveries is that of rank among the independent ones.
func atShare(l results.Latency, rank int64) Value {
	n := l.Histogram.Count() + l.Infinite
	all := int64(math.Ceil(float64(rank) / float64(l.Independent) * float64(n)))
	if all > l.Histogram.Count() {
		return Value{Known: Infinite}
	}
	return Value{X: metric.Milliseconds(l.Histogram.At(all))}
}

// WithinQuantiles lists the quantiles of the delivery latency with an interval.
var WithinQuantiles = []struct {
	Metric string
	Q      float64
}{{metric.P50, 0.5}, {metric.P99, 0.99}, {metric.P999, 0.999}}
