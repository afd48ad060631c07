package main

import (
	"testing"

	"pushbench/results"
	"pushbench/results/report"
	"pushbench/scenarios"
)

// What a claim may be about is what results have, in the same unit.
func TestClaimsSpeakOfMetrics(t *testing.T) {
	figures := scenarios.Figures()
	for _, m := range results.Metrics {
		unit, ok := figures[m.Name]
		if !ok || unit != m.Unit {
			t.Errorf("%s is in %q, and claims write it in %q (known: %v)", m.Name, m.Unit, unit, ok)
		}
	}
	if len(figures) != len(results.Metrics) {
		t.Errorf("claims know %d metrics, results have %d", len(figures), len(results.Metrics))
	}
	for _, text := range []scenarios.Claim{"p(95) < 1s", "age p(95) < 1s", "ack p(95) < 1s", "connect p(95) < 1s", "age avg < 1s", "med < 1s"} {
		said, err := text.Parse()
		if err != nil {
			t.Fatal(err)
		}
		if m, ok := results.FigureByName(said.Figure); !ok || m.Unit != "ms" {
			t.Errorf("%s is about %s, which results do not have in ms: %+v", text, said.Figure, m)
		}
	}
}

// A broken claim is exit code 4, an undecided one 8, and a rig that failed 3 whatever is claimed.
func TestExitCodesOfClaims(t *testing.T) {
	reference, err := results.Open("../../results/reference/chat")
	if err != nil {
		t.Fatal(err)
	}
	holds := results.Claim{Figure: "lost", Op: "=="}
	broken := results.Claim{Figure: "lost", Op: ">", Bound: 1e9}
	open := results.Claim{Figure: "p(99.99)", Op: ">", Bound: 1e-9} // of which no reference has enough
	for _, c := range []struct {
		status results.Status
		claims []results.Claim
		want   int
	}{
		{results.Complete, nil, exitOK},
		{results.Complete, []results.Claim{holds}, exitOK},
		{results.Complete, []results.Claim{holds, open}, exitInconclusive},
		{results.Complete, []results.Claim{holds, open, broken}, exitBroken},
		{results.Partial, []results.Claim{broken}, exitInterrupted},
		{results.Invalid, []results.Claim{broken}, exitInvalid},
		{results.Saturated, []results.Claim{broken}, exitInvalid},
	} {
		run := *reference
		run.Manifest.Status, run.Manifest.Claims = c.status, c.claims
		if got := exitCode(worth(report.New(&run))); got != c.want {
			t.Errorf("%s with %v: exit code %d, want %d", c.status, c.claims, got, c.want)
		}
	}
}
