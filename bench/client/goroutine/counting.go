package goroutine

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"pushbench/bench/client"
)

// A countingConn is a connection where its bytes are counted: the socket or the link, above
// which TLS may be.
type countingConn struct {
	net.Conn
	traffic *client.Traffic
	delayed *delayedConn // Conn, if a Link lies between; or nil
	secured bool         // what passes is TLS's, all of which is framing but what conn takes off again

	reading sync.Mutex  // held while Conn is read, and while it is closed
	closing atomic.Bool // Conn may not be read any more

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
	if c.secured {
		c.traffic.Down.Framing.Add(int64(n))
	}
	if n == 0 && c.closing.Load() {
		err = net.ErrClosed // whatever it was that woke us
	}
	return n, err
}

func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	if c.delayed == nil { // or it counts what leaves the link
		c.traffic.Up.Bytes.Add(int64(n))
	}
	if c.secured {
		c.traffic.Up.Framing.Add(int64(n))
	}
	return n, err
}

// Close stops reading before TCP is asked for its last count: what were read
// behind that would be in our count alone. Through a link the two differ anyway, by
// what is on its way.
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

// Control is that of client.Socket.
func (c *countingConn) Control(do func(fd int)) {
	socket, ok := c.Conn.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := socket.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { do(int(fd)) }) // fails on what is closed
	}
}
