package compare

import (
	"math"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/internal/synthetic"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// Under the null hypothesis, a run passes with probability at most 1/16, and likewise fails.
func TestToleratedHasTheLevelOfTheSignTest(t *testing.T) {
	for n := 4; n <= 40; n++ {
		atMost := func(k int) (p float64) {
			ways := 1.0
			for i := range k + 1 {
				p += ways / math.Pow(2, float64(n))
				ways *= float64(n-i) / float64(i+1)
			}
			return p
		}
		k := tolerated(n)
		if atMost(k) > level || atMost(k+1) <= level {
			t.Errorf("of %d repetitions %d may disagree: p %.4f, with one more %.4f", n, k, atMost(k), atMost(k+1))
		}
	}
	for n := range 4 {
		if k := tolerated(n); k != 0 {
			t.Errorf("of %d repetitions %d may disagree, want none", n, k)
		}
	}
}

func TestDecide(t *testing.T) {
	for _, c := range []struct {
		op                  string
		passed, repetitions int
		want                Outcome
	}{
		{"<", 4, 4, Passed},
		{"<", 3, 4, Undecided},
		{"<", 1, 4, Undecided},
		{"<", 0, 4, Failed},
		{"<", 1, 1, Passed},
		{"<", 0, 1, Failed},
		{"<", 3, 3, Passed}, // below four all must agree, as docs/statistics.md and docs/scenarios.md state
		{"<", 2, 3, Undecided},
		{"<", 0, 3, Failed},
		{"<", 7, 8, Passed},
		{"<", 6, 8, Undecided},
		{"<", 1, 8, Failed},
		{"==", 8, 8, Passed},
		{"==", 7, 8, Failed},
		{"!=", 11, 12, Failed},
	} {
		if got := decide(c.op, c.passed, c.repetitions); got != c.want {
			t.Errorf("%s in %d of %d: %s, want %s", c.op, c.passed, c.repetitions, got, c.want)
		}
	}
}

func TestAssertions(t *testing.T) {
	run := synthetic.Run(4, 10*time.Second)
	for i := range run.Trials {
		run.Trials[i].Latency.Independent = 1000
		if tr := &run.Trials[i]; tr.Transport == "sse" && tr.Repetition == 2 { // its messages are missing in one repetition
			tr.Ledger.Lost, tr.Latency.Infinite = 10000, 10000
		}
	}
	s := summary.Of(run)
	for _, c := range []struct {
		assertion     metric.Assertion
		configuration string
		want          Outcome
		passed        int
	}{
		{metric.Assertion{Metric: "lost", Op: "=="}, "websocket", Passed, 4},
		{metric.Assertion{Metric: "lost", Op: "=="}, "sse", Failed, 3},
		{metric.Assertion{Configuration: "shortpoll", Metric: "p(99)", Op: "<", Bound: 2000}, "shortpoll", Passed, 4},
		{metric.Assertion{Configuration: "shortpoll", Metric: "p(99)", Op: "<", Bound: 100}, "shortpoll", Failed, 0},
		{metric.Assertion{Configuration: "sse", Metric: "p(99)", Op: "<", Bound: 100}, "sse", Undecided, 3}, // infinite in one repetition
		{metric.Assertion{Configuration: "websocket", Metric: "p(50)", Op: "<", Times: 0.5, OtherConfiguration: "shortpoll", OtherMetric: "p(50)"}, "websocket", Passed, 4},
		{metric.Assertion{Configuration: "websocket", Metric: "p(50)", Op: "<", Times: 0.001, OtherConfiguration: "shortpoll", OtherMetric: "p(50)"}, "websocket", Failed, 0},
		{metric.Assertion{Configuration: "websocket", Metric: "p(99.99)", Op: ">", Bound: 1}, "websocket", Undecided, 0}, // too few observations
		{metric.Assertion{Configuration: "websocket", Metric: "p(50)", Op: "<", Times: 1, OtherConfiguration: "webhook", OtherMetric: "p(50)"}, "websocket", Undecided, 0},
	} {
		found := false
		for _, f := range Assertions([]metric.Assertion{c.assertion}, s) {
			if f.Configuration != c.configuration {
				continue
			}
			found = true
			if f.Outcome != c.want || f.Passed != c.passed || (f.Why == "") != (f.Outcome != Undecided) {
				t.Errorf("%+v of %s: %s in %d of %d (%s), want %s in %d", c.assertion, c.configuration, f.Outcome, f.Passed, f.Repetitions, f.Why, c.want, c.passed)
			}
		}
		if !found {
			t.Errorf("%+v was not checked against %s", c.assertion, c.configuration)
		}
	}
}

// The value beside a failed equality shows the violation, which the median of the repetitions hides.
func TestFailedEqualityShowsItsViolation(t *testing.T) {
	run := synthetic.Run(4, time.Second)
	for i := range run.Trials {
		if tr := &run.Trials[i]; tr.Transport == "sse" && tr.Repetition == 2 {
			tr.Ledger.Lost = 585
		}
	}
	for op, want := range map[string]float64{"==": 585, "<=": 0} {
		found := Assertions([]metric.Assertion{{Configuration: "sse", Metric: "lost", Op: op}}, summary.Of(run))
		if len(found) != 1 || found[0].Passed != 3 || found[0].Measured.X != want {
			t.Errorf("lost %s 0: %+v, want %v", op, found, want)
		}
	}
}

// If a repetition has too few observations for a percentile, the pool of all repetitions is checked.
func TestAssertionFallsBackOnThePool(t *testing.T) {
	run := synthetic.Run(4, 12*time.Second) // the p99.9 of a push transport requires 10,000 publishes
	for i := range run.Trials {
		run.Trials[i].Latency.Independent = 5000
	}
	found := Assertions([]metric.Assertion{{Configuration: "websocket", Metric: "p(99.9)", Op: "<", Bound: 1e6}}, summary.Of(run))
	if len(found) != 1 || found[0].Outcome != Passed || found[0].Repetitions != 1 {
		t.Errorf("found %+v, want the pool to pass as one", found)
	}
}

// With too few observations for a percentile, an upper bound passes if the maximum is within it.
// Otherwise the assertion is undecided.
func TestMaximumDecidesAnUpperBound(t *testing.T) {
	run := synthetic.Run(4, time.Second)
	for i := range run.Trials {
		run.Trials[i].Latency.Independent = 50 // too few for a p99, also together
	}
	lossy := synthetic.Run(4, time.Second)
	for i := range lossy.Trials {
		lossy.Trials[i].Latency.Independent, lossy.Trials[i].Latency.Infinite = 50, 1
	}
	assertion := func(op string, bound float64) metric.Assertion {
		return metric.Assertion{Text: "p(99)", Configuration: "websocket", Metric: "p(99)", Op: op, Bound: bound}
	}
	for name, c := range map[string]struct {
		run       *results.Run
		assertion metric.Assertion
		want      Outcome
	}{
		"the maximum is below":  {run, assertion("<", 60_000), Passed},
		"the maximum is above":  {run, assertion("<", 0.001), Undecided},
		"a lower bound":         {run, assertion(">", 0.001), Undecided},
		"a message was lost":    {lossy, assertion("<", 60_000), Undecided},
		"an age has no maximum": {run, metric.Assertion{Configuration: "websocket", Metric: "age_p(99.999)", Op: "<", Bound: 60_000}, Undecided},
		"a ratio":               {run, metric.Assertion{Configuration: "websocket", Metric: "p(99)", Op: "<", Times: 100, OtherConfiguration: "shortpoll", OtherMetric: "p(99)"}, Undecided},
	} {
		f := Assertions([]metric.Assertion{c.assertion}, summary.Of(c.run))[0]
		if f.Outcome != c.want || f.AtMost != (c.want == Passed) {
			t.Errorf("%s: %s, at most %v, %s", name, f.Outcome, f.AtMost, f.Why)
		}
	}
}
