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

// never is later than every other instant.
const never = clock.Instant(math.MaxInt64)

// A loop is one worker of the engine.
type loop struct {
	engine  *engine
	address unix.Sockaddr // of the target
	epollFD int           // descriptor of the epoll instance
	wakeFD  int           // eventfd that wakes the loop when another goroutine makes it due earlier

	// mu is locked while the loop works, and by a goroutine that opens, closes or publishes.
	// The loop locks it once per wake-up, so it costs nothing per message.
	mu     sync.Mutex
	conns  []*conn // by descriptor
	serial uint32  // of the last connection
	timers timers
	feed   client.Feed   // nil without publications
	feedAt clock.Instant // when to call it next
	wakeAt clock.Instant // when the sleeping loop wakes; 0 while it is not asleep
	closed bool
	pinned bool // the loop keeps its P while it sleeps

	queue []turn // connections with more to read
	turns []turn // the previous queue, in turn

	in      []byte // buffer to read into
	out     []byte // buffer to encode into
	scratch client.Scratch
}

// A turn is that of a connection to be read, unless it was closed meanwhile.
type turn struct {
	conn   *conn
	serial uint32
}

// readSize is the largest size of one read, and of all that is read from one connection before the others, in bytes. It
// is parsed in a fraction of a millisecond.
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
	// Edge-triggered: each wake-up is reported once, and the loop need not read it.
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

// watch makes epoll report the events of a descriptor.
func (l *loop) watch(fd int, serial uint32) error {
	const edges = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET
	ev := unix.EpollEvent{Events: edges & math.MaxUint32, Fd: int32(fd), Pad: int32(serial)}
	if err := unix.EpollCtl(l.epollFD, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("watch descriptor: %w", err)
	}
	return nil
}

// unlock unlocks mu for another goroutine, and wakes the loop if it is due earlier now.
func (l *loop) unlock() {
	if l.wakeAt != 0 && l.due() < l.wakeAt {
		l.wake()
	}
	l.mu.Unlock()
}

func (l *loop) wake() {
	one := [8]byte{1}
	_, _ = unix.Write(l.wakeFD, one[:]) // if full, the loop is already waking
}

// due returns when the next timer or publication is due.
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
		l.readQueued()
	}
}

// readQueued gives a turn to each connection with more to read.
func (l *loop) readQueued() {
	l.queue, l.turns = l.turns[:0], l.queue
	for _, t := range l.turns {
		if t.conn.isCurrent(t.serial) {
			t.conn.queued = false
			t.conn.readTurn()
			l.runDue()
		}
	}
	clear(l.turns) // the connections may be closed, and their memory freed
}

// sleep waits for an event, until the loop is due. It only looks for events if connections wait for their turns.
func (l *loop) sleep(events []unix.EpollEvent) int {
	var timeout *unix.Timespec // nil: no timeout
	if len(l.queue) > 0 {
		timeout = &unix.Timespec{}
	} else if l.wakeAt != never {
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
	if l.pinned { // both calls in full: pointers stay valid only in a direct call
		n, _, errno = syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(l.epollFD), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(unsafe.Pointer(timeout)), 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(l.epollFD), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(unsafe.Pointer(timeout)), 0, 0)
	}
	return int(n), errno
}

// pinnedLoops counts the loops of the process that keep their Ps while they sleep.
var pinnedLoops atomic.Int32

// spareProcs is how many of GOMAXPROCS pinned loops leave free: one for a thread in
// clock.SleepUntil, one for all other goroutines.
const spareProcs = 2

// pin reports whether a loop may keep its P while it sleeps, by waiting in a raw system
// call, which the runtime does not track. During a tracked call the runtime's monitor takes
// the P away, and then polls every 20 µs for a while: a third of the load generator's CPU,
// measured at 4,000 messages per second. The runtime's preemption signal ends the wait with
// EINTR, which is where the goroutine stops for a garbage collection.
func pin() bool {
	if int(pinnedLoops.Add(1)) <= runtime.GOMAXPROCS(0)-spareProcs {
		return true
	}
	pinnedLoops.Add(-1)
	return false
}

// runDue publishes what is due and runs expired timers. It is called after every event, so
// that a burst of events delays neither.
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

// publish publishes the feed's publications that are due.
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
		return // the wake-up, or a connection that was closed meanwhile
	}
	l.conns[fd].handleEvents(ev.Events)
}
