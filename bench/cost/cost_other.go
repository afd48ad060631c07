//go:build !linux

package cost

import (
	"errors"
	"fmt"
	"time"

	"github.com/shirou/gopsutil/v4/process"
)

// NotShown lists the values that this system does not report.
var NotShown = []string{"peak memory and context switches of the processes", "throttling by a quota", "the load of other programs"}

var errNotShown = errors.New("not reported by this system")

// Read reads the usage of a live process, as exactly as the system counts it.
func Read(pid int) (u Usage, err error) {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return u, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	times, err := p.Times()
	if err != nil {
		return u, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	u.User, u.System = seconds(times.User), seconds(times.System)
	u.CPU = u.User + u.System
	return u, nil
}

// Memory returns the resident size of a process in bytes.
func Memory(pid int) (int64, error) {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	memory, err := p.MemoryInfo()
	if err != nil {
		return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	return int64(memory.RSS), nil
}

// AnonymousMemory returns all of Memory: this system does not report the part.
func AnonymousMemory(pid int) (int64, error) { return Memory(pid) }

// PeakMemory returns 0: this system does not report it.
func PeakMemory(int) (int64, error) { return 0, nil }

// Affinity returns an error: this system does not report it.
func Affinity(int) ([]int, error) { return nil, errNotShown }

// UserTime fails: the user time of a core is not read here.
func UserTime([]int) (time.Duration, error) { return 0, errNotShown }
