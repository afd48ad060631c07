//go:build !linux && !darwin

package clock

import "time"

// Elsewhere Go's own clock is the only portable one; its zero is this
// process's, so on these systems one process must do all of the measuring.
func monotonic() Instant { return Instant(time.Since(base)) }
