package bench

import (
	"fmt"
	"io"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// KeepAwake keeps every core that this process may use from going to sleep, until
// in ends: a thread at idle priority yields on each, and gives way to anybody.
//
// A core that sleeps takes long to wake, a virtual one most of all: beside
// sleeping cores a real-time thread woke 1.6 ms late at p99 and 14 ms at worst,
// beside kept ones 0.1 and 0.7, here, on a quiet virtual machine. Both ends of a
// delivery would pay it, and the transport would be blamed. It is a process of
// its own so that its time is in nobody's account, and so that no collection of
// anybody's waits for a thread that the kernel gives no time.
func KeepAwake(in io.Reader) error {
	cores := ownCores()
	runtime.GOMAXPROCS(len(cores) + 1)
	failed := make(chan error, len(cores))
	for _, core := range cores {
		go func() { failed <- spin(core) }()
	}
	go func() {
		_, err := io.Copy(io.Discard, in)
		failed <- err
	}()
	return <-failed
}

// spin occupies one core at idle priority. It returns only when it is refused.
func spin(core int) error {
	runtime.LockOSThread()
	var set unix.CPUSet
	set.Set(core)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin to core %d: %w", core, err)
	}
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		return fmt.Errorf("take idle priority: %w", err)
	}
	// To yield, not just to spin: the kernel's fair scheduler owes even an idle-priority
	// thread a turn, which lasts until the next tick, 4 ms, while a server that is
	// ready waits. Who yields gives its turn away. (Measured with chat: latency p99 of
	// the pushing transports 4.2–5.7 ms beside spinning threads, 1.3–3.8 beside yielding ones.)
	for {
		_, _, _ = syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
	}
}
