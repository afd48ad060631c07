//go:build !linux && !darwin

package clock

import "time"

// On other systems only Go's clock is portable. Its zero is specific to the process, so that
// one process must make all measurements.
func monotonic() Instant { return Instant(time.Since(base)) }

// Asleep returns 0: no other clock is portable.
func Asleep() time.Duration { return 0 }
