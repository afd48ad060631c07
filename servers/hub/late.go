package hub

import (
	"slices"
	"sync"
	"time"
)

// A postponer is the lie of a slow server: messages are accepted, numbered and
// acknowledged at once, and let into the log only after a fixed time, in the order
// in which they came. How long it really held each is kept, because a timer is
// never exact and who tests an instrument with it must know the truth.
type postponer struct {
	delay  time.Duration
	let    func(name string, data []byte)
	ended  sync.WaitGroup
	more   chan struct{} // holds one: there is something in the queue
	ending chan struct{} // closed by close

	mu       sync.Mutex        // guards what follows
	accepted map[string]uint64 // per topic: the seq given out last
	queue    []postponed
	held     []time.Duration // of the first keptHolds messages
}

type postponed struct {
	name string
	data []byte
	came time.Time
}

// keptHolds bounds what is kept: a test of an instrument holds fewer messages.
const keptHolds = 1 << 17

func newPostponer(delay time.Duration, let func(string, []byte)) *postponer {
	p := &postponer{delay: delay, let: let, more: make(chan struct{}, 1), ending: make(chan struct{}), accepted: map[string]uint64{}}
	p.ended.Go(p.work)
	return p
}

// accept gives a message its seq, and lets it in later.
func (p *postponer) accept(name string, data []byte) (seq uint64) {
	p.mu.Lock()
	p.accepted[name]++
	seq = p.accepted[name]
	p.queue = append(p.queue, postponed{name, slices.Clone(data), time.Now()})
	p.mu.Unlock()
	select {
	case p.more <- struct{}{}:
	default: // it is told already
	}
	return seq
}

// work lets messages in, each when its time has come, until close.
func (p *postponer) work() {
	for {
		first, ok := p.first()
		if !ok {
			select {
			case <-p.more:
				continue
			case <-p.ending:
				return
			}
		}
		select {
		case <-time.After(time.Until(first.came.Add(p.delay))):
			p.release(first)
		case <-p.ending:
			return
		}
	}
}

// first takes the first of the queue.
func (p *postponer) first() (first postponed, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return postponed{}, false
	}
	first, p.queue = p.queue[0], p.queue[1:]
	return first, true
}

func (p *postponer) release(m postponed) {
	p.mu.Lock()
	if len(p.held) < keptHolds {
		p.held = append(p.held, time.Since(m.came))
	}
	p.mu.Unlock()
	p.let(m.name, m.data)
}

// median is the median of how long messages were held; 0 when none were.
func (p *postponer) median() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.held) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(p.held))
	return sorted[len(sorted)/2]
}

// count is how many messages were let in late.
func (p *postponer) count() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return uint64(len(p.held))
}

// close ends the work; what is still held is never let in.
func (p *postponer) close() {
	close(p.ending)
	p.ended.Wait()
}
