package eventloop

import (
	"io"
	"net"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// A poster publishes by POST on a keep-alive connection of its own, which it opens
// at once and opens again only when a publication finds it gone.
type poster struct {
	conn
	session *session
	backlog
	awaiting bool   // a publication is unanswered
	id       uint32 // of that publication
	first    bool   // the connection is being opened for the first time
}

func newPoster(s *session) *poster {
	p := &poster{session: s, first: true}
	p.conn = newConn(s.loop, p, s.Config.Distance(s.Sub, client.WayUp))
	return p
}

func (p *poster) dial(at clock.Instant) {
	p.held.Hold(at)
	if err := p.conn.dial(at); err != nil {
		p.broke(err, at)
	}
}

func (p *poster) opened(at clock.Instant) {
	if p.first && len(p.session.Sub.Topics) == 0 {
		p.session.Tell(client.Event{Kind: client.Connected}, at)
	}
	p.first = false
	p.held.Release(at)
	p.proceed(at)
}

func (p *poster) publish(id uint32, topic string, payload []byte) {
	now := clock.Now()
	if p.inFlight >= p.session.Config.InFlight {
		p.session.Dropped(id, client.CauseInFlight)
		return
	}
	p.inFlight++
	if p.state == open && !p.awaiting && len(p.queue) == 0 {
		p.send(&publication{id: id, topic: topic, data: payload, held: p.held.By(now)})
		return
	}
	p.put(id, topic, payload, now)
	p.proceed(now)
}

// proceed sends the next of the queue, if the connection is free, or opens one.
func (p *poster) proceed(at clock.Instant) {
	switch {
	case len(p.queue) == 0 || p.awaiting || p.state == dialling:
	case p.state == open:
		next, _ := p.next()
		p.send(&next)
	default:
		p.session.Traffic.Reconnects.Add(1)
		p.dial(at)
	}
}

// send writes one publication; nothing more is sent until it is answered.
func (p *poster) send(one *publication) {
	p.loop.out = p.session.AppendPost(p.loop.out[:0], one.topic, one.data)
	now := clock.Now()
	p.awaiting, p.id = true, one.id
	p.sending(p.session, one, now)
	p.held.Hold(now)
	if err := p.write(p.loop.out); err != nil {
		p.fail(err, now)
	}
}

func (p *poster) flushed(clock.Instant) {}

func (p *poster) arrived(in []byte, at clock.Instant) (n int, err error) {
	if !p.awaiting {
		return 0, client.ErrUnasked
	}
	posted, n, err := p.loop.scratch.TakePosted(p.session.Traffic, in)
	if err != nil || !posted.Done {
		return n, err
	}
	p.settle(posted.Outcome, at)
	if posted.Closes {
		p.close()
		p.session.LostPublisher(io.EOF, at)
	}
	p.proceed(at)
	return n, nil
}

// settle reports what became of the publication that was unanswered.
func (p *poster) settle(outcome client.Event, at clock.Instant) {
	outcome.ID = p.id
	p.awaiting = false
	p.inFlight--
	p.held.Release(at)
	p.session.Tell(outcome, at)
}

func (p *poster) broke(err error, at clock.Instant) {
	opening := p.held.Now() && !p.awaiting
	switch {
	case p.awaiting:
		p.settle(client.Event{Kind: client.Failed, Cause: client.Cause(err)}, at)
		p.session.LostPublisher(err, at)
	case opening && !p.first:
		p.held.Release(at)
		if next, ok := p.next(); ok { // for which it was to be opened
			p.inFlight--
			p.session.Dropped(next.id, client.CauseOffline)
		}
	default:
		p.held.Release(at)
		p.session.LostPublisher(err, at)
	}
	p.first = false
	p.proceed(at)
}

func (p *poster) expired(at clock.Instant) { p.fail(errTimeout, at) }

func (p *poster) shut() {
	if p.awaiting {
		p.settle(client.Event{Kind: client.Failed, Cause: client.Cause(net.ErrClosed)}, clock.Now())
	}
	p.drop(p.session, client.CauseClosed)
	p.close()
}
