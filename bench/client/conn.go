package client

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"pushbench/bench/clock"
)

// dialTimeout bounds one attempt to open a connection.
const dialTimeout = 10 * time.Second

// A conn is a connection that counts its bytes, and while an HTTP header is
// awaited hands out nothing beyond the header's end, so that its exact size and
// the instant of its arrival are known whoever parses it.
type conn struct {
	net.Conn
	traffic *Traffic
	far     *farConn // Conn, if a Link lies between; or nil

	inHeader   bool
	blank      bool          // nothing yet on the header's current line, which is not its first
	headerSize int           // bytes of the header so far
	headerAt   clock.Instant // when its last byte was read
	ahead      []byte        // read from the socket, beyond the header

	reading sync.Mutex  // held by who reads Conn, and by who closes it
	closing atomic.Bool // nobody may read Conn any more

	sent, received int64 // bytes; each read only by who writes or reads the connection, or before it is shared
}

// dial opens a TCP connection over a distance, once. Nothing here or above it dials
// without counting it.
func dial(ctx context.Context, target string, traffic *Traffic, over *distance) (*conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: -1} // heartbeats are ours, and counted
	var raw net.Conn
	err := over.opens(func() (err error) {
		raw, err = dialer.DialContext(ctx, "tcp", target)
		return err
	})
	if over.link != nil {
		return dialFar(ctx, raw, err, traffic, over)
	}
	if err != nil {
		if ctx.Err() != nil {
			traffic.Abandoned.Add(1)
		}
		return nil, fmt.Errorf("dial: %w", err)
	}
	c := &conn{Conn: raw, traffic: traffic}
	traffic.opened(c)
	return c, nil
}

// awaitHeader says that the next byte read begins an HTTP header.
func (c *conn) awaitHeader() {
	c.inHeader, c.blank, c.headerSize = true, false, 0
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.fill(p)
	if !c.inHeader {
		return n, err
	}
	end := c.scan(p[:n])
	if end < n {
		c.ahead = append(append([]byte(nil), p[end:n]...), c.ahead...)
	}
	return end, err
}

// fill reads what was read ahead before it reads the socket.
func (c *conn) fill(p []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(p, c.ahead)
		c.ahead = c.ahead[n:]
		return n, nil
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.closing.Load() {
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Read(p)
	c.received += int64(n)
	c.traffic.Down.Bytes.Add(int64(n))
	if n == 0 && c.closing.Load() {
		err = net.ErrClosed // whatever it was that woke us
	}
	return n, err
}

// scan looks for the header's end, an empty line, and returns how many of the
// bytes belong to it. Lines end in LF, before which CR is optional: who parses
// the header takes it so (RFC 9112, section 2.2), and must not wait for more.
func (c *conn) scan(p []byte) int {
	for i, b := range p {
		c.headerSize++
		switch {
		case b == '\n' && c.blank:
			c.inHeader, c.headerAt = false, clock.Now()
			c.traffic.Down.Headers.Add(int64(c.headerSize))
			return i + 1
		case b == '\n':
			c.blank = true
		case b != '\r':
			c.blank = false
		}
	}
	return len(p)
}

// understood is how many of the bytes that came were handed out.
func (c *conn) understood() int64 { return c.received - int64(len(c.ahead)) }

// beyondHeader is how many of the bytes that came lie behind the header.
func (c *conn) beyondHeader() int64 {
	if c.inHeader {
		return 0
	}
	return c.received - int64(c.headerSize)
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent += int64(n)
	if c.far == nil { // or it counts what leaves the link
		c.traffic.Up.Bytes.Add(int64(n))
	}
	return n, err
}

// Close stops who reads before TCP is asked for its last count: what were read
// behind that would be in our count alone. Through a link
// the two differ anyway, by what is on its way.
func (c *conn) Close() error {
	if c.far == nil {
		c.closing.Store(true)
		_ = c.SetReadDeadline(time.Unix(1, 0))
		c.reading.Lock()
		defer c.reading.Unlock()
	}
	c.traffic.gone(c)
	return c.Conn.Close()
}

// hurry lets what is written from now on leave at once, however far the server is,
// or fail if something is still on its way.
func (c *conn) hurry() {
	if c.far != nil {
		c.far.hurried.Store(true)
	}
}

// atEnd does something when ctx ends, unless it is released before. When release
// returns, it will not be done any more, nor is it being done. release may be called again.
func atEnd(ctx context.Context, do func()) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		do()
	})
	return sync.OnceFunc(func() {
		if !stop() {
			<-done
		}
	})
}
