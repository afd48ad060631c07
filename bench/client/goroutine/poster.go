package goroutine

import (
	"context"
	"io"
	"sync"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// A poster publishes by POST on a separate keep-alive connection. It opens it at once, and
// opens another only when a publication finds it closed.
type poster struct {
	*session
	ctx      context.Context
	distance client.Distance
	outbox   *outbox
	request  []byte

	// writing is locked while a publication is written, so that the reader relates the end
	// of a connection to a publication that was written on it completely or not at all.
	writing sync.Mutex

	mu       sync.Mutex // guards the fields below
	conn     *conn      // nil without a connection
	awaiting bool       // a publication was sent and its response is outstanding
	id       uint32     // ID of that publication
	reading  sync.WaitGroup

	scratch  client.Scratch      // the receiving goroutine decodes at the same time, with another Scratch
	response client.PostResponse // the last response
	interim  int                 // bytes of the interim responses before it
}

func newPoster(ctx context.Context, s *session) *outbox {
	p := &poster{session: s, ctx: ctx, distance: s.Config.Distance(s.Sub, client.Upstream)}
	p.outbox = &outbox{session: s, send: p.send, online: p.online, connect: p.connect, awaitsResponse: true, wait: p.reading.Wait}
	// The first connection belongs to connecting, not to the first publication.
	p.outbox.busy = true
	p.outbox.backlog.SetBusy(clock.Now())
	p.outbox.working.Go(func() {
		p.connectFirst()
		p.setFree()
		p.outbox.sendQueued()
	})
	return p.outbox
}

func (p *poster) connectFirst() {
	err := p.open()
	switch {
	case p.ctx.Err() != nil:
	case err != nil:
		p.PublisherDisconnected(err, clock.Now())
	case len(p.Sub.Topics) == 0:
		p.Report(client.Event{Kind: client.Connected}, clock.Now())
	}
}

func (p *poster) open() error {
	c, err := dial(p.ctx, p.Config, &p.distance)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn, c.late = c, client.ErrSilent
	p.reading.Go(func() { p.read(c) })
	return nil
}

func (p *poster) online() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conn != nil
}

// connect opens a connection if there is none.
func (p *poster) connect() error {
	if p.online() {
		return nil
	}
	p.Traffic.Reconnects.Add(1)
	p.outbox.update(func(b *client.Backlog) { b.SetBusy(clock.Now()) })
	defer p.setFree()
	return p.open()
}

// setFree marks the connection as free.
func (p *poster) setFree() { p.outbox.update(func(b *client.Backlog) { b.SetFree(clock.Now()) }) }

// send writes one publication; read handles its response.
func (p *poster) send(publication client.Outgoing) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	c := p.reserve(publication.ID)
	if c == nil {
		return client.ErrOffline
	}
	if timeout := p.Config.PostTimeout; timeout > 0 {
		_ = c.SetReadDeadline(time.Now().Add(timeout)) // fails on a closed connection, as the read will
	}
	p.outbox.sending(&publication)
	p.request = p.AppendPost(p.request[:0], publication.ID, publication.Topic, publication.Payload)
	if err := c.write(p.request); err != nil {
		c.close() // read fails, and reports it
	}
	return nil
}

// reserve reserves the connection, if there is one, for one publication.
func (p *poster) reserve(id uint32) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		p.awaiting, p.id = true, id
	}
	return p.conn
}

// Consume consumes one response.
func (p *poster) Consume(in []byte, _ clock.Instant) (n int, done bool, err error) {
	p.response, n, err = p.scratch.ConsumePost(p.Config, in, &p.interim)
	return n, p.response.Done, err
}

// read reads responses until the connection ends.
func (p *poster) read(c *conn) {
	for end := error(nil); end == nil; {
		p.interim = 0
		end = c.receive(p)
		at := clock.Now()
		outcome := p.response.Outcome
		switch {
		case end != nil:
			outcome = client.Event{Kind: client.Failed, Cause: client.Cause(end)}
		case p.response.Closes:
			end = io.EOF
		}
		if end != nil {
			c.close() // before complete: it unblocks a blocked write
		}
		var awaited bool
		outcome.ID, awaited, end = p.complete(end)
		if awaited {
			p.outbox.update(func(b *client.Backlog) {
				b.Completed()
				b.SetFree(at)
			})
			p.Report(outcome, at)
		}
		if end != nil {
			c.close()
			if p.ctx.Err() == nil { // else the client closed it
				p.PublisherDisconnected(end, at)
			}
		}
		if awaited {
			p.outbox.sendQueued()
		}
	}
}

// complete returns the publication that a response or the connection's end refers to, if
// any, and the reason to close the connection, if any.
func (p *poster) complete(end error) (id uint32, awaited bool, _ error) {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	id, awaited = p.id, p.awaiting
	p.awaiting = false
	if p.conn != nil && p.Config.PostTimeout > 0 {
		_ = p.conn.SetReadDeadline(time.Time{})
	}
	if !awaited && end == nil {
		end = client.ErrUnsolicited
	}
	if end != nil {
		p.conn = nil
	}
	return id, awaited, end
}
