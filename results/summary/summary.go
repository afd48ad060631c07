// Package summary computes what is said of a run from what is on disk: the value of each
// metric of a trial, the pool of a configuration's trials, their medians, ranges and order.
//
// It owns how a metric is computed. It must never write, nor judge a difference: that is
// package compare's.
package summary

import (
	"cmp"
	"slices"
	"time"

	"pushbench/results"
)

// A Summary is a run in one row a case, over its valid trials.
type Summary struct {
	Rows             []Row      // in report order; a case without a valid trial has an empty row
	Excluded         []Excluded // trials that enter no row
	Dropped          []int      // blocks left out whole, as they lack a valid trial of some case
	Repetitions      int        // planned
	Common           []int      // blocks in which every case has a valid trial, ascending: those that can be compared
	ValidRepetitions int        // how many these are
	Checks           int        // of all trials
	ChecksPassed     int
}

// Excluded names a trial that enters no figure, and why.
type Excluded struct {
	Trial    string // its name
	Reason   string
	Repeated bool // it was measured again
}

// A Row is one case: its valid trials, and their pool. Where some block has a valid
// trial of every case, only such blocks enter: rows are there to be compared, and a
// block that only some of them had would be compared with others.
type Row struct {
	results.Configuration
	Trials    []results.Trial // in block order
	Pooled    results.Trial   // counts added up, histograms merged
	Saturated bool            // some trial was: the figures describe overload
}

// Of summarizes a run.
func Of(r *results.Run) Summary {
	s := Summary{Repetitions: r.Manifest.Repetitions}
	valid := map[string][]results.Trial{} // by case
	for _, t := range r.Trials {
		s.Checks += len(t.Checks)
		s.ChecksPassed += len(t.Checks) - len(t.FailedChecks())
		if name := t.ConfigurationName(); t.Valid() {
			valid[name] = append(valid[name], t)
		} else {
			s.Excluded = append(s.Excluded, Excluded{Trial: t.Name(), Reason: whyNot(t), Repeated: repeated(r, t)})
		}
	}
	cases := r.Manifest.AllConfigurations()
	s.Common = commonBlocks(cases, valid)
	s.ValidRepetitions = len(s.Common)
	for _, c := range cases {
		var kept []results.Trial
		for _, t := range valid[c.Name] {
			switch {
			case len(s.Common) == 0 || slices.Contains(s.Common, t.Repetition):
				kept = append(kept, t)
			case !slices.Contains(s.Dropped, t.Repetition):
				s.Dropped = append(s.Dropped, t.Repetition)
			}
		}
		slices.SortStableFunc(kept, func(a, b results.Trial) int { return cmp.Compare(a.Repetition, b.Repetition) })
		row := Row{Configuration: c, Trials: kept, Pooled: results.Pool(kept)}
		p := &row.Pooled
		p.Transport, p.Configuration, p.Library, p.BatchingDelay, p.Status = c.Transport, c.Name, c.Library, c.BatchingDelay, results.Complete
		row.Saturated = slices.ContainsFunc(kept, func(t results.Trial) bool { return t.Status == results.Saturated })
		s.Rows = append(s.Rows, row)
	}
	slices.Sort(s.Dropped)
	return s
}

// Row finds a case's row by its name; ok is false when the run has none.
func (s Summary) Row(name string) (row Row, ok bool) {
	i := slices.IndexFunc(s.Rows, func(r Row) bool { return r.Name == name })
	if i < 0 {
		return Row{}, false
	}
	return s.Rows[i], true
}

// repeated says whether another attempt at a trial followed.
func repeated(r *results.Run, t results.Trial) bool {
	return slices.ContainsFunc(r.Trials, func(o results.Trial) bool {
		return o.Repetition == t.Repetition && o.ConfigurationName() == t.ConfigurationName() && o.Attempt > t.Attempt
	})
}

// whyNot says in one line why the trial is not valid.
func whyNot(t results.Trial) string {
	if failed := t.FailedChecks(); len(failed) > 0 {
		return "gate " + failed[0].Name + ": " + failed[0].Detail
	}
	if t.Reason != "" {
		return string(t.Status) + ": " + t.Reason
	}
	return string(t.Status)
}

// commonBlocks are the blocks that every case has a valid trial of, in ascending order.
func commonBlocks(cases []results.Configuration, valid map[string][]results.Trial) (common []int) {
	for i, c := range cases {
		var blocks []int
		for _, t := range valid[c.Name] {
			if i == 0 || slices.Contains(common, t.Repetition) {
				blocks = append(blocks, t.Repetition)
			}
		}
		slices.Sort(blocks)
		common = slices.Compact(blocks)
	}
	return common
}

// Value is the metric over all valid trials.
func (r Row) Value(metric string) Value {
	if len(r.Trials) == 0 {
		return Value{Known: NotShown}
	}
	return Measure(metric, r.Pooled)
}

// values are the metric's in each trial; ok is false when there is no trial, or one of them
// has no value, which is then the only one.
func (r Row) values(metric string) (all []Value, ok bool) {
	for _, t := range r.Trials {
		v := Measure(metric, t)
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

// Median is the metric's median over the blocks, which one odd block does not move as
// it moves a pool; of an even number the mean of the middle two. ok is false when there
// is no trial, or one of them has no value.
func (r Row) Median(metric string) (v Value, ok bool) {
	all, ok := r.values(metric)
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

// Range is the metric's range over the blocks. ok is false when there are fewer
// than two valid trials, or one of them has no value.
func (r Row) Range(metric string) (over Range, ok bool) {
	all, ok := r.values(metric)
	if !ok || len(all) < 2 {
		return Range{}, false
	}
	return Range{slices.MinFunc(all, Value.Compare), slices.MaxFunc(all, Value.Compare)}, true
}

// SortByMedian sorts rows from the lowest median of a metric to the highest. Rows of one
// median keep their order.
func SortByMedian(rows []Row, metric string) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		x, _ := a.Median(metric)
		y, _ := b.Median(metric)
		return x.Compare(y)
	})
}

// Theory is what the trials' arithmetic predicts for the metric, averaged over
// them; ok is false when it predicts nothing.
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

// BlockTook is how long a block of the run took on average; 0 when none ended.
func RepetitionDuration(r *results.Run) time.Duration {
	var took time.Duration
	blocks := map[int]bool{}
	for _, t := range r.Trials {
		took += t.Took
		blocks[t.Repetition] = true
	}
	if len(blocks) == 0 {
		return 0
	}
	return took / time.Duration(len(blocks))
}
