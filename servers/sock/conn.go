// Package sock provides non-blocking TCP: connections whose writes never block
// and that report events without a goroutine per connection.
//
// It owns the sockets of a server, their unsent bytes, the poller
// that watches them, and the exact counts of bytes and connections. It must
// never interpret the bytes, and never drop any of them silently.
package sock

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// ErrPending reports that a peer reads so slowly that MaxPending bytes are unsent, or that all slow peers together leave
// too many, which closes the connection.
var ErrPending = errors.New("slow peer: too much unsent")

// MaxPending is the number of unsent bytes of a connection beyond which a further
// Write fails. A single Write into an empty connection may be larger.
const MaxPending = 1 << 20

// An Event is a change of a connection that a Handler receives.
type Event uint8

// The events of a connection.
const (
	Readable Event = 1 << iota // bytes or the end of the stream can be read; requested by Watch
	Hangup                     // the peer has disconnected or shut down its sending side; requested by Watch
	Drained                    // the unsent bytes of a Write are sent
	Stalled                    // bytes are unsent, and the peer has acknowledged none for the stallAfter of NewPoller; repeated until they are sent
)

// A Handler receives a connection's events, on a goroutine that serves all
// connections: it must not block. A connection without one is closed when it stalls.
type Handler interface{ Ready(Event) }

// A Conn is a TCP connection whose Write never blocks: bytes that the kernel does not
// accept are kept and sent when there is room. All methods may be called
// concurrently, but only one goroutine may Read.
type Conn struct {
	socket
	poller      *Poller
	listener    *Listener
	buffered    []byte  // read before the socket: returned by Unread
	secure      *secure // nil: cleartext
	receivedAny atomic.Bool
	readTimeout atomic.Int64 // a read deadline set before the first byte allows this time after it, in ns

	mu         sync.Mutex
	handler    Handler
	state      any
	pending    []byte      // accepted by Write, not yet by the kernel
	unsent     atomic.Bool // pending is not empty; readable without the lock
	since      time.Time   // when pending was last empty, or the peer was last seen to make progress
	progress   uint64      // delivered() at that time
	stallTimer *time.Timer // calls stalled; nil before the first time
	want       Event       // events to report to the handler; Drained means writable
	seen       Event       // events that have happened and still apply
	token      uint32      // this registration with the poller, 0 if none
	reserved   int64       // by Reserve
	closing    bool        // Close was called
	finished   bool        // the socket is closed
}

// ErrNothing reports that there is nothing to read now.
var ErrNothing error = temporary{}

// A temporary is an error after which crypto/tls can continue.
type temporary struct{}

func (temporary) Error() string   { return "no data to read" }
func (temporary) Timeout() bool   { return false }
func (temporary) Temporary() bool { return true }

var _ net.Error = temporary{}

// Read reads bytes returned by Unread first, then from the socket. It blocks.
func (c *Conn) Read(p []byte) (int, error) { return c.read(p, c.receive, nil) }

// ReadWorking is Read for a Worker: while it waits, another worker may run.
func (c *Conn) ReadWorking(p []byte) (int, error) {
	return c.read(p, c.receiveWorking, nil)
}

// ReadNow is Read, but fails with ErrNothing instead of waiting. Only a Worker may call it: for a
// TLS handshake it waits like ReadWorking, for at most handshakeTimeout.
func (c *Conn) ReadNow(p []byte) (int, error) { return c.read(p, c.receiveNow, c.receiveWorking) }

func (c *Conn) read(p []byte, receive, handshakeReceive func([]byte) (int, error)) (int, error) {
	if len(c.buffered) > 0 {
		n := copy(p, c.buffered)
		if c.buffered = c.buffered[n:]; len(c.buffered) == 0 {
			c.buffered = nil
		}
		return n, nil
	}
	if c.secure != nil {
		return c.secure.read(c, p, receive, handshakeReceive)
	}
	return c.readSocket(p, receive)
}

// readSocket reads the socket.
func (c *Conn) readSocket(p []byte, receive func([]byte) (int, error)) (int, error) {
	n, err := receive(p)
	c.listener.bytesIn.Add(uint64(n))
	if n > 0 && !c.receivedAny.Load() {
		c.firstByte()
	}
	return n, err
}

// firstByte starts the read timeout of a request.
func (c *Conn) firstByte() {
	c.receivedAny.Store(true)
	if allowed := c.readTimeout.Load(); allowed > 0 {
		_ = c.setReadDeadline(time.Now().Add(time.Duration(allowed))) // fails only on a closed connection
	}
}

// awaitFirstByte starts to wait for a first request after the bytes of a handshake, which is none.
func (c *Conn) awaitFirstByte() error {
	if c.readTimeout.Load() == 0 {
		return nil
	}
	c.receivedAny.Store(false)
	return c.setReadDeadline(time.Now().Add(c.listener.FirstByte))
}

// Unread returns bytes to the connection: the next Read returns them first.
func (c *Conn) Unread(p []byte) { c.buffered = append(append([]byte(nil), p...), c.buffered...) }

// Buffered returns how many bytes can be read without the socket.
func (c *Conn) Buffered() int { return len(c.buffered) }

// Write sends p or keeps the part that does not fit; it never blocks. It fails when the
// connection is closed or broken, and with ErrPending. It keeps no reference to p.
func (c *Conn) Write(p []byte) (int, error) {
	if c.secure != nil {
		return c.secure.tls.Write(p)
	}
	return c.writeSocket(p)
}

// writeSocket writes to the socket. If there is no room for the rest, nothing may follow what was sent.
func (c *Conn) writeSocket(p []byte) (int, error) {
	n, err := c.sendOrQueue(p)
	if err == errNoRoom {
		c.Stall()
		err = ErrPending
	}
	return n, err
}

// errNoRoom reports that the pending bytes of all connections are too many.
var errNoRoom = errors.New("slow peers: too much unsent")

func (c *Conn) sendOrQueue(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return 0, net.ErrClosed
	}
	if len(c.pending) > 0 {
		return c.queue(p, 0)
	}
	n, err := c.sendParts(p)
	c.listener.bytesOut.Add(uint64(n))
	if err != nil || n == len(p) {
		return n, err
	}
	return c.queue(p, n)
}

// sendParts is send, with Nagle in two system calls.
func (c *Conn) sendParts(p []byte) (sent int, err error) {
	half := 0
	if c.listener.Nagle {
		half = len(p) / 2
		if sent, err = c.send(p[:half]); sent < half || err != nil {
			return sent, err
		}
	}
	rest, err := c.send(p[half:])
	return half + rest, err
}

// queue keeps p[sent:] for later.
func (c *Conn) queue(p []byte, sent int) (int, error) {
	if len(c.pending) > 0 && len(c.pending)+len(p) > MaxPending {
		return 0, ErrPending
	}
	rest := int64(len(p) - sent)
	if !c.poller.reserve(rest) {
		return sent, errNoRoom
	}
	if len(c.pending) == 0 {
		c.since = time.Now()
		c.unsent.Store(true)
		c.poller.slow.Add(1)
		if c.stallTimer == nil {
			c.stallTimer = time.AfterFunc(c.poller.stallAfter/stallChecks, c.stalled)
		} else {
			c.stallTimer.Reset(c.poller.stallAfter / stallChecks)
		}
	}
	c.pending = append(c.pending, p[sent:]...)
	c.want |= Drained
	c.poller.arm(c)
	return len(p), nil
}

// Reserve counts n bytes of a message that is still arriving, and reports whether they fit into what all connections
// may use together.
func (c *Conn) Reserve(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished || !c.poller.reserve(int64(n)) {
		return false
	}
	c.reserved += int64(n)
	return true
}

// Unreserve ends what Reserve has counted, as does the end of the connection.
func (c *Conn) Unreserve() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unreserve()
}

func (c *Conn) unreserve() {
	c.poller.pending.Add(-c.reserved)
	c.reserved = 0
}

// advance removes n sent bytes from the pending ones; c.mu is held.
func (c *Conn) advance(n int) {
	c.listener.bytesOut.Add(uint64(n))
	c.poller.pending.Add(-int64(n))
	if c.pending = c.pending[n:]; len(c.pending) == 0 {
		c.unsent.Store(false)
		c.dropPending()
		c.wakeReader() // it may be in AwaitSent
	}
}

// dropPending discards the pending bytes; c.mu is held.
func (c *Conn) dropPending() {
	c.poller.pending.Add(-int64(len(c.pending)))
	c.pending = nil
	c.poller.slow.Add(-1)
	c.stallTimer.Stop()
}

// Unsent reports whether Write accepted bytes that the kernel has not.
func (c *Conn) Unsent() bool { return c.unsent.Load() }

// Handler returns the receiver of events.
func (c *Conn) Handler() Handler {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.handler
}

// Handle sets the receiver of events; nil: none.
func (c *Conn) Handle(h Handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handler = h
}

// SetState attaches a value of the edge to the connection.
func (c *Conn) SetState(v any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = v
}

// State returns the value set by SetState.
func (c *Conn) State() any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Watch requests one report to the handler of any of the given events: Readable,
// Hangup, or both. It replaces the previous request. Events that have already happened are
// returned instead, and then nothing is requested; a closed connection returns all events.
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

// ready receives the poller's report of events; broken means that the socket
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
	c.record(e)
	report := e & c.want & (Readable | Hangup)
	c.want &^= report
	if c.want&Drained != 0 && (e&Drained != 0 || broken) {
		if err := c.sendPending(); err != nil {
			broken = true
		}
		if len(c.pending) == 0 {
			c.want &^= Drained
			report |= Drained
		}
	}
	if broken {
		report |= Hangup
	}
	finish := c.closing && (broken || len(c.pending) == 0)
	h := c.handler
	c.mu.Unlock()
	switch {
	case finish:
		c.finish()
	case h != nil && report != 0:
		c.report(h, report)
	case broken:
		c.Abort()
	}
}

// report calls the handler, and closes the connection if it panics.
func (c *Conn) report(h Handler, e Event) {
	defer func() {
		if c.poller.Panicked == nil {
			return
		}
		if v := recover(); v != nil {
			c.poller.Panicked(v)
			c.Abort()
		}
	}()
	h.Ready(e)
}

// Stall closes the connection and counts it as stalled.
func (c *Conn) Stall() {
	c.listener.stalled.Add(1)
	c.Abort()
}

// stallChecks is how often progress is checked per stallAfter.
const stallChecks = 4

// stalled reports pending bytes of a peer that has made no progress for too long, repeatedly until they are
// sent. The kernel reports room only when a third of its buffer is free, which a peer that reads steadily but
// slowly may take minutes to read.
func (c *Conn) stalled() {
	c.mu.Lock()
	overdue := false
	if len(c.pending) > 0 { // else they were sent in the meantime
		if n := c.delivered(); n != c.progress {
			c.progress, c.since = n, time.Now()
		}
		overdue = time.Since(c.since) >= c.poller.stallAfter
		c.stallTimer.Reset(c.poller.stallAfter / stallChecks)
	}
	h, closing := c.handler, c.closing
	c.mu.Unlock()
	switch {
	case !overdue:
	case closing: // the connection had this last chance to drain
		c.Abort()
	case h != nil:
		c.report(h, Stalled)
	default:
		c.Stall()
	}
}

// Close closes the connection; pending bytes are still sent, unless it stalls.
func (c *Conn) Close() error {
	if c.secure != nil {
		_ = c.secure.tls.CloseWrite() // fails before the handshake and on a broken connection
	}
	c.mu.Lock()
	alreadyClosing := c.closing
	c.closing = true
	c.want &= Drained
	wait := len(c.pending) > 0
	c.mu.Unlock()
	if alreadyClosing || wait {
		return nil
	}
	return c.finish()
}

// Abort closes the connection immediately; pending bytes are lost.
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
		c.dropPending()
	}
	c.unreserve()
	err := c.closeSocket()
	c.mu.Unlock()
	c.listener.closed(c)
	return err
}

// SetDeadline sets the deadline of reads; writes never block and need none.
func (c *Conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetReadDeadline bounds reading. HTTP servers measure a first request's time from
// the accept, and so would close a connection that a client opened
// in advance. Here that time starts with the first byte; until then the
// listener's FirstByte applies.
func (c *Conn) SetReadDeadline(t time.Time) error {
	left := time.Until(t)
	if c.receivedAny.Load() || c.listener.FirstByte == 0 || t.IsZero() || left <= 0 {
		return c.setReadDeadline(t)
	}
	c.readTimeout.Store(int64(left))
	return c.setReadDeadline(t.Add(c.listener.FirstByte - left))
}

// SetWriteDeadline does nothing: writes never block. The stallAfter of NewPoller bounds
// how long a peer may leave them unread.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }
