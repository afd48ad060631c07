package bench

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"pushbench/bench/clock"
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
//
// It also watches them: a thread on each that wakes every few milliseconds, ahead
// of all others, knows how long its core stood still, which on a virtual machine
// is the host's doing. Each line of in is answered by a line on out: a Stalls.
func KeepAwake(in io.Reader, out io.Writer) error {
	cores := ownCores()
	runtime.GOMAXPROCS(2*len(cores) + 1) // spinners and watchers keep theirs
	failed := make(chan error, len(cores)+1)
	watchers := make([]watcher, len(cores))
	for i, core := range cores {
		go func() { failed <- spin(core) }()
		go func() { failed <- watchers[i].watch(core) }()
	}
	go func() {
		say := &lineWriter{w: out}
		failed <- lines(in, func(struct{}) error {
			var stalls Stalls
			for i, core := range cores {
				stalls = append(stalls, watchers[i].take(core))
			}
			return say.send(stalls)
		})
	}()
	return <-failed
}

// A watcher knows how long its core stood still.
type watcher struct {
	mu    sync.Mutex // guards stall
	stall Stall
}

// take returns what happened since the last take.
func (w *watcher) take(core int) (s Stall) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, w.stall = w.stall, Stall{}
	s.Core = core
	return s
}

func (w *watcher) note(late time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stall.Longest = max(w.stall.Longest, late)
	if late >= watchEvery {
		w.stall.Total += late
	}
}

// watch returns only when it is refused.
func (w *watcher) watch(core int) error {
	clock.Sharpen()
	if err := pinThread(core); err != nil {
		return err
	}
	for {
		next := clock.Now().Add(watchEvery)
		clock.SleepUntil(next)
		w.note(clock.Now().Sub(next))
	}
}

func pinThread(core int) error {
	var set unix.CPUSet
	set.Set(core)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin to core %d: %w", core, err)
	}
	return nil
}

// spin occupies one core at idle priority. It returns only when it is refused.
func spin(core int) error {
	runtime.LockOSThread()
	if err := pinThread(core); err != nil {
		return err
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
