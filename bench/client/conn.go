package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"pushbench/bench/clock"
)

// dialTimeout bounds one attempt to open a connection.
const dialTimeout = 10 * time.Second

// A conn is a connection, over TLS or not, that while an HTTP header is awaited
// hands out nothing beyond the header's end, so that its exact size and the instant
// of its arrival are known whoever parses it.
type conn struct {
	net.Conn // tap, or TLS over it
	tap      *tap
	traffic  *Traffic

	patience time.Duration // see Config
	silent   bool          // it has run out

	opened, secured clock.Instant // when TCP was connected; when TLS was, or 0

	inHeader   bool
	blank      bool          // nothing yet on the header's current line, which is not its first
	headerSize int           // bytes of the header so far
	headerAt   clock.Instant // when its last byte was read
	ahead      []byte        // read, beyond the header

	sent, received int64 // bytes, before TLS; each read only by who writes or reads the connection, or before it is shared
}

func newConn(t *tap) *conn { return &conn{Conn: t, tap: t, traffic: t.traffic, opened: clock.Now()} }

// dial opens a connection over a distance, once. Nothing here or above it dials
// without counting it.
func dial(ctx context.Context, config *Config, over *distance) (*conn, error) {
	c, err := dialTCP(ctx, config, over)
	if err != nil || config.TLS == nil {
		return c, err
	}
	if err := c.secure(ctx, config.TLS); err != nil {
		c.Close()
		return nil, fmt.Errorf("dial: %w", err)
	}
	return c, nil
}

func dialTCP(ctx context.Context, config *Config, over *distance) (*conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: -1} // heartbeats are ours, and counted
	if over.from.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(over.from, 0))
	}
	var raw net.Conn
	err := over.opens(func() (err error) {
		raw, err = dialer.DialContext(ctx, "tcp", config.Target)
		return err
	})
	if over.link != nil {
		return dialFar(ctx, raw, err, config.Traffic, over)
	}
	if err != nil {
		if ctx.Err() != nil {
			config.Traffic.Abandoned.Add(1)
		}
		return nil, fmt.Errorf("dial: %w", err)
	}
	t := &tap{Conn: raw, traffic: config.Traffic}
	config.Traffic.opened(t)
	c := newConn(t)
	c.patience = config.Patience
	return c, nil
}

// secure makes a TLS handshake.
func (c *conn) secure(ctx context.Context, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c.tap.secured = true
	client := tls.Client(c.tap, config)
	if err := client.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	c.Conn, c.secured = client, clock.Now()
	return nil
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

// fill reads what was read ahead before it reads the connection.
func (c *conn) fill(p []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(p, c.ahead)
		c.ahead = c.ahead[n:]
		return n, nil
	}
	if c.patience > 0 {
		_ = c.SetReadDeadline(time.Now().Add(c.patience)) // fails on what is closed, as the read will
	}
	n, err := c.Conn.Read(p)
	if c.patience > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		c.silent, err = true, errSilent
	}
	c.received += int64(n)
	if c.tap.secured {
		c.traffic.Down.Framing.Add(-int64(n))
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

// plain is how many of the bytes that came, before TLS, were handed out.
func (c *conn) plain() int64 { return c.received - int64(len(c.ahead)) }

// understood is how many of the bytes that came on the wire were handed out, or were TLS's.
func (c *conn) understood() int64 { return c.tap.received.Load() - int64(len(c.ahead)) }

// wired is how many bytes were sent on the wire.
func (c *conn) wired() int64 { return c.tap.sent.Load() }

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
	if c.tap.secured {
		c.traffic.Up.Framing.Add(-int64(n))
	}
	return n, err
}

// hurry lets what is written from now on leave at once, however far the server is,
// or fail if something is still on its way.
func (c *conn) hurry() {
	if c.tap.far != nil {
		c.tap.far.hurried.Store(true)
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
