package cost

import (
	"fmt"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// NotShown lists what this system does not show.
var NotShown []string

// tick is what /proc counts processor time in (USER_HZ, proc(5)).
const tick = 10 * time.Millisecond

// Read reads the usage of a live process.
func Read(pid int) (Usage, error) {
	cpu, err := processClock(pid)
	if err != nil {
		return Usage{}, err
	}
	stat, err := read(pid, "usage", procfs.Proc.Stat)
	if err != nil {
		return Usage{}, err
	}
	return Usage{
		CPU:      cpu,
		User:     time.Duration(stat.UTime) * tick,
		System:   time.Duration(stat.STime) * tick,
		switches: contextSwitches(pid),
	}, nil
}

// read reads one of the files that /proc has of a live process.
func read[T any](pid int, what string, file func(procfs.Proc) (T, error)) (value T, err error) {
	proc, err := procfs.NewProc(pid)
	if err == nil {
		value, err = file(proc)
	}
	if err != nil {
		return value, fmt.Errorf("read %s of process %d: %w", what, pid, err)
	}
	return value, nil
}

// processClock reads the CPU clock of another process, in nanoseconds. Its
// clock id is made of the pid as clock_getcpuclockid(3) makes it.
func processClock(pid int) (time.Duration, error) {
	const schedClock = 2 // CPUCLOCK_SCHED
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedClock), &ts); err != nil {
		return 0, fmt.Errorf("read CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// contextSwitches reads them of each thread: the process's own status shows its first thread alone.
func contextSwitches(pid int) map[int]int64 {
	threads, err := procfs.AllThreads(pid)
	if err != nil {
		return nil
	}
	switches := make(map[int]int64, len(threads))
	for _, thread := range threads {
		if status, err := thread.NewStatus(); err == nil { // else it ended meanwhile
			switches[thread.PID] = int64(status.VoluntaryCtxtSwitches + status.NonVoluntaryCtxtSwitches)
		}
	}
	return switches
}

// Memory is the resident size of a process in bytes: anonymous memory (heap,
// stacks) and what is in memory of its files, which is mostly its own code, shared
// or not. Socket buffers are the kernel's and in no process. It walks the page
// tables, because the kernel's cheap counter lags behind by up to 64 pages a thread.
func Memory(pid int) (int64, error) {
	rollup, err := read(pid, "memory", procfs.Proc.ProcSMapsRollup)
	return int64(rollup.Rss), err
}

// PeakMemory is the largest resident size a process ever had, in bytes.
func PeakMemory(pid int) (int64, error) {
	status, err := read(pid, "memory", procfs.Proc.NewStatus)
	return int64(status.VmHWM), err
}

// Affinity is the set of cores a process may run on, as its first thread has it.
func Affinity(pid int) ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(pid, &set); err != nil {
		return nil, fmt.Errorf("read affinity of process %d: %w", pid, err)
	}
	var cores []int
	for core := range 1024 {
		if set.IsSet(core) {
			cores = append(cores, core)
		}
	}
	return cores, nil
}
