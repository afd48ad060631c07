package cost

import (
	"fmt"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// NotShown lists the values that this system does not report.
var NotShown []string

// tick is the unit of CPU time in /proc (USER_HZ, proc(5)).
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
		Reaped:   time.Duration(stat.CUTime+stat.CSTime) * tick,
		switches: contextSwitches(pid),
	}, nil
}

// read reads a file of a live process in /proc.
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

// processClock reads the CPU clock of another process. It computes the clock id from the pid
// like clock_getcpuclockid(3).
func processClock(pid int) (time.Duration, error) {
	const schedClock = 2 // CPUCLOCK_SCHED
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedClock), &ts); err != nil {
		return 0, fmt.Errorf("read CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// contextSwitches reads the context switches of each thread: the status of the process covers
// only its first thread.
func contextSwitches(pid int) map[int]int64 {
	threads, err := procfs.AllThreads(pid)
	if err != nil {
		return nil
	}
	switches := make(map[int]int64, len(threads))
	for _, thread := range threads {
		if status, err := thread.NewStatus(); err == nil { // an error means that the thread ended meanwhile
			switches[thread.PID] = int64(status.VoluntaryCtxtSwitches + status.NonVoluntaryCtxtSwitches)
		}
	}
	return switches
}

// Memory returns the resident size of a process in bytes: anonymous memory (heap, stacks) and
// the resident part of its mapped files, mostly its code, shared or not. Socket buffers
// belong to the kernel and to no process. Memory walks the page tables, because the cheap
// counter of the kernel lags behind by up to 64 pages per thread.
func Memory(pid int) (int64, error) {
	rollup, err := read(pid, "memory", procfs.Proc.ProcSMapsRollup)
	return int64(rollup.Rss), err
}

// AnonymousMemory returns the anonymous part of Memory in bytes.
func AnonymousMemory(pid int) (int64, error) {
	rollup, err := read(pid, "memory", procfs.Proc.ProcSMapsRollup)
	return int64(rollup.Anonymous), err
}

// PeakMemory returns the largest resident size of a process so far, in bytes.
func PeakMemory(pid int) (int64, error) {
	status, err := read(pid, "memory", procfs.Proc.NewStatus)
	return int64(status.VmHWM), err
}

// Affinity returns the cores on which the first thread of a process may run.
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

// UserTime returns how long some cores have run programs since the system started, counted in ticks: not the kernel.
func UserTime(cores []int) (time.Duration, error) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return 0, err
	}
	stat, err := fs.Stat()
	if err != nil {
		return 0, err
	}
	seconds := 0.0
	for _, core := range cores {
		shown, ok := stat.CPU[int64(core)]
		if !ok {
			return 0, fmt.Errorf("core %d is missing in /proc/stat", core)
		}
		seconds += shown.User + shown.Nice
	}
	return time.Duration(seconds * float64(time.Second)), nil
}
