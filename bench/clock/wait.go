package clock

import (
	"context"
	"time"
)

// Wait waits until an instant. It returns false if the context ended earlier. It is as late
// as Go's timers: SleepUntil is precise.
func Wait(ctx context.Context, until Instant) bool {
	left := until.Sub(Now())
	if left <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Round rounds a duration to three significant digits.
func Round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}
