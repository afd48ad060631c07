package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"pushbench/bench/clock"
)

// A publication is one payload on its way up.
type publication struct {
	id    uint32
	topic string
	data  []byte
	held  time.Duration // outbox.held when it was handed to the session
}

// An outbox sends a session's publications in order. What comes while the
// connection is free and nothing is unanswered is written by whoever publishes,
// at once: a goroutine started for it could wait behind others for milliseconds,
// and so little cannot fill a socket's buffer, so the write cannot block. All
// else is queued and sent by the goroutine that finds the connection free.
type outbox struct {
	session *session
	send    func(p *publication) error // writes one publication; errOffline when there is no connection
	online  func() bool                // there is a connection to write to
	reach   func() error               // opens the connection if there is none, for as long as that takes; nil: send does without
	waits   bool                       // the connection is taken until proceed is called, when the answer is there
	end     func()                     // releases what send holds; may be nil

	mu       sync.Mutex // guards what follows
	queue    []*publication
	free     []*publication
	busy     bool // somebody sends, or an answer is awaited
	inFlight int  // queued, being sent or unanswered
	closed   bool
	unsent   []*publication // what was queued when the session was closed
	held     time.Duration  // how long the connection was not free to send, all in all
	since    clock.Instant  // since when it is not; 0 while it is
	working  sync.WaitGroup
}

// push sends or queues a publication, or says why not.
func (o *outbox) push(id uint32, topic string, payload []byte) {
	p, refused := o.admit(id, topic, payload)
	if refused != "" {
		o.session.tell(Event{Kind: Dropped, ID: id, Cause: refused}, clock.Now())
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
		return nil, CauseClosed
	}
	if o.inFlight >= o.session.engine.InFlight {
		return nil, CauseInFlight
	}
	p := o.take()
	p.id, p.topic, p.data, p.held = id, topic, append(p.data[:0], payload...), o.heldBy(clock.Now())
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
	if o.reach != nil && errors.Is(err, errOffline) && o.putBack(p) {
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

// proceed is for who finds the connection free: it sends what is queued.
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
			return fmt.Errorf("%w: %w", errOffline, err)
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
		o.session.tell(failure(id, err), clock.Now())
	}
	return true
}

// next takes the next of the queue; when there is none, nobody is busy any more.
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

// failure tells apart what was tried and what never left.
func failure(id uint32, err error) Event {
	if errors.Is(err, errOffline) {
		return Event{Kind: Dropped, ID: id, Cause: CauseOffline}
	}
	return Event{Kind: Failed, ID: id, Cause: cause(err)}
}

// errOffline says that there was no connection to write to.
var errOffline = errors.New(CauseOffline)

// sending tells that the write of p begins now and takes the connection, and
// how much of the time since p was handed over the connection was taken. Time
// in which it was free and we did nothing is not among it: that is our lateness.
func (o *outbox) sending(p *publication) {
	now := clock.Now()
	o.mu.Lock()
	waited := o.heldBy(now) - p.held
	o.since = now
	o.mu.Unlock()
	o.session.tell(Event{Kind: Sending, ID: p.id, Waited: waited}, now)
}

// heldBy is how long the connection was not free, up to an instant; o.mu is held.
func (o *outbox) heldBy(at clock.Instant) time.Duration {
	if o.since == 0 {
		return o.held
	}
	return o.held + max(0, at.Sub(o.since))
}

// hold notes that the connection is not free to send from an instant on.
func (o *outbox) hold(at clock.Instant) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.since = at
}

// release notes that the connection is free from an instant on.
func (o *outbox) release(at clock.Instant) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held, o.since = o.heldBy(at), 0
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
// that we took away ourselves, and be told as lost by it.
func (o *outbox) shut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.unsent, o.queue = o.queue, nil
}

// close waits for who is sending and tells of what was never sent. shut has come before.
func (o *outbox) close() {
	o.working.Wait()
	for _, p := range o.unsent {
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
	ctx    context.Context
	over   distance
	outbox *outbox
	header fasthttp.RequestHeader

	// writing is held while a publication is written, so that what the reader
	// learns of a connection is about what was written on it, all of it or nothing.
	writing sync.Mutex

	mu       sync.Mutex // guards what follows
	line     *line      // nil while there is no connection
	awaiting bool       // a publication was sent on it and not answered
	id       uint32     // of that publication
	reading  sync.WaitGroup

	// The way down has its own and works at the same time.
	reader
}

func newPoster(ctx context.Context, s *session) *outbox {
	p := &poster{session: s, ctx: ctx, over: s.engine.distance(s.sub, wayUpOnly)}
	requestHeader(&p.header, fasthttp.MethodPost, s.engine.Target)
	p.header.SetContentType("text/plain; charset=utf-8")
	p.outbox = &outbox{session: s, send: p.send, online: p.online, reach: p.reach, waits: true, end: p.reading.Wait}
	// The first connection is part of connecting, not of the first publication.
	p.outbox.busy, p.outbox.since = true, clock.Now()
	p.outbox.working.Go(func() {
		p.begin()
		p.outbox.release(clock.Now())
		p.outbox.proceed()
	})
	return p.outbox
}

func (p *poster) begin() {
	err := p.open()
	switch {
	case p.ctx.Err() != nil:
	case err != nil:
		p.lost(err)
	case len(p.sub.Topics) == 0:
		p.tell(Event{Kind: Connected}, clock.Now())
	}
}

// lost tells that there is no connection, or none any more, unless we wanted it so.
func (p *poster) lost(err error) {
	if p.ctx.Err() == nil {
		p.tell(Event{Kind: Disconnected, Cause: "way up: " + cause(err)}, clock.Now())
	}
}

func (p *poster) open() error {
	l, err := openLine(p.ctx, p.engine, &p.over)
	if err != nil {
		return err
	}
	l.head = p.head()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = l
	p.reading.Go(func() { p.read(l) })
	return nil
}

func (p *poster) online() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.line != nil
}

// reach opens a connection if there is none.
func (p *poster) reach() error {
	if p.online() {
		return nil
	}
	p.traffic.Reconnects.Add(1)
	p.outbox.hold(clock.Now())
	defer func() { p.outbox.release(clock.Now()) }()
	return p.open()
}

// send writes one publication; its answer is the reader's.
func (p *poster) send(pub *publication) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	l := p.reserve(pub.id)
	if l == nil {
		return errOffline
	}
	p.header.SetRequestURI("/v1/topics/" + url.PathEscape(pub.topic))
	p.outbox.sending(pub)
	if err := l.send(&p.header, pub.data); err != nil {
		l.close() // the reader finds out, and tells
	}
	return nil
}

// reserve takes the connection, if there is one, for one publication.
func (p *poster) reserve(id uint32) *line {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line != nil {
		p.awaiting, p.id = true, id
	}
	return p.line
}

// errUnasked is why a connection is given up on which an answer came to no request.
var errUnasked = errors.New("server answered without a request")

// read reads answers until the connection ends.
func (p *poster) read(l *line) {
	for end := error(nil); end == nil; {
		var outcome Event
		var awaited bool
		outcome, end = p.answer(l)
		at := clock.Now()
		if end != nil {
			l.close() // before settle: a write that is stuck in it ends now
		}
		outcome.ID, awaited, end = p.settle(end)
		if awaited {
			p.outbox.answered()
			p.outbox.release(at)
			p.tell(outcome, at)
		}
		if end != nil {
			l.close()
			p.lost(end)
		}
		if awaited {
			p.outbox.proceed()
		}
	}
}

// settle says which publication an answer or the connection's end is about, if
// any, and why the connection is given up, if it is.
func (p *poster) settle(end error) (id uint32, awaited bool, _ error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	id, awaited = p.id, p.awaiting
	p.awaiting = false
	if !awaited && end == nil {
		end = errUnasked
	}
	if end != nil {
		p.line = nil
	}
	return id, awaited, end
}

// answer reads one answer: what it means for the publication, and the error that ends the connection, if one does.
func (p *poster) answer(l *line) (outcome Event, end error) {
	status, err := l.receive()
	if err != nil {
		return Event{Kind: Failed, Cause: cause(err)}, err
	}
	if l.response.ConnectionClose() {
		end = io.EOF
	}
	return p.receivePosted(p.traffic, status, l.response.Body()), end
}
