// Package sock is TCP without waiting: connections whose writes never block
// and that tell, without a goroutine each, when there is more to do.
//
// It owns the sockets of a server, what they could not yet send, the poller
// that watches them, and the exact counts of bytes and connections. It must
// never know what the bytes mean, and never drop some of them in silence.
package sock

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// ErrPending says that a peer reads so slowly that MaxPending bytes wait for it.
var ErrPending = errors.New("slow peer: too much unsent")

// MaxPending is how many unsent bytes a connection holds before a further
// Write fails. A single Write into an empty connection may be larger.
const MaxPending = 1 << 20

// An Event is something a Handler is told of.
type Event uint8

// What can happen to a connection.
const (
	Readable Event = 1 << iota // there may be bytes, or there is the end of them, to read; asked for by Watch
	Hangup                     // the peer is gone or has shut down its sending side; asked for by Watch
	Drained                    // what a Write left over is sent
	Stalled                    // what a Write left over is not sent after the stallAfter of NewPoller; repeated until it is
)

// A Handler is told of a connection's events, on a goroutine that serves all
// connections: it must not wait. A connection without one is closed when it stalls.
type Handler interface{ Ready(Event) }

// A Conn is a TCP connection whose Write never waits: what the kernel does not
// take is kept and sent when there is room. All methods may be called
// concurrently, but only one goroutine may Read.
type Conn struct {
	socket
	poller   *Poller
	listener *Listener
	before   []byte  // read before the socket: handed back by Unread
	secure   *secure // nil: cleartext
	spoken   atomic.Bool
	allowed  atomic.Int64 // what a read deadline that was set before the first byte allows after it, in ns

	mu       sync.Mutex
	handler  Handler
	state    any
	pending  []byte      // accepted by Write, not yet by the kernel
	unsent   atomic.Bool // there is some, readable without the lock
	since    time.Time   // when pending was last empty
	stall    *time.Timer // calls stalled; nil before the first time
	want     Event       // events to report to the handler; Drained stands for writable
	seen     Event       // what has happened already and is not over
	token    uint32      // this registration with the poller, 0 if none
	closing  bool        // Close was called
	finished bool        // the socket is closed
}

// ErrNothing says that there is nothing to read now.
var ErrNothing error = temporary{}

// A temporary is an error after which crypto/tls goes on where it was.
type temporary struct{}

func (temporary) Error() string   { return "nothing to read yet" }
func (temporary) Timeout() bool   { return false }
func (temporary) Temporary() bool { return true }

var _ net.Error = temporary{}

// Read reads what was handed back first, then from the socket. It waits.
func (c *Conn) Read(p []byte) (int, error) { return c.read(p, c.receive, nil) }

// ReadWorking is Read for a Worker: while it waits, another may work.
func (c *Conn) ReadWorking(p []byte) (int, error) {
	return c.read(p, c.receiveWorking, nil)
}

// ReadNow is Read, but fails with ErrNothing instead of waiting. It is a Worker's: for a
// TLS handshake it waits as ReadWorking does, for at most handshakeTimeout.
func (c *Conn) ReadNow(p []byte) (int, error) { return c.read(p, c.receiveNow, c.receiveWorking) }

func (c *Conn) read(p []byte, receive, greet func([]byte) (int, error)) (int, error) {
	if len(c.before) > 0 {
		n := copy(p, c.before)
		if c.before = c.before[n:]; len(c.before) == 0 {
			c.before = nil
		}
		return n, nil
	}
	if c.secure != nil {
		return c.secure.read(c, p, receive, greet)
	}
	return c.take(p, receive)
}

// take reads the socket.
func (c *Conn) take(p []byte, receive func([]byte) (int, error)) (int, error) {
	n, err := receive(p)
	c.listener.bytesIn.Add(uint64(n))
	if n > 0 && !c.spoken.Load() {
		c.firstByte()
	}
	return n, err
}

// firstByte starts the time that the server allows for a request.
func (c *Conn) firstByte() {
	c.spoken.Store(true)
	if allowed := c.allowed.Load(); allowed > 0 {
		_ = c.setReadDeadline(time.Now().Add(time.Duration(allowed))) // fails only on a closed connection
	}
}

// Unread hands back bytes that were read: they are read again before all else.
func (c *Conn) Unread(p []byte) { c.before = append(append([]byte(nil), p...), c.before...) }

// Buffered is how many bytes the next Read gets without the socket.
func (c *Conn) Buffered() int { return len(c.before) }

// Write sends p or keeps what does not fit; it never waits. It fails when the
// connection is closed or broken, and with ErrPending. It keeps no reference to p.
func (c *Conn) Write(p []byte) (int, error) {
	if c.secure != nil {
		return c.secure.tls.Write(p)
	}
	return c.put(p)
}

// put writes to the socket.
func (c *Conn) put(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return 0, net.ErrClosed
	}
	if len(c.pending) > 0 {
		return c.queue(p, 0)
	}
	n, err := c.send(p)
	c.listener.bytesOut.Add(uint64(n))
	if err != nil || n == len(p) {
		return n, err
	}
	return c.queue(p, n)
}

// queue keeps p[sent:] for later.
func (c *Conn) queue(p []byte, sent int) (int, error) {
	if len(c.pending) > 0 && len(c.pending)+len(p) > MaxPending {
		return 0, ErrPending
	}
	if len(c.pending) == 0 {
		c.since = time.Now()
		c.unsent.Store(true)
		c.poller.slow.Add(1)
		if c.stall == nil {
			c.stall = time.AfterFunc(c.poller.stallAfter, c.stalled)
		} else {
			c.stall.Reset(c.poller.stallAfter)
		}
	}
	c.pending = append(c.pending, p[sent:]...)
	c.want |= Drained
	c.poller.arm(c)
	return len(p), nil
}

// advance removes n sent bytes from what is pending; c.mu is held.
func (c *Conn) advance(n int) {
	c.listener.bytesOut.Add(uint64(n))
	if c.pending = c.pending[n:]; len(c.pending) == 0 {
		c.unsent.Store(false)
		c.drop()
	}
}

// drop forgets what is pending; c.mu is held.
func (c *Conn) drop() {
	c.pending = nil
	c.poller.slow.Add(-1)
	c.stall.Stop()
}

// Unsent says whether Write took bytes that the kernel did not.
func (c *Conn) Unsent() bool { return c.unsent.Load() }

// Handler is who is told of events.
func (c *Conn) Handler() Handler {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.handler
}

// Handle sets who is told of events; nil: nobody.
func (c *Conn) Handle(h Handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handler = h
}

// SetState keeps something of the edge's with the connection.
func (c *Conn) SetState(v any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = v
}

// State is what SetState kept.
func (c *Conn) State() any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Watch asks that the handler be told once of any of the events given: Readable,
// Hangup, or both. It replaces what was asked before. What has happened already it
// returns instead, and then nothing is asked: all of it, where the connection is closed.
func (c *Conn) Watch(e Event) (already Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return e
	}
	c.want &= Drained
	if already = c.seen & e; already == 0 {
		c.want |= e
		c.poller.arm(c)
	}
	return already
}

// ready is the poller's report of what happened; broken means that the socket
// has failed. The handler is called last, with no lock held.
func (c *Conn) ready(e Event, broken bool) {
	c.mu.Lock()
	if c.finished {
		c.mu.Unlock()
		return
	}
	if broken {
		e |= Readable | Hangup
	}
	c.note(e)
	tell := e & c.want & (Readable | Hangup)
	c.want &^= tell
	if c.want&Drained != 0 && (e&Drained != 0 || broken) {
		if err := c.flush(); err != nil {
			broken = true
		}
		if len(c.pending) == 0 {
			c.want &^= Drained
			tell |= Drained
		}
	}
	if broken {
		tell |= Hangup
	}
	finish := c.closing && (broken || len(c.pending) == 0)
	h := c.handler
	c.mu.Unlock()
	switch {
	case finish:
		c.finish()
	case h != nil && tell != 0:
		h.Ready(tell)
	case broken:
		c.Abort()
	}
}

// Stall closes the connection, and counts it as one that did not drain.
func (c *Conn) Stall() {
	c.listener.stalled.Add(1)
	c.Abort()
}

// stalled reports pending bytes that are too old, and again until they are sent.
func (c *Conn) stalled() {
	c.mu.Lock()
	late := len(c.pending) > 0 && time.Since(c.since) >= c.poller.stallAfter // else they were sent meanwhile
	if late {
		c.stall.Reset(c.poller.stallAfter / 4)
	}
	h, closing := c.handler, c.closing
	c.mu.Unlock()
	switch {
	case !late:
	case closing: // already given up on: this was its last chance to drain
		c.Abort()
	case h != nil:
		h.Ready(Stalled)
	default:
		c.Stall()
	}
}

// Close closes the connection; what is pending is still sent, unless it stalls.
func (c *Conn) Close() error {
	if c.secure != nil {
		_ = c.secure.tls.CloseWrite() // fails before the handshake and on a broken connection
	}
	c.mu.Lock()
	again := c.closing
	c.closing = true
	c.want &= Drained
	wait := len(c.pending) > 0
	c.mu.Unlock()
	if again || wait {
		return nil
	}
	return c.finish()
}

// Abort closes the connection now; what is pending is lost.
func (c *Conn) Abort() {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	_ = c.finish()
}

// finish closes the socket, once.
func (c *Conn) finish() error {
	c.mu.Lock()
	if c.finished {
		c.mu.Unlock()
		return nil
	}
	c.finished = true
	if len(c.pending) > 0 {
		c.drop()
	}
	err := c.shut()
	c.mu.Unlock()
	c.listener.closed(c)
	return err
}

// SetDeadline sets the deadline of reads; writes never wait and need none.
func (c *Conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline bounds reading. HTTP servers count a first request's time from
// the moment of accepting, and so would close a connection that a client opened
// ahead of need; here that time starts with the first byte, and until then the
// listener's FirstByte applies.
func (c *Conn) SetReadDeadline(t time.Time) error {
	left := time.Until(t)
	if c.spoken.Load() || c.listener.FirstByte == 0 || t.IsZero() || left <= 0 {
		return c.setReadDeadline(t)
	}
	c.allowed.Store(int64(left))
	return c.setReadDeadline(t.Add(c.listener.FirstByte - left))
}

// SetWriteDeadline does nothing: writes never wait. The stallAfter of NewPoller bounds
// how long a peer may leave them unread.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }
