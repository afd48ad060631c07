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

// An outbox sends a session's publications in order. What comes while the
// connection is free and nothing is unanswered is written by whoever publishes,
// at once: a goroutine started for it could wait behind others for milliseconds,
// and so little cannot fill a socket's buffer, so the write cannot block. All
// else is queued and sent by the goroutine that finds the connection free.
type outbox struct {
	session *session
	send    func(p *publication) error // writes one publication
	online  func() bool                // there is a connection to write to
	waits   bool                       // the connection is taken until proceed is called, when the answer is there
	end     func()                     // releases what send holds; may be nil

	mu       sync.Mutex // guards what follows
	queue    []*publication
	free     []*publication
	busy     bool // somebody sends, or an answer is awaited
	inFlight int  // queued, being sent or unanswered
	closed   bool
	freeAt   clock.Instant // when the connection was last free to send
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
	p.id, p.topic, p.data, p.due = id, topic, append(p.data[:0], payload...), clock.Now()
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

// transmit sends one publication, and then what has been queued meanwhile.
func (o *outbox) transmit(p *publication) {
	if o.attempt(p) {
		o.proceed()
	}
}

// attempt sends one publication and says whether the connection is free again.
func (o *outbox) attempt(p *publication) (free bool) {
	id := p.id
	err := o.send(p)
	o.recycle(p)
	if err == nil {
		return !o.waits
	}
	o.answered()
	o.session.tell(failure(id, err), clock.Now())
	return true
}

// proceed is for who finds the connection free: it sends what is queued.
func (o *outbox) proceed() {
	for p := o.next(); p != nil; p = o.next() {
		if !o.attempt(p) {
			return
		}
	}
}

// next takes the next of the queue; when there is none, nobody is busy any more.
func (o *outbox) next() *publication {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.freeAt = clock.Now()
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

// sending tells that the write of p begins now, and how much of the time since
// it was handed over an earlier publication held the connection.
func (o *outbox) sending(p *publication) {
	o.mu.Lock()
	waited := max(0, o.freeAt.Sub(p.due))
	o.mu.Unlock()
	o.session.tell(Event{Kind: Sending, ID: p.id, Waited: waited}, clock.Now())
}

// freed notes that the connection can carry the next publication only from now on.
func (o *outbox) freed() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.freeAt = clock.Now()
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

// close waits for who is sending and tells of what was never sent.
func (o *outbox) close() {
	o.mu.Lock()
	o.closed = true
	unsent := o.queue
	o.queue = nil
	o.mu.Unlock()
	o.working.Wait()
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
	ctx    context.Context
	outbox *outbox
	header fasthttp.RequestHeader

	mu       sync.Mutex // guards what follows
	line     *line      // nil while there is no connection
	awaiting bool       // a publication was sent on it and not answered
	id       uint32     // of that publication
	reading  sync.WaitGroup

	// The way down has its own of these and works at the same time.
	frame   frame
	decoder decoder
}

func newPoster(ctx context.Context, s *session) *outbox {
	p := &poster{session: s, ctx: ctx}
	requestHeader(&p.header, fasthttp.MethodPost, s.engine.Target)
	p.header.SetContentType("text/plain; charset=utf-8")
	p.outbox = &outbox{session: s, send: p.send, online: p.online, waits: true, end: p.reading.Wait}
	// The first connection is part of connecting, not of the first publication.
	p.outbox.busy = true
	p.outbox.working.Go(func() {
		p.begin()
		p.outbox.proceed()
	})
	return p.outbox
}

func (p *poster) begin() {
	err := p.open()
	switch {
	case p.ctx.Err() != nil:
	case err != nil:
		p.tell(Event{Kind: Disconnected, Cause: "way up: " + cause(err)}, clock.Now())
	case len(p.sub.Topics) == 0:
		p.tell(Event{Kind: Connected}, clock.Now())
	}
}

func (p *poster) open() error {
	l, err := openLine(p.ctx, p.engine)
	if err != nil {
		return err
	}
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

// send writes one publication; its answer is the reader's.
func (p *poster) send(pub *publication) error {
	l, err := p.reserve(pub.id)
	if err != nil {
		return err
	}
	p.header.SetRequestURI("/v1/topics/" + url.PathEscape(pub.topic))
	p.outbox.sending(pub)
	p.engine.Traffic.Up.Payload.Add(int64(len(pub.data)))
	if err := l.send(&p.header, pub.data); err != nil {
		l.close() // the reader finds out, and tells
	}
	return nil
}

// reserve takes the connection for one publication, and opens one if there is none.
func (p *poster) reserve(id uint32) (*line, error) {
	if !p.online() {
		p.engine.Traffic.Reconnects.Add(1)
		if err := p.open(); err != nil {
			return nil, fmt.Errorf("%w: %w", errOffline, err)
		}
		p.outbox.freed()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line == nil {
		return nil, errOffline // it broke in this moment
	}
	p.awaiting, p.id = true, id
	return p.line, nil
}

// read reads answers until the connection ends.
func (p *poster) read(l *line) {
	for {
		seq, err := p.answer(l)
		at := clock.Now()
		ended := err != nil || l.response.ConnectionClose()
		id, awaited := p.settle(ended)
		if ended {
			l.close()
		}
		if awaited {
			p.outbox.answered()
			if err != nil {
				p.tell(Event{Kind: Failed, ID: id, Cause: cause(err)}, at)
			} else {
				p.tell(Event{Kind: Acked, ID: id, Seq: seq}, at)
			}
			p.outbox.proceed()
		}
		if ended {
			return
		}
	}
}

// settle says which publication an answer or the connection's end is about, if any.
func (p *poster) settle(ended bool) (id uint32, awaited bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, awaited = p.id, p.awaiting
	p.awaiting = false
	if ended {
		p.line = nil
	}
	return id, awaited
}

func (p *poster) answer(l *line) (seq uint64, err error) {
	status, err := l.receive()
	if err != nil {
		return 0, err
	}
	body := l.response.Body()
	p.engine.Traffic.Down.Envelope.Add(int64(len(body)))
	if status != fasthttp.StatusOK {
		return 0, fmt.Errorf("publish answered with status %d", status)
	}
	if err := p.decoder.decode(body, &p.frame); err != nil {
		return 0, err
	}
	return p.frame.seq, nil
}
