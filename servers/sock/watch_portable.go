//go:build !linux || portable

package sock

import (
	"errors"
	"syscall"
)

// A watcher without epoll: a goroutine for each thing a connection waits for.
// It is correct and costs memory; numbers from it are not for comparing.
type watcher struct{}

func (*watcher) open() error { return nil }
func (*watcher) close()      {}

func (p *Poller) watch() {}

// arm starts what is missing; c.mu is held. The token's bits say what runs.
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

// drain writes until nothing is pending or the peer is gone.
func (c *Conn) drain(stopped func()) {
	for {
		c.mu.Lock()
		p := c.pending
		if len(p) == 0 || c.finished {
			stopped()
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

// peek reads one byte ahead: that is the only way to learn of either event. A
// byte read while only Hangup is wanted waits for the next Watch.
func (c *Conn) peek(stopped func()) {
	var b [1]byte
	n, err := 0, error(nil)
	if len(c.before) == 0 {
		n, err = c.Read(b[:])
	}
	c.mu.Lock()
	c.before = append(b[:n:n], c.before...)
	stopped()
	wantsRead := c.want&Readable != 0
	if n > 0 && !wantsRead {
		c.want &^= Hangup // nothing more can be learnt without reading on
	}
	c.mu.Unlock()
	switch {
	case err != nil && !errors.Is(err, syscall.EAGAIN):
		c.ready(Readable|Hangup, false)
	case wantsRead:
		c.ready(Readable, false)
	}
}
