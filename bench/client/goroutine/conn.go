package goroutine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// A conn is one connection, with or without TLS. One goroutine may write on it while
// another receives. It never retries or reconnects: after an error it is unusable.
type conn struct {
	net.Conn    // counting, or TLS over counting
	counting    *countingConn
	traffic     *client.Traffic
	readTimeout time.Duration // of each read; 0: no limit, or that of awaitResponse
	late        error         // the error of a read that takes too long
	restTimeout time.Duration // of what follows the beginning of a response; 0: none, or it has begun
	detach      func()        // stops closing the connection when its context ends

	openedAt, securedAt clock.Instant // ends of the TCP and of the TLS handshake; securedAt is 0 without TLS

	buffer     []byte        // filled by Read
	unread     []byte        // the part of buffer that has arrived and is not consumed
	receivedAt clock.Instant // when its last byte arrived
}

// readSize is the initial size of the read buffer, in bytes. A longer response makes it
// grow.
const readSize = 4 << 10

// longKept is from how many bytes on the buffer of a message is not kept for the next one.
const longKept = 4 << 20

func newConn(c *countingConn) *conn {
	return &conn{Conn: c, counting: c, traffic: c.traffic, openedAt: clock.Now(), detach: func() {}}
}

// dial opens a connection, once, that is closed when ctx ends. Every dial is counted.
func dial(ctx context.Context, config *client.Config, over *client.Distance) (*conn, error) {
	c, err := dialTCP(ctx, config, over)
	if err == nil && config.TLS != nil {
		err = c.secure(ctx, config.TLS)
	}
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	c.detach = onDone(ctx, func() { c.Close() })
	return c, nil
}

func dialTCP(ctx context.Context, config *client.Config, over *client.Distance) (*conn, error) {
	dialer := net.Dialer{Timeout: client.DialTimeout, KeepAlive: -1} // no TCP keep-alive probes: they would add segments
	if over.From.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(over.From, 0))
	}
	var raw net.Conn
	err := over.OpenSocket(func() (err error) {
		raw, err = dialer.DialContext(ctx, "tcp", config.Target)
		return err
	})
	if over.Delayed() {
		return dialDelayed(ctx, raw, err, config.Traffic, over)
	}
	if err != nil {
		if ctx.Err() != nil {
			config.Traffic.Abandoned.Add(1)
		}
		return nil, err
	}
	counting := &countingConn{Conn: raw, traffic: config.Traffic}
	config.Traffic.Opened(counting)
	return newConn(counting), nil
}

// secure makes a TLS handshake.
func (c *conn) secure(ctx context.Context, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, client.DialTimeout)
	defer cancel()
	c.counting.tls = true
	tlsConn := tls.Client(c.counting, config)
	if err := tlsConn.HandshakeContext(ctx); err != nil {
		c.Close()
		return fmt.Errorf("tls: %w", err)
	}
	c.Conn, c.securedAt = tlsConn, clock.Now()
	return nil
}

// close closes the connection, whether or not its context has ended.
func (c *conn) close() {
	c.detach()
	c.Close()
}

// A consumer consumes the first n bytes of in, as client.Subscriber does.
type consumer interface {
	Consume(in []byte, at clock.Instant) (n int, done bool, err error)
}

// receive reads until the consumer is done.
func (c *conn) receive(to consumer) error {
	for {
		for more := false; len(c.unread) > 0 && !more; {
			n, done, err := to.Consume(c.unread, c.receivedAt)
			c.unread = c.unread[n:]
			if err != nil {
				return c.countUnread(err)
			}
			if done {
				return nil
			}
			more = n == 0
		}
		if c.restTimeout > 0 && len(c.unread) > 0 {
			c.awaitResponse(c.restTimeout, client.ErrSilent)
		}
		if err := c.fill(); err != nil {
			return c.countUnread(err)
		}
	}
}

// countUnread counts the bytes that were not consumed, so that every byte is in exactly
// one part, and returns the error of the connection.
func (c *conn) countUnread(err error) error {
	if err == io.EOF && len(c.unread) > 0 {
		err = io.ErrUnexpectedEOF
	}
	c.traffic.Down.Envelope.Add(int64(len(c.unread)))
	c.unread = nil
	return err
}

// fill reads the next bytes behind those that are not consumed.
func (c *conn) fill() error {
	kept := len(c.unread)
	if kept == 0 && len(c.buffer) > longKept {
		c.buffer = nil
	}
	switch {
	case kept > len(c.buffer)/2 || c.buffer == nil:
		c.buffer = make([]byte, max(readSize, 2*len(c.buffer)))
		copy(c.buffer, c.unread)
	case kept > 0 && &c.unread[0] != &c.buffer[0]: // else it is where it belongs: it may be long, and arrive in small pieces
		copy(c.buffer, c.unread)
	}
	if c.readTimeout > 0 {
		_ = c.SetReadDeadline(time.Now().Add(c.readTimeout)) // fails on a closed connection, as the read will
	}
	n, err := c.Read(c.buffer[kept:])
	c.unread, c.receivedAt = c.buffer[:kept+n], clock.Now()
	if c.counting.tls {
		c.traffic.Down.Framing.Add(-int64(n))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && c.late != nil {
		err = c.late
	}
	if n == len(c.buffer)-kept {
		runtime.Gosched() // more is waiting, perhaps without end: serve other clients first
	}
	if n > 0 {
		return nil // the next read returns the error
	}
	return err
}

// awaitResponse sets how long the next response may take, or the header of a stream, in all; 0: no limit.
func (c *conn) awaitResponse(timeout time.Duration, late error) {
	c.readTimeout, c.restTimeout, c.late = 0, 0, late
	var until time.Time
	if timeout > 0 {
		until = time.Now().Add(timeout)
	}
	_ = c.SetReadDeadline(until) // fails on a closed connection, as the read will
}

// awaitBytes sets how long each read of an open stream may take; 0: no limit.
func (c *conn) awaitBytes(timeout time.Duration) {
	c.awaitResponse(0, client.ErrSilent)
	c.readTimeout = timeout
}

// write writes bytes that are already counted, and subtracts those that were not sent.
func (c *conn) write(p []byte) error {
	n, err := c.Write(p)
	if n == 0 {
		c.traffic.Uncount(p)
		return err
	}
	c.traffic.UncountRest(len(p) - n)
	if c.counting.tls {
		c.traffic.Up.Framing.Add(-int64(n))
	}
	return err
}

// Sent and Consumed implement client.Conn; bytes of TLS itself count as consumed.
func (c *conn) Sent() int64     { return c.counting.sent.Load() }
func (c *conn) Consumed() int64 { return c.counting.received.Load() - int64(len(c.unread)) }

// skipDelay lets later writes bypass the link's delay. A write fails if bytes are in
// transit.
func (c *conn) skipDelay() {
	if c.counting.delayed != nil {
		c.counting.delayed.skipDelay.Store(true)
	}
}

// onDone calls do when ctx ends, unless cancel is called before. When cancel returns, do is
// neither running nor called later. cancel may be called again.
func onDone(ctx context.Context, do func()) (cancel func()) {
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
