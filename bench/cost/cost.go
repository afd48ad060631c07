// Package cost reads what a process has used: processor time, memory, context
// switches.
//
// It owns reading those figures as exactly as the system shows them. It must
// never guess: what a system does not show is zero, and NotShown says so.
package cost

import (
	"time"

	"pushbench/results"
)

// Usage is what one process has used since it started.
type Usage struct {
	CPU          time.Duration // process CPU clock
	User, System time.Duration // CPU split in the proportion of the kernel's ticks (10 ms each)

	switches map[int]int64 // context switches by thread: a thread that ends takes its count with it
}

// Minus is what was used since an earlier reading: times, and the context switches of the
// threads that are there now. User and system time are the precise total split by the ticks in
// between: 10 ms ticks alone are too coarse for a window of seconds.
func (u Usage) Minus(earlier Usage) results.Process {
	d := results.Process{CPU: u.CPU - earlier.CPU}
	for thread, n := range u.switches {
		d.ContextSwitches += n - earlier.switches[thread]
	}
	user, system := u.User-earlier.User, u.System-earlier.System
	if total := user + system; total > 0 {
		d.User = time.Duration(float64(d.CPU) * float64(user) / float64(total))
		d.System = d.CPU - d.User
	}
	return d
}
