package results

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// VerdictBlocks is how many valid blocks a judgement needs. Six pairs of four
// transports under Holm's correction need p < .05/6 = .0083, and the smallest
// two-sided p of a sign-flip test over n blocks is 2/2^n: .0156 for 7, .0078 for 8.
const VerdictBlocks = 8

// A Summary is a run in one row a case, over its valid trials.
type Summary struct {
	Rows        []Row      // in report order; a case without a valid trial has an empty row
	Excluded    []Excluded // trials that enter no row
	Dropped     []int      // blocks left out whole, as they lack a valid trial of some case
	Blocks      int        // planned
	Common      []int      // blocks in which every case has a valid trial, ascending: those that can be compared
	ValidBlocks int        // how many these are
	Gates       int        // of all trials
	GatesPassed int
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
	Case
	Trials    []Trial // in block order
	Pooled    Trial   // counts added up, histograms merged
	Saturated bool    // some trial was: the figures describe overload
}

// Summary sums the run up.
func (r *Run) Summary() Summary {
	s := Summary{Blocks: r.Manifest.Blocks, Excluded: r.excluded()}
	cases := r.Manifest.AllCases()
	trials := make([][]Trial, len(cases))
	for i, c := range cases {
		trials[i] = r.validTrials(c.Name)
	}
	s.Common = commonBlocks(trials)
	for i, c := range cases {
		kept := trials[i]
		if len(s.Common) > 0 {
			kept = slices.DeleteFunc(kept, func(t Trial) bool { return !slices.Contains(s.Common, t.Block) })
		}
		s.Rows = append(s.Rows, newRow(c, kept))
	}
	s.Dropped = r.dropped(s.Common)
	s.ValidBlocks = len(s.Common)
	for _, t := range r.Trials {
		s.Gates += len(t.Gates)
		s.GatesPassed += len(t.Gates) - len(t.FailedGates())
	}
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

// Valid reports whether the trial's figures may be used: it ran to its end and
// every gate passed. One that saturated is valid, and describes overload.
func (t Trial) Valid() bool {
	return (t.Status == Complete || t.Status == Saturated) && len(t.FailedGates()) == 0
}

// FailedGates are the gates that void the trial.
func (t Trial) FailedGates() []Gate {
	return slices.DeleteFunc(slices.Clone(t.Gates), func(g Gate) bool { return g.Passed })
}

func (r *Run) excluded() []Excluded {
	var excluded []Excluded
	for _, t := range r.Trials {
		if !t.Valid() {
			excluded = append(excluded, Excluded{Trial: t.Name(), Reason: t.whyNot(), Repeated: r.repeated(t)})
		}
	}
	return excluded
}

// dropped are the blocks, ascending, whose valid trials enter no figure because another
// case has none there.
func (r *Run) dropped(common []int) []int {
	var dropped []int
	for _, t := range r.Trials {
		if len(common) > 0 && t.Valid() && !slices.Contains(common, t.Block) && !slices.Contains(dropped, t.Block) {
			dropped = append(dropped, t.Block)
		}
	}
	slices.Sort(dropped)
	return dropped
}

// repeated says whether another attempt at a trial followed.
func (r *Run) repeated(t Trial) bool {
	return slices.ContainsFunc(r.Trials, func(o Trial) bool {
		return o.Block == t.Block && o.CaseName() == t.CaseName() && o.Again > t.Again
	})
}

// Name names the trial among those of its run.
func (t Trial) Name() string {
	name := fmt.Sprintf("block %d %s", t.Block, t.CaseName())
	if t.Again > 0 {
		name += fmt.Sprintf(" (attempt %d)", t.Again+1)
	}
	return name
}

// whyNot says in one line why the trial is not valid.
func (t Trial) whyNot() string {
	if failed := t.FailedGates(); len(failed) > 0 {
		return "gate " + failed[0].Name + ": " + failed[0].Detail
	}
	if t.Reason != "" {
		return string(t.Status) + ": " + t.Reason
	}
	return string(t.Status)
}

func (r *Run) validTrials(name string) []Trial {
	var trials []Trial
	for _, t := range r.Trials {
		if t.CaseName() == name && t.Valid() {
			trials = append(trials, t)
		}
	}
	slices.SortStableFunc(trials, func(a, b Trial) int { return a.Block - b.Block })
	return trials
}

// commonBlocks are the blocks that every case has a trial of, in ascending order.
func commonBlocks(cases [][]Trial) []int {
	have := map[int]int{} // how many have a trial of the block
	for _, trials := range cases {
		own := map[int]bool{}
		for _, t := range trials {
			own[t.Block] = true
		}
		for block := range own {
			have[block]++
		}
	}
	maps.DeleteFunc(have, func(_, n int) bool { return n < len(cases) })
	return slices.Sorted(maps.Keys(have))
}

// pooled are the trials of a case, added up.
func pooled(c Case, trials []Trial) Trial {
	p := Pool(trials)
	p.Transport, p.Case, p.Stack, p.Flush, p.Status = c.Transport, c.Name, c.Stack, c.Flush, Complete
	return p
}

func newRow(c Case, trials []Trial) Row {
	return Row{
		Case:      c,
		Trials:    trials,
		Pooled:    pooled(c, trials),
		Saturated: slices.ContainsFunc(trials, func(t Trial) bool { return t.Status == Saturated }),
	}
}

// Value is the metric over all valid trials.
func (r Row) Value(metric string) Value {
	if len(r.Trials) == 0 {
		return Value{Known: NotShown}
	}
	return MetricByName(metric).Of(r.Pooled)
}

// Median is the metric's median over the blocks, which one odd block does not move as
// it moves a pool; of an even number the mean of the middle two. ok is false when there
// is no trial, or one of them has no value.
func (r Row) Median(metric string) (v Value, ok bool) {
	m := MetricByName(metric)
	var values []Value
	for _, t := range r.Trials {
		v := m.Of(t)
		if v.Known != Shown && v.Known != Infinite {
			return v, false
		}
		values = append(values, v)
	}
	if len(values) == 0 {
		return Value{Known: NotShown}, false
	}
	slices.SortFunc(values, func(a, b Value) int {
		switch {
		case a.less(b):
			return -1
		case b.less(a):
			return +1
		default:
			return 0
		}
	})
	upper, lower := values[len(values)/2], values[(len(values)-1)/2]
	if upper.Known == Shown {
		upper.X = (lower.X + upper.X) / 2
	}
	return upper, true
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

// Range is the metric's range over the blocks. ok is false when there are fewer
// than two valid trials, or one of them has no value.
func (r Row) Range(metric string) (over Range, ok bool) {
	if len(r.Trials) < 2 {
		return Range{}, false
	}
	m := MetricByName(metric)
	for i, t := range r.Trials {
		v := m.Of(t)
		if v.Known == NotShown || v.Known == TooFew {
			return Range{}, false
		}
		if i == 0 || v.less(over.Lo) {
			over.Lo = v
		}
		if i == 0 || over.Hi.less(v) {
			over.Hi = v
		}
	}
	return over, true
}

// less orders values of which each is Shown or Infinite.
func (v Value) less(other Value) bool {
	return v.Known != Infinite && (other.Known == Infinite || v.X < other.X)
}

// Overlaps reports whether the ranges share a value.
func (a Range) Overlaps(b Range) bool {
	return !a.Hi.less(b.Lo) && !b.Hi.less(a.Lo)
}

// Theory is what the trials' arithmetic predicts for the metric, averaged over
// them; ok is false when it predicts nothing.
func (r Row) Theory(metric string) (p Prediction, ok bool) {
	var n float64
	for _, t := range r.Trials {
		for _, q := range t.Theory {
			if q.Metric == metric {
				n++
				p = Prediction{Metric: metric, Value: p.Value + (q.Value-p.Value)/n, Formula: q.Formula}
			}
		}
	}
	return p, n > 0
}

// BlockTook is how long a block of the run took on average; 0 when none ended.
func (r *Run) BlockTook() time.Duration {
	var took time.Duration
	blocks := map[int]bool{}
	for _, t := range r.Trials {
		took += t.Took
		blocks[t.Block] = true
	}
	if len(blocks) == 0 {
		return 0
	}
	return took / time.Duration(len(blocks))
}
