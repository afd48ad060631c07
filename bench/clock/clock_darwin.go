package clock

import "golang.org/x/sys/unix"

// monotonic reads the clock that Go's own ticks with, which stands still while the
// machine sleeps; every process reads it alike.
func monotonic() Instant {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_UPTIME_RAW, &ts); err != nil {
		panic("clock_gettime(CLOCK_UPTIME_RAW): " + err.Error()) // macOS has had it since 10.12
	}
	return Instant(ts.Nano())
}
