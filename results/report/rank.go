package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// rankedTrials is the number of valid trials that a configuration needs to be ranked. Two samples of n have
// disjoint ranges by chance in 2 of (2n over n) cases: 1 in 3 with two trials, 1 in 10 with three, 1 in 35
// with four.
const rankedTrials = 4

// ordered compares two rows by a metric: -1 if the first is lower, +1 if the second is lower, 0 if they are
// not distinguishable. The verdicts decide declared comparisons, and those that follow from two of them. The
// ranges over the repetitions decide the others, and all comparisons of a run that supports no verdict: both
// rows must be ranked, their ranges must share no value, and their medians must differ by more than the margin.
func (r *Report) ordered(a, b summary.Row, metric string) int {
	if sign, ok := r.ruled(a.Name, b.Name, metric); ok {
		return sign
	}
	if unrankedReason(a, metric)+unrankedReason(b, metric) != "" {
		return 0
	}
	one, _ := a.Range(metric)
	other, _ := b.Range(metric)
	if one.Overlaps(other) {
		return 0
	}
	return summary.OrderByMedian(a, b, metric, r.Analysis.Declared.Margin)
}

// ruled compares two rows by the verdicts; ok is false if none decides. If the pair was not declared, the
// order follows from a third row that was compared with both and lies between them.
func (r *Report) ruled(a, b, metric string) (sign int, ok bool) {
	if sign, ok = r.declaredOrder(a, b, metric); ok {
		return sign, true
	}
	for _, row := range r.Summary.Rows {
		one, _ := r.declaredOrder(a, row.Name, metric)
		other, _ := r.declaredOrder(row.Name, b, metric)
		if one == other && one != 0 {
			return one, true
		}
	}
	return 0, false
}

// declaredOrder compares two rows by the verdict on them; ok is false if there is none.
func (r *Report) declaredOrder(a, b, metric string) (sign int, ok bool) {
	d, found := r.Analysis.Between(a, b, metric)
	switch {
	case !found || !r.Analysis.Decides() || d.Verdict == compare.Incomparable:
		return 0, false
	case d.Verdict != compare.Different:
		return 0, true
	case (d.Ratio > 1) == (d.Names[0] == a):
		return -1, true
	default:
		return +1, true
	}
}

// allRuled reports whether verdicts support that some rows are the best: each row, also each of the best, is
// compared by a verdict with another one of the best.
func (r *Report) allRuled(metric string, best, rows []summary.Row) bool {
	return !slices.ContainsFunc(rows, func(row summary.Row) bool {
		others := slices.DeleteFunc(slices.Clone(best), func(b summary.Row) bool { return b.Name == row.Name })
		return len(others) > 0 && !slices.ContainsFunc(others, func(b summary.Row) bool {
			_, ok := r.ruled(b.Name, row.Name, metric)
			return ok
		})
	})
}

// decides reports whether verdicts order the rows by a metric.
func (r *Report) decides(metric string) bool {
	return r.Analysis.Decides() && slices.ContainsFunc(r.Analysis.Family, func(d compare.Difference) bool {
		return d.Metric == metric && d.Verdict != compare.Incomparable
	})
}

// rank sorts rows from best to worst by the medians of their repetitions. Rows that were overloaded or have
// too few trials with a value stay unranked.
func rank(rows []summary.Row, metric string) (ranked, unranked []summary.Row) {
	for _, row := range rows {
		if unrankedReason(row, metric) == "" {
			ranked = append(ranked, row)
		} else {
			unranked = append(unranked, row)
		}
	}
	summary.SortByMedian(ranked, metric)
	return ranked, unranked
}

// tiers splits ranked rows wherever every row before is distinguishable from every row after. Within a tier
// not all rows are distinguishable from one another.
func (r *Report) tiers(ranked []summary.Row, metric string) (tiers [][]summary.Row) {
	from := 0
	for i := range ranked {
		divided := !slices.ContainsFunc(ranked[:i+1], func(a summary.Row) bool {
			return slices.ContainsFunc(ranked[i+1:], func(b summary.Row) bool { return r.ordered(a, b, metric) >= 0 })
		})
		if divided {
			tiers, from = append(tiers, ranked[from:i+1]), i+1
		}
	}
	return tiers
}

// place is 1 plus the number of ranked rows that are shown to be better than a row.
func (r *Report) place(metric string, row summary.Row, ranked []summary.Row) int {
	better := 0
	for _, other := range ranked {
		if r.ordered(other, row, metric) < 0 {
			better++
		}
	}
	return 1 + better
}

// best are the rows that may be the best by a metric: no other row is shown to be better. A tier would
// include rows that are distinguishable from the best but not from the second best.
func (r *Report) best(metric string, rows []summary.Row) []summary.Row {
	ranked, _ := rank(rows, metric)
	return slices.DeleteFunc(slices.Clone(ranked), func(row summary.Row) bool { return r.place(metric, row, ranked) > 1 })
}

// unrankedReason is why a row cannot be ranked; empty if it can.
func unrankedReason(r summary.Row, name string) string {
	if r.Saturated {
		return prose(r.Name) + " was overloaded, and its values describe a queue"
	}
	for _, t := range r.Trials {
		if v := summary.Measure(name, t); v.Known == summary.TooFew {
			return fmt.Sprintf("one trial has %s independent observations, and %s needs %s",
				metric.Count(v.Have), metric.ByName(name).Title, metric.Count(v.Requirement))
		}
	}
	if len(r.Trials) < rankedTrials {
		return fmt.Sprintf("a ranking needs %d valid trials of each configuration", rankedTrials)
	}
	if _, ok := r.Range(name); !ok {
		return prose(r.Name) + " was not measured in every trial"
	}
	return ""
}

// whyUnranked is each reason why some of the rows cannot be ranked, once.
func whyUnranked(rows []summary.Row, metric string) string {
	var why []string
	for _, r := range rows {
		if reason := unrankedReason(r, metric); reason != "" && !slices.Contains(why, reason) {
			why = append(why, reason)
		}
	}
	return strings.Join(why, "; ")
}

// latency is the metric that matters to an application: the age of information if only the latest message
// counts, otherwise the delivery latency. It is the tail unless some trial has too few observations for the
// tail.
func (r *Report) latency() string {
	tail, middle := metric.P99, metric.P50
	if r.Run.Manifest.Workload.LatestOnly() {
		tail, middle = metric.AgeP99, metric.AgeMean
	}
	if r.tooFewFor(tail) {
		return middle
	}
	return tail
}

// tooFewFor reports whether some trial has too few observations for a metric.
func (r *Report) tooFewFor(metric string) bool {
	return slices.ContainsFunc(r.Summary.Rows, func(row summary.Row) bool {
		return slices.ContainsFunc(row.Trials, func(t results.Trial) bool { return summary.Measure(metric, t).Known == summary.TooFew })
	})
}

// costMetric is the metric by which a configuration is cheap or expensive.
func (r *Report) costMetric() string { return r.Run.Manifest.CostMetric() }

func rowNames(rows []summary.Row) (names []string) {
	for _, row := range rows {
		names = append(names, row.Name)
	}
	return names
}
