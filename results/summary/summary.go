// Package summary computes the metrics of a run from its folder: the value of each metric of a
// trial, the pool of a configuration's trials, their medians, ranges and order.
//
// It owns the computation of metrics. It must never write files, nor assess a difference: package
// compare does.
package summary

import (
	"cmp"
	"math"
	"slices"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
)

// A Summary has one row per configuration of a run, computed from its valid trials.
type Summary struct {
	Rows             []Row      // in report order; empty for a configuration without a valid trial
	Excluded         []Excluded // trials that are in no row
	Dropped          []int      // repetitions discarded because some configuration has no valid trial in them
	Repetitions      int        // planned
	Common           []int      // repetitions with a valid trial of every configuration, ascending: the comparable ones
	ValidRepetitions int        // number of common repetitions
	Checks           int        // validity checks of all trials
	ChecksPassed     int
}

// Excluded is a trial that is part of no result, with the reason.
type Excluded struct {
	Trial    string // name
	Reason   string
	Repeated bool // another attempt followed
}

// A Row is a configuration with its valid trials and their pool. If any repetition has a valid
// trial of every configuration, rows have the trials of such repetitions only. Otherwise, rows
// would be compared over different repetitions.
type Row struct {
	results.Configuration
	Trials    []results.Trial // in order of repetitions
	Pooled    results.Trial   // counts summed, histograms merged
	Saturated bool            // some trial was saturated: the values describe overload
}

// Of summarizes a run.
func Of(r *results.Run) Summary {
	s := Summary{Repetitions: r.Manifest.Repetitions}
	valid, last := map[string][]results.Trial{}, lastAttempts(r.Trials) // valid: by configuration
	for _, t := range r.Trials {
		s.Checks += len(t.Checks)
		s.ChecksPassed += len(t.Checks) - len(t.FailedChecks())
		if name := t.ConfigurationName(); t.Valid() {
			valid[name] = append(valid[name], t)
		} else {
			s.Excluded = append(s.Excluded, Excluded{Trial: t.Name(), Reason: reasonInvalid(t), Repeated: last[measurementOf(t)] > t.Attempt})
		}
	}
	configurations := r.Manifest.AllConfigurations()
	s.Common = commonRepetitions(configurations, valid)
	s.ValidRepetitions = len(s.Common)
	prices := r.Manifest.Prices.OrDefault()
	for _, c := range configurations {
		var kept []results.Trial
		for _, t := range valid[c.Name] {
			switch {
			case len(s.Common) == 0 || slices.Contains(s.Common, t.Repetition):
				t.Prices = &prices
				kept = append(kept, t)
			case !slices.Contains(s.Dropped, t.Repetition):
				s.Dropped = append(s.Dropped, t.Repetition)
			}
		}
		slices.SortStableFunc(kept, func(a, b results.Trial) int { return cmp.Compare(a.Repetition, b.Repetition) })
		row := Row{Configuration: c, Trials: kept, Pooled: results.Pool(kept)}
		p := &row.Pooled
		p.Transport, p.Configuration, p.Library, p.BatchingDelay, p.Status, p.Prices = c.Transport, c.Name, c.Library, c.BatchingDelay, results.Complete, &prices
		row.Saturated = slices.ContainsFunc(kept, func(t results.Trial) bool { return t.Status == results.Saturated })
		s.Rows = append(s.Rows, row)
	}
	slices.Sort(s.Dropped)
	return s
}

// Row returns the row of a configuration; ok is false if there is none.
func (s Summary) Row(name string) (row Row, ok bool) {
	i := slices.IndexFunc(s.Rows, func(r Row) bool { return r.Name == name })
	if i < 0 {
		return Row{}, false
	}
	return s.Rows[i], true
}

// A measurement is one configuration in one repetition, however often it was attempted.
type measurement struct {
	repetition    int
	configuration string
}

func measurementOf(t results.Trial) measurement {
	return measurement{t.Repetition, t.ConfigurationName()}
}

// lastAttempts returns the last attempt at each measurement.
func lastAttempts(trials []results.Trial) map[measurement]int {
	last := map[measurement]int{}
	for _, t := range trials {
		of := measurementOf(t)
		last[of] = max(last[of], t.Attempt)
	}
	return last
}

// reasonInvalid describes in one line why the trial is invalid.
func reasonInvalid(t results.Trial) string {
	if failed := t.FailedChecks(); len(failed) > 0 {
		return "validity check " + failed[0].Name + ": " + failed[0].Detail
	}
	if t.Reason != "" {
		return string(t.Status) + ": " + t.Reason
	}
	return string(t.Status)
}

// commonRepetitions returns the repetitions with a valid trial of every configuration, ascending.
func commonRepetitions(configurations []results.Configuration, valid map[string][]results.Trial) (common []int) {
	for i, c := range configurations {
		var repetitions []int
		for _, t := range valid[c.Name] {
			if i == 0 || slices.Contains(common, t.Repetition) {
				repetitions = append(repetitions, t.Repetition)
			}
		}
		slices.Sort(repetitions)
		common = slices.Compact(repetitions)
	}
	return common
}

// Has reports whether an interval belongs to a trial of the row.
func (r Row) Has(i results.Interval) bool {
	return i.ConfigurationName() == r.Name && slices.ContainsFunc(r.Trials, func(t results.Trial) bool { return t.Repetition == i.Repetition && t.Attempt == i.Attempt })
}

// Value returns the metric over all valid trials.
func (r Row) Value(name string) Value {
	if len(r.Trials) == 0 {
		return Value{Known: NotShown}
	}
	return Measure(name, r.Pooled)
}

// values returns a value of each trial. If there is no trial, or one has no value, ok is false
// and the slice has only that missing value.
func (r Row) values(of func(results.Trial) Value) (all []Value, ok bool) {
	for _, t := range r.Trials {
		v := of(t)
		if v.Known != Shown && v.Known != Infinite {
			return []Value{v}, false
		}
		all = append(all, v)
	}
	if len(all) == 0 {
		return []Value{{Known: NotShown}}, false
	}
	return all, true
}

// Median returns the metric's median over the repetitions; for an even number the mean of the
// middle two. One outlier affects it less than it affects the pool. ok is false if there is no
// trial, or if one has no value.
func (r Row) Median(metric string) (v Value, ok bool) { return r.median(measureOf(metric)) }

// measureOf returns what computes a metric of a trial.
func measureOf(metric string) func(results.Trial) Value {
	return func(t results.Trial) Value { return Measure(metric, t) }
}

func (r Row) median(of func(results.Trial) Value) (v Value, ok bool) {
	all, ok := r.values(of)
	if !ok {
		return all[0], false
	}
	slices.SortFunc(all, Value.Compare)
	upper, lower := all[len(all)/2], all[(len(all)-1)/2]
	if upper.Known == Shown {
		upper.X = (lower.X + upper.X) / 2
	}
	return upper, true
}

// totals are the metrics whose estimate is that of all trials: counts are summed, and the maximum is the
// largest.
var totals = []string{
	metric.Expected, metric.Delivered, metric.Lost, metric.DeclaredGap, metric.Superseded, metric.Duplicates, metric.Reordered,
	metric.RepliesLost, metric.ShortLivedWithoutMessage, metric.Max,
}

// Typical returns the value of the metric that every report shows: the median over the repetitions, or that
// of all trials for a count, for the maximum, and if the repetitions have no median.
func (r Row) Typical(name string) Value {
	if v, ok := r.Median(name); ok && !slices.Contains(totals, name) {
		return v
	}
	return r.Value(name)
}

// TypicalOf returns a value of the trials that is no metric as reports show it: its median over the repetitions,
// or its value over all trials if one has none.
func (r Row) TypicalOf(of func(results.Trial) Value) Value {
	if v, ok := r.median(of); ok || len(r.Trials) == 0 {
		return v
	}
	return of(r.Pooled)
}

// Range returns the metric's range over the repetitions. ok is false if there are fewer than two
// valid trials, or if one has no value.
func (r Row) Range(metric string) (over Range, ok bool) {
	all, ok := r.values(measureOf(metric))
	if !ok || len(all) < 2 {
		return Range{}, false
	}
	return Range{slices.MinFunc(all, Value.Compare), slices.MaxFunc(all, Value.Compare)}, true
}

// SortByMedian sorts rows by ascending median of a metric. Rows with equal medians keep their
// order.
func SortByMedian(rows []Row, metric string) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		x, _ := a.Median(metric)
		y, _ := b.Median(metric)
		return x.Compare(y)
	})
}

// OrderByMedian compares two rows by their medians of a metric: -1 if the first is lower, +1 if the
// second is lower, 0 if they differ by at most the margin, a share of the lower one.
func OrderByMedian(a, b Row, metric string, margin float64) int {
	x, _ := a.Median(metric)
	y, _ := b.Median(metric)
	if x.Known == Shown && y.Known == Shown && math.Abs(x.X-y.X) <= margin*min(x.X, y.X) {
		return 0
	}
	return x.Compare(y)
}

// Predicted returns the model's prediction of the metric, averaged over the trials; ok is false if
// there is none.
func (r Row) Predicted(metric string) (p results.Prediction, ok bool) {
	var n float64
	for _, t := range r.Trials {
		for _, q := range t.Predicted {
			if q.Metric == metric {
				n++
				p = results.Prediction{Metric: metric, Value: p.Value + (q.Value-p.Value)/n, Formula: q.Formula}
			}
		}
	}
	return p, n > 0
}

// RepetitionDuration returns the mean duration of a repetition; 0 if there is no trial.
func RepetitionDuration(r *results.Run) time.Duration {
	var took time.Duration
	repetitions := map[int]bool{}
	for _, t := range r.Trials {
		took += t.Took
		repetitions[t.Repetition] = true
	}
	if len(repetitions) == 0 {
		return 0
	}
	return took / time.Duration(len(repetitions))
}
