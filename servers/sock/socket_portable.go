//go:build !linux || portable

package sock

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// A socket is a connection of the Go runtime, which has its events. It is read and written without it, so that neither
// waits and the runtime's deadlines, which would end the wait for events, are not used.
type socket struct {
	reader
	tcp *net.TCPConn
	raw syscall.RawConn

	peeking, draining bool // the goroutines of arm that run; under the Conn's lock
}

// sendPending does nothing: drain sends.
func (c *Conn) sendPending() error { return nil }

// delivered returns a number that changes when bytes are sent; c.mu is held.
func (c *Conn) delivered() uint64 { return uint64(len(c.pending)) }

// closeSocket closes the socket; c.mu is held.
func (c *Conn) closeSocket() error {
	c.wakeReader()
	return c.tcp.Close()
}

// LocalAddr returns the server's address.
func (c *Conn) LocalAddr() net.Addr { return c.tcp.LocalAddr() }

// RemoteAddr returns the client's address.
func (c *Conn) RemoteAddr() net.Addr { return c.tcp.RemoteAddr() }

// control calls f with the descriptor.
func (c *Conn) control(f func(fd int) error) error {
	var failed error
	err := c.raw.Control(func(fd uintptr) { failed = f(int(fd)) })
	return errors.Join(err, failed)
}

// readNow and writeNow never wait, as the runtime's descriptors do not.
func (s *socket) readNow(p []byte) (int, unix.Errno) {
	return s.now(func(fd int) (int, error) { return unix.Read(fd, p) })
}

func (s *socket) writeNow(p []byte) (int, unix.Errno) {
	return s.now(func(fd int) (int, error) { return unix.Write(fd, p) })
}

func (s *socket) now(f func(fd int) (int, error)) (n int, errno unix.Errno) {
	if s.raw.Control(func(fd uintptr) { n, errno = uninterrupted(int(fd), f) }) != nil {
		return 0, unix.EBADF
	}
	return n, errno
}

// uninterrupted repeats a system call that a signal has interrupted. It returns no bytes with an error.
func uninterrupted(fd int, f func(fd int) (int, error)) (int, unix.Errno) {
	for {
		n, err := f(fd)
		if errno, failed := err.(unix.Errno); !failed {
			return n, 0
		} else if errno != unix.EINTR {
			return 0, errno
		}
	}
}
