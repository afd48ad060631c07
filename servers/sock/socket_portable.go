//go:build !linux || portable

package sock

import (
	"cmp"
	"errors"
	"net"
	"time"
)

// A socket is a connection of the Go runtime.
type socket struct {
	tcp   *net.TCPConn
	sent  chan struct{} // closed when nothing is pending; nil: no reader waits for that
	ended error         // with which peek's read failed for good; nil: it has not
}

func (c *Conn) receive(p []byte) (int, error) { return c.tcp.Read(p) }

func (c *Conn) receiveWorking(p []byte) (n int, err error) {
	c.poller.Wait(func() { n, err = c.tcp.Read(p) })
	return n, err
}

// receiveNow reports only the end that peek has found: the runtime cannot check without waiting.
func (c *Conn) receiveNow([]byte) (int, error) { return 0, cmp.Or(c.ended, ErrNothing) }

func (c *Conn) setReadDeadline(t time.Time) error { return c.tcp.SetReadDeadline(t) }

// record does nothing: Watch detects events itself.
func (c *Conn) record(Event) {}

// send leaves all bytes to drain, because the runtime's write would wait.
func (c *Conn) send([]byte) (int, error) { return 0, nil }

func (c *Conn) sendPending() error { return nil }

// AwaitSent waits until no bytes are unsent, or the connection has ended, as it does when it stalls.
func (c *Conn) AwaitSent() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.pending) > 0 {
		sent := make(chan struct{})
		c.sent = sent
		c.mu.Unlock()
		<-sent
		c.mu.Lock()
	}
}

// endAwaitSent wakes AwaitSent; c.mu is held.
func (c *Conn) endAwaitSent() {
	if c.sent != nil {
		close(c.sent)
		c.sent = nil
	}
}

// delivered returns a number that changes when bytes are sent; c.mu is held.
func (c *Conn) delivered() uint64 { return uint64(len(c.pending)) }

func (c *Conn) closeSocket() error {
	c.endAwaitSent()
	return c.tcp.Close()
}

// Linger closes the connection; a peer that is still sending may lose the response.
func (c *Conn) Linger() { _ = c.Close() }

// LocalAddr returns the server's address.
func (c *Conn) LocalAddr() net.Addr { return c.tcp.LocalAddr() }

// RemoteAddr returns the client's address.
func (c *Conn) RemoteAddr() net.Addr { return c.tcp.RemoteAddr() }

// control calls f with the descriptor.
func (c *Conn) control(f func(fd int) error) error {
	raw, err := c.tcp.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = f(int(fd)) })
	return errors.Join(err, failed)
}
