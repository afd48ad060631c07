package goroutine

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// A delayedConn is a connection through a Link. One goroutine reads what comes and one
// writes what leaves; what is on its way is held here, as much as fits into a
// client.DelayLine in each direction. It is late by what Go's timers are, up to about a
// millisecond, and never early.
type delayedConn struct {
	*net.TCPConn
	traffic   *client.Traffic
	up, down  *delayedPipe
	closed    chan struct{}
	working   sync.WaitGroup
	closeOnce func() error // up, once

	unread    []byte // read in part
	readErr   error  // what Read says when there is no rest
	skipDelay atomic.Bool
}

// dialDelayed returns the outcome of a dial a round trip later, when the client learns of it.
func dialDelayed(ctx context.Context, raw net.Conn, err error, traffic *client.Traffic, over *client.Distance) (*conn, error) {
	up, down := over.DelayLines()
	known := down.ExitTime(0, up.ExitTime(0, clock.Now()))
	for clock.Now() < known && clock.Wait(ctx, known) {
	}
	if ctx.Err() != nil {
		traffic.Abandoned.Add(1)
		if err == nil {
			raw.Close()
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		return nil, err
	}
	delayed := newDelayedConn(raw.(*net.TCPConn), traffic, up, down)
	counting := &countingConn{Conn: delayed, traffic: traffic, delayed: delayed}
	traffic.Opened(counting)
	return newConn(counting), nil
}

func newDelayedConn(raw *net.TCPConn, traffic *client.Traffic, up, down client.DelayLine) *delayedConn {
	f := &delayedConn{TCPConn: raw, traffic: traffic, up: newDelayedPipe(up), down: newDelayedPipe(down), closed: make(chan struct{})}
	f.closeOnce = sync.OnceValue(f.shutdown)
	f.working.Go(f.upload)
	f.working.Go(f.download)
	return f
}

// Read waits until something comes out of the link.
func (f *delayedConn) Read(p []byte) (int, error) {
	if len(f.unread) == 0 && f.readErr == nil {
		piece, ok := f.down.first(f.closed)
		if !ok {
			return 0, net.ErrClosed
		}
		f.down.remove(piece.Size)
		f.unread, f.readErr = piece.Data, piece.End
	}
	if len(f.unread) == 0 {
		return 0, f.readErr
	}
	n := copy(p, f.unread)
	f.unread = f.unread[n:]
	return n, nil
}

// Write puts p on its way, whole. It waits only while too much is.
func (f *delayedConn) Write(p []byte) (int, error) {
	if f.skipDelay.Load() {
		return f.writeAtOnce(p)
	}
	piece := append([]byte(nil), p...)
	if err := f.up.put(func(l *client.DelayLine, now clock.Instant) {
		l.Enter(client.Segment{Size: len(piece), Data: piece}, now)
	}, f.closed); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *delayedConn) writeAtOnce(p []byte) (int, error) {
	if !f.up.empty() {
		return 0, net.ErrClosed
	}
	n, err := f.TCPConn.Write(p)
	f.traffic.Up.Bytes.Add(int64(n))
	return n, err
}

// upload writes what leaves the link. When it cannot, the reader finds out why.
func (f *delayedConn) upload() {
	for {
		piece, ok := f.up.first(f.closed)
		if !ok {
			return
		}
		n, err := f.TCPConn.Write(piece.Data)
		f.traffic.Up.Bytes.Add(int64(n))
		f.up.remove(n)
		if err != nil {
			return
		}
	}
}

// download reads what comes, to the end.
func (f *delayedConn) download() {
	buffer := make([]byte, 4<<10)
	for {
		n, err := f.TCPConn.Read(buffer)
		data := append([]byte(nil), buffer[:n]...)
		full := f.down.put(func(l *client.DelayLine, now clock.Instant) {
			l.EnterPaced(n, data, now)
			if err != nil {
				l.Enter(client.Segment{End: err}, now)
			}
		}, f.closed)
		if err != nil || full != nil {
			return
		}
	}
}

// Close closes the connection and forgets what is on its way.
func (f *delayedConn) Close() error { return f.closeOnce() }

func (f *delayedConn) shutdown() error {
	close(f.closed)
	err := f.TCPConn.Close()
	f.working.Wait()
	f.up.mu.Lock()
	defer f.up.mu.Unlock()
	f.traffic.UncountUndelivered(&f.up.line)
	return err
}

// A delayedPipe is a DelayLine between two goroutines: one puts in, one takes out.
type delayedPipe struct {
	added, removed chan struct{} // hold one when something was put in, taken out
	timer          *time.Timer   // of the goroutine that takes out

	mu   sync.Mutex // guards line
	line client.DelayLine
}

func newDelayedPipe(l client.DelayLine) *delayedPipe {
	return &delayedPipe{added: make(chan struct{}, 1), removed: make(chan struct{}, 1), timer: time.NewTimer(time.Hour), line: l}
}

// signal leaves a note in a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// put has the line filled when there is room.
func (h *delayedPipe) put(fill func(*client.DelayLine, clock.Instant), closed <-chan struct{}) error {
	for {
		filled, err := h.fill(fill, closed)
		if filled || err != nil {
			return err
		}
		select {
		case <-h.removed:
		case <-closed:
		}
	}
}

// fill fills the line, unless it is full or, which is looked at under the lock that
// takes back what never left, closed.
func (h *delayedPipe) fill(fill func(*client.DelayLine, clock.Instant), closed <-chan struct{}) (filled bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-closed:
		return false, net.ErrClosed
	default:
	}
	if h.line.Full() {
		return false, nil
	}
	fill(&h.line, clock.Now())
	signal(h.added)
	return true, nil
}

// first waits until the first piece is due. It is gone when it is removed.
func (h *delayedPipe) first(closed <-chan struct{}) (piece client.Segment, ok bool) {
	for {
		piece, ok = h.peek()
		left := time.Duration(0)
		if ok {
			if left = piece.Due.Sub(clock.Now()); left <= 0 {
				return piece, true
			}
			h.timer.Reset(left)
		} else {
			h.timer.Stop()
		}
		select {
		case <-h.timer.C:
		case <-h.added:
		case <-closed:
			return client.Segment{}, false
		}
	}
}

func (h *delayedPipe) peek() (client.Segment, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.line.First()
}

func (h *delayedPipe) remove(n int) {
	h.mu.Lock()
	h.line.Remove(n)
	h.mu.Unlock()
	signal(h.removed)
}

func (h *delayedPipe) empty() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.line.Empty()
}
