package sock

import (
	"sync"
	"time"
)

// An Alarm rings once, when it is due. To set it later than it is costs next to
// nothing: its timer is moved when it fires, not at every request. The zero value
// needs Ring.
type Alarm struct {
	Ring func() // on a goroutine of its own

	mu    sync.Mutex
	timer *time.Timer
	due   time.Time // zero: off
	fires time.Time // the timer; zero: never
}

// Set has it ring after d, instead of what was set before.
func (a *Alarm) Set(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due = time.Now().Add(d)
	switch {
	case a.timer == nil:
		a.timer = time.AfterFunc(d, a.fire)
	case a.fires.IsZero(), a.due.Before(a.fires):
		a.timer.Reset(d)
	default:
		return
	}
	a.fires = a.due
}

// Off has it not ring; it may be set again. What fires it stays for a while.
func (a *Alarm) Off() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due = time.Time{}
}

// Stop is Off, and lets go of the timer.
func (a *Alarm) Stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due, a.fires = time.Time{}, time.Time{}
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}

// fire rings if it is time. One that fires while it is stopped finds nothing due.
func (a *Alarm) fire() {
	if a.isDue() {
		a.Ring()
	}
}

func (a *Alarm) isDue() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fires = time.Time{}
	if a.due.IsZero() || a.timer == nil {
		return false
	}
	if left := time.Until(a.due); left > 0 {
		a.fires = a.due
		a.timer.Reset(left)
		return false
	}
	a.due = time.Time{}
	return true
}
