package sock

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Poller watches the connections of a server process: one goroutine for
// what the kernel reports, one for what has stalled, and a few for what is to
// be done about it.
type Poller struct {
	stallAfter time.Duration
	kernel     watcher
	tokens     atomic.Uint32
	quit       chan struct{}
	looking    sync.WaitGroup
	workers    workers

	mu   sync.Mutex
	slow map[*Conn]struct{} // connections with pending bytes
}

// NewPoller starts a poller. Connections whose pending bytes are older than
// stallAfter are reported as Stalled, at the latest a quarter of it later.
func NewPoller(stallAfter time.Duration) (*Poller, error) {
	p := &Poller{stallAfter: stallAfter, quit: make(chan struct{}), slow: make(map[*Conn]struct{})}
	if err := p.kernel.open(); err != nil {
		return nil, err
	}
	p.looking.Go(p.watch)
	p.looking.Go(p.sweep)
	return p, nil
}

// Close ends the poller's goroutines and waits for them. Its connections should be closed first.
func (p *Poller) Close() {
	close(p.quit)
	p.kernel.close()
	p.looking.Wait()
	p.workers.close()
}

// Slow is how many connections have pending bytes.
func (p *Poller) Slow() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.slow)
}

func (p *Poller) addSlow(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slow[c] = struct{}{}
}

func (p *Poller) removeSlow(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.slow, c)
}

func (p *Poller) sweep() {
	ticker := time.NewTicker(max(p.stallAfter/4, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-p.quit:
			return
		case <-ticker.C:
			p.reportStalled()
		}
	}
}

func (p *Poller) reportStalled() {
	for _, c := range p.slowConns() {
		if n, since := c.Pending(); n > 0 && time.Since(since) >= p.stallAfter {
			c.stalled()
		}
	}
}

func (p *Poller) slowConns() []*Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.AppendSeq(make([]*Conn, 0, len(p.slow)), maps.Keys(p.slow))
}
