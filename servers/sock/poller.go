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

	stallAfter    time.Duration
	vanishedAfter time.Duration // without any acknowledgement: then the kernel ends a connection that has sent something
	kernel        watcher
	tokens        atomic.Uint32
	slow          atomic.Int64 // connections with pending bytes
	pending       atomic.Int64 // of all connections, in bytes
	maxPending    int64        // above which a connection that would need more is closed
	looking       sync.WaitGroup
	workers       workers
}

// vanishedExtra is how much longer than a slow peer one may be silent whose machine has vanished.
const vanishedExtra = 30 * time.Second

// maxPendingOfAll bounds the pending bytes of all connections: thousands that do not read could otherwise use all memory.
const maxPendingOfAll = 512 << 20

// NewPoller starts a poller. Connections whose pending bytes are older than
// stallAfter are reported as Stalled.
func NewPoller(stallAfter time.Duration) (*Poller, error) {
	p := &Poller{stallAfter: stallAfter, vanishedAfter: stallAfter + vanishedExtra, maxPending: maxPendingOfAll}
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
