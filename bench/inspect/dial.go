package inspect

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// A conn counts its bytes and records the time of each stage.
type conn struct {
	net.Conn
	reader  *bufio.Reader
	begun   time.Time
	stages  []Stage
	counter *countingConn

	handshakes int // round trips of TLS

	stop func() bool // the connection no longer ends with its context
}

// dial connects to an address, with TLS if the target requires it. Name, connection and TLS together
// take at most the longer of --wait and 2 s. The end of the context ends the connection.
func dial(ctx context.Context, t Target, address string) (*conn, error) {
	c := &conn{begun: time.Now()}
	setup, cancel := context.WithDeadline(ctx, c.begun.Add(max(t.wait(), defaultWait)))
	defer cancel()
	connect := t.connect
	if connect == nil {
		connect = new(net.Dialer).DialContext
	}
	raw, err := connect(setup, "tcp", address)
	if err != nil {
		return nil, ended(ctx, fmt.Errorf("connect: %w", err))
	}
	c.stages = append(c.stages, Stage{"TCP connected", time.Since(c.begun)})
	c.counter = &countingConn{Conn: raw, ctx: ctx}
	c.Conn = c.counter
	if t.secure() {
		if err := c.secure(setup, t); err != nil {
			raw.Close()
			return nil, ended(ctx, err)
		}
	}
	c.stop = context.AfterFunc(ctx, func() { raw.Close() })
	c.extendDeadline(t.wait())
	c.reader = bufio.NewReaderSize(c.Conn, maxHeader)
	return c, nil
}

// ended replaces an error by the reason why the context has ended, if it has.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// over reports whether the context of the connection has ended.
func (c *conn) over() bool { return c.counter != nil && c.counter.ctx.Err() != nil }

// cut reports whether TLS has ended without the closure alert that proves that nothing is missing.
func (c *conn) cut() bool { return c.handshakes > 0 && c.counter.ended.Load() }

// Close closes the connection.
func (c *conn) Close() error {
	if c.stop != nil {
		c.stop()
	}
	return c.Conn.Close()
}

// secure makes the TLS handshake.
func (c *conn) secure(ctx context.Context, t Target) error {
	config := t.TLS.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = strings.Cut(t.URL.Hostname(), "%") // without the zone of an IPv6 address
	}
	config.NextProtos = []string{"http/1.1"} // HTTP/2 has another handshake (RFC 8441)
	secured := tls.Client(c.Conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return explainTLS(err)
	}
	version := secured.ConnectionState().Version
	c.stages = append(c.stages, Stage{tls.VersionName(version) + " established", time.Since(c.begun)})
	if c.handshakes = 1; version < tls.VersionTLS13 {
		c.handshakes = 2 // RFC 5246, section 7.3
	}
	c.Conn = secured
	return nil
}

// explainTLS adds the reason and the remedy to an error of the TLS handshake.
func explainTLS(err error) error {
	var noTLS tls.RecordHeaderError
	var alert tls.AlertError
	var unverified *tls.CertificateVerificationError
	switch {
	case timedOut(err):
		return errors.New("TLS handshake: timed out; for a port without TLS use ws://, http://, sse+http:// or stream+http://")
	case errors.As(err, &noTLS):
		return fmt.Errorf("TLS handshake: the response is not TLS (RFC 8446, section 5.1): %w; for a port without TLS use ws://, http://, sse+http:// or stream+http://", err)
	case errors.As(err, &unverified):
		return fmt.Errorf("TLS handshake: %w; --insecure accepts any certificate", err)
	case errors.As(err, &alert) && alert == noApplicationProtocol:
		return fmt.Errorf("TLS handshake: the server does not offer http/1.1 (RFC 7301, section 3.2): %w", err)
	}
	return fmt.Errorf("TLS handshake: %w", err)
}

// noApplicationProtocol is the alert of RFC 7301, section 3.2.
const noApplicationProtocol tls.AlertError = 120

// extendDeadline sets the time limit of the next response.
func (c *conn) extendDeadline(wait time.Duration) { _ = c.SetDeadline(time.Now().Add(wait)) }

// A countingConn counts the bytes written and read. After the end of its context its errors are
// timeouts.
type countingConn struct {
	net.Conn
	ctx      context.Context
	up, down atomic.Int64 // bytes of TCP payload
	ended    atomic.Bool  // the peer has ended TCP
}

func (c *countingConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.up.Add(int64(n))
	return n, c.timely(err)
}

func (c *countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.down.Add(int64(n))
	if err == io.EOF {
		c.ended.Store(true)
	}
	return n, c.timely(err)
}

func (c *countingConn) timely(err error) error {
	if err != nil && err != io.EOF && c.ctx.Err() != nil {
		return os.ErrDeadlineExceeded
	}
	return err
}
