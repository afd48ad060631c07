//go:build linux && !portable

package sock

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// An acceptor accepts descriptors that the Go runtime does not manage. The runtime watches
// only the acceptor's own descriptor, a second one for the listening socket.
type acceptor struct {
	file     *os.File
	raw      syscall.RawConn
	vanished time.Duration // how long a peer may leave sent bytes without an acknowledgement (RFC 5482); else the kernel tries for a quarter of an hour
}

func newAcceptor(ln net.Listener, vanished time.Duration) (a acceptor, err error) {
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		return a, errors.New("sock: not a TCP listener")
	}
	if a.file, err = tcp.File(); err != nil {
		return a, err
	}
	a.vanished = vanished
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
	options := []struct{ name, value int }{{unix.TCP_USER_TIMEOUT, int(a.vanished.Milliseconds())}, {unix.TCP_NODELAY, 1}}
	if !noDelay { // off in a new socket
		options = options[:1]
	}
	for _, o := range options {
		err := unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, o.name, o.value)
		if err != nil && !(err == unix.ENOPROTOOPT && o.name == unix.TCP_USER_TIMEOUT) { // a Multipath TCP socket has none
			return s, errors.Join(os.NewSyscallError("setsockopt", err), unix.Close(s.fd))
		}
	}
	return s, nil
}

func (a acceptor) close() error {
	if a.file == nil {
		return nil
	}
	return a.file.Close()
}
