//go:build !linux

package clock

import (
	"runtime"
	"time"
)

// SleepUntil returns at the instant, as precisely as time.Sleep allows.
func SleepUntil(i Instant) {
	for left := i.Sub(Now()); left > 0; left = i.Sub(Now()) {
		time.Sleep(left)
	}
}

// CheckSleep returns nil: time.Sleep is never refused.
func CheckSleep() error { return nil }

// Sharpen makes the sleeps of the calling goroutine as exact as the system allows.
func Sharpen() (ahead bool) {
	runtime.LockOSThread()
	return false
}
