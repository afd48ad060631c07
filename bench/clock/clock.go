// Package clock provides the clock of all measurements: CLOCK_MONOTONIC in nanoseconds,
// which is the same for every process of one machine.
//
// It owns reading the clock cheaply and sleeping precisely until an instant. Its readings
// must never be compared with the clock of another machine.
package clock

import "time"

// An Instant is a reading of CLOCK_MONOTONIC in nanoseconds.
type Instant int64

// Add returns the instant i + d.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d) }

// Sub returns i − earlier.
func (i Instant) Sub(earlier Instant) time.Duration { return time.Duration(i - earlier) }

// time.Since reads Go's monotonic clock in 26 ns; clock_gettime by system call takes 238 ns.
// Both clocks run at the same rate, so that one offset, measured at the start, converts a
// reading to an Instant.
var (
	base   = time.Now()
	offset = calibrate()
)

// Now reads the clock.
func Now() Instant { return offset + Instant(time.Since(base)) }

// calibrate returns the Instant of base. It makes several attempts and uses the one with the
// shortest time between the two readings, so that a preemption cannot shift the clock.
func calibrate() Instant {
	best, spread := Instant(0), time.Duration(1<<62)
	for range 16 {
		before := time.Since(base)
		now := monotonic()
		after := time.Since(base)
		if after-before < spread {
			spread = after - before
			best = now - Instant((before+after)/2)
		}
	}
	return best
}
