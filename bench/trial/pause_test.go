package trial

import (
	"strings"
	"testing"
	"time"

	"pushbench/bench/clock"
	"pushbench/bench/validity"
	"pushbench/results"
)

// The clock continues while a signal has stopped the process, and stands while the machine is suspended.
func TestPausesAreMeasured(t *testing.T) {
	var now clock.Instant
	var asleep time.Duration
	w := newPauseWatch(func() clock.Instant { return now }, func() time.Duration { return asleep })
	for _, gap := range []time.Duration{pauseInterval, pauseInterval + 300*time.Millisecond, 30 * time.Second, pauseInterval} {
		now = now.Add(gap)
		w.look()
	}
	if w.found.Stopped != 30*time.Second {
		t.Errorf("stopped for %v, want 30s: no other gap is a pause", w.found.Stopped)
	}
	if got := watchPauses()(); got.Stopped >= validity.ShortestPause || got.Suspended >= validity.ShortestPause {
		t.Errorf("without a pause: %+v", got)
	}
}

// A trial that was paused is repeated, whatever else failed: its error is that of a timeout.
func TestPausedTrialIsRepeated(t *testing.T) {
	for _, c := range []struct {
		pauses validity.Pauses
		reason string
		repeat bool
	}{
		{validity.Pauses{}, "load generator did not respond", false},
		{validity.Pauses{Stopped: 30 * time.Second}, "never paused: pushbench did not run for 30s (Ctrl-Z, or another signal to stop it): load generator did not respond", true},
		{validity.Pauses{Suspended: 3 * time.Second}, "never paused: the machine was suspended for 3s: load generator did not respond", true},
	} {
		one := &Trial{pauses: c.pauses}
		one.setStatus(generatorError("did not respond"))
		if r := one.result; r.Status != results.Invalid || !strings.Contains(r.Reason, "did not respond") || validity.RetryableTrial(r) != c.repeat {
			t.Errorf("%+v: %s, %q, repeated %v; want %q, %v", c.pauses, r.Status, r.Reason, validity.RetryableTrial(r), c.reason, c.repeat)
		}
	}
}
