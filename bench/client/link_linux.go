package client

import (
	"fmt"
	"io"
	"math"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"pushbench/bench/clock"
)

// A link is one connection of a loop, and the timer that goes with it. It can be
// dialled again when it is closed.
type link struct {
	timer   // the owner's
	loop    *loop
	owner   owner
	transit *transit // through a Link; nil: there is none
	over    distance
	fd      int
	serial  uint32 // tells connections apart that had the same descriptor
	state   linkState
	in      []byte // came, but is not understood yet
	out     []byte // not written yet
	sent    int64  // bytes
	taken   int64  // bytes that the owner has understood
}

func newLink(l *loop, o owner, d distance) link {
	k := link{timer: timer{told: o}, loop: l, owner: o, over: d}
	if d.link != nil {
		k.transit = newTransit(d)
	}
	return k
}

type linkState uint8

const (
	linkClosed linkState = iota
	linkDialling
	linkOpen
)

// An owner is told what happens to its link.
type owner interface {
	opened(at clock.Instant)
	came(in []byte, at clock.Instant) (n int, err error) // it has understood n bytes: 0 if it needs more
	flushed(at clock.Instant)                            // all is written that could not be at once
	broke(err error, at clock.Instant)                   // the link is closed, not by us
	expired(at clock.Instant)                            // its timer
}

func (k *link) understood() int64 { return k.taken }

// dial begins to open a connection, once. Its end is told, unless it fails here.
func (k *link) dial(at clock.Instant) error {
	l := k.loop
	fd := -1
	err := k.over.opens(func() (err error) {
		fd, err = unix.Socket(l.engine.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // every TCP socket takes it
	if err := k.bind(fd); err != nil {
		unix.Close(fd)
		return fmt.Errorf("dial: %w", err)
	}
	refused := unix.Connect(fd, l.address)
	if refused == unix.EINPROGRESS {
		refused = nil
	}
	if refused != nil && k.transit == nil {
		unix.Close(fd)
		return fmt.Errorf("dial: %w", refused)
	}
	l.serial++
	if err := l.watch(fd, l.serial); err != nil {
		unix.Close(fd)
		return fmt.Errorf("dial: %w", err)
	}
	for len(l.links) <= fd {
		l.links = append(l.links, nil)
	}
	l.links[fd] = k
	k.fd, k.serial, k.state = fd, l.serial, linkDialling
	k.sent, k.taken = 0, 0
	l.timers.set(&k.timer, at.Add(dialTimeout))
	if k.transit != nil {
		k.transit.begin(k, refused)
	}
	return nil
}

// bind has a socket be of the host that its client is, if that is to be. The port is
// chosen when it connects, so that as many connections as there are ports can be made to
// each server (Linux, ip(7)).
func (k *link) bind(fd int) error {
	if !k.over.from.Is4() {
		return nil
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return err
	}
	return unix.Bind(fd, &unix.SockaddrInet4{Addr: k.over.from.As4()})
}

// close closes the connection, if there is one, and stops the timer.
func (k *link) close() {
	l := k.loop
	l.timers.remove(&k.timer)
	switch k.state {
	case linkClosed:
		return
	case linkDialling:
		l.engine.Traffic.Abandoned.Add(1)
	case linkOpen:
		l.engine.Traffic.gone(k)
	}
	if k.transit != nil {
		k.transit.abandon()
	}
	// What nobody understood is counted, and what was never written is not, so that
	// every byte is in just one part.
	l.engine.Traffic.Down.Envelope.Add(int64(len(k.in)))
	l.engine.Traffic.Up.Envelope.Add(-int64(len(k.out)))
	unix.Close(k.fd)
	l.links[k.fd] = nil
	k.state, k.in, k.out = linkClosed, nil, nil
}

// fail closes the connection because of an error, and tells.
func (k *link) fail(err error, at clock.Instant) {
	if k.state == linkDialling {
		k.state = linkOpen // it ended by itself: nobody gave it up
	}
	if k.transit != nil {
		err = k.transit.cause(err)
	}
	k.close()
	k.owner.broke(err, at)
}

// isStill says whether the link has the connection that it had.
func (k *link) isStill(serial uint32) bool { return k.state == linkOpen && k.serial == serial }

// happened takes what epoll tells.
func (k *link) happened(events uint32) {
	if k.transit != nil {
		k.transit.happened(events)
		return
	}
	serial := k.serial
	if k.state == linkDialling {
		if events&(unix.EPOLLOUT|ending) == 0 {
			return
		}
		k.concluded(k.outcome(), clock.Now())
	}
	// What came is read first: a write that fails closes what could still be read.
	if k.isStill(serial) && events&(unix.EPOLLIN|ending) != 0 {
		k.read(math.MaxInt, events&ending != 0)
	}
	if k.isStill(serial) && events&unix.EPOLLOUT != 0 && len(k.out) > 0 {
		k.flush()
	}
}

// ending are the events that say that nothing more will come.
const ending = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR

// outcome finds out how dialling ended.
func (k *link) outcome() error {
	code, err := unix.GetsockoptInt(k.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = syscall.Errno(code)
	}
	return err
}

// concluded takes how dialling ended.
func (k *link) concluded(err error, at clock.Instant) {
	if err != nil {
		k.fail(fmt.Errorf("dial: %w", err), at)
		return
	}
	k.state = linkOpen
	k.loop.timers.remove(&k.timer)
	k.loop.engine.Traffic.opened(k)
	k.owner.opened(at)
}

// read reads what is there, at most limit bytes, and to the end if that is known to have come.
func (k *link) read(limit int, toEnd bool) {
	l, serial := k.loop, k.serial
	for {
		kept := copy(l.in, k.in)
		room := l.in[kept:]
		room = room[:min(len(room), limit)]
		n, errno := rawRead(k.fd, room)
		at := clock.Now()
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			return
		case errno != 0:
			k.fail(errno, at)
			return
		case n == 0 && len(k.in) > 0:
			k.fail(io.ErrUnexpectedEOF, at)
			return
		case n == 0:
			k.fail(io.EOF, at)
			return
		}
		l.engine.Traffic.Down.Bytes.Add(int64(n))
		full := n == len(room)
		limit -= n
		k.take(l.in[:kept+n], at)
		if !k.isStill(serial) || limit == 0 || !full && !toEnd {
			return
		}
		if l.punctual(); !k.isStill(serial) { // a long backlog must not make anything late
			return
		}
	}
}

// take has the owner understand what came, and keeps what it does not yet.
func (k *link) take(in []byte, at clock.Instant) {
	serial := k.serial
	k.in = k.in[:0]
	for len(in) > 0 {
		n, err := k.owner.came(in, at)
		in = in[n:]
		switch {
		case !k.isStill(serial):
			k.loop.engine.Traffic.Down.Envelope.Add(int64(len(in)))
			return
		case err != nil:
			k.loop.engine.Traffic.Down.Envelope.Add(int64(len(in)))
			k.fail(err, at)
			return
		case n == 0:
			k.keep(in)
			return
		}
		k.taken += int64(n)
	}
	k.in = nil
}

// keep keeps what is not understood yet, and sees that there is room for more.
func (k *link) keep(in []byte) {
	k.in = append(k.in, in...)
	if l := k.loop; len(in) > len(l.in)/2 {
		l.in = make([]byte, 2*len(l.in))
	}
}

// write writes p, or keeps what cannot be written now. p is the caller's again afterwards.
func (k *link) write(p []byte) error {
	if k.transit != nil {
		k.transit.write(p)
		return nil
	}
	if len(k.out) > 0 {
		k.out = append(k.out, p...)
		return nil
	}
	n, err := k.push(p)
	if err != nil {
		k.loop.engine.Traffic.Up.Envelope.Add(-int64(len(p))) // see close
		return err
	}
	k.out = append(k.out, p[n:]...)
	return nil
}

func (k *link) push(p []byte) (int, error) {
	for {
		n, errno := rawWrite(k.fd, p)
		switch errno {
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, nil
		case 0:
			k.sent += int64(n)
			k.loop.engine.Traffic.Up.Bytes.Add(int64(n))
			return n, nil
		default:
			return 0, errno
		}
	}
}

func (k *link) flush() {
	n, err := k.push(k.out)
	if err != nil {
		k.fail(err, clock.Now())
		return
	}
	if k.out = k.out[n:]; len(k.out) == 0 {
		k.out = nil
		k.owner.flushed(clock.Now())
	}
}

// written says whether all that was written is out of our hands.
func (k *link) written() bool {
	return len(k.out) == 0 && (k.transit == nil || k.transit.up.size == 0)
}

// hurry lets what was written leave at once, however far the server is.
func (k *link) hurry() {
	if k.transit != nil {
		k.transit.depart(never)
	}
}

// errTimeout is what came of a connection that was too long in opening.
var errTimeout = fmt.Errorf("dial: %w", os.ErrDeadlineExceeded)

// segments asks TCP_INFO.
func (k *link) segments() TCP     { return readTCP(k.fd) }
func (k *link) lastSegments() TCP { return lastTCP(k.fd) }
func (k *link) options() *Options { return readOptions(k.fd) }

// Reading and writing never block, so the runtime need not be told of them.

func rawRead(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

func rawWrite(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}
