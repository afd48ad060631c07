package inspect

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
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
}

// dial connects to an address, with TLS if the target requires it.
func dial(ctx context.Context, t Target, address string) (*conn, error) {
	c := &conn{begun: time.Now()}
	d := net.Dialer{Timeout: max(t.wait(), defaultWait)}
	raw, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c.stages = append(c.stages, Stage{"TCP connected", time.Since(c.begun)})
	c.counter = &countingConn{Conn: raw}
	c.Conn = c.counter
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
	c.reader = bufio.NewReaderSize(c.Conn, maxHeader)
	return c, nil
}

// secure makes the TLS handshake.
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

// A countingConn counts the bytes written and read.
type countingConn struct {
	net.Conn
	up, down atomic.Int64 // bytes of TCP payload
}

func (c *countingConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.up.Add(int64(n))
	return n, err
}

func (c *countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.down.Add(int64(n))
	return n, err
}
