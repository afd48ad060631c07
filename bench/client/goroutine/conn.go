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
	"sync"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// A conn is one connection, over TLS or not; one goroutine may write on it while
// another receives. It never retries and never dials again: when it fails, it is of no
// more use.
type conn struct {
	net.Conn    // counting, or TLS over it
	counting    *countingConn
	traffic     *client.Traffic
	readTimeout time.Duration // see client.Config
	detach      func()        // it is no longer closed when its context ends

	opened, secured clock.Instant // when TCP was connected; when TLS was, or 0

	buffer     []byte        // what is read into
	unread     []byte        // of it what has arrived and is not understood yet
	receivedAt clock.Instant // when the last of it did
}

// readSize is how much is read at once to begin with, in bytes. An answer that is longer
// makes it grow.
const readSize = 4 << 10

func newConn(c *countingConn) *conn {
	return &conn{Conn: c, counting: c, traffic: c.traffic, opened: clock.Now(), detach: func() {}}
}

// dial opens a connection over a distance, once, that is closed when ctx ends. Nothing
// here or above it dials without counting it.
func dial(ctx context.Context, config *client.Config, over *client.Distance) (*conn, error) {
	c, err := dialTCP(ctx, config, over)
	if err == nil && config.TLS != nil {
		err = c.secure(ctx, config.TLS)
	}
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	c.readTimeout = config.ReadTimeout
	c.detach = onDone(ctx, func() { c.Close() })
	return c, nil
}

func dialTCP(ctx context.Context, config *client.Config, over *client.Distance) (*conn, error) {
	dialer := net.Dialer{Timeout: client.DialTimeout, KeepAlive: -1} // heartbeats are ours, and counted
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
	c.counting.secured = true
	secured := tls.Client(c.counting, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		c.Close()
		return fmt.Errorf("tls: %w", err)
	}
	c.Conn, c.secured = secured, clock.Now()
	return nil
}

// close closes the connection, whether or not its context has ended.
func (c *conn) close() {
	c.detach()
	c.Close()
}

// A taker takes what arrives off the beginning of in, of n bytes, as client.Subscriber does.
type consumer interface {
	Consume(in []byte, at clock.Instant) (n int, done bool, err error)
}

// receive has taken what arrives until that is done.
func (c *conn) receive(t consumer) error {
	for {
		for more := false; len(c.unread) > 0 && !more; {
			n, done, err := t.Consume(c.unread, c.receivedAt)
			c.unread = c.unread[n:]
			if err != nil {
				return c.countUnread(err)
			}
			if done {
				return nil
			}
			more = n == 0
		}
		if err := c.fill(); err != nil {
			return c.countUnread(err)
		}
	}
}

// giveUp counts what was not understood, so that every byte is in just one part.
func (c *conn) countUnread(err error) error {
	if err == io.EOF && len(c.unread) > 0 {
		err = io.ErrUnexpectedEOF
	}
	c.traffic.Down.Envelope.Add(int64(len(c.unread)))
	c.unread = nil
	return err
}

// fill reads what arrives next behind what is not understood yet.
func (c *conn) fill() error {
	if len(c.unread) > len(c.buffer)/2 || c.buffer == nil {
		c.buffer = make([]byte, max(readSize, 2*len(c.buffer)))
	}
	kept := copy(c.buffer, c.unread)
	if c.readTimeout > 0 {
		_ = c.SetReadDeadline(time.Now().Add(c.readTimeout)) // fails on what is closed, as the read will
	}
	n, err := c.Read(c.buffer[kept:])
	c.unread, c.receivedAt = c.buffer[:kept+n], clock.Now()
	if c.counting.secured {
		c.traffic.Down.Framing.Add(-int64(n))
	}
	if c.readTimeout > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		err = client.ErrSilent
	}
	if n > 0 {
		return nil // an error comes again
	}
	return err
}

// write writes what is counted already, at once, and takes back what did not leave.
func (c *conn) write(p []byte) error {
	n, err := c.Write(p)
	if n == 0 && c.counting.delayed != nil {
		c.traffic.Uncount(p)
		return err
	}
	c.traffic.Up.Envelope.Add(-int64(len(p) - n))
	if c.counting.secured {
		c.traffic.Up.Framing.Add(-int64(n))
	}
	return err
}

// Sent and Understood are those of client.Conn; what is TLS's is understood.
func (c *conn) Sent() int64     { return c.counting.sent.Load() }
func (c *conn) Consumed() int64 { return c.counting.received.Load() - int64(len(c.unread)) }

// hurry lets what is written from now on leave at once, however far the server is,
// or fail if something is still on its way.
func (c *conn) skipDelay() {
	if c.counting.delayed != nil {
		c.counting.delayed.skipDelay.Store(true)
	}
}

// atEnd does something when ctx ends, unless it is released before. When release
// returns, it will not be done any more, nor is it being done. release may be called again.
func onDone(ctx context.Context, do func()) (release func()) {
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
