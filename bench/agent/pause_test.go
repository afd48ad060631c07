package agent

import (
	"testing"
	"time"

	"pushbench/bench/clock"
	"pushbench/bench/validity"
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
