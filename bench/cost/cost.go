// Package cost reads the resource usage of a process: CPU time, memory, context switches.
//
// It reads these values as exactly as the system reports them. It must never guess: a value
// that the system does not report is zero, and NotShown lists it.
package cost

import (
	"fmt"
	"time"

	"pushbench/results"
)

// Usage is the resource usage of one process since its start.
type Usage struct {
	CPU          time.Duration // process CPU clock
	User, System time.Duration // CPU split in the proportion of the kernel's ticks (10 ms each)
	Reaped       time.Duration // CPU time of descendants that have ended, in ticks; not part of CPU

	switches map[int]int64 // context switches by thread: the count of an ended thread is lost
}

// Minus returns the usage since an earlier reading: CPU times, and the context switches of
// the current threads. It splits the exact total into user and system time by the ticks in
// between, because ticks of 10 ms alone are too coarse for a window of seconds.
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

// Tree lists a live process and the live processes below it.
func Tree(pid int) ([]int, error) {
	if _, err := Read(pid); err != nil {
		return nil, fmt.Errorf("process %d does not exist, or has ended: %w", pid, err)
	}
	below, err := Descendants(pid)
	return append([]int{pid}, below...), err
}
