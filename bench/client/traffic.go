package client

import (
	"sync"
	"sync/atomic"

	"pushbench/results"
)

// Traffic counts what the sessions of one engine put on the wire and took from
// it. Bytes are counted where they are read and written; the four parts are
// counted where they are understood. In the end both must agree, which is how a
// byte that nobody understood is noticed.
type Traffic struct {
	Up, Down direction

	Requests, Polls, Empty, Batches, Dials, Reconnects atomic.Int64

	// Abandoned are dials that were under way when their session was closed. The
	// server may have accepted some: whether it did, nobody on this side can tell.
	Abandoned atomic.Int64

	mu      sync.Mutex // guards what follows
	open    map[segmented]struct{}
	closed  TCP      // of connections that are gone
	options *Options // of the first connection
}

type direction struct{ Bytes, Payload, Envelope, Framing, Headers atomic.Int64 }

// A segmented connection can ask the kernel for its segments, until it is gone.
type segmented interface {
	segments() TCP
	lastSegments() TCP // asked just before it is closed: closing is in it, and what is not read is not
	options() *Options
}

// Snapshot reads all counters but the kernel's: see Segments.
func (t *Traffic) Snapshot() results.Wire {
	return results.Wire{
		Up:           t.Up.snapshot(),
		Down:         t.Down.snapshot(),
		Requests:     t.Requests.Load(),
		Polls:        t.Polls.Load(),
		EmptyAnswers: t.Empty.Load(),
		Batches:      t.Batches.Load(),
		Dials:        t.Dials.Load(),
		Reconnects:   t.Reconnects.Load(),
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
		total.add(c.segments())
	}
	return total
}

func (t *Traffic) opened(c segmented) {
	t.Dials.Add(1)
	t.accepted(c)
}

// accepted is told of a connection that the server opened, which is no dial of ours.
func (t *Traffic) accepted(c segmented) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = make(map[segmented]struct{})
	}
	t.open[c] = struct{}{}
	if t.options == nil {
		t.options = c.options()
	}
}

// gone is told just before a connection is closed: afterwards the kernel answers nothing.
func (t *Traffic) gone(c segmented) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.open[c]; !ok {
		return
	}
	delete(t.open, c)
	t.closed.add(c.lastSegments())
}
