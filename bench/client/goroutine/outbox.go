package goroutine

import (
	"errors"
	"fmt"
	"sync"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// An outbox sends a session's publications in order. What comes while the
// connection is free and nothing is unanswered is written by whoever publishes,
// at once: a goroutine started for it could wait behind others for milliseconds,
// and so little cannot fill a socket's buffer, so the write cannot block. All
// else is queued and sent by the goroutine that finds the connection free.
type outbox struct {
	session        *session
	send           func(p client.Outgoing) error // writes one publication; client.ErrOffline when there is no connection
	online         func() bool                   // there is a connection to write to
	connect        func() error                  // opens the connection if there is none, for as long as that takes; nil: send does without
	awaitsResponse bool                          // the connection is taken until proceed is called, when the answer is there
	wait           func()                        // releases what send holds; may be nil

	mu      sync.Mutex // guards what follows
	backlog client.Backlog
	busy    bool // a goroutine sends, or an answer is awaited
	closed  bool
	working sync.WaitGroup
}

// push sends or queues a publication, or reports why not.
func (o *outbox) publish(id uint32, topic string, payload []byte) {
	p, now, refused := o.admit(id, topic, payload)
	switch {
	case refused != "":
		o.session.Dropped(id, refused)
	case now:
		o.transmit(p)
	}
}

// admit returns whether the publication is to be sent at once.
func (o *outbox) admit(id uint32, topic string, payload []byte) (p client.Outgoing, now bool, refused string) {
	online := o.online()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return p, false, client.CauseClosed
	}
	idle := o.backlog.Idle()
	p, ok := o.backlog.Accept(id, topic, payload, o.session.Config.InFlight, clock.Now())
	switch {
	case !ok:
		return p, false, client.CauseInFlight
	case online && !o.busy && idle:
		o.busy = true
		return p, true, ""
	}
	o.backlog.Queue(p)
	if !o.busy {
		o.busy = true
		o.working.Go(o.sendQueued)
	}
	return p, false, ""
}

// transmit sends one publication, and then what has been queued meanwhile. If
// the connection is gone, opening one is left to a goroutine: whoever publishes
// has a schedule to keep.
func (o *outbox) transmit(p client.Outgoing) {
	err := o.send(p)
	if o.connect != nil && errors.Is(err, client.ErrOffline) && o.requeue(p) {
		return
	}
	if o.finish(p.ID, err) {
		o.sendQueued()
	}
}

// putBack makes p the first of the queue, unless the session is closed.
func (o *outbox) requeue(p client.Outgoing) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	o.backlog.QueueFirst(p)
	o.working.Go(o.sendQueued)
	return true
}

// proceed sends what is queued; the connection must be free.
func (o *outbox) sendQueued() {
	for p, ok := o.next(); ok; p, ok = o.next() {
		if !o.finish(p.ID, o.connectAndSend(p)) {
			return
		}
	}
}

// attempt opens the connection if need be and sends one publication.
func (o *outbox) connectAndSend(p client.Outgoing) error {
	if o.connect != nil {
		if err := o.connect(); err != nil {
			return fmt.Errorf("%w: %w", client.ErrOffline, err)
		}
	}
	return o.send(p)
}

// settle reports what became of the sending, if that is known yet, and
// whether the connection is free again.
func (o *outbox) finish(id uint32, err error) (free bool) {
	if err == nil && o.awaitsResponse {
		return false
	}
	o.update(func(b *client.Backlog) {
		b.SetFree(clock.Now())
		if err != nil {
			b.Completed()
		}
	})
	if err != nil {
		o.session.NotSent(id, err, clock.Now())
	}
	return true
}

// next takes the next of the queue; when there is none, the outbox is not busy any more.
func (o *outbox) next() (p client.Outgoing, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p, ok = o.backlog.Next()
	o.busy = ok
	return p, ok
}

// sending reports that the write of p begins now and takes the connection.
func (o *outbox) sending(p *client.Outgoing) {
	now := clock.Now()
	o.mu.Lock()
	waited := o.backlog.Waited(p, now)
	o.backlog.SetBusy(now)
	o.mu.Unlock()
	o.session.Sending(p.ID, waited, now)
}

// change has the backlog changed under the lock.
func (o *outbox) update(do func(*client.Backlog)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	do(&o.backlog)
}

// shut lets nothing more in, nor anything out that is not yet being sent. It comes
// before the connection is closed: else what is queued would be tried on one
// that we took away ourselves, and be reported as lost by it.
func (o *outbox) stop() {
	o.mu.Lock()
	o.closed = true
	unsent := o.backlog.TakeAll()
	o.mu.Unlock()
	for _, p := range unsent {
		o.session.Dropped(p.ID, client.CauseClosed)
	}
}

// close waits until nothing is being sent. shut has come before.
func (o *outbox) close() {
	o.working.Wait()
	if o.wait != nil {
		o.wait()
	}
}
