package eventloop

import (
	"fmt"
	"io"
	"math"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// A conn is one connection of a loop, and the timer that goes with it. It can be
// dialled again when it is closed.
type conn struct {
	timer    // the owner's
	loop     *loop
	owner    owner
	delayed  *delay // through a Link; nil: there is none
	over     client.Distance
	fd       int
	serial   uint32 // distinguishes connections that had the same descriptor
	state    connState
	in       []byte // came, but is not understood yet
	out      []byte // not written yet
	sent     int64  // bytes
	consumed int64  // bytes that the owner has understood
}

func newConn(l *loop, o owner, d client.Distance) conn {
	c := conn{timer: timer{handler: o}, loop: l, owner: o, over: d}
	if d.Delayed() {
		c.delayed = &delay{Distance: d}
		c.delayed.handler = c.delayed
	}
	return c
}

type connState uint8

const (
	closed connState = iota
	dialling
	open
)

// An owner learns what happens to its conn.
type owner interface {
	opened(at clock.Instant)
	received(in []byte, at clock.Instant) (n int, err error) // it has understood n bytes: 0 if it needs more
	flushed(at clock.Instant)                                // all is written that could not be at once
	disconnected(err error, at clock.Instant)                // the conn is closed, not by us
	expired(at clock.Instant)                                // its timer
}

// Sent and Understood are those of client.Conn.
func (c *conn) Sent() int64     { return c.sent }
func (c *conn) Consumed() int64 { return c.consumed }

// dial begins to open a connection, once. Its end is reported to the owner, unless it fails here.
func (c *conn) dial(at clock.Instant) error {
	l := c.loop
	fd, refused, err := c.connect()
	if err != nil {
		if fd >= 0 {
			unix.Close(fd)
		}
		return fmt.Errorf("dial: %w", err)
	}
	for len(l.conns) <= fd {
		l.conns = append(l.conns, nil)
	}
	l.conns[fd] = c
	c.fd, c.serial, c.state = fd, l.serial, dialling
	c.sent, c.consumed = 0, 0
	l.timers.set(&c.timer, at.Add(client.DialTimeout))
	if c.delayed != nil {
		c.delayed.start(c, refused)
	}
	return nil
}

// connect makes a socket that the loop watches and that connects. Over a distance the
// client learns later that it was refused.
func (c *conn) connect() (fd int, refused, err error) {
	l := c.loop
	fd = -1
	err = c.over.OpenSocket(func() (err error) {
		fd, err = unix.Socket(l.engine.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return fd, nil, err
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // every TCP socket takes it
	if err := c.bind(fd); err != nil {
		return fd, nil, err
	}
	refused = unix.Connect(fd, l.address)
	switch {
	case refused == unix.EINPROGRESS:
		refused = nil
	case refused != nil && c.delayed == nil:
		return fd, nil, refused
	}
	l.serial++
	return fd, refused, l.watch(fd, l.serial)
}

// bind has a socket be of the host that its client is, if that is to be. The port is
// chosen when it connects, so that as many connections as there are ports can be made to
// each server (Linux, ip(7)).
func (c *conn) bind(fd int) error {
	if !c.over.From.Is4() {
		return nil
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return err
	}
	return unix.Bind(fd, &unix.SockaddrInet4{Addr: c.over.From.As4()})
}

// close closes the connection, if there is one, and stops the timer.
func (c *conn) close() {
	l := c.loop
	l.timers.remove(&c.timer)
	switch c.state {
	case closed:
		return
	case dialling:
		l.engine.Traffic.Abandoned.Add(1)
	case open:
		l.engine.Traffic.Closed(c)
	}
	if c.delayed != nil {
		c.delayed.discard()
	}
	// What was not understood is counted, and what was never written is not, so that
	// every byte is in just one part.
	l.engine.Traffic.Down.Envelope.Add(int64(len(c.in)))
	l.engine.Traffic.Up.Envelope.Add(-int64(len(c.out)))
	unix.Close(c.fd)
	l.conns[c.fd] = nil
	c.state, c.in, c.out = closed, nil, nil
}

// fail closes the connection because of an error, which it reports to the owner.
func (c *conn) fail(err error, at clock.Instant) {
	if c.state == dialling {
		c.state = open // it ended by itself: it was not given up
	}
	if c.delayed != nil {
		err = c.delayed.cause(err)
	}
	c.close()
	c.owner.disconnected(err, at)
}

// isStill says whether the conn has the connection that it had.
func (c *conn) isCurrent(serial uint32) bool { return c.state == open && c.serial == serial }

// happened takes what epoll reports.
func (c *conn) handleEvents(events uint32) {
	if c.delayed != nil {
		c.delayed.handleEvents(events)
		return
	}
	serial := c.serial
	if c.state == dialling {
		if events&(unix.EPOLLOUT|endEvents) == 0 {
			return
		}
		c.dialDone(c.dialError(), clock.Now())
	}
	// What came is read first: a write that fails closes what could still be read.
	if c.isCurrent(serial) && events&(unix.EPOLLIN|endEvents) != 0 {
		c.read(math.MaxInt, events&endEvents != 0)
	}
	if c.isCurrent(serial) && events&unix.EPOLLOUT != 0 && len(c.out) > 0 {
		c.flush()
	}
}

// ending are the events that say that nothing more will come.
const endEvents = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR

// outcome finds out how dialling ended.
func (c *conn) dialError() error {
	code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = syscall.Errno(code)
	}
	return err
}

// concluded takes how dialling ended.
func (c *conn) dialDone(err error, at clock.Instant) {
	if err != nil {
		c.fail(fmt.Errorf("dial: %w", err), at)
		return
	}
	c.state = open
	c.loop.timers.remove(&c.timer)
	c.loop.engine.Traffic.Opened(c)
	c.owner.opened(at)
}

// read reads what is there, at most limit bytes, and to the end if that is known to have come.
func (c *conn) read(limit int, toEnd bool) {
	l, serial := c.loop, c.serial
	for {
		kept := copy(l.in, c.in)
		room := l.in[kept:]
		room = room[:min(len(room), limit)]
		n, errno := rawRead(c.fd, room)
		at := clock.Now()
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			return
		case errno != 0:
			c.fail(errno, at)
			return
		case n == 0 && len(c.in) > 0:
			c.fail(io.ErrUnexpectedEOF, at)
			return
		case n == 0:
			c.fail(io.EOF, at)
			return
		}
		l.engine.Traffic.Down.Bytes.Add(int64(n))
		full := n == len(room)
		limit -= n
		c.consume(l.in[:kept+n], at)
		if !c.isCurrent(serial) || limit == 0 || !full && !toEnd {
			return
		}
		if l.runDue(); !c.isCurrent(serial) { // a long backlog must not make anything late
			return
		}
	}
}

// take has the owner understand what came, and keeps what it does not yet.
func (c *conn) consume(in []byte, at clock.Instant) {
	serial := c.serial
	c.in = c.in[:0]
	for len(in) > 0 {
		n, err := c.owner.received(in, at)
		in = in[n:]
		switch {
		case !c.isCurrent(serial):
			c.loop.engine.Traffic.Down.Envelope.Add(int64(len(in)))
			return
		case err != nil:
			c.loop.engine.Traffic.Down.Envelope.Add(int64(len(in)))
			c.fail(err, at)
			return
		case n == 0:
			c.in = append(c.in, in...)
			if l := c.loop; len(in) > len(l.in)/2 { // there must be room for more
				l.in = make([]byte, 2*len(l.in))
			}
			return
		}
		c.consumed += int64(n)
	}
	c.in = nil
}

// write writes p, or keeps what cannot be written now. p is the caller's again afterwards.
func (c *conn) write(p []byte) error {
	if c.delayed != nil {
		c.delayed.write(p)
		return nil
	}
	if len(c.out) > 0 {
		c.out = append(c.out, p...)
		return nil
	}
	n, err := c.writeSome(p)
	if err != nil {
		c.loop.engine.Traffic.Up.Envelope.Add(-int64(len(p))) // see close
		return err
	}
	c.out = append(c.out, p[n:]...)
	return nil
}

func (c *conn) writeSome(p []byte) (int, error) {
	for {
		n, errno := rawWrite(c.fd, p)
		switch errno {
		case unix.EINTR:
		case unix.EAGAIN:
			return 0, nil
		case 0:
			c.sent += int64(n)
			c.loop.engine.Traffic.Up.Bytes.Add(int64(n))
			return n, nil
		default:
			return 0, errno
		}
	}
}

func (c *conn) flush() {
	n, err := c.writeSome(c.out)
	if err != nil {
		c.fail(err, clock.Now())
		return
	}
	if c.out = c.out[n:]; len(c.out) == 0 {
		c.out = nil
		c.owner.flushed(clock.Now())
	}
}

// written says whether all that was written is out of our hands.
func (c *conn) allWritten() bool {
	return len(c.out) == 0 && (c.delayed == nil || c.delayed.up.Empty())
}

// hurry lets what was written leave at once, however far the server is.
func (c *conn) skipDelay() {
	if c.delayed != nil {
		c.delayed.sendDue(never)
	}
}

// errTimeout is what came of a connection that was too long in opening.
var errTimeout = fmt.Errorf("dial: %w", os.ErrDeadlineExceeded)

// Control is that of client.Socket.
func (c *conn) Control(do func(fd int)) { do(c.fd) }

// Reading and writing never block, so the runtime need not know of them.

func rawRead(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

func rawWrite(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}
