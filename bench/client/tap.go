package client

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A tap is a connection where its bytes are counted: the socket or the link, above
// which TLS may be.
type tap struct {
	net.Conn
	traffic *Traffic
	far     *farConn // Conn, if a Link lies between; or nil
	secured bool     // what passes is TLS's, all of which is framing but what conn takes off again

	reading sync.Mutex  // held by who reads Conn, and by who closes it
	closing atomic.Bool // nobody may read Conn any more

	sent, received atomic.Int64 // bytes
}

func (t *tap) Read(p []byte) (int, error) {
	t.reading.Lock()
	defer t.reading.Unlock()
	if t.closing.Load() {
		return 0, net.ErrClosed
	}
	n, err := t.Conn.Read(p)
	t.received.Add(int64(n))
	t.traffic.Down.Bytes.Add(int64(n))
	if t.secured {
		t.traffic.Down.Framing.Add(int64(n))
	}
	if n == 0 && t.closing.Load() {
		err = net.ErrClosed // whatever it was that woke us
	}
	return n, err
}

func (t *tap) Write(p []byte) (int, error) {
	n, err := t.Conn.Write(p)
	t.sent.Add(int64(n))
	if t.far == nil { // or it counts what leaves the link
		t.traffic.Up.Bytes.Add(int64(n))
	}
	if t.secured {
		t.traffic.Up.Framing.Add(int64(n))
	}
	return n, err
}

// Close stops who reads before TCP is asked for its last count: what were read
// behind that would be in our count alone. Through a link the two differ anyway, by
// what is on its way.
func (t *tap) Close() error {
	if t.far == nil {
		t.closing.Store(true)
		_ = t.SetReadDeadline(time.Unix(1, 0))
		t.reading.Lock()
		defer t.reading.Unlock()
	}
	t.traffic.gone(t)
	return t.Conn.Close()
}
