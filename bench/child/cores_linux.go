package child

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// OnCores runs start, which forks, with the current thread pinned to the cores. A child inherits
// the affinity when it is created, before any of its threads can run on another core.
func OnCores(cores []int, start func() error) error {
	if len(cores) == 0 {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("read affinity: %w", err)
	}
	for _, core := range cores {
		set.Set(core)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin to cores %v: %w", cores, err)
	}
	defer unix.SchedSetaffinity(0, &before)
	return start()
}
