package client

import (
	"sync"
	"sync/atomic"

	"pushbench/bench/payload"
	"pushbench/results"
)

// Traffic counts what the sessions of one engine write and read. Bytes are counted where
// they are read and written; the four parts of them are counted where they are parsed. At
// the end both must agree, which reveals a byte that was not parsed.
type Traffic struct {
	Up, Down direction

	Requests, Polls, Empty, Batches, Dials, Reconnects atomic.Int64

	// Abandoned counts dials that were in progress when their session was closed. The
	// server may have accepted some of them; the client cannot know.
	Abandoned atomic.Int64

	held atomic.Int64 // bytes of long incomplete messages

	payloads *payload.Scanner // of a target's protocol; nil: pushbench's own

	mu      sync.Mutex // guards what follows
	open    map[Socket]struct{}
	closed  TCP      // sum over closed connections
	options *Options // of the first connection
}

type direction struct{ Bytes, Payload, Envelope, Framing, Headers atomic.Int64 }

// A Socket gives access to a descriptor until it is closed.
type Socket interface {
	Control(do func(fd int)) // calls do with its descriptor, unless it is closed
}

// readSocket returns what read reads from a socket's descriptor.
func readSocket[T any](c Socket, read func(fd int) T) (found T) {
	c.Control(func(fd int) { found = read(fd) })
	return found
}

// Snapshot reads all counters but the kernel's: see TCP.
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

// TCP sums the kernel's counters of every connection, open and closed. It takes about a
// microsecond per connection. All counters are 0 on systems without TCP_INFO.
func (t *Traffic) TCP() TCP {
	t.mu.Lock()
	defer t.mu.Unlock()
	total := t.closed
	for c := range t.open {
		total.add(readSocket(c, readTCP))
	}
	return total
}

// Opened counts a connection that the client dialled.
func (t *Traffic) Opened(c Socket) {
	t.Dials.Add(1)
	t.Accepted(c)
}

// Accepted counts a connection that the server dialled.
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

// Closed adds the kernel's counters of a connection that is about to be closed: they
// cannot be read afterwards.
func (t *Traffic) Closed(c Socket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, ok := t.open[c]; !ok {
		return
	}
	delete(t.open, c)
	t.closed.add(readSocket(c, finalTCP))
}
