package summary

import (
	"cmp"
	"math"
	"slices"

	"pushbench/results/metric"
)

// Known reports whether a value can be printed.
type Known int

// States of a value.
const (
	Shown    Known = iota // the value is X
	NotShown              // not measured here, or undefined
	TooFew                // fewer than Requirement independent observations
	Infinite              // more messages were lost than the quantile excludes
)

// A Value is a metric's value, or why there is none.
type Value struct {
	X                 float64 // in the metric's unit, if Shown
	Known             Known
	Have, Requirement int64 // independent observations, if TooFew
}

// String formats the value: three significant digits, ∞, n/a (too few) or – (not measured).
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

// Compare orders values that are Shown or Infinite, infinite ones last.
func (v Value) Compare(other Value) int { return cmp.Compare(v.number(), other.number()) }

func (v Value) number() float64 {
	if v.Known == Infinite {
		return math.Inf(1)
	}
	return v.X
}

// Median returns the median of numbers in any order, without reordering them; for an even count
// the mean of the middle two. It is NaN for no numbers, if one is NaN, and if the middle two are
// opposite infinities.
func Median(xs []float64) float64 {
	sorted := slices.Sorted(slices.Values(xs))
	if len(sorted) == 0 || math.IsNaN(sorted[0]) {
		return math.NaN()
	}
	lower, upper := sorted[(len(sorted)-1)/2], sorted[len(sorted)/2]
	return (lower + upper) / 2
}

// A Range is the smallest and the largest value over the repetitions. It describes the observed
// noise; it is not a confidence interval.
type Range struct{ Lo, Hi Value }

// Overlaps reports whether the ranges share a value.
func (a Range) Overlaps(b Range) bool {
	return a.Hi.Compare(b.Lo) >= 0 && b.Hi.Compare(a.Lo) >= 0
}
