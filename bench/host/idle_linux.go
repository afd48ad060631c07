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

// PreventIdle prevents idle states of every core that this process may use, until in ends.
//
// Leaving an idle state takes long, most of all on a virtual core. On a quiet virtual
// machine, a real-time thread woke 1.6 ms late at p99 and 14 ms at worst with idle states,
// 0.1 ms and 0.7 ms without. Server and load generator would both pay for it, and the
// latency would be attributed to the transport. PreventIdle runs in a separate process so
// that its CPU time is not counted for either role, and so that no garbage collection
// waits for a thread to which the kernel gives no time.
//
// With permission (root), it requests from the kernel that cores do not sleep. This needs
// no context switches; those to and from a spinning thread cost server and generator 8 to
// 30 % of their CPU per message (chat, alternating). If the kernel refuses the request, a
// thread at idle priority spins on each core and yields to every other thread.
//
// It also monitors stalls: on each core, a thread wakes every few milliseconds with the
// highest priority and measures how long the core stalled. On a virtual machine the cause
// is the host. The process replies to each line of in with one line on out: a report.
func PreventIdle(in io.Reader, out io.Writer) error { return preventIdle(in, out, requestNoSleep) }

func preventIdle(in io.Reader, out io.Writer, request func() (io.Closer, error)) error {
	cores := child.OwnCores()
	runtime.GOMAXPROCS(2*len(cores) + 1) // each spinner and each stall monitor occupies a thread
	failed := make(chan error, len(cores)+1)
	monitors := make([]stallMonitor, len(cores))
	prevention := "CPU sleep states disabled by the kernel (" + latencyRequest + ")"
	if granted, err := request(); err == nil {
		defer granted.Close()
	} else {
		prevention = "CPU sleep states prevented by a spinning thread at idle priority on each core"
		for _, core := range cores {
			go func() { failed <- spin(core) }()
		}
	}
	var starting sync.WaitGroup // until each monitor is on its core: a report before that would be empty
	starting.Add(len(cores))
	for i, core := range cores {
		go func() { failed <- monitors[i].run(core, starting.Done) }()
	}
	go func() {
		starting.Wait()
		w := child.NewLineWriter(out)
		failed <- child.ReadLines(in, func(struct{}) error {
			r := report{Prevention: prevention}
			for i, core := range cores {
				r.Stalls = append(r.Stalls, monitors[i].take(core))
			}
			return w.Send(r)
		})
	}()
	return <-failed
}

// latencyRequest accepts the maximum wake-up latency of a core in µs as four bytes. The
// request is in effect while the file is open (Linux, admin-guide/pm/cpuidle).
const latencyRequest = "/dev/cpu_dma_latency"

// requestNoSleep requests from the kernel that idle cores poll: a polling core wakes
// without delay. It fails if the request would have no effect: without a polling state.
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

// A stallMonitor measures how long its core stalled.
type stallMonitor struct {
	mu    sync.Mutex // guards stall
	stall validity.CoreStalls
}

// take returns the stalls since the last take.
func (m *stallMonitor) take(core int) (s validity.CoreStalls) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, m.stall = m.stall, validity.CoreStalls{}
	s.Core = core
	return s
}

func (m *stallMonitor) note(now clock.Instant, late time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if late > m.stall.Longest {
		m.stall.Longest, m.stall.Ended = late, now
	}
	if late >= validity.StallInterval {
		m.stall.Total += late
	}
}

// run returns only on an error.
//
// It uses a real-time thread if permitted (root). A normal thread, even at the highest
// nice value, may wait for one or two ticks while many processes are runnable: with eight
// servers on a core it counted their time slices as stalls, 0.3 to 1.2 s per minute.
func (m *stallMonitor) run(core int, started func()) error {
	clock.Sharpen()
	if err := pinThread(core); err != nil {
		return err
	}
	first := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}
	_ = unix.SchedSetAttr(0, &first, 0) // without permission the result is the same if each core has one process at a time
	now := clock.Now()
	started()
	for { // a stall between two sleeps counts, too: the next sleep ends late
		next := now.Add(validity.StallInterval)
		clock.SleepUntil(next)
		now = clock.Now()
		m.note(now, now.Sub(next))
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

// spin occupies one core at idle priority. It returns only on an error.
func spin(core int) error {
	runtime.LockOSThread()
	if err := pinThread(core); err != nil {
		return err
	}
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}
	if err := unix.SchedSetAttr(0, &attr, 0); err != nil {
		return fmt.Errorf("set idle priority: %w", err)
	}
	// The thread must sleep periodically, for almost no time. A thread that is always
	// runnable, even if it yields, breaks the fair scheduler of Linux 6.18: normal threads
	// stalled for seconds in about one trial in a hundred, and for minutes at a lowered
	// priority. (A small trial takes 2 s at a lowered priority. With such a thread, 9 of 32
	// trials took 10 s to two minutes; with this one, none of 24 took 3 s.)
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // ns: the minimum
	const spinFor = time.Millisecond
	shortest := unix.Timespec{Nsec: 1}
	for {
		for begun := clock.Now(); clock.Now().Sub(begun) < spinFor; {
		}
		_, _, _ = syscall.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, 0, uintptr(unsafe.Pointer(&shortest)), 0, 0, 0)
	}
}
