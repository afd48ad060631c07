//go:build !linux || portable

package sock

import "golang.org/x/sys/unix"

// A watcher replaces epoll by one goroutine for each event that a connection waits for.
// It is correct but uses memory: its measurements must not be compared. It learns only from an
// attempt to read that a peer has disconnected: not while bytes are unread.
type watcher struct{}

func (*watcher) open() error { return nil }
func (*watcher) close()      {}

func (p *Poller) watch() {}

// Poll does nothing: the runtime reports events to the goroutines that wait for them.
func (p *Poller) Poll() {}

func (p *Poller) add(*Conn) error { return nil }

// arm starts the missing goroutines; c.mu is held.
func (p *Poller) arm(c *Conn) {
	if c.want&Drained != 0 && !c.draining {
		c.draining = true
		go c.drain()
	}
	if (c.reading || c.want&(Readable|Hangup) != 0) && !c.peeking {
		c.peeking = true
		go c.peek()
	}
}

// drain sends until nothing is pending or the peer has disconnected. It waits without c.mu: closing the
// socket, with c.mu held, waits until no goroutine uses it.
func (c *Conn) drain() {
	for {
		c.mu.Lock()
		p := c.pending
		if len(p) == 0 || c.finished {
			c.draining = false
			c.mu.Unlock()
			c.ready(Drained, false)
			return
		}
		c.mu.Unlock()
		n, errno := 0, unix.Errno(0)
		err := c.raw.Write(func(fd uintptr) bool {
			n, errno = uninterrupted(int(fd), func(fd int) (int, error) { return unix.Write(fd, p) })
			return errno != unix.EAGAIN
		})
		c.mu.Lock()
		if !c.finished {
			c.advance(n)
		}
		c.mu.Unlock()
		if err != nil || errno != 0 {
			c.ready(0, true)
			return
		}
	}
}

// peek waits until something can be read, which it leaves there.
func (c *Conn) peek() {
	n, errno := 0, unix.Errno(0)
	err := c.raw.Read(func(fd uintptr) bool {
		n, errno = uninterrupted(int(fd), func(fd int) (int, error) {
			n, _, err := unix.Recvfrom(fd, make([]byte, 1), unix.MSG_PEEK)
			return n, err
		})
		return errno != unix.EAGAIN
	})
	c.mu.Lock()
	c.peeking = false
	c.mu.Unlock()
	e := Readable
	if n == 0 {
		e |= Hangup
	}
	c.ready(e, err != nil || errno != 0)
}
