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

// A delayedConn is a connection through a Link. One goroutine reads from the socket and one
// writes to it; bytes in transit are stored here, as many as fit into a client.DelayLine in
// each direction. Bytes are never early, and late by the error of Go's timers, up to about
// a millisecond.
type delayedConn struct {
	*net.TCPConn
	traffic   *client.Traffic
	up, down  *delayedPipe
	closed    chan struct{}
	working   sync.WaitGroup
	closeOnce func() error // closes the connection, once

	unread    []byte // the rest of a segment that was read in part
	readErr   error  // the error that Read returns when unread is empty
	skipDelay atomic.Bool
}

// dialDelayed returns the outcome of a dial one round trip later, when the client would
// receive it.
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
	c := &delayedConn{TCPConn: raw, traffic: traffic, up: newDelayedPipe(up), down: newDelayedPipe(down), closed: make(chan struct{})}
	c.closeOnce = sync.OnceValue(c.shutdown)
	c.working.Go(c.upload)
	c.working.Go(c.download)
	return c
}

// Read waits until bytes leave the link.
func (c *delayedConn) Read(p []byte) (int, error) {
	if len(c.unread) == 0 && c.readErr == nil {
		segment, ok := c.down.first(c.closed)
		if !ok {
			return 0, net.ErrClosed
		}
		c.down.remove(segment.Size)
		c.unread, c.readErr = segment.Data, segment.End
	}
	if len(c.unread) == 0 {
		return 0, c.readErr
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

// Write puts p into the link in one segment. It waits while the link is full.
func (c *delayedConn) Write(p []byte) (int, error) {
	if c.skipDelay.Load() {
		return c.writeAtOnce(p)
	}
	segment := append([]byte(nil), p...)
	if err := c.up.put(func(l *client.DelayLine, now clock.Instant) {
		l.Enter(client.Segment{Size: len(segment), Data: segment}, now)
	}, c.closed); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (c *delayedConn) writeAtOnce(p []byte) (int, error) {
	if !c.up.empty() {
		return 0, net.ErrClosed
	}
	n, err := c.TCPConn.Write(p)
	c.traffic.Up.Bytes.Add(int64(n))
	return n, err
}

// upload writes the bytes that leave the link. If a write fails, the reader gets the error.
func (c *delayedConn) upload() {
	for {
		segment, ok := c.up.first(c.closed)
		if !ok {
			return
		}
		n, err := c.TCPConn.Write(segment.Data)
		c.traffic.Up.Bytes.Add(int64(n))
		c.up.remove(n)
		if err != nil {
			return
		}
	}
}

// download reads from the socket until the end.
func (c *delayedConn) download() {
	buffer := make([]byte, 4<<10)
	for {
		n, err := c.TCPConn.Read(buffer)
		data := append([]byte(nil), buffer[:n]...)
		full := c.down.put(func(l *client.DelayLine, now clock.Instant) {
			l.EnterPaced(n, data, now)
			if err != nil {
				l.Enter(client.Segment{End: err}, now)
			}
		}, c.closed)
		if err != nil || full != nil {
			return
		}
	}
}

// Close closes the connection and discards the bytes in transit.
func (c *delayedConn) Close() error { return c.closeOnce() }

func (c *delayedConn) shutdown() error {
	close(c.closed)
	err := c.TCPConn.Close()
	c.working.Wait()
	c.up.mu.Lock()
	defer c.up.mu.Unlock()
	c.traffic.UncountUndelivered(&c.up.line)
	return err
}

// A delayedPipe is a DelayLine between two goroutines: one adds segments, one removes them.
type delayedPipe struct {
	added, removed chan struct{} // signalled when a segment is added or removed
	timer          *time.Timer   // of the removing goroutine

	mu   sync.Mutex // guards line
	line client.DelayLine
}

func newDelayedPipe(l client.DelayLine) *delayedPipe {
	return &delayedPipe{added: make(chan struct{}, 1), removed: make(chan struct{}, 1), timer: time.NewTimer(time.Hour), line: l}
}

// signal sends to a channel of capacity one, unless it is full.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// put calls fill when the line has room.
func (d *delayedPipe) put(fill func(*client.DelayLine, clock.Instant), closed <-chan struct{}) error {
	for {
		filled, err := d.tryPut(fill, closed)
		if filled || err != nil {
			return err
		}
		select {
		case <-d.removed:
		case <-closed:
		}
	}
}

// tryPut calls fill unless the line is full or closed. It checks closed under the lock under
// which shutdown subtracts undelivered bytes.
func (d *delayedPipe) tryPut(fill func(*client.DelayLine, clock.Instant), closed <-chan struct{}) (filled bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-closed:
		return false, net.ErrClosed
	default:
	}
	if d.line.Full() {
		return false, nil
	}
	fill(&d.line, clock.Now())
	signal(d.added)
	return true, nil
}

// first waits until the first segment is due. The segment remains until it is removed.
func (d *delayedPipe) first(closed <-chan struct{}) (segment client.Segment, ok bool) {
	for {
		segment, ok = d.peek()
		left := time.Duration(0)
		if ok {
			if left = segment.Due.Sub(clock.Now()); left <= 0 {
				return segment, true
			}
			d.timer.Reset(left)
		} else {
			d.timer.Stop()
		}
		select {
		case <-d.timer.C:
		case <-d.added:
		case <-closed:
			return client.Segment{}, false
		}
	}
}

func (d *delayedPipe) peek() (client.Segment, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.line.First()
}

func (d *delayedPipe) remove(n int) {
	d.mu.Lock()
	d.line.Remove(n)
	d.mu.Unlock()
	signal(d.removed)
}

func (d *delayedPipe) empty() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.line.Empty()
}
