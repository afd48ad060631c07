package app

import (
	"testing"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/report"
)

// A broken claim is exit code 4, an undecided one 8, and a rig that failed 3 whatever is claimed.
func TestExitCodesOfClaims(t *testing.T) {
	reference, err := results.Open("../../../results/reference/chat")
	if err != nil {
		t.Fatal(err)
	}
	holds := metric.Assertion{Metric: "lost", Op: "=="}
	broken := metric.Assertion{Metric: "lost", Op: ">", Bound: 1e9}
	open := metric.Assertion{Metric: "p(99.99)", Op: ">", Bound: 1e-9} // of which no reference has enough
	for _, c := range []struct {
		status results.Status
		claims []metric.Assertion
		want   Code
	}{
		{results.Complete, nil, OK},
		{results.Complete, []metric.Assertion{holds}, OK},
		{results.Complete, []metric.Assertion{holds, open}, Inconclusive},
		{results.Complete, []metric.Assertion{holds, open, broken}, Failed},
		{results.Partial, []metric.Assertion{broken}, Interrupted},
		{results.Invalid, []metric.Assertion{broken}, Invalid},
		{results.Saturated, []metric.Assertion{broken}, Invalid},
	} {
		run := *reference
		run.Manifest.Status, run.Manifest.Assertions = c.status, c.claims
		if got := CodeOf(ExitError(report.New(&run))); got != c.want {
			t.Errorf("%s with %v: exit code %d, want %d", c.status, c.claims, got, c.want)
		}
	}
}
