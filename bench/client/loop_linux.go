package client

import (
	crand "crypto/rand"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"pushbench/bench/clock"
)

// Events returns the engine of event loops: each worker is a thread that waits for
// all of its sessions at once and does their reading, parsing, telling, writing and
// publishing itself. Nothing in it waits for Go's scheduler, which on a busy core
// can take milliseconds to run a goroutine that is ready. It needs Linux 5.11.
func Events(config Config) (Transport, error) {
	config.setDefaults()
	e := &events{Config: config}
	address, family, err := resolve(config.Target)
	if err != nil {
		return nil, err
	}
	e.family = family
	e.common = " HTTP/1.1\r\nHost: " + config.Target + "\r\nUser-Agent: " + Agent + "\r\n"
	for range config.Workers {
		l, err := newLoop(e)
		if err != nil {
			e.Close()
			return nil, err
		}
		l.in = make([]byte, readSize)
		l.address = address.clone()
		e.loops = append(e.loops, l)
		e.running.Go(l.run)
	}
	return e, nil
}

type events struct {
	Config
	family  int
	common  string // of every request: what follows the URL
	loops   []*loop
	running sync.WaitGroup
	closing sync.Once
}

func (e *events) Workers() int { return len(e.loops) }

func (e *events) Open(sub Subscription, sink Sink) Session {
	l := e.loops[sub.Worker%len(e.loops)]
	l.mu.Lock()
	defer l.unlock()
	m := newMember(l, sub, sink)
	m.begin(clock.Now())
	return m
}

func (e *events) Pace(worker int, feed Feed) {
	l := e.loops[worker]
	l.mu.Lock()
	defer l.unlock()
	l.feed, l.feedAt = feed, 0
}

func (e *events) Close() { e.closing.Do(e.close) }

func (e *events) close() {
	for _, l := range e.loops {
		l.mu.Lock()
		l.closed = true
		l.ring()
		l.mu.Unlock()
	}
	e.running.Wait()
	for _, l := range e.loops {
		unix.Close(l.bell)
		unix.Close(l.poll)
	}
}

// hasEvents says whether this kernel can do what a loop needs.
func hasEvents() bool {
	l, err := newLoop(nil)
	if err != nil {
		return false
	}
	unix.Close(l.bell)
	unix.Close(l.poll)
	return true
}

// resolve looks a target up once, so that no lookup is part of any connection's setting up.
func resolve(target string) (address, int, error) {
	tcp, err := net.ResolveTCPAddr("tcp", target)
	if err != nil {
		return address{}, 0, fmt.Errorf("resolve target: %w", err)
	}
	if tcp.Port == 0 {
		return address{}, 0, fmt.Errorf("resolve target: %q has no port", target)
	}
	if tcp.IP == nil { // only a port: this machine's
		tcp.IP = net.IPv4(127, 0, 0, 1)
	}
	if ip := tcp.IP.To4(); ip != nil {
		return address{v4: &unix.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(ip)}}, unix.AF_INET, nil
	}
	v6 := &unix.SockaddrInet6{Port: tcp.Port, Addr: [16]byte(tcp.IP.To16())}
	if tcp.Zone != "" {
		zone, err := net.InterfaceByName(tcp.Zone)
		if err != nil {
			return address{}, 0, fmt.Errorf("resolve target: %w", err)
		}
		v6.ZoneId = uint32(zone.Index)
	}
	return address{v6: v6}, unix.AF_INET6, nil
}

// An address is one of its two.
type address struct {
	v4 *unix.SockaddrInet4
	v6 *unix.SockaddrInet6
}

// clone is for one loop alone: to connect writes into what it is given.
func (a address) clone() unix.Sockaddr {
	if a.v4 != nil {
		own := *a.v4
		return &own
	}
	own := *a.v6
	return &own
}

// never is later than anything.
const never = clock.Instant(math.MaxInt64)

// A loop is one worker of an events engine.
type loop struct {
	engine  *events
	address unix.Sockaddr // of the target
	poll    int           // descriptor of the epoll instance
	bell    int           // eventfd: somebody else has changed when the loop must wake

	// mu is held while the loop works, and by who opens, closes or publishes from
	// outside: once per wake-up, so it costs nothing per message.
	mu     sync.Mutex
	links  []*link // by descriptor
	serial uint32  // of the last link's connection
	timers timers
	feed   Feed          // nil: nothing to publish
	feedAt clock.Instant // when to ask it again
	wakes  clock.Instant // when a sleeping loop wakes; 0 while it is awake
	closed bool
	seated bool // it keeps its P while it sleeps

	in     []byte // what is being read
	out    []byte // what is being written
	room   []byte // a body that came in chunks
	reader reader
	random *rand.ChaCha8
}

// readSize is how much is read at once, in bytes: what is understood in a fraction
// of a millisecond. An answer that is longer makes it grow.
const readSize = 64 << 10

func newLoop(e *events) (*loop, error) {
	l := &loop{engine: e}
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // never fails
	l.random = rand.NewChaCha8(seed)
	var err error
	if l.poll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("create epoll instance: %w", err)
	}
	if l.bell, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		unix.Close(l.poll)
		return nil, fmt.Errorf("create eventfd: %w", err)
	}
	if _, errno := l.wait(make([]unix.EpollEvent, 1), &unix.Timespec{}); errno != 0 {
		unix.Close(l.poll)
		unix.Close(l.bell)
		return nil, fmt.Errorf("wait for events: %w", errno)
	}
	// Edge-triggered: each ring is told once, and need not be read away.
	if err := l.watch(l.bell, 0); err != nil {
		unix.Close(l.poll)
		unix.Close(l.bell)
		return nil, err
	}
	return l, nil
}

// watch has the loop told of all that happens to a descriptor.
func (l *loop) watch(fd int, serial uint32) error {
	const edges = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET
	ev := unix.EpollEvent{Events: edges & math.MaxUint32, Fd: int32(fd), Pad: int32(serial)}
	if err := unix.EpollCtl(l.poll, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("watch descriptor: %w", err)
	}
	return nil
}

// unlock ends work from outside, which may have given the loop a reason to wake earlier.
func (l *loop) unlock() {
	if l.wakes != 0 && l.due() < l.wakes {
		l.ring()
	}
	l.mu.Unlock()
}

func (l *loop) ring() {
	one := [8]byte{1}
	_, _ = unix.Write(l.bell, one[:]) // full means that it rings already
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
	l.seated = takeSeat()
	defer l.leaveSeat()
	var told [256]unix.EpollEvent
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.closed {
		l.wakes = l.due()
		l.mu.Unlock()
		n := l.sleep(told[:])
		l.mu.Lock()
		l.wakes = 0
		l.punctual()
		for i := range told[:n] {
			l.handle(&told[i])
			l.punctual()
		}
	}
}

// sleep waits until something happens or is due.
func (l *loop) sleep(told []unix.EpollEvent) int {
	var timeout *unix.Timespec // none: for ever
	if l.wakes != never {
		ts := unix.NsecToTimespec(int64(max(0, l.wakes.Sub(clock.Now()))))
		timeout = &ts
	}
	n, errno := l.wait(told, timeout)
	if errno != 0 {
		return 0 // EINTR: a signal
	}
	return n
}

func (l *loop) wait(told []unix.EpollEvent, timeout *unix.Timespec) (int, syscall.Errno) {
	var n uintptr
	var errno syscall.Errno
	if l.seated { // each call in full: only a call by name keeps what it points to in its place
		n, _, errno = syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT2, uintptr(l.poll), uintptr(unsafe.Pointer(&told[0])), uintptr(len(told)), uintptr(unsafe.Pointer(timeout)), 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(l.poll), uintptr(unsafe.Pointer(&told[0])), uintptr(len(told)), uintptr(unsafe.Pointer(timeout)), 0, 0)
	}
	return int(n), errno
}

// seats is how many loops of the process keep their Ps while they sleep.
var seats atomic.Int32

// spareProcs is how many of GOMAXPROCS are never taken as seats: one for a thread
// in clock.SleepUntil, one for all other goroutines.
const spareProcs = 2

// takeSeat says whether a loop may keep its P while it sleeps, by waiting in a
// system call that the runtime does not hear of. One that it does hear of has its
// P taken away whenever it lasts, and the runtime's monitor, which does that, then
// looks around every 20 µs for a while: a third of the generator's CPU, measured
// at 4,000 messages a second. The runtime's preemption signal ends the wait with
// EINTR, which is where the goroutine stops for a garbage collection.
func takeSeat() bool {
	if int(seats.Add(1)) <= runtime.GOMAXPROCS(0)-spareProcs {
		return true
	}
	seats.Add(-1)
	return false
}

func (l *loop) leaveSeat() {
	if l.seated {
		seats.Add(-1)
	}
}

// punctual does what is due by now. It is called after every event, so that a
// burst of them delays nothing.
func (l *loop) punctual() {
	now := clock.Now()
	if l.due() > now {
		return
	}
	l.publish(now)
	for k := l.timers.pop(now); k != nil; k = l.timers.pop(now) {
		k.told.expired(now)
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
			l.feedAt = min(due, now.Add(feedCheck))
		default:
			p := l.feed.Take()
			p.Session.(*member).publish(p.ID, p.Topic, p.Payload)
		}
	}
}

func (l *loop) handle(ev *unix.EpollEvent) {
	fd := int(ev.Fd)
	if fd >= len(l.links) || l.links[fd] == nil || l.links[fd].serial != uint32(ev.Pad) {
		return // the bell, or a connection that has been closed since
	}
	l.links[fd].happened(ev.Events)
}

// A timer tells somebody, once, that its time has come. Its zero value is not set.
type timer struct {
	told    interface{ expired(at clock.Instant) }
	expires clock.Instant
	place   int // in the loop's timers, from 1; 0: none
}

// timers is a binary heap of timers by when they expire.
type timers []*timer

func (t timers) first() clock.Instant {
	if len(t) == 0 {
		return never
	}
	return t[0].expires
}

// pop takes the first that has expired, if one has.
func (t *timers) pop(now clock.Instant) *timer {
	if t.first() > now {
		return nil
	}
	k := (*t)[0]
	t.remove(k)
	return k
}

// set gives a timer a new time to expire.
func (t *timers) set(k *timer, at clock.Instant) {
	k.expires = at
	if k.place == 0 {
		*t = append(*t, k)
		k.place = len(*t)
	}
	t.settle(k)
}

func (t *timers) remove(k *timer) {
	if k.place == 0 {
		return
	}
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	if last != k {
		(*t)[k.place-1] = last
		last.place = k.place
		t.settle(last)
	}
	k.place = 0
}

// settle moves a timer to where it belongs. Places count from 1.
func (t timers) settle(k *timer) {
	for k.place > 1 && k.expires < t[k.place/2-1].expires {
		t.swap(k, t[k.place/2-1])
	}
	for {
		child := 2 * k.place
		if child < len(t) && t[child].expires < t[child-1].expires {
			child++
		}
		if child > len(t) || t[child-1].expires >= k.expires {
			return
		}
		t.swap(k, t[child-1])
	}
}

func (t timers) swap(a, b *timer) {
	t[a.place-1], t[b.place-1] = b, a
	a.place, b.place = b.place, a.place
}
