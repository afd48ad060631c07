package inspect

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// A conn counts what crosses it, and knows when what was reached.
type conn struct {
	net.Conn
	reader  *bufio.Reader
	begun   time.Time
	stages  []Stage
	counted *counted

	handshakes int // round trips of TLS
}

// dial connects to an address, and speaks TLS where the target requires it.
func dial(ctx context.Context, t Target, address string) (*conn, error) {
	c := &conn{begun: time.Now()}
	d := net.Dialer{Timeout: t.wait()}
	raw, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c.stages = append(c.stages, Stage{"TCP connected", time.Since(c.begun)})
	c.counted = &counted{Conn: raw}
	c.Conn = c.counted
	if err := c.SetDeadline(time.Now().Add(t.wait())); err != nil {
		raw.Close()
		return nil, err
	}
	if t.secure() {
		if err := c.secure(ctx, t); err != nil {
			raw.Close()
			return nil, err
		}
	}
	c.reader = bufio.NewReaderSize(c.Conn, maxHead)
	return c, nil
}

// secure shakes hands.
func (c *conn) secure(ctx context.Context, t Target) error {
	config := t.TLS.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	if config.ServerName == "" {
		config.ServerName = t.URL.Hostname()
	}
	config.NextProtos = []string{"http/1.1"} // HTTP/2 has another handshake (RFC 8441)
	secured := tls.Client(c.Conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("shake hands by TLS: %w", err)
	}
	version := secured.ConnectionState().Version
	c.stages = append(c.stages, Stage{tls.VersionName(version) + " agreed", time.Since(c.begun)})
	if c.handshakes = 1; version < tls.VersionTLS13 {
		c.handshakes = 2 // RFC 5246, section 7.3
	}
	c.Conn = secured
	return nil
}

// patience gives the next answer its time.
func (c *conn) patience(wait time.Duration) { _ = c.SetDeadline(time.Now().Add(wait)) }

// A counted connection counts what its users write and read.
type counted struct {
	net.Conn
	up, down atomic.Int64 // bytes of TCP payload
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.up.Add(int64(n))
	return n, err
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.down.Add(int64(n))
	return n, err
}
