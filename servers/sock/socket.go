package sock

import (
	"io"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A reader waits for what arrives.
type reader struct {
	deadline time.Time     // of reads; this and what follows under the Conn's lock
	reading  bool          // a Read is waiting
	unbroken int           // bytes read since the reader last waited or let others run; only the reader uses it
	wake     chan struct{} // wakes that Read; nil before the first that waited
}

// receive reads, and waits until there is data.
func (c *Conn) receive(p []byte) (int, error) {
	return c.receiveBy(c.awaitWake, func() {
		c.poller.Poll()
		runtime.Gosched()
	}, p)
}

// receiveWorking is receive for a worker: another worker may run while it waits.
func (c *Conn) receiveWorking(p []byte) (int, error) {
	return c.receiveBy(func(limit time.Duration) {
		c.poller.Wait(func() { c.awaitWake(limit) })
	}, c.poller.Yield, p)
}

// A peer that sends without end must not keep a processor to itself: after turnBytes its reader lets
// others run. A read counts as readCost bytes at least.
const (
	turnBytes = 16 << 10
	readCost  = 512
)

// receiveBy reads, and waits until there is data. The deadline applies even if there always is data.
func (c *Conn) receiveBy(wait func(limit time.Duration), yield func(), p []byte) (int, error) {
	if c.unbroken >= turnBytes {
		c.unbroken = 0
		yield()
	}
	for {
		n, err := c.receiveOnce(p, true)
		if err != ErrNothing {
			c.unbroken += max(n, readCost)
			return n, err
		}
		c.unbroken = 0
		if err := c.awaitReadable(wait); err != nil {
			return 0, err
		}
	}
}

// receiveNow reads the available bytes.
func (c *Conn) receiveNow(p []byte) (int, error) { return c.receiveOnce(p, false) }

// receiveOnce reads the available bytes; if timed, not beyond the deadline. A read that does not fill p
// has read all of them: later bytes are reported again. A Hangup stays recorded.
func (c *Conn) receiveOnce(p []byte, timed bool) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished {
		return 0, net.ErrClosed
	}
	if timed && !c.deadline.IsZero() && !time.Now().Before(c.deadline) {
		return 0, os.ErrDeadlineExceeded
	}
	n, err := c.readNow(p)
	switch {
	case err == unix.EAGAIN:
		c.clearReadable()
		return 0, ErrNothing
	case err != 0:
		return 0, os.NewSyscallError("read", err)
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	case n < len(p):
		c.clearReadable()
	}
	return n, nil
}

// clearReadable records that all available bytes are read.
func (c *Conn) clearReadable() {
	if c.seen&Hangup == 0 {
		c.seen &^= Readable
	}
}

// record stores an event for a later Watch, and wakes a waiting Read; c.mu is held.
func (c *Conn) record(e Event) {
	c.seen |= e & (Readable | Hangup)
	if e&Readable != 0 {
		c.wakeReader()
	}
}

// wakeReader wakes a waiting Read; c.mu is held.
func (c *Conn) wakeReader() {
	if !c.reading {
		return
	}
	select {
	case c.wake <- struct{}{}:
	default: // it is already being woken
	}
}

// awaitReadable waits until there is something to read, the deadline, or the end.
func (c *Conn) awaitReadable(wait func(limit time.Duration)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		left := time.Duration(0)
		switch {
		case c.finished:
			return net.ErrClosed
		case c.seen&Readable != 0:
			return nil
		case !c.deadline.IsZero():
			if left = time.Until(c.deadline); left <= 0 {
				return os.ErrDeadlineExceeded
			}
		}
		if c.wake == nil {
			c.wake = make(chan struct{}, 1)
		}
		c.reading = true
		c.poller.arm(c)
		c.mu.Unlock()
		wait(left)
		c.mu.Lock()
		c.reading = false
	}
}

// awaitWake waits for wakeReader, for at most limit; 0: without a limit.
func (c *Conn) awaitWake(limit time.Duration) {
	if limit == 0 {
		<-c.wake
		return
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-c.wake:
	case <-timer.C:
	}
}

func (c *Conn) setReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished {
		return net.ErrClosed
	}
	c.deadline = t
	c.wakeReader()
	return nil
}

// send writes as much of p as the kernel accepts now; c.mu is held, which keeps
// the descriptor open.
func (c *Conn) send(p []byte) (sent int, err error) {
	for sent < len(p) {
		n, err := c.writeNow(p[sent:])
		switch err {
		case 0:
			sent += n
		case unix.EAGAIN:
			return sent, nil
		default:
			return sent, os.NewSyscallError("write", err)
		}
	}
	return sent, nil
}

// AwaitSent waits until no bytes are unsent, or the connection has ended, as it does when it stalls. Only the goroutine
// that reads may call it.
func (c *Conn) AwaitSent() {
	if !c.Unsent() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) > 0 {
		if c.wake == nil {
			c.wake = make(chan struct{}, 1)
		}
		c.reading = true
		c.mu.Unlock()
		<-c.wake
		c.mu.Lock()
		c.reading = false
	}
}
