package host

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"pushbench/bench/child"
	"pushbench/bench/clock"
	"pushbench/bench/validity"
)

// PreventIdle keeps every core that this process may use from idle states, until in ends.
//
// A core that sleeps takes long to wake, a virtual one most of all: beside
// sleeping cores a real-time thread woke 1.6 ms late at p99 and 14 ms at worst,
// beside kept ones 0.1 and 0.7, here, on a quiet virtual machine. Both ends of a
// delivery would pay it, and the transport would be blamed. It is a process of
// its own so that its time is in nobody's account, and so that no collection of
// anybody's waits for a thread that the kernel gives no time.
//
// The kernel is asked not to let them sleep, where it takes such a wish from us (root):
// nothing is then switched to and fro, which beside a spinning thread cost server and
// generator 8 to 30 % of their CPU a message (chat, in turns). Where the wish is refused,
// a thread at idle priority spins on each core, and gives way to anybody.
//
// It also watches them: a thread on each that wakes every few milliseconds, ahead
// of all others, knows how long its core stalled, which on a virtual machine
// is the host's doing. Each line of in is answered by a line on out: a report.
func PreventIdle(in io.Reader, out io.Writer) error { return preventIdle(in, out, requestNoSleep) }

func preventIdle(in io.Reader, out io.Writer, wish func() (io.Closer, error)) error {
	cores := child.OwnCores()
	runtime.GOMAXPROCS(2*len(cores) + 1) // spinners and watchers keep theirs
	failed := make(chan error, len(cores)+1)
	watchers := make([]watcher, len(cores))
	kept := "the kernel was asked to let no core sleep (" + latencyRequest + ")"
	if held, err := wish(); err == nil {
		defer held.Close()
	} else {
		kept = "a thread at idle priority keeps each core from sleeping"
		for _, core := range cores {
			go func() { failed <- spin(core) }()
		}
	}
	var watching sync.WaitGroup // until each watcher is on its core: an answer before would have nothing to tell
	watching.Add(len(cores))
	for i, core := range cores {
		go func() { failed <- watchers[i].watch(core, watching.Done) }()
	}
	go func() {
		watching.Wait()
		say := child.NewLineWriter(out)
		failed <- child.ReadLines(in, func(struct{}) error {
			answer := report{Kept: kept}
			for i, core := range cores {
				answer.Stalls = append(answer.Stalls, watchers[i].take(core))
			}
			return say.Send(answer)
		})
	}()
	return <-failed
}

// latencyRequest takes the longest time in which a core may wake, as four bytes of
// microseconds, for as long as it is held open (Linux, admin-guide/pm/cpuidle).
const latencyRequest = "/dev/cpu_dma_latency"

// requestNoSleep asks the kernel to let idle cores poll, which takes no time to end. It
// is refused where the wish would change nothing: without the state that polls.
func requestNoSleep() (io.Closer, error) {
	const shallowest = "/sys/devices/system/cpu/cpu0/cpuidle/state0/name"
	if name := readLine(shallowest); name != "POLL" {
		return nil, fmt.Errorf("%s: %q", shallowest, name)
	}
	f, err := os.OpenFile(latencyRequest, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(make([]byte, 4)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// A watcher knows how long its core stalled.
type watcher struct {
	mu    sync.Mutex // guards stall
	stall validity.Stall
}

// take returns what happened since the last take.
func (w *watcher) take(core int) (s validity.Stall) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, w.stall = w.stall, validity.Stall{}
	s.Core = core
	return s
}

func (w *watcher) note(now clock.Instant, late time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if late > w.stall.Longest {
		w.stall.Longest, w.stall.Ended = late, now
	}
	if late >= validity.WatchEvery {
		w.stall.Total += late
	}
}

// watch returns only when it is refused.
//
// It is a real-time thread where it may be (root). An ordinary one, however nice others
// are to it, may wait for a tick or two while many processes have work: with eight
// servers on a core it took their turns for stalls, 0.3 to 1.2 s in a minute.
func (w *watcher) watch(core int, begins func()) error {
	clock.Sharpen()
	if err := pinThread(core); err != nil {
		return err
	}
	first := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}
	_ = unix.SchedSetAttr(0, &first, 0) // an ordinary user sees the same where a core has one process at a time
	next := clock.Now().Add(validity.WatchEvery)
	for begins(); ; next = clock.Now().Add(validity.WatchEvery) {
		clock.SleepUntil(next)
		now := clock.Now()
		w.note(now, now.Sub(next))
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
	// It must sleep now and then, for no time. One that is always ready, whether it
	// yields or not, upsets the fair scheduler of Linux 6.18: ordinary threads stood
	// still for seconds, in about one trial of a hundred, and for minutes at a lowered
	// priority. (Of 32 small trials beside such a thread, which take 2 s at a lowered
	// priority, 9 took 10 s to two minutes; beside this one none of 24 took 3.)
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // ns: as short as can be
	const awake = time.Millisecond
	wink := unix.Timespec{Nsec: 1}
	for {
		for begun := clock.Now(); clock.Now().Sub(begun) < awake; {
		}
		_, _, _ = syscall.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, 0, uintptr(unsafe.Pointer(&wink)), 0, 0, 0)
	}
}
