package goroutine

import (
	"errors"
	"fmt"
	"sync"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// An outbox sends a session's publications in order. If the connection is free and no
// publication is in flight, the publishing goroutine writes it at once: a goroutine started
// for it could wait behind others for milliseconds, and one publication cannot fill a
// socket's buffer, so the write cannot block. All other publications are queued and sent by
// the goroutine that finds the connection free.
type outbox struct {
	session        *session
	send           func(p client.Outgoing) error // writes one publication; client.ErrOffline without a connection
	online         func() bool                   // reports whether there is a connection to write to
	connect        func() error                  // opens a connection if there is none; nil if the session does
	awaitsResponse bool                          // the connection is busy until the response arrives
	wait           func()                        // waits for the goroutines of send; may be nil

	mu      sync.Mutex // guards the fields below
	backlog client.Backlog
	busy    bool // a goroutine sends, or a response is awaited
	closed  bool
	working sync.WaitGroup
}

// publish sends or queues a publication, or reports it as dropped.
func (o *outbox) publish(id uint32, topic string, payload []byte) {
	p, now, refused := o.admit(id, topic, payload)
	switch {
	case refused != "":
		o.session.Dropped(id, refused)
	case now:
		o.transmit(p)
	}
}

// admit accepts or refuses a publication, and returns whether the caller sends it now.
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

// transmit sends one publication, and then those queued meanwhile. If the connection is
// closed, another goroutine opens one: the publishing goroutine must keep its schedule.
func (o *outbox) transmit(p client.Outgoing) {
	err := o.send(p)
	if o.connect != nil && errors.Is(err, client.ErrOffline) && o.requeue(p) {
		return
	}
	if o.finish(p.ID, err) {
		o.sendQueued()
	}
}

// requeue puts p at the front of the queue, unless the session is closed.
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

// sendQueued sends the queued publications; the connection must be free.
func (o *outbox) sendQueued() {
	for p, ok := o.next(); ok; p, ok = o.next() {
		if !o.finish(p.ID, o.connectAndSend(p)) {
			return
		}
	}
}

// connectAndSend opens the connection if necessary and sends one publication.
func (o *outbox) connectAndSend(p client.Outgoing) error {
	if o.connect != nil {
		if err := o.connect(); err != nil {
			return fmt.Errorf("%w: %w", client.ErrOffline, err)
		}
	}
	return o.send(p)
}

// finish reports a failed write, and returns whether the connection is free.
func (o *outbox) finish(id uint32, err error) (free bool) {
	if err == nil && o.awaitsResponse {
		return false
	}
	closed := false
	o.update(func(b *client.Backlog) {
		closed = o.closed
		b.SetFree(clock.Now())
		if err != nil {
			b.Completed()
		}
	})
	switch {
	case err == nil:
	case closed && errors.Is(err, client.ErrOffline): // Close disconnected
		o.session.Dropped(id, client.CauseClosed)
	default:
		o.session.NotSent(id, err, clock.Now())
	}
	return true
}

// next removes and returns the next queued publication. Without one, the outbox is no
// longer busy.
func (o *outbox) next() (p client.Outgoing, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p, ok = o.backlog.Next()
	o.busy = ok
	return p, ok
}

// sending reports that the write of p begins now, and marks the connection as busy.
func (o *outbox) sending(p *client.Outgoing) {
	now := clock.Now()
	o.mu.Lock()
	waited := o.backlog.Waited(p, now)
	o.backlog.SetBusy(now)
	o.mu.Unlock()
	o.session.Sending(p.ID, waited, now)
}

// update calls do on the backlog under the lock.
func (o *outbox) update(do func(*client.Backlog)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	do(&o.backlog)
}

// stop refuses new publications and drops those that are queued. Close calls it before it
// closes the connection: otherwise queued publications would be sent on a connection that
// the client itself closed, and be reported as failed.
func (o *outbox) stop() {
	o.mu.Lock()
	o.closed = true
	unsent := o.backlog.TakeAll()
	o.mu.Unlock()
	for _, p := range unsent {
		o.session.Dropped(p.ID, client.CauseClosed)
	}
}

// close waits until no publication is being sent. The caller has called stop.
func (o *outbox) close() {
	o.working.Wait()
	if o.wait != nil {
		o.wait()
	}
}
