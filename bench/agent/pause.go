package agent

import (
	"time"

	"pushbench/bench/clock"
	"pushbench/bench/validity"
)

// A pauseWatch measures for how long this process did not run: a signal stopped it, with or without its children, or the
// machine was suspended.
type pauseWatch struct {
	now    func() clock.Instant
	asleep func() time.Duration // see clock.Asleep

	last   clock.Instant // of the last look
	before time.Duration // asleep at the start
	found  validity.Pauses
}

// pauseInterval is the time between two looks.
const pauseInterval = validity.ShortestPause / 4

func newPauseWatch(now func() clock.Instant, asleep func() time.Duration) *pauseWatch {
	return &pauseWatch{now: now, asleep: asleep, last: now(), before: asleep()}
}

// look is called at every pauseInterval. It adds a gap between two calls that is long enough to be a pause.
func (w *pauseWatch) look() {
	now := w.now()
	if gap := now.Sub(w.last); gap >= validity.ShortestPause {
		w.found.Stopped += gap
	}
	w.last = now
}

// watchPauses watches until the returned function is called.
func watchPauses() (end func() validity.Pauses) {
	stop, ended := make(chan struct{}), make(chan validity.Pauses)
	w := newPauseWatch(clock.Now, clock.Asleep)
	go func() {
		tick := time.NewTicker(pauseInterval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.look()
			case <-stop:
				w.look()
				w.found.Suspended = w.asleep() - w.before
				ended <- w.found
				return
			}
		}
	}()
	return func() validity.Pauses { close(stop); return <-ended }
}
