//go:build !linux || portable

package sock

import (
	"errors"
	"net"
	"time"
)

// A socket is the runtime's own.
type socket struct{ tcp *net.TCPConn }

func (c *Conn) receive(p []byte) (int, error) { return c.tcp.Read(p) }

func (c *Conn) receiveWorking(p []byte) (n int, err error) {
	c.poller.Wait(func() { n, err = c.tcp.Read(p) })
	return n, err
}

// receiveNow cannot know without waiting.
func (c *Conn) receiveNow([]byte) (int, error) { return 0, ErrNothing }

func (c *Conn) setReadDeadline(t time.Time) error { return c.tcp.SetReadDeadline(t) }

// note has nothing to remember: what happens is found out when it is asked for.
func (c *Conn) note(Event) {}

// send leaves everything to drain: the runtime's write would wait.
func (c *Conn) send([]byte) (int, error) { return 0, nil }

func (c *Conn) flush() error { return nil }

func (c *Conn) shut() error { return c.tcp.Close() }

// LocalAddr is the server's end.
func (c *Conn) LocalAddr() net.Addr { return c.tcp.LocalAddr() }

// RemoteAddr is the client's end.
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
