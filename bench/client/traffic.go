package client

import (
	"sync"
	"sync/atomic"

	"pushbench/results"
)

// Traffic counts what the sessions of one engine put on the wire and took from
// it. Bytes are counted where they are read and written; the four parts are
// counted where they are understood. In the end both must agree, which is how a
// byte that was not understood is noticed.
type Traffic struct {
	Up, Down direction

	Requests, Polls, Empty, Batches, Dials, Reconnects atomic.Int64

	// Abandoned are dials that were under way when their session was closed. The
	// server may have accepted some: whether it did, is not known on this side.
	Abandoned atomic.Int64

	mu      sync.Mutex // guards what follows
	open    map[Socket]struct{}
	closed  TCP      // of connections that are gone
	options *Options // of the first connection
}

type direction struct{ Bytes, Payload, Envelope, Framing, Headers atomic.Int64 }

// A Socket is one whose kernel can be asked about it, until it is gone.
type Socket interface {
	Control(do func(fd int)) // does something with its descriptor; nothing, when it is closed
}

// ask has a socket read.
func readSocket[T any](c Socket, read func(fd int) T) (found T) {
	c.Control(func(fd int) { found = read(fd) })
	return found
}

// Snapshot reads all counters but the kernel's: see Segments.
func (t *Traffic) Snapshot() results.Wire {
	return results.Wire{
		Up:             t.Up.snapshot(),
		Down:           t.Down.snapshot(),
		Requests:       t.Requests.Load(),
		Polls:          t.Polls.Load(),
		EmptyResponses: t.Empty.Load(),
		Batches:        t.Batches.Load(),
		Dials:          t.Dials.Load(),
		Reconnects:     t.Reconnects.Load(),
	}
}

func (d *direction) snapshot() results.Direction {
	return results.Direction{
		Bytes:    d.Bytes.Load(),
		Payload:  d.Payload.Load(),
		Envelope: d.Envelope.Load(),
		Framing:  d.Framing.Load(),
		Headers:  d.Headers.Load(),
	}
}

// TCP asks the kernel about every connection, open and gone: about a microsecond
// each. All is 0 on systems that do not tell.
func (t *Traffic) TCP() TCP {
	t.mu.Lock()
	defer t.mu.Unlock()
	total := t.closed
	for c := range t.open {
		total.add(readSocket(c, readTCP))
	}
	return total
}

// Opened counts a connection that was dialled.
func (t *Traffic) Opened(c Socket) {
	t.Dials.Add(1)
	t.Accepted(c)
}

// Accepted counts a connection that the server opened, which is no dial of ours.
func (t *Traffic) Accepted(c Socket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = make(map[Socket]struct{})
	}
	t.open[c] = struct{}{}
	if t.options == nil {
		t.options = readSocket(c, readOptions)
	}
}

// Gone counts what the kernel counted of a connection that is about to be closed:
// afterwards it answers nothing.
func (t *Traffic) Closed(c Socket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.open[c]; !ok {
		return
	}
	delete(t.open, c)
	t.closed.add(readSocket(c, finalTCP))
}
