//go:build !race

package app

import (
	"testing"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/report"
)

// A failed assertion is exit code 4, an undecided one 8. An invalid run is 3 whatever its assertions.
func TestExitCodesOfAReferenceWithAssertions(t *testing.T) {
	reference, err := results.Open("../../../results/reference/chat")
	if err != nil {
		t.Fatal(err)
	}
	passes := metric.Assertion{Metric: "lost", Op: "=="}
	fails := metric.Assertion{Metric: "lost", Op: ">", Bound: 1e9}
	undecided := metric.Assertion{Metric: "p(99.99)", Op: ">", Bound: 1e-9} // no reference has enough observations for it
	for _, c := range []struct {
		status     results.Status
		assertions []metric.Assertion
		want       Code
	}{
		{results.Complete, nil, OK},
		{results.Complete, []metric.Assertion{passes}, OK},
		{results.Complete, []metric.Assertion{passes, undecided}, Inconclusive},
		{results.Complete, []metric.Assertion{passes, undecided, fails}, Failed},
		{results.Partial, []metric.Assertion{fails}, Interrupted},
		{results.Invalid, []metric.Assertion{fails}, Invalid},
		{results.Saturated, []metric.Assertion{fails}, Invalid},
	} {
		run := *reference
		run.Manifest.Status, run.Manifest.Assertions = c.status, c.assertions
		if got := CodeOf(ExitError(report.New(&run))); got != c.want {
			t.Errorf("%s with %v: exit code %d, want %d", c.status, c.assertions, got, c.want)
		}
	}
}
