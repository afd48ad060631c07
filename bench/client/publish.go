package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"github.com/valyala/fasthttp"

	"pushbench/bench/clock"
)

// A publication is one payload on its way up.
type publication struct {
	id    uint32
	topic string
	data  []byte
	due   clock.Instant // when it was handed to the session
}

// An outbox sends a session's publications in order, one at a time, on a
// goroutine that exists only while there is something to send.
type outbox struct {
	session *session
	ctx     context.Context
	send    func(ctx context.Context, p *publication) error
	end     func() // releases what send holds; may be nil

	mu       sync.Mutex // guards what follows
	queue    []*publication
	free     []*publication
	draining bool
	inFlight int // queued, being sent or unanswered
	closed   bool
	drained  sync.WaitGroup
	freeAt   clock.Instant // when the connection was last free to send
}

func newOutbox(ctx context.Context, s *session, send func(context.Context, *publication) error) *outbox {
	return &outbox{session: s, ctx: ctx, send: send}
}

// push queues a publication or says why not.
func (o *outbox) push(id uint32, topic string, payload []byte) {
	if refused := o.enqueue(id, topic, payload); refused != "" {
		o.session.tell(Event{Kind: Dropped, ID: id, Cause: refused}, clock.Now())
	}
}

func (o *outbox) enqueue(id uint32, topic string, payload []byte) (refused string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return CauseClosed
	}
	if o.inFlight >= o.session.engine.InFlight {
		return CauseInFlight
	}
	p := o.take()
	p.id, p.topic, p.data, p.due = id, topic, append(p.data[:0], payload...), clock.Now()
	o.queue = append(o.queue, p)
	o.inFlight++
	if !o.draining {
		o.draining = true
		o.drained.Go(o.drain)
	}
	return ""
}

func (o *outbox) take() *publication {
	if n := len(o.free); n > 0 {
		p := o.free[n-1]
		o.free = o.free[:n-1]
		return p
	}
	return new(publication)
}

// drain sends until the queue is empty.
func (o *outbox) drain() {
	for p := o.next(nil); p != nil; p = o.next(p) {
		if err := o.send(o.ctx, p); err != nil {
			o.answered()
			o.session.tell(failure(p.id, err), clock.Now())
		}
	}
}

// failure tells apart what was tried and what never left.
func failure(id uint32, err error) Event {
	if errors.Is(err, errOffline) {
		return Event{Kind: Dropped, ID: id, Cause: CauseOffline}
	}
	return Event{Kind: Failed, ID: id, Cause: cause(err)}
}

// errOffline says that there was no connection to write to.
var errOffline = errors.New(CauseOffline)

// next returns the used publication and takes the next, or ends the draining.
func (o *outbox) next(used *publication) *publication {
	o.mu.Lock()
	defer o.mu.Unlock()
	if used != nil {
		o.free = append(o.free, used)
		o.freeAt = clock.Now()
	}
	if len(o.queue) == 0 {
		o.draining = false
		return nil
	}
	p := o.queue[0]
	o.queue = o.queue[1:]
	return p
}

// sending tells that the write of p begins now, and how much of the time since
// it was handed over an earlier publication held the connection.
func (o *outbox) sending(p *publication) {
	o.mu.Lock()
	waited := max(0, o.freeAt.Sub(p.due))
	o.mu.Unlock()
	o.session.tell(Event{Kind: Sending, ID: p.id, Waited: waited}, clock.Now())
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

// close waits for the goroutine and tells of what was never sent.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	unsent := o.queue
	o.queue = nil
	o.mu.Unlock()
	o.drained.Wait()
	for _, p := range unsent {
		o.session.tell(Event{Kind: Dropped, ID: p.id, Cause: CauseClosed}, clock.Now())
	}
	if o.end != nil {
		o.end()
	}
}

// A poster publishes by POST on a keep-alive connection of its own, which it
// opens at once and opens again only when a publication finds it gone.
type poster struct {
	*session
	outbox *outbox
	line   *line
	header fasthttp.RequestHeader

	// The way down has its own of these and works at the same time.
	frame   frame
	decoder decoder
}

func newPoster(ctx context.Context, s *session) *outbox {
	p := &poster{session: s}
	requestHeader(&p.header, fasthttp.MethodPost, s.engine.Target)
	p.header.SetContentType("text/plain; charset=utf-8")
	p.outbox = newOutbox(ctx, s, p.post)
	p.outbox.end = p.hangUp
	// The first connection is part of connecting, not of the first publication.
	p.outbox.draining = true
	p.outbox.drained.Go(func() {
		p.begin(ctx)
		p.outbox.drain()
	})
	return p.outbox
}

func (p *poster) begin(ctx context.Context) {
	err := p.open(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		p.tell(Event{Kind: Disconnected, Cause: "way up: " + cause(err)}, clock.Now())
	case len(p.sub.Topics) == 0:
		p.tell(Event{Kind: Connected}, clock.Now())
	}
}

func (p *poster) open(ctx context.Context) (err error) {
	p.line, err = openLine(ctx, p.engine)
	return err
}

func (p *poster) hangUp() {
	if p.line != nil {
		p.line.close()
		p.line = nil
	}
}

// post sends one publication and waits for its answer.
func (p *poster) post(ctx context.Context, pub *publication) error {
	if p.line == nil {
		p.engine.Traffic.Reconnects.Add(1)
		if err := p.open(ctx); err != nil {
			return fmt.Errorf("%w: %w", errOffline, err)
		}
	}
	seq, err := p.exchange(pub)
	if err != nil {
		p.hangUp()
		return err
	}
	p.outbox.answered()
	p.tell(Event{Kind: Acked, ID: pub.id, Seq: seq}, clock.Now())
	if p.line.response.ConnectionClose() {
		p.hangUp()
	}
	return nil
}

func (p *poster) exchange(pub *publication) (seq uint64, err error) {
	p.header.SetRequestURI("/v1/topics/" + url.PathEscape(pub.topic))
	p.outbox.sending(pub)
	traffic := p.engine.Traffic
	traffic.Up.Payload.Add(int64(len(pub.data)))
	if err := p.line.send(&p.header, pub.data); err != nil {
		return 0, err
	}
	status, err := p.line.receive()
	if err != nil {
		return 0, err
	}
	body := p.line.response.Body()
	traffic.Down.Envelope.Add(int64(len(body)))
	if status != fasthttp.StatusOK {
		return 0, fmt.Errorf("publish answered with status %d", status)
	}
	if err := p.decoder.decode(body, &p.frame); err != nil {
		return 0, err
	}
	return p.frame.seq, nil
}
