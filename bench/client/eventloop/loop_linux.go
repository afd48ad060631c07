package eventloop

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// never is later than anything.
const never = clock.Instant(math.MaxInt64)

// A loop is one worker of the engine.
type loop struct {
	engine  *engine
	address unix.Sockaddr // of the target
	epollFD int           // descriptor of the epoll instance
	wakeFD  int           // eventfd: another goroutine has changed when the loop must wake

	// mu is held while the loop works, and by a caller that opens, closes or publishes from
	// outside: once per wake-up, so it costs nothing per message.
	mu     sync.Mutex
	conns  []*conn // by descriptor
	serial uint32  // of the last conn's connection
	timers timers
	feed   client.Feed   // nil: nothing to publish
	feedAt clock.Instant // when to ask it again
	wakeAt clock.Instant // when a sleeping loop wakes; 0 while it is awake
	closed bool
	pinned bool // it keeps its P while it sleeps

	in      []byte // what is being read
	out     []byte // what is being written
	scratch client.Scratch
}

// readSize is how much is read at once, in bytes: what is understood in a fraction
// of a millisecond. An answer that is longer makes it grow.
const readSize = 64 << 10

func newLoop(e *engine) (*loop, error) {
	l := &loop{engine: e, epollFD: -1, wakeFD: -1}
	if err := l.open(); err != nil {
		l.release()
		return nil, err
	}
	return l, nil
}

func (l *loop) open() (err error) {
	if l.epollFD, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("create epoll instance: %w", err)
	}
	if l.wakeFD, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return fmt.Errorf("create eventfd: %w", err)
	}
	if _, errno := l.wait(make([]unix.EpollEvent, 1), &unix.Timespec{}); errno != 0 {
		return fmt.Errorf("wait for events: %w", errno)
	}
	// Edge-triggered: each wake-up is reported once, and need not be read away.
	return l.watch(l.wakeFD, 0)
}

// release closes what open opened.
func (l *loop) release() {
	for _, fd := range []int{l.wakeFD, l.epollFD} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// watch has the loop notified of all that happens to a descriptor.
func (l *loop) watch(fd int, serial uint32) error {
	const edges = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET
	ev := unix.EpollEvent{Events: edges & math.MaxUint32, Fd: int32(fd), Pad: int32(serial)}
	if err := unix.EpollCtl(l.epollFD, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("watch descriptor: %w", err)
	}
	return nil
}

// unlock ends work from outside, which may have given the loop a reason to wake earlier.
func (l *loop) unlock() {
	if l.wakeAt != 0 && l.due() < l.wakeAt {
		l.wake()
	}
	l.mu.Unlock()
}

func (l *loop) wake() {
	one := [8]byte{1}
	_, _ = unix.Write(l.wakeFD, one[:]) // full means that it wakes already
}

// due is when the loop has something to do of its own accord.
func (l *loop) due() clock.Instant {
	due := l.timers.first()
	if l.feed != nil {
		due = min(due, l.feedAt)
	}
	return due
}

func (l *loop) run() {
	clock.Sharpen()
	if l.pinned = pin(); l.pinned {
		defer pinnedLoops.Add(-1)
	}
	var events [256]unix.EpollEvent
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed {
		l.wakeAt = l.due()
		l.mu.Unlock()
		n := l.sleep(events[:])
		l.mu.Lock()
		l.wakeAt = 0
		l.runDue()
		for i := range events[:n] {
			l.handle(&events[i])
			l.runDue()
		}
	}
}

// sleep waits until something happens or is due.
func (l *loop) sleep(events []unix.EpollEvent) int {
	var timeout *unix.Timespec // none: for ever
	if l.wakeAt != never {
		ts := unix.NsecToTimespec(int64(max(0, l.wakeAt.Sub(clock.Now()))))
		timeout = &ts
	}
	n, errno := l.wait(events, timeout)
	if errno != 0 {
		return 0 // EINTR: a signal
	}
	return n
}

func (l *loop) wait(events []unix.EpollEvent, timeout *unix.Timespec) (int, syscall.Errno) {
	var n uintptr
	var errno syscall.Errno
	if l.pinned { // each call in full: only a call by name keeps what it points to in its place
		n, _, errno = syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(l.epollFD), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(unsafe.Pointer(timeout)), 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(l.epollFD), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(unsafe.Pointer(timeout)), 0, 0)
	}
	return int(n), errno
}

// pinnedLoops is how many loops of the process keep their Ps while they sleep.
var pinnedLoops atomic.Int32

// spareProcs is how many of GOMAXPROCS are never kept by pinned loops: one for a thread
// in clock.SleepUntil, one for all other goroutines.
const spareProcs = 2

// pin reports whether a loop may keep its P while it sleeps, by waiting in a
// system call that the runtime does not hear of. One that it does hear of has its
// P taken away whenever it lasts, and the runtime's monitor, which does that, then
// looks around every 20 µs for a while: a third of the load generator's CPU, measured
// at 4,000 messages a second. The runtime's preemption signal ends the wait with
// EINTR, which is where the goroutine stops for a garbage collection.
func pin() bool {
	if int(pinnedLoops.Add(1)) <= runtime.GOMAXPROCS(0)-spareProcs {
		return true
	}
	pinnedLoops.Add(-1)
	return false
}

// punctual does what is due by now. It is called after every event, so that a
// burst of them delays nothing.
func (l *loop) runDue() {
	now := clock.Now()
	if l.due() > now {
		return
	}
	l.publish(now)
	for k := l.timers.pop(now); k != nil; k = l.timers.pop(now) {
		k.handler.expired(now)
	}
}

// publish hands over what the feed has due.
func (l *loop) publish(now clock.Instant) {
	for l.feed != nil && l.feedAt <= now {
		due, ok := l.feed.Next()
		switch {
		case !ok:
			l.feed = nil
		case due > now:
			l.feedAt = min(due, now.Add(client.FeedCheck))
		default:
			p := l.feed.Take()
			p.Session.(*session).publish(p.ID, p.Topic, p.Payload)
		}
	}
}

func (l *loop) handle(ev *unix.EpollEvent) {
	fd := int(ev.Fd)
	if fd >= len(l.conns) || l.conns[fd] == nil || l.conns[fd].serial != uint32(ev.Pad) {
		return // the wake-up, or a connection that has been closed since
	}
	l.conns[fd].handleEvents(ev.Events)
}
