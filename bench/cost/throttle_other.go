//go:build !linux

package cost

// Throttled is not shown here.
func Throttled() (times int64, ok bool) { return 0, false }
