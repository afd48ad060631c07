package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// An Analysis contains all comparisons that a run supports.
type Analysis struct {
	Declared    results.Declared
	Repetitions []int        // repetitions with a valid trial in every row: only these are compared
	Discarded   []int        // repetitions with an invalid trial
	Variants    int          // groups of rows; only rows of one group are compared
	Family      []Difference // declared metrics × pairs of rows; their p-values are adjusted together
	Others      []Difference // the other metrics: intervals only
	Withheld    string       // why there are no verdicts; empty if there are
	TooFewOnly  bool         // the only reason is too few repetitions
	MinDecisive int          // fewest repetitions with which a member of the family can be significant
}

// Advised returns the number of repetitions to plan for a verdict: a multiple of the configurations
// balances their order.
func (a Analysis) Advised(configurations int) int {
	if configurations > a.MinDecisive {
		return a.MinDecisive
	}
	return (a.MinDecisive + configurations - 1) / configurations * configurations
}

// maxInvalid is the largest share of invalid repetitions with which there are verdicts. The cause of
// invalid trials may favour one side: the valid repetitions are then no random sample.
const maxInvalid = 0.2

// Reasons why a row has no value to compare.
var (
	ErrOverloaded  = errors.New("overloaded: its values describe a queue")
	ErrNotMeasured = errors.New("not measured in every repetition")
)

// Analyze compares a run's rows within each variant: the pairs that the run declared beforehand by the
// metrics that it declared, and without verdicts every pair by every metric.
func Analyze(run *results.Run, s summary.Summary) Analysis {
	a := Analysis{Declared: run.Manifest.Compare.OrDefault(), Repetitions: s.Common}
	a.Discarded = discarded(run.Trials, a.Repetitions)
	var pairs []pair
	pairs, a.Variants = pairsOf(s.Rows, a.Declared.Against)
	a.compare(pairs, s.Rows)
	a.withhold(run.Manifest)
	return a
}

// compare adds the comparisons of the pairs: the declared pairs by the declared metrics and, without
// verdicts, the other pairs, and by all other metrics that some row has.
func (a *Analysis) compare(pairs []pair, rows []summary.Row) {
	var declared, others []Pairing
	for _, m := range metric.All {
		primary := slices.Contains(a.Declared.Primary, m.Name)
		if !primary && (m.Better == metric.Neither || !shown(m, rows)) {
			continue
		}
		for i, p := range pairings(m, pairs, a.Repetitions) {
			if primary && pairs[i].declared {
				declared = append(declared, p)
			} else {
				others = append(others, p)
			}
		}
	}
	plan := Plan{Margin: a.Declared.Margin}
	a.Family, a.Others, a.MinDecisive = plan.All(declared), Intervals(others), plan.MinDecisive(len(declared))
}

// shown reports whether some row has a value of the metric. A metric that no row has is left out,
// instead of reported as missing.
func shown(m metric.Metric, rows []summary.Row) bool {
	return slices.ContainsFunc(rows, func(r summary.Row) bool { return summary.Measure(m.Name, r.Pooled).Known != summary.NotShown })
}

// withhold removes the verdicts if the run as a whole supports none.
func (a *Analysis) withhold(m results.Manifest) {
	switch all := len(a.Repetitions) + len(a.Discarded); {
	case m.Status == results.Invalid:
		a.Withheld = "the run is INVALID"
	case len(a.Family) == 0:
		a.Withheld = "there is nothing to compare: no two transports have the same settings"
	case all >= MinRepetitions && float64(len(a.Discarded)) > maxInvalid*float64(all):
		a.Withheld = fmt.Sprintf("%d of %d repetitions are invalid, more than a fifth, and their cause may favour one side", len(a.Discarded), all)
	case len(a.Repetitions) < MinRepetitions:
		a.Withheld, a.TooFewOnly = fmt.Sprintf("only %d of the %d valid repetitions that a verdict needs", len(a.Repetitions), a.MinDecisive), true
	case m.Status == results.Partial:
		a.Withheld = fmt.Sprintf("the run ended before its planned %d repetitions, and a stop at a convenient result would bias it", m.Repetitions)
	default:
		return
	}
	a.removeVerdicts()
}

// removeVerdicts removes the verdicts and keeps the ratios and intervals.
func (a *Analysis) removeVerdicts() {
	for i := range a.Family {
		if d := &a.Family[i]; d.Verdict != Incomparable && d.Verdict != TooFew {
			d.Verdict, d.Needed = Withheld, 0
		}
	}
}

// discarded returns the repetitions with an invalid trial that no later attempt replaced.
func discarded(trials []results.Trial, valid []int) []int {
	var invalid []int
	for _, t := range trials {
		if !t.Valid() && !slices.Contains(valid, t.Repetition) && !slices.Contains(invalid, t.Repetition) {
			invalid = append(invalid, t.Repetition)
		}
	}
	slices.Sort(invalid)
	return invalid
}

// A pair is two rows to compare, with their names.
type pair struct {
	names    [2]string
	rows     [2]summary.Row
	declared bool // it has verdicts
}

// pairsOf returns all pairs of rows of the same variant, in the order of the report. Rows of different
// variants are not compared: a comparison of two settings answers a different question than one of
// two transports. Declared are the pairs with the row of one transport; without a transport all of them.
//
// If several targets are measured, the declared pairs are those of each target with the last one over the same
// transport: the question is which server to use.
func pairsOf(rows []summary.Row, against string) (all []pair, variants int) {
	if last := lastTarget(rows); slices.ContainsFunc(rows, func(r summary.Row) bool { return r.Target != last }) {
		return pairsOfTargets(rows, last)
	}
	with := map[string]string{} // by variant: the transport with which its other rows are compared
	for _, row := range rows {
		if with[row.Variant()] != against || against == "" {
			with[row.Variant()] = row.Transport // the last one, unless the variant has the declared one
		}
	}
	for i, a := range rows {
		for _, b := range rows[i+1:] {
			if variant := a.Variant(); variant == b.Variant() {
				declared := against == "" || a.Transport == with[variant] || b.Transport == with[variant]
				all = append(all, pair{[2]string{a.Name, b.Name}, [2]summary.Row{a, b}, declared})
			}
		}
	}
	return all, len(with)
}

// pairsOfTargets returns the pairs of rows that differ only in their target, and those that differ only in their
// transport. Declared are those with the target against.
func pairsOfTargets(rows []summary.Row, against string) (all []pair, groups int) {
	seen := map[string]bool{}
	for i, a := range rows {
		seen[a.Peer()] = true
		for _, b := range rows[i+1:] {
			targets := a.Peer() == b.Peer()
			if targets || a.Variant() == b.Variant() {
				all = append(all, pair{[2]string{a.Name, b.Name}, [2]summary.Row{a, b}, targets && (a.Target == against || b.Target == against)})
			}
		}
	}
	return all, len(seen)
}

// pairings returns a pairing of the metric for each pair. The values of a row are computed once for
// all its pairs, as decoding its histograms is expensive.
func pairings(m metric.Metric, pairs []pair, repetitions []int) (all []Pairing) {
	values, missing := map[string][]float64{}, map[string][]error{}
	for _, p := range pairs {
		for side, name := range p.names {
			if _, done := values[name]; !done {
				values[name], missing[name] = series(m, p.rows[side], repetitions)
			}
		}
		a, b := p.names[0], p.names[1]
		one := Pairing{Metric: m.Name, Names: p.names, Missing: slices.Concat(missing[a], missing[b])}
		if one.Missing == nil {
			one.A, one.B = values[a], values[b]
		}
		all = append(all, one)
	}
	return all
}

// series returns a row's value in each of the repetitions, or why there is none.
func series(m metric.Metric, r summary.Row, repetitions []int) ([]float64, []error) {
	if r.Saturated {
		return nil, []error{fmt.Errorf("%s: %w", r.Name, ErrOverloaded)}
	}
	values := make([]float64, len(repetitions))
	for _, t := range r.Trials {
		i, ok := slices.BinarySearch(repetitions, t.Repetition)
		if !ok {
			continue
		}
		var err error
		if values[i], err = valueIn(t, m); err != nil {
			return nil, []error{fmt.Errorf("%s: %w", r.Name, err)}
		}
	}
	return values, nil
}

// valueIn returns the metric's value in a trial; lost messages can make it infinite.
func valueIn(t results.Trial, m metric.Metric) (float64, error) {
	switch v := summary.Measure(m.Name, t); v.Known {
	case summary.TooFew:
		return 0, fmt.Errorf("%s independent observations in repetition %d, %s requires %s", metric.Count(v.Have), t.Repetition, m.Title, metric.Count(v.Requirement))
	case summary.NotShown:
		return 0, ErrNotMeasured
	case summary.Infinite:
		return math.Inf(1), nil
	default:
		return v.X, nil
	}
}

// Decides reports whether a sufficiently large difference can have a verdict.
func (a Analysis) Decides() bool { return a.Withheld == "" && len(a.Repetitions) >= a.MinDecisive }

// Between returns the declared comparison of two rows, in either order.
func (a Analysis) Between(x, y, metric string) (Difference, bool) {
	i := slices.IndexFunc(a.Family, func(d Difference) bool {
		return d.Metric == metric && (d.Names == [2]string{x, y} || d.Names == [2]string{y, x})
	})
	if i < 0 {
		return Difference{}, false
	}
	return a.Family[i], true
}

// Metrics lists the metrics of the differences, each once, in their order.
func Metrics(all []Difference) []string {
	var names []string
	for _, d := range all {
		if !slices.Contains(names, d.Metric) {
			names = append(names, d.Metric)
		}
	}
	return names
}

// ByMetric returns the differences in one metric.
func ByMetric(metric string, all []Difference) []Difference {
	return filter(all, func(d Difference) bool { return d.Metric == metric })
}

func filter(all []Difference, keep func(Difference) bool) []Difference {
	return slices.DeleteFunc(slices.Clone(all), func(d Difference) bool { return !keep(d) })
}

// lastTarget is the target of the last row; "" without rows.
func lastTarget(rows []summary.Row) string {
	if len(rows) == 0 {
		return ""
	}
	return rows[len(rows)-1].Target
}
