package sock

import (
	"sync"
	"sync/atomic"
	"time"
)

// A Poller watches the connections of a server process: one goroutine reads the kernel's
// events, and a few workers handle them.
type Poller struct {
	// Panicked is called after a handler or a worker has panicked, with what it panicked with; its connection is closed.
	// nil: the process ends. Set it before the first connection.
	Panicked func(any)

	// MaxPending bounds the bytes that wait for all clients, to be sent or to arrive completely: thousands that do not read,
	// or do not end what they have begun, could otherwise use all memory. Set it before the first connection.
	MaxPending int64

	stallAfter    time.Duration
	vanishedAfter time.Duration // without any acknowledgement: then the kernel ends a connection that has sent something
	kernel        watcher
	tokens        atomic.Uint32
	slow          atomic.Int64 // connections with pending bytes
	pending       atomic.Int64 // unsent and reserved bytes of all connections
	looking       sync.WaitGroup
	workers       workers
}

// vanishedExtra is how much longer than a slow peer one may be silent whose machine has vanished.
const vanishedExtra = 30 * time.Second

// maxPendingOfAll is the default of Poller.MaxPending.
const maxPendingOfAll = 512 << 20

// reserve counts n bytes more, unless they are too many.
func (p *Poller) reserve(n int64) bool {
	if p.pending.Add(n) > p.MaxPending {
		p.pending.Add(-n)
		return false
	}
	return true
}

// NewPoller starts a poller. Connections whose pending bytes are older than
// stallAfter are reported as Stalled.
func NewPoller(stallAfter time.Duration) (*Poller, error) {
	p := &Poller{stallAfter: stallAfter, vanishedAfter: stallAfter + vanishedExtra, MaxPending: maxPendingOfAll}
	if err := p.kernel.open(); err != nil {
		return nil, err
	}
	p.workers.poller = p
	p.workers.needed.L = &p.workers.mu
	p.looking.Go(p.watch)
	return p, nil
}

// Close ends the poller's goroutines and waits for them. Its connections should be closed first.
func (p *Poller) Close() {
	p.kernel.close()
	p.looking.Wait()
	p.workers.close()
}

// Slow returns how many connections have pending bytes.
func (p *Poller) Slow() int { return int(p.slow.Load()) }
