package goroutine

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// A publication is one payload on its way up.
type publication struct {
	id    uint32
	topic string
	data  []byte
	held  time.Duration // of the connection, when it was handed to the session
}

// An outbox sends a session's publications in order. What comes while the
// connection is free and nothing is unanswered is written by whoever publishes,
// at once: a goroutine started for it could wait behind others for milliseconds,
// and so little cannot fill a socket's buffer, so the write cannot block. All
// else is queued and sent by the goroutine that finds the connection free.
type outbox struct {
	session *session
	send    func(p *publication) error // writes one publication; client.ErrOffline when there is no connection
	online  func() bool                // there is a connection to write to
	reach   func() error               // opens the connection if there is none, for as long as that takes; nil: send does without
	waits   bool                       // the connection is taken until proceed is called, when the answer is there
	end     func()                     // releases what send holds; may be nil

	mu       sync.Mutex // guards what follows
	queue    []*publication
	free     []*publication
	busy     bool // a goroutine sends, or an answer is awaited
	inFlight int  // queued, being sent or unanswered
	closed   bool
	unsent   []*publication // what was queued when the session was closed
	held     client.Held    // of the connection
	working  sync.WaitGroup
}

// push sends or queues a publication, or says why not.
func (o *outbox) push(id uint32, topic string, payload []byte) {
	p, refused := o.admit(id, topic, payload)
	if refused != "" {
		o.session.Dropped(id, refused)
		return
	}
	if p != nil {
		o.transmit(p)
	}
}

// admit returns the publication if it is to be sent at once.
func (o *outbox) admit(id uint32, topic string, payload []byte) (now *publication, refused string) {
	online := o.online()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil, client.CauseClosed
	}
	if o.inFlight >= o.session.Config.InFlight {
		return nil, client.CauseInFlight
	}
	p := o.take()
	p.id, p.topic, p.data, p.held = id, topic, append(p.data[:0], payload...), o.held.By(clock.Now())
	o.inFlight++
	if online && !o.busy && o.inFlight == 1 {
		o.busy = true
		return p, ""
	}
	o.queue = append(o.queue, p)
	if !o.busy {
		o.busy = true
		o.working.Go(o.proceed)
	}
	return nil, ""
}

func (o *outbox) take() *publication {
	if n := len(o.free); n > 0 {
		p := o.free[n-1]
		o.free = o.free[:n-1]
		return p
	}
	return new(publication)
}

// transmit sends one publication, and then what has been queued meanwhile. If
// the connection is gone, opening one is left to a goroutine: whoever publishes
// has a schedule to keep.
func (o *outbox) transmit(p *publication) {
	err := o.send(p)
	if o.reach != nil && errors.Is(err, client.ErrOffline) && o.putBack(p) {
		return
	}
	if o.settle(p, err) {
		o.proceed()
	}
}

// putBack makes p the first of the queue, unless the session is closed.
func (o *outbox) putBack(p *publication) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	o.queue = append([]*publication{p}, o.queue...)
	o.working.Go(o.proceed)
	return true
}

// proceed sends what is queued; the connection must be free.
func (o *outbox) proceed() {
	for p := o.next(); p != nil; p = o.next() {
		if !o.settle(p, o.attempt(p)) {
			return
		}
	}
}

// attempt opens the connection if need be and sends one publication.
func (o *outbox) attempt(p *publication) error {
	if o.reach != nil {
		if err := o.reach(); err != nil {
			return fmt.Errorf("%w: %w", client.ErrOffline, err)
		}
	}
	return o.send(p)
}

// settle says what became of the sending, if anything is to be said yet, and
// whether the connection is free again.
func (o *outbox) settle(p *publication, err error) (free bool) {
	id := p.id
	o.recycle(p)
	if err == nil && o.waits {
		return false
	}
	o.release(clock.Now())
	if err != nil {
		o.answered()
		o.session.NotSent(id, err, clock.Now())
	}
	return true
}

// next takes the next of the queue; when there is none, the outbox is not busy any more.
func (o *outbox) next() *publication {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		o.busy = false
		return nil
	}
	p := o.queue[0]
	o.queue = o.queue[1:]
	return p
}

func (o *outbox) recycle(p *publication) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.free = append(o.free, p)
}

// sending reports that the write of p begins now and takes the connection, and
// how much of the time since p was handed over the connection was taken. Time
// in which it was free and we did nothing is not among it: that is our lateness.
func (o *outbox) sending(p *publication) {
	now := clock.Now()
	o.mu.Lock()
	waited := o.held.By(now) - p.held
	o.held.Hold(now)
	o.mu.Unlock()
	o.session.Tell(client.Event{Kind: client.Sending, ID: p.id, Waited: waited}, now)
}

// hold notes that the connection is not free to send from an instant on.
func (o *outbox) hold(at clock.Instant) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held.Hold(at)
}

// release notes that the connection is free from an instant on.
func (o *outbox) release(at clock.Instant) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held.Release(at)
}

// answered makes room for one more publication.
func (o *outbox) answered() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inFlight = max(0, o.inFlight-1) // forget may have come before
}

// forget drops all hope of answers to what was sent on a connection that is gone.
func (o *outbox) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inFlight = len(o.queue)
}

// shut lets nothing more in, nor anything out that is not yet being sent. It comes
// before the connection is closed: else what is queued would be tried on one
// that we took away ourselves, and be reported as lost by it.
func (o *outbox) shut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.unsent, o.queue = o.queue, nil
}

// close waits until nothing is being sent and reports what was never sent. shut has come before.
func (o *outbox) close() {
	o.working.Wait()
	for _, p := range o.unsent {
		o.session.Dropped(p.id, client.CauseClosed)
	}
	if o.end != nil {
		o.end()
	}
}
