//go:build !linux || portable

package sock

import (
	"errors"
	"net"
	"time"
)

// An acceptor is a listener of the Go runtime.
type acceptor struct{ listener net.Listener }

func newAcceptor(ln net.Listener, _ time.Duration) (acceptor, error) { return acceptor{ln}, nil }

func (a acceptor) accept(noDelay bool) (socket, error) {
	c, err := a.listener.Accept()
	if err != nil {
		return socket{}, err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return socket{}, errors.Join(errors.New("sock: not a TCP connection"), c.Close())
	}
	if err := errors.Join(tcp.SetNoDelay(noDelay), tcp.SetKeepAlive(false)); err != nil {
		return socket{}, errors.Join(err, tcp.Close())
	}
	raw, err := tcp.SyscallConn()
	return socket{tcp: tcp, raw: raw}, err
}

func (a acceptor) close() error { return nil } // Listener.Close closes it
