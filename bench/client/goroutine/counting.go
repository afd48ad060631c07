package goroutine

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"pushbench/bench/client"
)

// A countingConn counts the bytes of a connection: those of the socket or the link, below
// TLS if there is TLS.
type countingConn struct {
	net.Conn
	traffic *client.Traffic
	delayed *delayedConn // Conn, if it passes through a Link; else nil
	tls     bool         // with TLS, all bytes count as framing, from which conn subtracts the content

	reading sync.Mutex  // locked while Conn is read, and while it is closed
	closing atomic.Bool // Conn must not be read any longer

	sent, received atomic.Int64 // bytes
}

func (c *countingConn) Read(p []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.closing.Load() {
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	c.traffic.Down.Bytes.Add(int64(n))
	if c.tls {
		c.traffic.Down.Framing.Add(int64(n))
	}
	if n == 0 && c.closing.Load() {
		err = net.ErrClosed // whatever ended the read
	}
	return n, err
}

func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	if c.delayed == nil { // a delayedConn counts the bytes that leave the link
		c.traffic.Up.Bytes.Add(int64(n))
	}
	if c.tls {
		c.traffic.Up.Framing.Add(int64(n))
	}
	return n, err
}

// Close stops reading before it reads TCP's final counters: bytes read afterwards would be
// in the client's count only. With a link the counts differ anyway, by the bytes in transit.
func (c *countingConn) Close() error {
	if c.delayed == nil {
		c.closing.Store(true)
		_ = c.SetReadDeadline(time.Unix(1, 0))
		c.reading.Lock()
		defer c.reading.Unlock()
	}
	c.traffic.Closed(c)
	return c.Conn.Close()
}

// Control implements client.Socket.
func (c *countingConn) Control(do func(fd int)) {
	socket, ok := c.Conn.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := socket.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { do(int(fd)) }) // fails on a closed connection
	}
}
