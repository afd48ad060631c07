package compare

import (
	"errors"
	"fmt"
	"math"
	"regexp"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// An Outcome is what a run says of a claim.
type Outcome string

// What a run says of a claim. Undecided: the blocks disagree, or there is no figure.
const (
	Passed    Outcome = "holds"
	Failed    Outcome = "broken"
	Undecided Outcome = "undecided"
)

// String returns the outcome for display. Files have the outcome itself.
func (o Outcome) String() string {
	switch o {
	case Passed:
		return "passed"
	case Failed:
		return "failed"
	default:
		return string(o)
	}
}

// A Finding is a claim, held against one case.
type AssertionResult struct {
	Assertion     metric.Assertion
	Configuration string
	Outcome       Outcome
	Passed, Of    int           // blocks
	Measured      summary.Value // the median of the blocks; of a ratio the median ratio
	AtMost        bool          // Measured is the maximum: there are too few observations for the percentile
	Why           string        // why it is undecided, where it is
}

// Claims holds each claim against the valid blocks of every case that it is about.
//
// Each block answers for itself: it compares figures of one schedule, taken minutes
// apart at most. A claim holds, or is broken, where so many blocks say so that a coin
// would in one run of sixteen: all of four to six, all but one of seven to nine, all
// but two of ten to twelve. With fewer than four, all must; no coin is that rare then,
// and such a run only describes. Equality is not a matter of chance: one block that is
// against it breaks it.
//
// Where no block alone has enough observations for a percentile, all together answer as one;
// where these are too few as well, a maximum that keeps to a bound has every percentile keep to it.
func Assertions(claims []metric.Assertion, s summary.Summary) []AssertionResult {
	var all []AssertionResult
	for _, c := range claims {
		for _, row := range s.Rows {
			if c.Configuration == "" || c.Configuration == row.Name {
				all = append(all, find(c, row, s))
			}
		}
	}
	return all
}

// find holds a claim against one row.
func find(c metric.Assertion, row summary.Row, s summary.Summary) AssertionResult {
	f := AssertionResult{Assertion: c, Configuration: row.Name, Outcome: Undecided, Measured: summary.Value{Known: summary.NotShown}}
	sides, err := samples(c, row, s)
	if err != nil {
		f.Why = err.Error()
		return atMost(f, row, s)
	}
	var measured []float64
	for _, side := range sides {
		if c.Holds(side.x, side.bound) {
			f.Passed++
		}
		measured = append(measured, side.measured(c))
	}
	f.Of, f.Measured = len(sides), asValue(summary.Median(measured))
	f.Outcome = decide(c.Op, f.Passed, f.Of)
	if f.Outcome == Undecided {
		f.Why = fmt.Sprintf("it passed in %d of %d repetitions", f.Passed, f.Of)
	}
	return f
}

// latencyQuantile are the percentiles whose maximum is a figure of its own.
var latencyQuantile = regexp.MustCompile(`^p(50|99|999|\([0-9.]+\))$`)

// atMost lets the maximum decide of a percentile what it can: that it is below a bound. What
// never came is in it, as infinite.
func atMost(f AssertionResult, row summary.Row, s summary.Summary) AssertionResult {
	c := f.Assertion
	if c.OtherConfiguration != "" || c.Op != "<" && c.Op != "<=" || !latencyQuantile.MatchString(c.Metric) {
		return f
	}
	c.Metric = metric.Max
	if whole := find(c, row, s); whole.Outcome == Passed {
		whole.Assertion, whole.AtMost = f.Assertion, true
		return whole
	}
	return f
}

// decide says what so many blocks say.
func decide(op string, held, of int) Outcome {
	against := of - held
	switch {
	case (op == "==" || op == "!=") && against > 0:
		return Failed
	case against <= tolerated(of):
		return Passed
	case held <= tolerated(of):
		return Failed
	default:
		return Undecided
	}
}

// rare is how seldom a coin may say what decides: four of four.
const rare = 1.0 / 16

// tolerated is how many of n blocks may disagree.
func tolerated(n int) int {
	chance, ways := 0.0, 1.0 // P(at most k of n tosses), n over k
	for k := range n {
		chance += ways / math.Pow(2, float64(n))
		if chance > rare {
			return max(0, k-1)
		}
		ways *= float64(n-k) / float64(k+1)
	}
	return 0
}

// A side is what one block has: the claim's value, and what bounds it.
type side struct{ x, bound float64 }

// measured is the value, or how many times the other one it is.
func (s side) measured(c metric.Assertion) float64 {
	if c.OtherConfiguration == "" {
		return s.x
	}
	return c.Times * s.x / s.bound
}

// samples are the sides of each block, or why there are none.
func samples(c metric.Assertion, row summary.Row, s summary.Summary) (all []side, err error) {
	other := row // of itself nothing is looked at
	if c.OtherConfiguration != "" {
		var ok bool
		if other, ok = s.Row(c.OtherConfiguration); !ok || len(s.Common) == 0 {
			return nil, errors.New("no repetition measured both configurations")
		}
	}
	if len(row.Trials) == 0 {
		return nil, errors.New("no valid trial")
	}
	for i, t := range row.Trials {
		one, err := sideOf(c, t, other.Trials[i])
		if err != nil {
			if whole, tooFew := sideOf(c, row.Pooled, other.Pooled); tooFew == nil {
				return []side{whole}, nil
			}
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// sideOf is a trial's; other is what it is compared with, where it is compared with one.
func sideOf(c metric.Assertion, t, other results.Trial) (s side, err error) {
	if s.x, err = valueOf(c.Metric, t); err != nil || c.OtherConfiguration == "" {
		s.bound = c.Bound
		return s, err
	}
	s.bound, err = valueOf(c.OtherMetric, other)
	s.bound *= c.Times
	return s, err
}

func valueOf(name string, t results.Trial) (x float64, err error) {
	m, _ := metric.Find(name)
	if x, err = figure(m, t); err != nil {
		err = fmt.Errorf("%s: %w", m.Title, err)
	}
	return x, err
}

func asValue(x float64) summary.Value {
	switch {
	case math.IsNaN(x):
		return summary.Value{Known: summary.NotShown}
	case math.IsInf(x, 0):
		return summary.Value{Known: summary.Infinite}
	default:
		return summary.Value{X: x}
	}
}
