package sock

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Counts are exact totals over a listener's life.
type Counts struct {
	Accepted     uint64 `json:"accepted"`      // connections
	Open         uint64 `json:"open"`          // of these, still open
	AcceptErrors uint64 `json:"accept_errors"` // accepts that failed, each followed by another
	Stalled      uint64 `json:"-"`             // connections without a handler, closed because they did not drain
	BytesIn      uint64 `json:"bytes_in"`      // read by the server
	BytesOut     uint64 `json:"bytes_out"`     // accepted by the kernel
}

// A Listener accepts Conns: TCP_NODELAY on unless Nagle is set, kernel keep-alive off. It continues after
// a lack of descriptors, unlike fasthttp's Serve.
type Listener struct {
	net.Listener
	FirstByte time.Duration // how long a connection may be silent before its first byte; default: as for any read. Set it before Accept

	TLS *tls.Config // nil: cleartext. Set it before Accept

	// Nagle leaves TCP_NODELAY off and sends each Write in two system calls: Nagle's algorithm
	// (RFC 896) holds the second part until the peer acknowledges the first, and a delayed
	// acknowledgement (RFC 1122, section 4.2.3.2) takes up to 40 ms on Linux. Set it before Accept.
	Nagle bool

	poller *Poller
	accept func(noDelay bool) (socket, error)
	source acceptor
	quit   chan struct{}
	once   sync.Once

	acceptErrors, stalled, bytesIn, bytesOut atomic.Uint64

	mu       sync.Mutex
	accepted uint64
	open     map[*Conn]struct{}
}

// Listen wraps a TCP listener. If ln is another kind, Accept fails.
func Listen(ln net.Listener, p *Poller) *Listener {
	l := &Listener{Listener: ln, poller: p, quit: make(chan struct{}), open: make(map[*Conn]struct{})}
	source, err := newAcceptor(ln, p.vanishedAfter)
	l.source, l.accept = source, source.accept
	if err != nil {
		l.accept = func(bool) (socket, error) { return socket{}, fmt.Errorf("listen: %v", err) } // not to be tried again
	}
	return l
}

// Back-off between accepts that failed because of a missing resource.
const (
	shortestBackOff = time.Millisecond
	longestBackOff  = 100 * time.Millisecond
)

// Accept returns the next connection, a *Conn. It fails only when the listener is closed or broken.
func (l *Listener) Accept() (net.Conn, error) {
	for wait := shortestBackOff; ; wait = min(2*wait, longestBackOff) {
		s, err := l.accept(!l.Nagle)
		if err == nil {
			var c *Conn
			if c, err = l.admit(s); err == nil {
				return c, nil
			}
		}
		if !retryable(err) {
			return nil, err
		}
		l.acceptErrors.Add(1)
		select {
		case <-l.quit:
			return nil, net.ErrClosed
		case <-time.After(wait):
		}
	}
}

// retryable reports whether an accept may succeed later: there were no descriptors or no memory, or the
// connection had an error before it was accepted (accept(2) passes on errors of its network). Only
// errors of the listener are permanent.
func retryable(err error) bool {
	var errno syscall.Errno
	permanent := []syscall.Errno{syscall.EBADF, syscall.EINVAL, syscall.ENOTSOCK, syscall.EFAULT}
	return errors.As(err, &errno) && !slices.Contains(permanent, errno)
}

// admit makes a Conn of an accepted socket.
func (l *Listener) admit(s socket) (*Conn, error) {
	c := &Conn{socket: s, poller: l.poller, listener: l}
	if l.TLS != nil {
		c.secure = newSecure(c, l.TLS)
	}
	l.mu.Lock()
	l.accepted++
	l.open[c] = struct{}{}
	l.mu.Unlock()
	if err := l.poller.add(c); err != nil {
		c.Abort()
		return nil, err
	}
	return c, nil
}

func (l *Listener) closed(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}

// Close stops accepting; connections stay.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.quit) })
	return errors.Join(l.Listener.Close(), l.source.close())
}

// Conns returns the open connections.
func (l *Listener) Conns() []*Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.AppendSeq(make([]*Conn, 0, len(l.open)), maps.Keys(l.open))
}

// Counts returns the totals so far.
func (l *Listener) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Counts{
		Accepted:     l.accepted,
		Open:         uint64(len(l.open)),
		AcceptErrors: l.acceptErrors.Load(),
		Stalled:      l.stalled.Load(),
		BytesIn:      l.bytesIn.Load(),
		BytesOut:     l.bytesOut.Load(),
	}
}
