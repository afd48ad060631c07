//go:build !linux

package clock

import (
	"runtime"
	"time"
)

// SleepUntil returns when the instant has come, as precisely as time.Sleep can.
func SleepUntil(i Instant) {
	for left := i.Sub(Now()); left > 0; left = i.Sub(Now()) {
		time.Sleep(left)
	}
}

// Sharpen makes the calling goroutine's sleeps as exact as the system allows.
func Sharpen() (ahead bool) {
	runtime.LockOSThread()
	return false
}
