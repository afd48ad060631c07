package httpstack

import (
	"bytes"
	"net"
	"sync"

	"pushbench/servers/sock"
)

// A netConn is a connection while net/http has it: an answer larger than
// net/http's buffer is gathered here, so that it is one write as on the other
// stacks. Only the goroutine that answers writes.
type netConn struct {
	*sock.Conn
	corked *bytes.Buffer // nil: not corked
}

// gatherers lends the buffers of large answers, as fasthttp does its own.
var corkBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (c *netConn) cork() { c.corked = corkBuffers.Get().(*bytes.Buffer) }

// uncork writes what was gathered.
func (c *netConn) uncork() {
	whole := c.corked
	c.corked = nil
	_, _ = c.Conn.Write(whole.Bytes()) // a client that left gets nothing, and that is all
	whole.Reset()
	corkBuffers.Put(whole)
}

// Write writes or gathers.
func (c *netConn) Write(p []byte) (int, error) {
	if c.corked != nil {
		return c.corked.Write(p)
	}
	return c.Conn.Write(p)
}

// A netListener accepts netConns.
type netListener struct{ net.Listener }

// Accept is net.Listener's.
func (l netListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &netConn{Conn: c.(*sock.Conn)}, nil // what sock.Listener accepts
}

// A resumedListener accepts connections that were taken from net/http and are
// to be its again: it has no other way to get one.
type resumedListener struct {
	conns chan net.Conn
	quit  chan struct{}
	once  sync.Once
}

func newResumedListener() *resumedListener {
	return &resumedListener{conns: make(chan net.Conn), quit: make(chan struct{})}
}

// offer waits until the connection is accepted; false: it never will be.
func (l *resumedListener) offer(c net.Conn) bool {
	select {
	case l.conns <- c:
		return true
	case <-l.quit:
		return false
	}
}

// Accept is net.Listener's.
func (l *resumedListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.quit:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and offer.
func (l *resumedListener) Close() error {
	l.once.Do(func() { close(l.quit) })
	return nil
}

// Addr is that of no network: it is never dialled.
func (l *resumedListener) Addr() net.Addr { return &net.TCPAddr{} }
