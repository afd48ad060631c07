package summary

import (
	"cmp"
	"math"
	"slices"

	"pushbench/results/metric"
)

// A Known says whether a value can be printed.
type Known int

// What there is to say about a value.
const (
	Shown    Known = iota // it is X
	NotShown              // not measured here, or undefined
	TooFew                // fewer than Need independent observations
	Infinite              // never arrived: more was lost than the quantile leaves out
)

// A Value is a metric's value, or why there is none.
type Value struct {
	X                 float64 // in the metric's unit, when Shown
	Known             Known
	Have, Requirement int64 // independent observations, when TooFew
}

// String prints the value: three significant digits, ∞, n/a (too few) or – (not measured).
func (v Value) String() string {
	switch v.Known {
	case NotShown:
		return "–"
	case TooFew:
		return "n/a"
	case Infinite:
		return "∞"
	default:
		return metric.Number(v.X)
	}
}

// Compare orders values of which each is Shown or Infinite, the infinite last.
func (v Value) Compare(other Value) int { return cmp.Compare(v.number(), other.number()) }

func (v Value) number() float64 {
	if v.Known == Infinite {
		return math.Inf(1)
	}
	return v.X
}

// Median of numbers in any order, which it leaves as they are: of an even number the mean of
// the middle two. It is NaN of none, where one of them is NaN, and where the middle two are
// opposite infinities.
func Median(xs []float64) float64 {
	sorted := slices.Sorted(slices.Values(xs))
	if len(sorted) == 0 || math.IsNaN(sorted[0]) {
		return math.NaN()
	}
	lower, upper := sorted[(len(sorted)-1)/2], sorted[len(sorted)/2]
	return (lower + upper) / 2
}

// A Range is the smallest and the largest value over the blocks. It describes
// the noise that was seen; it is no confidence interval.
type Range struct{ Lo, Hi Value }

// Overlaps reports whether the ranges share a value.
func (a Range) Overlaps(b Range) bool {
	return a.Hi.Compare(b.Lo) >= 0 && b.Hi.Compare(a.Lo) >= 0
}
