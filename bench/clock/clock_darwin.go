package clock

import "golang.org/x/sys/unix"

// monotonic reads the clock that Go uses. It stops while the machine sleeps and is the same
// for every process.
func monotonic() Instant {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_UPTIME_RAW, &ts); err != nil {
		panic("clock_gettime(CLOCK_UPTIME_RAW): " + err.Error()) // macOS has had it since 10.12
	}
	return Instant(ts.Nano())
}
