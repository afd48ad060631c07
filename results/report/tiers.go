package report

import (
	"slices"

	"pushbench/results"
	"pushbench/results/compare"
)

// rankedTrials is how many valid trials a transport needs to be put in an order.
// Two samples of n have disjoint ranges by chance in 2 of (2n over n) cases: 1 in
// 3 with two trials, 1 in 10 with three, 1 in 35 with four.
const rankedTrials = 4

// margin is the difference below which two transports are as good as each other.
const margin = 0.05

// A tier is a set of transports too close to call: no verdict calls one different
// from the best. Where there is no verdict, each one's range over the blocks
// overlaps the range of the best, or its value is within the margin.
type tier []results.Row

// tiers orders the rows from best to worst as far as the noise lets it. The
// rows that describe overload, or have too few trials with a value, are left over.
func tiers(rows []results.Row, metric string, j compare.Judgement) (ordered []tier, unranked []results.Row) {
	var ranked []results.Row
	for _, r := range rows {
		if canRank(r, metric) {
			ranked = append(ranked, r)
		} else {
			unranked = append(unranked, r)
		}
	}
	slices.SortStableFunc(ranked, func(a, b results.Row) int { return byValue(a.Value(metric), b.Value(metric)) })
	for len(ranked) > 0 {
		best, alike := ranked[0], tier(nil)
		ranked = slices.DeleteFunc(ranked, func(r results.Row) bool {
			close := tooClose(best, r, metric, j)
			if close {
				alike = append(alike, r)
			}
			return close
		})
		ordered = append(ordered, alike)
	}
	return ordered, unranked
}

func canRank(r results.Row, metric string) bool {
	_, ok := r.Range(metric)
	return ok && !r.Saturated && len(r.Trials) >= rankedTrials
}

func tooClose(best, r results.Row, metric string, j compare.Judgement) bool {
	if d, ok := j.Between(best.Name, r.Name, metric); ok && j.Decides() && d.Verdict != compare.Incomparable {
		return d.Verdict != compare.Different
	}
	a, _ := best.Range(metric)
	b, _ := r.Range(metric)
	x, y := best.Value(metric), r.Value(metric)
	within := x.Known == results.Shown && y.Known == results.Shown && y.X-x.X <= margin*x.X
	return within || a.Overlaps(b)
}

// byValue orders values from low to high, the infinite last.
func byValue(a, b results.Value) int {
	switch {
	case a.Known == results.Infinite || b.Known == results.Infinite:
		return int(a.Known) - int(b.Known)
	case a.X < b.X:
		return -1
	case a.X > b.X:
		return 1
	default:
		return 0
	}
}
