package bench

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/bench/trial"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
)

// rehearse runs a campaign of 4 transports in 5 repetitions. fails names the check that fails, by
// number of the trial from 1. rehearse returns the names of the trials and the run's status.
func rehearse(fails map[int]string) (attempts []string, status results.Status, reason string) {
	s := &scenarios.Scenario{Transports: scenarios.Transports, Repetitions: 5}
	c := &campaign{run: &Run{Scenario: s}, configurations: s.Configurations()}
	c.measureTrial = func(_ context.Context, repetition, _, attempt int, measured scenarios.Configuration) (results.Trial, error) {
		t := results.Trial{Repetition: repetition, Transport: string(measured.Transport), Configuration: measured.Name(), Attempt: attempt, Status: results.Complete}
		attempts = append(attempts, t.Name())
		for _, check := range validity.Check(validity.ValidEvidence()) {
			check.Passed = fails[len(attempts)] != check.Name
			t.Checks = append(t.Checks, check)
			if !check.Passed {
				t.Status, t.Reason = results.Invalid, check.Name
			}
		}
		return t, nil
	}
	status, reason = c.status(repetitions(context.Background(), []*campaign{c}))
	return attempts, status, reason
}

func TestDisturbedTrialIsRepeatedAtItsPosition(t *testing.T) {
	attempts, status, reason := rehearse(map[int]string{3: validity.GeneratorOnTime, 4: validity.GeneratorOnTime, 9: validity.GeneratorOnTime})
	if status != results.Complete || reason != "" {
		t.Errorf("%s (%s), want COMPLETE", status, reason)
	}
	if len(attempts) != 23 || attempts[3] != attempts[2]+" (attempt 2)" || attempts[4] != attempts[2]+" (attempt 3)" || attempts[9] != attempts[8]+" (attempt 2)" {
		t.Errorf("attempts:\n%s", strings.Join(attempts, "\n"))
	}
}

// A run with more than 20 % of disturbed trials is invalid.
func TestRepeatedTrialsAreLimited(t *testing.T) {
	always := map[int]string{}
	for n := range 100 {
		always[n] = validity.GeneratorOnTime
	}
	attempts, status, reason := rehearse(always)
	if want := 20 + 4; len(attempts) != want || status != results.Invalid || !strings.Contains(reason, validity.GeneratorOnTime) {
		t.Errorf("%d attempts, %s (%s); want %d, INVALID", len(attempts), status, reason, want)
	}
}

// A failed check without a disturbance is a defect of the test setup: a repeated trial would hide it.
func TestTrialWithDefectIsNotRepeated(t *testing.T) {
	for _, check := range validity.Check(validity.ValidEvidence()) {
		attempts, status, _ := rehearse(map[int]string{1: check.Name})
		repeated := slices.ContainsFunc(attempts, func(name string) bool { return strings.Contains(name, "attempt") })
		if want := slices.Contains([]string{validity.NeverPaused, validity.GeneratorOnTime, validity.CoresRunning, validity.NotThrottled, validity.NoOtherLoad, validity.NoTrend, validity.LinkOnTime, validity.AgentsTogether}, check.Name); repeated != want || (status == results.Complete) != want {
			t.Errorf("%q failed: repeated %v, %s", check.Name, repeated, status)
		}
	}
}

func TestTrialErrorEndsTheRun(t *testing.T) {
	s := &scenarios.Scenario{Transports: scenarios.Transports, Repetitions: 5}
	c := &campaign{run: &Run{Scenario: s}, configurations: s.Configurations()}
	failure := errors.Join(errors.New("no server"), errors.New("no exit"))
	attempts := 0
	c.measureTrial = func(context.Context, int, int, int, scenarios.Configuration) (results.Trial, error) {
		attempts++
		return results.Trial{}, failure
	}
	if status, reason := c.status(repetitions(context.Background(), []*campaign{c})); attempts != 1 || status != results.Invalid || reason != "no server; no exit" {
		t.Errorf("%d attempts, %s (%s)", attempts, status, reason)
	}
}

// Both sides of a run with a baseline have the same configurations: only the side tells which server failed.
func TestTroubleNamesTheSide(t *testing.T) {
	for side, want := range map[results.Side]string{"": "no server", results.BaselineSide: "baseline: no server"} {
		c := &campaign{run: &Run{Side: side}}
		c.run.OnInvalidTrial = func(what string) {
			if named := strings.HasPrefix(what, string(results.BaselineSide)+": repetition 1 sse is invalid: late"); named != (side != "") {
				t.Errorf("side %q: %s", side, what)
			}
		}
		c.trouble(results.Trial{Repetition: 1, Transport: "sse", Status: results.Invalid, Reason: "late"}, "")
		if got := c.named(errors.New("no server")).Error(); got != want {
			t.Errorf("side %q: %s, want %s", side, got, want)
		}
	}
}

// A repetition contains every configuration once.
func TestRepetitionContainsEveryConfigurationOnce(t *testing.T) {
	s := readScenario(t)
	s.Transports, s.Repetitions = scenarios.Transports, 2
	s.Sweep = scenarios.Sweep{Library: []scenarios.Library{scenarios.NetHTTP, scenarios.FastHTTP}, BatchingDelay: []scenarios.Duration{0, 1e6, 5e6}}
	const configurations = 2 + 3*2*3
	r := &Run{Scenario: s, Setup: &trial.Setup{}}
	c := newCampaign(r, time.Now())
	m := c.manifest
	if c.trials() != 2*configurations || len(m.Configurations) != configurations || m.Library != "nethttp, fasthttp" {
		t.Errorf("%d trials, %d configurations, library %q; want %d, %d, both", c.trials(), len(m.Configurations), m.Library, 2*configurations, configurations)
	}
	s.Sweep = scenarios.Sweep{Library: scenarios.Libraries}
	if m := newCampaign(r, time.Now()).manifest; m.Library != "reference, nethttp, fasthttp" || len(m.Configurations) != 2*len(s.Transports) {
		t.Errorf("%d configurations of %q, want 2 per transport: reference is one of the others", len(m.Configurations), m.Library)
	}
	if left, want := c.left(c.trials()), 2*configurations*Estimate(s); left > want || left < want/2 {
		t.Errorf("%v left, want about %v", left, want)
	}
	for i, order := range m.Orders {
		sorted := slices.Sorted(slices.Values(order))
		if len(slices.Compact(sorted)) != configurations {
			t.Errorf("repetition %d: %v", i+1, order)
		}
	}
	if m.Workload.BatchingDelay["sse library=fasthttp batching_delay=5ms"] != 5*time.Millisecond || len(m.Workload.BatchingDelay) != 18 {
		t.Errorf("batching delays: %v", m.Workload.BatchingDelay)
	}
}

// The end of a run does not depend on the machine's clock: set back, it would be before the start, and the folder refused.
func TestSettingTheClockDoesNotChangeTheEnd(t *testing.T) {
	const took = 90 * time.Second
	for _, c := range []struct {
		step   time.Duration
		remark string
	}{
		{-time.Hour, "set by -1h0m0s during"}, {time.Hour, "set by 1h0m0s during"}, {-time.Second, ""}, {0, ""},
	} {
		began := time.Now()
		one := newCampaign(&Run{Scenario: readScenario(t), Setup: &trial.Setup{}}, began)
		before := len(one.manifest.Conditions)
		one.end(began.Add(took+c.step), took)
		if m := one.manifest; !m.Ended.Equal(began.Add(took)) || m.Ended.Before(m.Started) {
			t.Errorf("%v: ended %v after the start, want %v", c.step, m.Ended.Sub(m.Started), took)
		}
		if added := strings.Join(one.manifest.Conditions[before:], ""); !strings.Contains(added, c.remark) || (added == "") != (c.remark == "") {
			t.Errorf("%v: remark %q, want %q in it", c.step, added, c.remark)
		}
	}
}

func TestManifestHasStatusAndReason(t *testing.T) {
	c := newCampaign(&Run{Scenario: readScenario(t), Setup: &trial.Setup{}}, time.Now())
	c.close(errors.New("no server"))
	if m := c.manifest; m.Status != results.Invalid || m.Reason != "no server" || m.Ended.IsZero() {
		t.Errorf("%s (%s), ended %v; want INVALID with the reason and the time", m.Status, m.Reason, m.Ended)
	}
}
