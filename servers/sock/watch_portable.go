//go:build !linux || portable

package sock

import (
	"errors"
	"os"
	"syscall"
)

// A watcher replaces epoll by one goroutine for each event that a connection waits for.
// It is correct but uses memory: its measurements must not be compared.
type watcher struct{}

func (*watcher) open() error { return nil }
func (*watcher) close()      {}

func (p *Poller) watch() {}

// Poll does nothing: the runtime reports events to the goroutines that wait for them.
func (p *Poller) Poll() {}

// arm starts the missing goroutines; c.mu is held. The token's bits record which ones run.
func (p *Poller) arm(c *Conn) {
	const reading, writing = 1, 2
	if c.want&Drained != 0 && c.token&writing == 0 {
		c.token |= writing
		go c.drain(func() { c.token &^= writing })
	}
	if c.want&(Readable|Hangup) != 0 && c.token&reading == 0 {
		c.token |= reading
		go c.peek(func() { c.token &^= reading })
	}
}

func (p *Poller) add(*Conn) error { return nil }

// drain writes until nothing is pending or the peer has disconnected.
func (c *Conn) drain(stopped func()) {
	for {
		c.mu.Lock()
		p := c.pending
		if len(p) == 0 || c.finished {
			stopped()
			c.endAwaitSent()
			c.mu.Unlock()
			c.ready(Drained, false)
			return
		}
		c.mu.Unlock()
		n, err := c.tcp.Write(p)
		c.mu.Lock()
		if !c.finished {
			c.advance(n)
		}
		c.mu.Unlock()
		if err != nil {
			c.ready(0, true)
			return
		}
	}
}

// peek reads one byte ahead, which is the only way to detect either event. A
// byte that is read while only Hangup is wanted stays buffered until the next Watch.
func (c *Conn) peek(stopped func()) {
	var b [1]byte
	n, err := 0, error(nil)
	if len(c.buffered) == 0 {
		n, err = c.Read(b[:])
	}
	c.mu.Lock()
	c.buffered = append(b[:n:n], c.buffered...)
	stopped()
	if err != nil && !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.ended = err // a worker that was told nothing would watch again, without end
	}
	wantsRead := c.want&Readable != 0
	if n > 0 && !wantsRead {
		c.want &^= Hangup // cannot be detected without reading further
	}
	c.mu.Unlock()
	switch {
	case err != nil && !errors.Is(err, syscall.EAGAIN):
		c.ready(Readable|Hangup, false)
	case wantsRead:
		c.ready(Readable, false)
	}
}
