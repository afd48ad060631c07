package main

import (
	"testing"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/report"
)

// A broken claim is exit code 4, an undecided one 8, and a rig that failed 3 whatever is claimed.
func TestExitCodesOfClaims(t *testing.T) {
	reference, err := results.Open("../../results/reference/chat")
	if err != nil {
		t.Fatal(err)
	}
	holds := metric.Assertion{Metric: "lost", Op: "=="}
	broken := metric.Assertion{Metric: "lost", Op: ">", Bound: 1e9}
	open := metric.Assertion{Metric: "p(99.99)", Op: ">", Bound: 1e-9} // of which no reference has enough
	for _, c := range []struct {
		status results.Status
		claims []metric.Assertion
		want   int
	}{
		{results.Complete, nil, exitOK},
		{results.Complete, []metric.Assertion{holds}, exitOK},
		{results.Complete, []metric.Assertion{holds, open}, exitInconclusive},
		{results.Complete, []metric.Assertion{holds, open, broken}, exitBroken},
		{results.Partial, []metric.Assertion{broken}, exitInterrupted},
		{results.Invalid, []metric.Assertion{broken}, exitInvalid},
		{results.Saturated, []metric.Assertion{broken}, exitInvalid},
	} {
		run := *reference
		run.Manifest.Status, run.Manifest.Claims = c.status, c.claims
		if got := exitCode(worth(report.New(&run))); got != c.want {
			t.Errorf("%s with %v: exit code %d, want %d", c.status, c.claims, got, c.want)
		}
	}
}
