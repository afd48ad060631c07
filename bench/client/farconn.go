package client

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"pushbench/bench/clock"
)

// A farConn is a connection through a Link. One goroutine reads what comes and one
// writes what leaves; what is on its way is held here, at most linkRoom bytes in
// each direction. It is late by what Go's timers are, up to about a millisecond, and
// never early.
type farConn struct {
	*net.TCPConn
	traffic  *Traffic
	up, down *hose
	closed   chan struct{}
	working  sync.WaitGroup
	hang     func() error // up, once

	rest    []byte // read in part
	end     error  // what Read says when there is no rest
	writeBy atomic.Pointer[time.Time]
	hurried atomic.Bool
}

// dialFar makes of what dialling came to what the client comes to know, a round trip later.
func dialFar(ctx context.Context, raw net.Conn, err error, traffic *Traffic, over *distance) (*conn, error) {
	up, down := over.lanes()
	known := down.leaves(0, up.leaves(0, clock.Now()))
	for now := clock.Now(); now < known && pause(ctx, known.Sub(now)); now = clock.Now() {
	}
	if ctx.Err() != nil {
		traffic.Abandoned.Add(1)
		if err == nil {
			raw.Close()
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	far := newFarConn(raw.(*net.TCPConn), traffic, up, down)
	t := &tap{Conn: far, traffic: traffic, far: far}
	traffic.opened(t)
	return newConn(t), nil
}

func newFarConn(raw *net.TCPConn, traffic *Traffic, up, down lane) *farConn {
	f := &farConn{TCPConn: raw, traffic: traffic, up: newHose(up), down: newHose(down), closed: make(chan struct{})}
	f.hang = sync.OnceValue(f.hangUp)
	f.working.Go(f.upload)
	f.working.Go(f.download)
	return f
}

// Read waits until something comes out of the link.
func (f *farConn) Read(p []byte) (int, error) {
	if len(f.rest) == 0 && f.end == nil {
		piece, ok := f.down.first(f.closed)
		if !ok {
			return 0, net.ErrClosed
		}
		f.down.remove(piece.size)
		f.rest, f.end = piece.data, piece.end
	}
	if len(f.rest) == 0 {
		return 0, f.end
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// Write puts p on its way, whole. It waits only while too much is.
func (f *farConn) Write(p []byte) (int, error) {
	if f.hurried.Load() {
		return f.writeAtOnce(p)
	}
	var late <-chan time.Time
	if by := f.writeBy.Load(); by != nil && !by.IsZero() {
		timer := time.NewTimer(time.Until(*by))
		defer timer.Stop()
		late = timer.C
	}
	piece := append([]byte(nil), p...)
	if err := f.up.put(func(l *lane, now clock.Instant) { l.enter(parcel{size: len(piece), data: piece}, now) }, f.closed, late); err != nil {
		if isRequest(p) {
			f.traffic.Requests.Add(-1) // which nobody can have had
		}
		return 0, err
	}
	return len(p), nil
}

func (f *farConn) writeAtOnce(p []byte) (int, error) {
	if !f.up.empty() {
		return 0, net.ErrClosed
	}
	n, err := f.TCPConn.Write(p)
	f.traffic.Up.Bytes.Add(int64(n))
	return n, err
}

// upload writes what leaves the link. When it cannot, the reader finds out why.
func (f *farConn) upload() {
	for {
		piece, ok := f.up.first(f.closed)
		if !ok {
			return
		}
		n, err := f.TCPConn.Write(piece.data)
		f.traffic.Up.Bytes.Add(int64(n))
		f.up.remove(n)
		if err != nil {
			return
		}
	}
}

// download reads what comes, to the end.
func (f *farConn) download() {
	buffer := make([]byte, 4<<10)
	for {
		n, err := f.TCPConn.Read(buffer)
		data := append([]byte(nil), buffer[:n]...)
		full := f.down.put(func(l *lane, now clock.Instant) {
			l.trickle(n, data, now)
			if err != nil {
				l.enter(parcel{end: err}, now)
			}
		}, f.closed, nil)
		if err != nil || full != nil {
			return
		}
	}
}

// Close closes the connection and forgets what is on its way.
func (f *farConn) Close() error { return f.hang() }

func (f *farConn) hangUp() error {
	close(f.closed)
	err := f.TCPConn.Close()
	f.working.Wait()
	f.up.mu.Lock()
	defer f.up.mu.Unlock()
	f.traffic.neverSent(&f.up.lane)
	return err
}

// SetDeadline sets when both reading and writing give up.
func (f *farConn) SetDeadline(t time.Time) error {
	f.writeBy.Store(&t)
	return f.SetReadDeadline(t)
}

// SetWriteDeadline sets when Write gives up waiting for room.
func (f *farConn) SetWriteDeadline(t time.Time) error {
	f.writeBy.Store(&t)
	return nil
}

// A hose is a lane between two goroutines: one puts in, one takes out.
type hose struct {
	came, went chan struct{} // hold one when something was put in, taken out
	timer      *time.Timer   // of who takes out

	mu   sync.Mutex // guards lane
	lane lane
}

func newHose(l lane) *hose {
	return &hose{came: make(chan struct{}, 1), went: make(chan struct{}, 1), timer: time.NewTimer(time.Hour), lane: l}
}

// signal leaves a note in a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// put has the lane filled when there is room.
func (h *hose) put(fill func(*lane, clock.Instant), closed <-chan struct{}, late <-chan time.Time) error {
	for {
		filled, err := h.fill(fill, closed)
		if filled || err != nil {
			return err
		}
		select {
		case <-h.went:
		case <-closed:
		case <-late:
			return os.ErrDeadlineExceeded
		}
	}
}

// fill fills the lane, unless it is full or, which is looked at under the lock that
// takes back what never left, closed.
func (h *hose) fill(fill func(*lane, clock.Instant), closed <-chan struct{}) (filled bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-closed:
		return false, net.ErrClosed
	default:
	}
	if h.lane.size >= linkRoom {
		return false, nil
	}
	fill(&h.lane, clock.Now())
	signal(h.came)
	return true, nil
}

// first waits until the first piece is due. It is gone when it is removed.
func (h *hose) first(closed <-chan struct{}) (piece parcel, ok bool) {
	for {
		piece, ok = h.peek()
		left := time.Duration(0)
		if ok {
			if left = piece.due.Sub(clock.Now()); left <= 0 {
				return piece, true
			}
			h.timer.Reset(left)
		} else {
			h.timer.Stop()
		}
		select {
		case <-h.timer.C:
		case <-h.came:
		case <-closed:
			return parcel{}, false
		}
	}
}

func (h *hose) peek() (parcel, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lane.first()
}

func (h *hose) remove(n int) {
	h.mu.Lock()
	h.lane.remove(n)
	h.mu.Unlock()
	signal(h.went)
}

func (h *hose) empty() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lane.size == 0
}
