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

// A Judgement is every comparison that a run supports.
type Analysis struct {
	Declared    results.Declared
	Repetitions []int        // in which every row has a valid trial: they alone are compared
	Discarded   []int        // blocks dropped whole, because a trial in them is void
	Variants    int          // groups of rows; only rows of one group are compared
	Family      []Difference // declared metrics × pairs, adjusted together
	Others      []Difference // the other metrics: intervals only
	Withheld    string       // why there is no verdict, in words; empty when there is one
	Short       bool         // it is withheld for want of blocks alone
	Decisive    int          // blocks it takes before any member of the family can be significant
}

// maxVoid is the share of void blocks beyond which nothing is judged: what voids
// trials may well prefer one side. Half of a dozen blocks is no sample of a dozen.
const maxVoid = 0.2

// Reasons why a side has no value to compare.
var (
	ErrOverload = errors.New("overloaded, so its values describe a queue")
	ErrUnknown  = errors.New("not measured in every repetition")
)

// Judge compares every pair of a run's rows within each variant, by the metrics
// that the run declared beforehand and, without verdicts, by all others.
func Analyze(run *results.Run, s summary.Summary) Analysis {
	j := Analysis{Declared: run.Manifest.Compare.OrDefault(), Repetitions: s.Common}
	j.Discarded = voidBlocks(run.Trials, j.Repetitions)
	var pairs []pair
	pairs, j.Variants = pairsOf(s.Rows)
	j.compare(pairs, s.Rows)
	j.withhold(run.Manifest)
	return j
}

// compare fills in the comparisons of pairs: by the declared metrics and, without verdicts, by
// all others that some row has.
func (j *Analysis) compare(pairs []pair, rows []summary.Row) {
	var family, others []Pairing
	for _, m := range metric.All {
		switch {
		case slices.Contains(j.Declared.Primary, m.Name):
			family = append(family, pairings(m, pairs, j.Repetitions)...)
		case m.Better != metric.Neither && shown(m, rows):
			others = append(others, pairings(m, pairs, j.Repetitions)...)
		}
	}
	plan := Plan{Margin: j.Declared.Margin}
	j.Family, j.Others, j.Decisive = plan.All(family), Intervals(others), plan.Decisive(len(family))
}

// shown says whether some row has the metric at all: what was not asked for is no gap.
func shown(m metric.Metric, rows []summary.Row) bool {
	return slices.ContainsFunc(rows, func(r summary.Row) bool { return summary.Measure(m.Name, r.Pooled).Known != summary.NotShown })
}

// withhold takes the verdicts back where the run as a whole supports none.
func (j *Analysis) withhold(m results.Manifest) {
	switch all := len(j.Repetitions) + len(j.Discarded); {
	case m.Status == results.Invalid:
		j.Withheld = "the run is INVALID"
	case len(j.Family) == 0:
		j.Withheld = "there is nothing to compare: no two transports have the same settings"
	case all >= MinRepetitions && float64(len(j.Discarded)) > maxVoid*float64(all):
		j.Withheld = fmt.Sprintf("%d of %d repetitions are invalid, more than a fifth, and their cause may favour one side", len(j.Discarded), all)
	case len(j.Repetitions) < MinRepetitions:
		j.Withheld, j.Short = fmt.Sprintf("too few valid repetitions (%d of %d)", len(j.Repetitions), MinRepetitions), true
	case m.Status == results.Partial:
		j.Withheld = fmt.Sprintf("the run ended before its planned %d repetitions, and a stop at a convenient result would bias it", m.Repetitions)
	default:
		return
	}
	j.takeBack()
}

// takeBack leaves the ratios and intervals, and no verdict.
func (j *Analysis) takeBack() {
	for i := range j.Family {
		if d := &j.Family[i]; d.Verdict != Incomparable && d.Verdict != TooFew {
			d.Verdict, d.Needed = Withheld, 0
		}
	}
}

// voidBlocks are those with a void trial that no later attempt made good.
func voidBlocks(trials []results.Trial, valid []int) []int {
	var void []int
	for _, t := range trials {
		if !t.Valid() && !slices.Contains(valid, t.Repetition) && !slices.Contains(void, t.Repetition) {
			void = append(void, t.Repetition)
		}
	}
	slices.Sort(void)
	return void
}

// A pair is two rows that are compared, and what each is called.
type pair struct {
	names [2]string
	rows  [2]summary.Row
}

// pairsOf are all pairs of rows of one variant, in the order of the report. Two settings
// of one transport answer another question than two transports do, and all pairs of
// all cases would drown both.
func pairsOf(rows []summary.Row) (all []pair, variants int) {
	seen := map[string]bool{}
	for i, a := range rows {
		seen[a.Variant()] = true
		for _, b := range rows[i+1:] {
			if a.Variant() == b.Variant() {
				all = append(all, pair{[2]string{a.Name, b.Name}, [2]summary.Row{a, b}})
			}
		}
	}
	return all, len(seen)
}

// pairings are the metric's values of each pair. A row's are computed once, as that takes its
// histograms, whatever the number of pairs it is in.
func pairings(m metric.Metric, pairs []pair, blocks []int) (all []Pairing) {
	values, missing := map[string][]float64{}, map[string][]error{}
	for _, p := range pairs {
		for side, name := range p.names {
			if _, done := values[name]; !done {
				values[name], missing[name] = series(m, p.rows[side], blocks)
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

// series is a row's value in each of the blocks, or why it has none.
func series(m metric.Metric, r summary.Row, blocks []int) ([]float64, []error) {
	if r.Saturated {
		return nil, []error{fmt.Errorf("%s: %w", r.Name, ErrOverload)}
	}
	xs := make([]float64, len(blocks))
	for _, t := range r.Trials {
		i, ok := slices.BinarySearch(blocks, t.Repetition)
		if !ok {
			continue
		}
		var err error
		if xs[i], err = figure(m, t); err != nil {
			return nil, []error{fmt.Errorf("%s: %w", r.Name, err)}
		}
	}
	return xs, nil
}

// figure is the metric's value in a trial; what never arrived is infinite.
func figure(m metric.Metric, t results.Trial) (float64, error) {
	switch v := summary.Measure(m.Name, t); v.Known {
	case summary.TooFew:
		return 0, fmt.Errorf("%s independent observations in repetition %d, %s requires %s", metric.Count(v.Have), t.Repetition, m.Title, metric.Count(v.Requirement))
	case summary.NotShown:
		return 0, ErrUnknown
	case summary.Infinite:
		return math.Inf(1), nil
	default:
		return v.X, nil
	}
}

// Decides reports whether a difference of any size could get a verdict.
func (j Analysis) Decides() bool { return j.Withheld == "" && len(j.Repetitions) >= j.Decisive }

// Between finds a declared comparison of two rows, whichever is named first.
func (j Analysis) Between(a, b, metric string) (Difference, bool) {
	i := slices.IndexFunc(j.Family, func(d Difference) bool {
		return d.Metric == metric && (d.Names == [2]string{a, b} || d.Names == [2]string{b, a})
	})
	if i < 0 {
		return Difference{}, false
	}
	return j.Family[i], true
}

// Metrics lists the metrics of the differences, each once and in their order.
func Metrics(all []Difference) []string {
	var names []string
	for _, d := range all {
		if !slices.Contains(names, d.Metric) {
			names = append(names, d.Metric)
		}
	}
	return names
}

// Of are the differences of one metric.
func Of(metric string, all []Difference) []Difference {
	return filter(all, func(d Difference) bool { return d.Metric == metric })
}

func filter(all []Difference, keep func(Difference) bool) []Difference {
	return slices.DeleteFunc(slices.Clone(all), func(d Difference) bool { return !keep(d) })
}
