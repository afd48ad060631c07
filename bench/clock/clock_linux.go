package clock

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func monotonic() Instant {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("clock_gettime(CLOCK_MONOTONIC): " + err.Error()) // the kernel has had it since 2.6
	}
	return Instant(ts.Nano())
}

// Asleep returns how long the machine has been suspended since it started, plus a constant: of the two clocks, only
// CLOCK_BOOTTIME continues while it is. A suspension between the readings is missed.
func Asleep() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0 // the kernel has had it since 2.6.39
	}
	return time.Duration(ts.Nano()) - time.Duration(Now())
}

const timerAbstime = 1 // TIMER_ABSTIME, clock_nanosleep(2)

// SleepUntil returns at the instant. It requires a goroutine that is locked to its thread, in
// a process with at least one P more than such goroutines. The raw system call keeps the P
// while it sleeps, so that waking depends only on the kernel's scheduler and not on Go's.
// (With time.Sleep, or a system call that releases the P, a busy process wakes up to 19 ms
// late.) The preemption signal of the runtime interrupts the sleep with EINTR, so that the
// goroutine can stop for a garbage collection.
func SleepUntil(i Instant) {
	for {
		left := i.Sub(Now())
		if left <= 0 {
			return
		}
		ts := unix.NsecToTimespec(int64(i))
		if e := nanosleep(&ts); e != 0 && e != unix.EINTR {
			time.Sleep(left) // CheckSleep has the reason; a loop without a sleep would occupy the core
		}
	}
}

func nanosleep(until *unix.Timespec) syscall.Errno {
	_, _, e := syscall.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, timerAbstime, uintptr(unsafe.Pointer(until)), 0, 0, 0)
	return e
}

// CheckSleep returns an error if the kernel refuses the sleep of SleepUntil: a filter of system calls (seccomp) may.
func CheckSleep() error {
	if e := nanosleep(&unix.Timespec{}); e != 0 && e != unix.EINTR { // the instant 0 has passed
		return fmt.Errorf("the kernel refuses clock_nanosleep: %w", e)
	}
	return nil
}

// Sharpen makes the sleeps of the calling goroutine as exact as the system allows. It locks
// the goroutine to its thread; the goroutine must end rather than unlock it, so that the
// priority of the thread ends with it.
//
// Two causes delay wake-ups: the timer slack of the kernel, 50 µs by default, and the queue of
// threads, which a higher priority avoids with permission (root). Real-time priority is no
// option: the runtime spins while it waits for other threads of the process. A thread that
// could not run on the same core blocked the process until the kernel's limit for real-time
// threads, 950 ms. Go's scheduler remains a cause of delays: it preempts a thread that runs
// the same goroutine for 10 ms. Only an event loop avoids this.
func Sharpen() (ahead bool) {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // ns; a failure only reduces precision
	return unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -20) == nil
}
