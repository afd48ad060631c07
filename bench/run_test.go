package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/bench/trial"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
)

// rehearse runs a campaign of 4 transports in 5 blocks whose trials fail the
// named checks, by number of attempt from 1, and returns the attempts made and the verdict.
func rehearse(fails map[int]string) (attempts []string, status results.Status, reason string) {
	s := &scenarios.Scenario{Transports: scenarios.Transports, Repetitions: 5}
	c := &campaign{run: &Run{Scenario: s}, configurations: s.Configurations()}
	c.attempt = func(_ context.Context, block, _, again int, measured scenarios.Configuration) (results.Trial, error) {
		t := results.Trial{Repetition: block, Transport: string(measured.Transport), Configuration: measured.Name(), Attempt: again, Status: results.Complete}
		attempts = append(attempts, t.Name())
		for _, g := range validity.Check(validity.ValidEvidence()) {
			g.Passed = fails[len(attempts)] != g.Name
			t.Checks = append(t.Checks, g)
			if !g.Passed {
				t.Status, t.Reason = results.Invalid, g.Name
			}
		}
		return t, nil
	}
	status, reason = c.verdict(repetitions(context.Background(), []*campaign{c}))
	return attempts, status, reason
}

func TestDisturbedTrialsAreMeasuredAgainInTheirPlace(t *testing.T) {
	attempts, status, reason := rehearse(map[int]string{3: validity.GeneratorOnTime, 4: validity.GeneratorOnTime, 9: validity.GeneratorOnTime})
	if status != results.Complete || reason != "" {
		t.Errorf("%s (%s), want COMPLETE", status, reason)
	}
	if len(attempts) != 23 || attempts[3] != attempts[2]+" (attempt 2)" || attempts[4] != attempts[2]+" (attempt 3)" || attempts[9] != attempts[8]+" (attempt 2)" {
		t.Errorf("attempts:\n%s", strings.Join(attempts, "\n"))
	}
}

// A machine that disturbs more than a fifth of the trials voids the run.
func TestRepetitionsAreBounded(t *testing.T) {
	always := map[int]string{}
	for n := range 100 {
		always[n] = validity.GeneratorOnTime
	}
	attempts, status, reason := rehearse(always)
	if want := 20 + 4; len(attempts) != want || status != results.Invalid || !strings.Contains(reason, validity.GeneratorOnTime) {
		t.Errorf("%d attempts, %s (%s); want %d, INVALID", len(attempts), status, reason, want)
	}
}

// What is no disturbance is a defect of the instrument: a repetition would hide it.
func TestDefectsAreNotMeasuredAway(t *testing.T) {
	for _, g := range validity.Check(validity.ValidEvidence()) {
		attempts, status, _ := rehearse(map[int]string{1: g.Name})
		again := slices.ContainsFunc(attempts, func(name string) bool { return strings.Contains(name, "attempt") })
		if want := slices.Contains([]string{validity.GeneratorOnTime, validity.CoresRunning, validity.NotThrottled, validity.NoTrend, validity.LinkOnTime}, g.Name); again != want || (status == results.Complete) != want {
			t.Errorf("%s failed: measured again %v, %s", g.Name, again, status)
		}
	}
}

func TestBreakingOffEndsTheRun(t *testing.T) {
	s := &scenarios.Scenario{Transports: scenarios.Transports, Repetitions: 5}
	c := &campaign{run: &Run{Scenario: s}, configurations: s.Configurations()}
	broken := errors.New("no server")
	made := 0
	c.attempt = func(context.Context, int, int, int, scenarios.Configuration) (results.Trial, error) {
		made++
		return results.Trial{}, broken
	}
	if status, reason := c.verdict(repetitions(context.Background(), []*campaign{c})); made != 1 || status != results.Invalid || reason != fmt.Sprint(broken) {
		t.Errorf("%d attempts, %s (%s)", made, status, reason)
	}
}

// A block is every case once, and all that counts trials counts cases.
func TestABlockIsEveryCaseOnce(t *testing.T) {
	s := readScenario(t)
	s.Transports, s.Repetitions = scenarios.Transports, 2
	s.Sweep = scenarios.Sweep{Library: []scenarios.Library{scenarios.NetHTTP, scenarios.FastHTTP}, BatchingDelay: []scenarios.Duration{0, 1e6, 5e6}}
	const cases = 2 + 3*2*3
	r := &Run{Scenario: s, Setup: &trial.Setup{}}
	c := newCampaign(r, time.Now())
	m := c.manifest
	if c.trials() != 2*cases || len(m.Configurations) != cases || m.Library != "nethttp, fasthttp" {
		t.Errorf("%d trials, %d cases, stack %q; want %d, %d, both", c.trials(), len(m.Configurations), m.Library, 2*cases, cases)
	}
	if left, want := c.left(c.trials()), 2*cases*Estimate(s); left > want || left < want/2 {
		t.Errorf("%v left, want about %v", left, want)
	}
	for block, order := range m.Orders {
		sorted := slices.Sorted(slices.Values(order))
		if len(slices.Compact(sorted)) != cases {
			t.Errorf("block %d: %v", block+1, order)
		}
	}
	if m.Workload.BatchingDelay["sse stack=fasthttp flush=5ms"] != 5*time.Millisecond || len(m.Workload.BatchingDelay) != 18 {
		t.Errorf("flush windows: %v", m.Workload.BatchingDelay)
	}
}

func TestVerdictIsInTheManifest(t *testing.T) {
	c := newCampaign(&Run{Scenario: readScenario(t), Setup: &trial.Setup{}}, time.Now())
	c.close(errors.New("no server"))
	if m := c.manifest; m.Status != results.Invalid || m.Reason != "no server" || m.Ended.IsZero() {
		t.Errorf("%s (%s), ended %v; want INVALID with the reason and the time", m.Status, m.Reason, m.Ended)
	}
}
