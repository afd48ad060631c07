package compare

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// An Outcome is the result of checking an assertion against a run.
type Outcome string

// Outcomes of an assertion, with the values kept for compatibility with existing files. Undecided: the
// repetitions disagree, or there is no value.
const (
	Passed    Outcome = "passed"
	Failed    Outcome = "failed"
	Undecided Outcome = "undecided"
)

// String returns the outcome for display. Files contain the constant's value instead.
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

// An AssertionResult is the result of an assertion for one configuration.
type AssertionResult struct {
	Assertion           metric.Assertion
	Configuration       string
	Outcome             Outcome
	Passed, Repetitions int           // repetitions in which it passed, and in which it was checked
	Measured            summary.Value // median over the repetitions of the value, or of its ratio to the other configuration's; of == and != the value farthest from the bound
	AtMost              bool          // Measured is the maximum, as there are too few observations for the percentile
	Why                 string        // why it is undecided, if it is
}

// Assertions checks each assertion against the valid repetitions of every configuration that it
// applies to.
//
// Each repetition is checked separately: its values come from one schedule and were measured
// within minutes. An assertion passes or fails by a sign test at p ≤ 1/16: of 4 to 6 repetitions
// all must agree, of 7 to 9 one may differ, of 10 to 12 two. With fewer than four, all must agree;
// their p exceeds 1/16, so such a run is descriptive only. == and != are not tested: one violation
// fails them.
//
// If no single repetition has enough observations for a percentile, the pool of all is checked as
// one. If the pool has too few as well, the assertion passes if the maximum is within the bound.
func Assertions(assertions []metric.Assertion, s summary.Summary) []AssertionResult {
	var all []AssertionResult
	for _, a := range assertions {
		for _, row := range s.Rows {
			if a.Configuration == "" || a.Configuration == row.Name {
				all = append(all, check(a, row, s))
			}
		}
	}
	return all
}

// check checks an assertion against one row.
func check(a metric.Assertion, row summary.Row, s summary.Summary) AssertionResult {
	r := AssertionResult{Assertion: a, Configuration: row.Name, Outcome: Undecided, Measured: summary.Value{Known: summary.NotShown}}
	samples, err := samplesOf(a, row, s)
	if err != nil {
		r.Why = err.Error()
		return byMaximum(r, row, s)
	}
	var measured []float64
	for _, sample := range samples {
		if a.Holds(sample.x, sample.bound) {
			r.Passed++
		}
		measured = append(measured, sample.measured(a))
	}
	r.Repetitions, r.Measured = len(samples), asValue(summary.Median(measured))
	if exact(a.Op) && a.OtherConfiguration == "" { // the median of many repetitions hides the violation that fails them
		far := func(x float64) float64 { return math.Abs(x - a.Bound) }
		r.Measured = asValue(slices.MaxFunc(measured, func(x, y float64) int { return cmp.Compare(far(x), far(y)) }))
	}
	r.Outcome = decide(a.Op, r.Passed, r.Repetitions)
	if r.Outcome == Undecided {
		r.Why = fmt.Sprintf("it passed in %d of %d repetitions", r.Passed, r.Repetitions)
	}
	return r
}

// latencyQuantile matches the names of latency percentiles, which metric.Max bounds from above.
var latencyQuantile = regexp.MustCompile(`^p(50|99|999|\([0-9.]+\))$`)

// byMaximum checks an upper bound of a percentile by the maximum, which is infinite if a message
// was lost. It can only pass.
func byMaximum(r AssertionResult, row summary.Row, s summary.Summary) AssertionResult {
	a := r.Assertion
	if a.OtherConfiguration != "" || a.Op != "<" && a.Op != "<=" || !latencyQuantile.MatchString(a.Metric) {
		return r
	}
	a.Metric = metric.Max
	if maximum := check(a, row, s); maximum.Outcome == Passed {
		maximum.Assertion, maximum.AtMost = r.Assertion, true
		return maximum
	}
	return r
}

// decide returns the outcome of an assertion that passed in some of all repetitions.
func decide(op string, passed, repetitions int) Outcome {
	failed := repetitions - passed
	switch {
	case exact(op) && failed > 0:
		return Failed
	case failed <= tolerated(repetitions):
		return Passed
	case passed <= tolerated(repetitions):
		return Failed
	default:
		return Undecided
	}
}

// exact reports whether one violation fails an assertion with the operator.
func exact(op string) bool { return op == "==" || op == "!=" }

// SignTestRepetitions is the smallest number of repetitions that can decide an assertion by the sign test.
const SignTestRepetitions = 4

// level is the level of the sign test: the p-value if four of four repetitions agree.
const level = 1.0 / (1 << SignTestRepetitions)

// tolerated returns how many of n repetitions may disagree.
func tolerated(n int) int {
	p, ways := 0.0, 1.0 // P(at most k of n fair coin tosses are heads), binomial coefficient n over k
	for k := range n {
		p += ways / math.Pow(2, float64(n))
		if p > level {
			return max(0, k-1)
		}
		ways *= float64(n-k) / float64(k+1)
	}
	return 0
}

// operands are the value of an assertion and its bound in one repetition.
type operands struct{ x, bound float64 }

// measured returns the value, or its ratio to the value of the other configuration.
func (o operands) measured(a metric.Assertion) float64 {
	if a.OtherConfiguration == "" {
		return o.x
	}
	return a.Times * o.x / o.bound
}

// samplesOf returns the operands in each repetition, or of the pool if a repetition has too few
// observations; else an error.
func samplesOf(a metric.Assertion, row summary.Row, s summary.Summary) (all []operands, err error) {
	other := row // placeholder: ignored unless the bound is another configuration
	if a.OtherConfiguration != "" {
		var ok bool
		if other, ok = s.Row(a.OtherConfiguration); !ok || len(s.Common) == 0 {
			return nil, errors.New("no repetition measured both configurations")
		}
	}
	if len(row.Trials) == 0 {
		return nil, errors.New("no valid trial")
	}
	for i, t := range row.Trials {
		o, err := operandsOf(a, t, other.Trials[i])
		if err != nil {
			if pooled, tooFew := operandsOf(a, row.Pooled, other.Pooled); tooFew == nil {
				return []operands{pooled}, nil
			}
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// operandsOf returns the operands in a trial. other is the trial that the bound is taken from; it is
// ignored if the bound is a constant.
func operandsOf(a metric.Assertion, t, other results.Trial) (o operands, err error) {
	if o.x, err = valueOf(a.Metric, t); err != nil || a.OtherConfiguration == "" {
		o.bound = a.Bound
		return o, err
	}
	o.bound, err = valueOf(a.OtherMetric, other)
	o.bound *= a.Times
	return o, err
}

func valueOf(name string, t results.Trial) (x float64, err error) {
	m, _ := metric.Find(name)
	if x, err = valueIn(t, m); err != nil {
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
