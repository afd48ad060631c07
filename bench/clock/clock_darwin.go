package clock

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonic reads the clock that Go uses. It stops while the machine sleeps and is the same
// for every process.
func monotonic() Instant {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_UPTIME_RAW, &ts); err != nil {
		panic("clock_gettime(CLOCK_UPTIME_RAW): " + err.Error()) // macOS has had it since 10.12
	}
	return Instant(ts.Nano())
}

// Asleep returns how long the machine has been asleep since it started, plus a constant: of the two clocks, only
// CLOCK_MONOTONIC_RAW continues while it is.
func Asleep() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC_RAW, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano()) - time.Duration(Now())
}
