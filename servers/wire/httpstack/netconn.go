package httpstack

import (
	"bytes"
	"net"
	"sync"
	"time"

	"pushbench/servers/sock"
)

// A netConn is a connection while net/http has it. It collects a response larger than
// net/http's buffer, so that the response is one write as on fasthttp.
// Only the goroutine that handles the request writes.
type netConn struct {
	*sock.Conn
	stack       *Stack
	requests    requestReader
	hasDeadline bool          // for the rest of the current request
	refused     bool          // the response to the last request ends the connection, of which the rest is not read
	corked      *bytes.Buffer // collected bytes; nil: not corked
}

// Close closes the connection; if a request was refused, after the client has ended.
func (c *netConn) Close() error {
	if c.refused {
		c.Linger()
		return nil
	}
	return c.Conn.Close()
}

// Read returns bytes of one request. While a handler runs, net/http reads one byte ahead. That is here only to
// detect that the client has disconnected: the byte is returned, because its request has not been checked.
func (c *netConn) Read(p []byte) (int, error) {
	if len(p) == 1 && c.requests.between() {
		n, err := c.Conn.Read(p)
		c.Unread(p[:n])
		return 0, err
	}
	return c.requests.read(p, c, c.stack)
}

func (c *netConn) begin(p []byte) (int, error) {
	c.hasDeadline = false
	c.AwaitSent() // who does not read gets no more responses
	return c.Conn.Read(p)
}

// more reads the rest of a request, for which the client has ReadTimeout in total.
func (c *netConn) more(p []byte) (int, error) {
	if !c.hasDeadline {
		c.hasDeadline = true
		if err := c.Conn.SetReadDeadline(time.Now().Add(c.stack.ReadTimeout)); err != nil {
			return 0, err
		}
	}
	return c.Conn.Read(p)
}

// SetReadDeadline leaves the deadline of a request as it is: net/http measures that of a body from the
// end of the headers, and that of a first request from the accept.
func (c *netConn) SetReadDeadline(t time.Time) error {
	if c.requests.body > 0 {
		return nil
	}
	return c.Conn.SetReadDeadline(t)
}

// corkBuffers is a pool of buffers for large responses, as fasthttp has one.
var corkBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (c *netConn) cork() { c.corked = corkBuffers.Get().(*bytes.Buffer) }

// uncork writes the collected bytes. net/http does not learn that they could not be written, and would go on with the
// next response of a pipeline: so the connection ends.
func (c *netConn) uncork() {
	whole := c.corked
	c.corked = nil
	if _, err := c.Conn.Write(whole.Bytes()); err != nil {
		c.Abort()
	}
	whole.Reset()
	corkBuffers.Put(whole)
}

// Write writes or collects.
func (c *netConn) Write(p []byte) (int, error) {
	if c.corked != nil {
		return c.corked.Write(p)
	}
	return c.Conn.Write(p)
}

// A netListener accepts netConns.
type netListener struct {
	net.Listener
	stack *Stack
}

// Accept implements net.Listener.
func (l netListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &netConn{Conn: c.(*sock.Conn), stack: l.stack}, nil // sock.Listener accepts only these
}

// A resumedListener accepts connections that were taken from net/http and are
// returned to it: net/http has no other way to add one.
type resumedListener struct {
	conns chan net.Conn
	quit  chan struct{}
	once  sync.Once
}

func newResumedListener() *resumedListener {
	return &resumedListener{conns: make(chan net.Conn), quit: make(chan struct{})}
}

// offer waits until the connection is accepted; false: the listener is closed.
func (l *resumedListener) offer(c net.Conn) bool {
	select {
	case l.conns <- c:
		return true
	case <-l.quit:
		return false
	}
}

// Accept implements net.Listener.
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

// Addr returns an empty address: it is never dialled.
func (l *resumedListener) Addr() net.Addr { return &net.TCPAddr{} }
