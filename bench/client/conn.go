package client

import (
	"context"
	"fmt"
	"net"
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

	inHeader   bool
	matched    int           // how much of CRLF CRLF the last bytes are
	headerSize int           // bytes of the header so far
	headerAt   clock.Instant // when its last byte was read
	ahead      []byte        // read from the socket, beyond the header

	sent, received int64 // bytes; each read only by who writes or reads the connection, or before it is shared
}

// dial opens a TCP connection, once. Nothing here or above it dials again
// without saying so in an event.
func dial(ctx context.Context, target string, traffic *Traffic) (*conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout, KeepAlive: -1} // heartbeats are ours, and counted
	raw, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	c := &conn{Conn: raw, traffic: traffic}
	traffic.opened(c)
	return c, nil
}

// awaitHeader says that the next byte read begins an HTTP header.
func (c *conn) awaitHeader() {
	c.inHeader, c.matched, c.headerSize = true, 0, 0
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
	n, err := c.Conn.Read(p)
	c.received += int64(n)
	c.traffic.Down.Bytes.Add(int64(n))
	return n, err
}

// scan looks for the header's end and returns how many of the bytes belong to it.
func (c *conn) scan(p []byte) int {
	const end = "\r\n\r\n"
	for i, b := range p {
		c.headerSize++
		switch {
		case b == end[c.matched]:
			c.matched++
		case b == '\r':
			c.matched = 1
		default:
			c.matched = 0
		}
		if c.matched == len(end) {
			c.inHeader, c.headerAt = false, clock.Now()
			c.traffic.Down.Headers.Add(int64(c.headerSize))
			return i + 1
		}
	}
	return len(p)
}

func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent += int64(n)
	c.traffic.Up.Bytes.Add(int64(n))
	return n, err
}

func (c *conn) Close() error {
	c.traffic.gone(c)
	return c.Conn.Close()
}
