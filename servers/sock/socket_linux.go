//go:build linux && !portable

package sock

import (
	"net"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A socket is a descriptor that the Go runtime does not manage: the runtime's
// poller would receive every event a second time, and its state per
// connection would be a large part of the memory of an idle client.
//
// Reading and writing never block, so they are raw system calls: the runtime need
// not know that the thread is in one. If it knew, it would check the thread every 20 µs.
type socket struct {
	reader
	fd int
}

// sendPending sends pending bytes, as many as the kernel accepts; c.mu is held.
func (c *Conn) sendPending() error {
	n, err := c.send(c.pending)
	c.advance(n)
	return err
}

// delivered returns how many bytes the peer has acknowledged; c.mu is held.
func (c *Conn) delivered() uint64 {
	info, err := unix.GetsockoptTCPInfo(c.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0
	}
	return info.Bytes_acked
}

// closeSocket closes the socket; c.mu is held, and the descriptor is not used afterwards.
func (c *Conn) closeSocket() error {
	c.poller.forget(c)
	c.wakeReader()
	return os.NewSyscallError("close", unix.Close(c.fd))
}

// LocalAddr returns the server's address.
func (c *Conn) LocalAddr() net.Addr { return c.address(unix.Getsockname) }

// RemoteAddr returns the client's address.
func (c *Conn) RemoteAddr() net.Addr { return c.address(unix.Getpeername) }

// address queries the kernel, because almost no caller needs it. It is empty for a
// closed connection.
func (c *Conn) address(query func(fd int) (unix.Sockaddr, error)) net.Addr {
	var at unix.Sockaddr
	_ = c.control(func(fd int) (err error) {
		at, err = query(fd)
		return err
	})
	switch at := at.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: at.Addr[:], Port: at.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: at.Addr[:], Port: at.Port}
	}
	return &net.TCPAddr{}
}

// control calls f with the descriptor.
func (c *Conn) control(f func(fd int) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished {
		return net.ErrClosed
	}
	return f(c.fd)
}

// readNow, writeNow and waitNow are non-blocking read, send and epoll_wait.
func (s *socket) readNow(p []byte) (int, unix.Errno) {
	for {
		n, _, err := unix.RawSyscall(unix.SYS_READ, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		if err != unix.EINTR {
			return int(n), err
		}
	}
}

func (s *socket) writeNow(p []byte) (int, unix.Errno) {
	for {
		n, _, err := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		if err != unix.EINTR {
			return int(n), err
		}
	}
}

func waitNow(fd int, events []unix.EpollEvent) int {
	n, _, err := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if err != 0 {
		return 0
	}
	return int(n)
}
