package report

import (
	"slices"

	"pushbench/results"
)

// A tier is a set of transports that a metric cannot tell apart: each one's
// range over the blocks overlaps the range of the first.
type tier []results.Row

// tiers orders the rows from best to worst where the noise lets it. Rows that
// describe overload, or have no range, are in no tier.
func tiers(rows []results.Row, metric string) []tier {
	left := slices.DeleteFunc(slices.Clone(rows), func(r results.Row) bool {
		_, ok := r.Range(metric)
		v := r.Value(metric).Known
		return !ok || r.Saturated || v == results.NotShown || v == results.TooFew
	})
	slices.SortStableFunc(left, func(a, b results.Row) int { return compare(a.Value(metric), b.Value(metric)) })
	var ordered []tier
	for len(left) > 0 {
		first, _ := left[0].Range(metric)
		same := func(r results.Row) bool {
			over, _ := r.Range(metric)
			return over.Overlaps(first)
		}
		var alike tier
		for _, r := range left {
			if same(r) {
				alike = append(alike, r)
			}
		}
		ordered = append(ordered, alike)
		left = slices.DeleteFunc(left, same)
	}
	return ordered
}

// compare orders values from low to high, the infinite last.
func compare(a, b results.Value) int {
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

// names of the tier's transports.
func (t tier) names() []string {
	var names []string
	for _, r := range t {
		names = append(names, r.Transport)
	}
	return names
}
