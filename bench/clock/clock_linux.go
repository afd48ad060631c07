package clock

import (
	"runtime"
	"syscall"
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

const timerAbstime = 1 // TIMER_ABSTIME, clock_nanosleep(2)

// SleepUntil returns when the instant has come. It is meant for a goroutine
// locked to its thread, in a process with at least one P more than such
// goroutines: the raw system call keeps the P while it sleeps, so that waking
// needs only the kernel's scheduler and not Go's. (With time.Sleep, or with a
// system call that gives the P up, a busy process wakes its sleeper up to 19 ms late.)
// The runtime's preemption signal ends the sleep early with EINTR, which is
// where the goroutine gets its chance to stop for a garbage collection.
func SleepUntil(i Instant) {
	for {
		left := i.Sub(Now())
		if left <= 0 {
			return
		}
		ts := unix.NsecToTimespec(int64(i))
		syscall.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, timerAbstime, uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
	}
}

// Sharpen makes the calling goroutine's sleeps as exact as the system allows. The
// goroutine is locked to its thread from now on, and must end rather than unlock
// it, so that the thread's priority ends with it. Exact wake-ups are off by the
// kernel's timer slack, 50 µs unless asked otherwise, and by the queue of threads,
// which it goes ahead of where it may (root). Never by a real-time priority: the
// runtime spins for threads of its own, and one that may not run beside us on our
// core kept everything waiting until the kernel's limit for real-time threads, 950 ms.
// What it cannot help is Go's own scheduler, which takes a thread that has not
// changed goroutines for 10 ms away and gives it back when another thread has had
// its turn: of all the pacers' ways to sleep, only an event loop's escapes it.
func Sharpen() (ahead bool) {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // ns; refused nowhere that we know of, and only less exact if so
	return unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -20) == nil
}
