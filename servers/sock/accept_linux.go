//go:build linux && !portable

package sock

import (
	"errors"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// An acceptor accepts descriptors that the Go runtime does not manage. The runtime watches
// only the acceptor's own descriptor, a second one for the listening socket.
type acceptor struct {
	file *os.File
	raw  syscall.RawConn
}

func newAcceptor(ln net.Listener) (a acceptor, err error) {
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		return a, errors.New("sock: not a TCP listener")
	}
	if a.file, err = tcp.File(); err != nil {
		return a, err
	}
	a.raw, err = a.file.SyscallConn()
	return a, err
}

// accept waits for a connection.
func (a acceptor) accept(noDelay bool) (s socket, err error) {
	var failed error
	err = a.raw.Read(func(fd uintptr) bool {
		s.fd, _, failed = unix.Accept4(int(fd), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		return failed != unix.EAGAIN && failed != unix.EINTR
	})
	if err != nil { // an error that the runtime does not export
		return s, net.ErrClosed
	}
	if failed != nil {
		return s, os.NewSyscallError("accept4", failed)
	}
	if !noDelay { // off in a new socket
		return s, nil
	}
	if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return s, errors.Join(os.NewSyscallError("setsockopt", err), unix.Close(s.fd))
	}
	return s, nil
}

func (a acceptor) close() error {
	if a.file == nil {
		return nil
	}
	return a.file.Close()
}
