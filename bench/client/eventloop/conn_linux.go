package eventloop

import (
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// A conn is one connection of a loop, with its timer. It can be dialled again when it is
// closed.
type conn struct {
	timer    // of the owner
	loop     *loop
	owner    owner
	delayed  *delay // the Link; nil without one
	over     client.Distance
	fd       int
	serial   uint32 // distinguishes successive connections on the same descriptor
	state    connState
	in       []byte // received, but not yet consumed
	out      []byte // not yet written
	sent     int64  // bytes
	consumed int64  // bytes that the owner has consumed
	queued   bool   // in the loop's queue of connections with more to read
	toEnd    bool   // the server has ended the stream: no event follows
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

// An owner handles the events of its conn.
type owner interface {
	opened(at clock.Instant)
	received(in []byte, at clock.Instant) (n int, err error) // consumes n bytes; 0 if it needs more
	flushed(at clock.Instant)                                // all bytes that were queued are written
	disconnected(err error, at clock.Instant)                // the conn is closed, but not by its owner
	expired(at clock.Instant)                                // the timer expired
}

// Sent and Consumed implement client.Conn.
func (c *conn) Sent() int64     { return c.sent }
func (c *conn) Consumed() int64 { return c.consumed }

// dial begins to open a connection, once. The owner receives the result, unless dial returns
// an error.
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
	c.sent, c.consumed, c.queued, c.toEnd = 0, 0, false, false
	l.timers.set(&c.timer, at.Add(client.DialTimeout))
	if c.delayed != nil {
		c.delayed.start(c, refused)
	}
	return nil
}

// connect creates a socket that the loop watches, and connects it. With a link, the client
// receives a refusal later.
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
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // every TCP socket supports it
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

// bind binds a socket to its client's address, if the client has one. The kernel chooses
// the port at connect, so that each server can have as many connections as there are ports
// (Linux, ip(7)).
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
	// Received bytes that were not consumed are counted, and bytes never written are
	// subtracted, so that every byte is in exactly one part.
	l.engine.Traffic.Down.Envelope.Add(int64(len(c.in)))
	l.engine.Traffic.UncountRest(len(c.out))
	unix.Close(c.fd)
	l.conns[c.fd] = nil
	c.state, c.in, c.out = closed, nil, nil
}

// fail closes the connection because of an error, and reports it to the owner.
func (c *conn) fail(err error, at clock.Instant) {
	if c.state == dialling {
		c.state = open // the dial ended by itself, so close must not count it as abandoned
	}
	if c.delayed != nil {
		err = c.delayed.cause(err)
	}
	c.close()
	c.owner.disconnected(err, at)
}

// isCurrent reports whether the connection with a serial number is still open.
func (c *conn) isCurrent(serial uint32) bool { return c.state == open && c.serial == serial }

// handleEvents handles what epoll reports.
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
	// Read first: a failed write closes the connection before its bytes are read.
	if c.isCurrent(serial) && events&(unix.EPOLLIN|endEvents) != 0 {
		c.toEnd = c.toEnd || events&endEvents != 0
		if !c.queued { // else it is read in its turn
			c.readTurn()
		}
	}
	if c.isCurrent(serial) && events&unix.EPOLLOUT != 0 && len(c.out) > 0 {
		c.flush()
	}
}

// endEvents are the events after which no more bytes arrive.
const endEvents = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR

// dialError returns the result of dialling.
func (c *conn) dialError() error {
	code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = syscall.Errno(code)
	}
	return err
}

// dialDone handles the result of dialling.
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

// readTurn reads at most as much as a connection may in one turn; the rest waits until the other connections of the
// loop had theirs. Else a server that sends without end on one connection would delay all others.
func (c *conn) readTurn() {
	if c.read(readSize, c.toEnd) {
		c.queued = true
		c.loop.queue = append(c.loop.queue, turn{c, c.serial})
	}
}

// read reads the available bytes, at most limit, and to the end of the stream if toEnd. It reports whether there may be
// more.
func (c *conn) read(limit int, toEnd bool) (more bool) {
	l, serial := c.loop, c.serial
	for {
		in, kept := l.in, len(c.in)
		if kept <= len(l.in)/2 {
			copy(in, c.in)
		} else { // in place: it may be long, and arrive in small pieces
			c.in = slices.Grow(c.in, readSize)
			in = c.in[:cap(c.in)]
		}
		room := in[kept:]
		room = room[:min(len(room), limit, readSize)]
		n, errno := rawRead(c.fd, room)
		at := clock.Now()
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			return false
		case errno != 0:
			c.fail(errno, at)
			return false
		case n == 0 && len(c.in) > 0:
			c.fail(io.ErrUnexpectedEOF, at)
			return false
		case n == 0:
			c.fail(io.EOF, at)
			return false
		}
		l.engine.Traffic.Down.Bytes.Add(int64(n))
		full := n == len(room)
		limit -= n
		c.consume(in[:kept+n], at)
		if !c.isCurrent(serial) || !full && !toEnd {
			return false
		}
		if limit == 0 {
			return true
		}
		if l.runDue(); !c.isCurrent(serial) { // a long backlog must not delay what is due
			return false
		}
	}
}

// consume passes received bytes to the owner, and keeps those that it does not consume.
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
			if c.in = c.in[:cap(c.in)]; len(c.in) == 0 || &c.in[0] != &in[0] {
				c.in = append(c.in[:0], in...)
			} else { // it is where it belongs
				c.in = c.in[:len(in)]
			}
			return
		}
		c.consumed += int64(n)
	}
	c.in = nil
}

// write writes p, or queues what cannot be written now. It does not retain p.
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
		c.loop.engine.Traffic.Uncount(p)
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

// allWritten reports whether no bytes are queued or in the link.
func (c *conn) allWritten() bool {
	return len(c.out) == 0 && (c.delayed == nil || c.delayed.up.Empty())
}

// skipDelay sends all bytes in the link at once.
func (c *conn) skipDelay() {
	if c.delayed != nil {
		c.delayed.sendDue(never)
	}
}

// errTimeout is the error of a connection that took too long to open.
var errTimeout = fmt.Errorf("dial: %w", os.ErrDeadlineExceeded)

// Control implements client.Socket.
func (c *conn) Control(do func(fd int)) { do(c.fd) }

// Reading and writing never block, so raw system calls suffice.

func rawRead(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}

func rawWrite(fd int, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), errno
}
