package report

import (
	"fmt"
	"math"
	"slices"

	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// rankedTrials is how many valid trials a transport needs to be put in an order.
// Two samples of n have disjoint ranges by chance in 2 of (2n over n) cases: 1 in
// 3 with two trials, 1 in 10 with three, 1 in 35 with four.
const rankedTrials = 4

// A tier is a set of transports that are all told apart from those of the tiers
// before and after it, but not all from one another.
type tier []summary.Row

// tiers orders the rows from best to worst, by the medians of their blocks, as far as
// they are told apart. The rows that describe overload, or have too few trials with a
// value, are left over.
func (r *Report) tiers(metric string) (ordered []tier, unranked []summary.Row) {
	ranked, unranked := rank(r.Summary.Rows, metric)
	from := 0
	for i := range ranked {
		if r.divides(ranked, i+1, metric) {
			ordered = append(ordered, ranked[from:i+1])
			from = i + 1
		}
	}
	return ordered, unranked
}

// rank sorts rows from best to worst, and leaves over those that have no place in an order.
func rank(rows []summary.Row, metric string) (ranked, unranked []summary.Row) {
	for _, row := range rows {
		if whyNoRank(row, metric) == "" {
			ranked = append(ranked, row)
		} else {
			unranked = append(unranked, row)
		}
	}
	summary.SortByMedian(ranked, metric)
	return ranked, unranked
}

// divides says whether each of the first n rows is below each of the others.
func (r *Report) divides(rows []summary.Row, n int, metric string) bool {
	for _, a := range rows[:n] {
		for _, b := range rows[n:] {
			if r.told(a, b, metric) >= 0 {
				return false
			}
		}
	}
	return true
}

// whyNoRank is why a row has no place in an order; empty when it has one.
func whyNoRank(r summary.Row, name string) string {
	if r.Saturated {
		return r.Name + " was overloaded, and its figures describe that"
	}
	for _, t := range r.Trials {
		if v := summary.Measure(name, t); v.Known == summary.TooFew {
			return fmt.Sprintf("one trial has %s independent observations, and %s takes %s",
				metric.Count(v.Have), metric.ByName(name).Title, metric.Count(v.Need))
		}
	}
	if len(r.Trials) < rankedTrials {
		return fmt.Sprintf("an order takes %d valid trials of each", rankedTrials)
	}
	if _, ok := r.Range(name); !ok {
		return r.Name + " was not measured in every trial"
	}
	return ""
}

// told says which of two rows is below the other: -1 the first, +1 the second, 0 when
// that cannot be said. Declared comparisons are the judgement's. The others, and all of
// a run that supports no verdict, go by the ranges over the blocks: both must be ranked,
// share no value, and their medians must differ by more than the margin.
func (r *Report) told(a, b summary.Row, metric string) int {
	if d, ok := r.Judgement.Between(a.Name, b.Name, metric); ok && r.Judgement.Decides() && d.Verdict != compare.Incomparable {
		return direction(d, a.Name)
	}
	if whyNoRank(a, metric) != "" || whyNoRank(b, metric) != "" {
		return 0
	}
	ranges := [2]summary.Range{}
	ranges[0], _ = a.Range(metric)
	ranges[1], _ = b.Range(metric)
	x, _ := a.Median(metric)
	y, _ := b.Median(metric)
	if ranges[0].Overlaps(ranges[1]) || r.within(x, y) {
		return 0
	}
	return x.Compare(y)
}

// direction is which side a verdict says is below: -1 the named one.
func direction(d compare.Difference, name string) int {
	switch {
	case d.Verdict != compare.Different:
		return 0
	case (d.Ratio > 1) == (d.Names[0] == name):
		return -1
	default:
		return +1
	}
}

// within says whether two values differ by no more than the declared margin.
func (r *Report) within(x, y summary.Value) bool {
	return x.Known == summary.Shown && y.Known == summary.Shown &&
		math.Abs(x.X-y.X) <= r.Judgement.Declared.Margin*min(x.X, y.X)
}

// decides says whether verdicts order the rows by a metric.
func (r *Report) decides(metric string) bool {
	return r.Judgement.Decides() && slices.ContainsFunc(r.Judgement.Family, func(d compare.Difference) bool {
		return d.Metric == metric && d.Verdict != compare.Incomparable
	})
}
