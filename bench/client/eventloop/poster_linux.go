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
	client.Backlog
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
	p.Hold(at)
	if err := p.conn.dial(at); err != nil {
		p.broke(err, at)
	}
}

func (p *poster) opened(at clock.Instant) {
	if p.first && len(p.session.Sub.Topics) == 0 {
		p.session.Report(client.Event{Kind: client.Connected}, at)
	}
	p.first = false
	p.Release(at)
	p.proceed(at)
}

func (p *poster) publish(id uint32, topic string, payload []byte) {
	now := clock.Now()
	one, ok := p.Accept(id, topic, payload, p.session.Config.InFlight, now)
	switch {
	case !ok:
		p.session.Dropped(id, client.CauseInFlight)
	case p.state == open && !p.awaiting && p.Empty():
		p.send(&one)
	default:
		p.Queue(one)
		p.proceed(now)
	}
}

// proceed sends the next of the queue, if the connection is free, or opens one.
func (p *poster) proceed(at clock.Instant) {
	switch {
	case p.Empty() || p.awaiting || p.state == dialling:
	case p.state == open:
		next, _ := p.Next()
		p.send(&next)
	default:
		p.session.Traffic.Reconnects.Add(1)
		p.dial(at)
	}
}

// send writes one publication; nothing more is sent until it is answered.
func (p *poster) send(one *client.Outgoing) {
	p.loop.out = p.session.AppendPost(p.loop.out[:0], one.Topic, one.Payload)
	now := clock.Now()
	p.awaiting, p.id = true, one.ID
	p.session.Sending(one.ID, p.Waited(one, now), now)
	p.Hold(now)
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
	p.Answered()
	p.Release(at)
	p.session.Report(outcome, at)
}

func (p *poster) broke(err error, at clock.Instant) {
	opening := p.Held() && !p.awaiting
	switch {
	case p.awaiting:
		p.settle(client.Event{Kind: client.Failed, Cause: client.Cause(err)}, at)
		p.session.LostPublisher(err, at)
	case opening && !p.first:
		p.Release(at)
		if next, ok := p.Next(); ok { // for which it was to be opened
			p.Answered()
			p.session.Dropped(next.ID, client.CauseOffline)
		}
	default:
		p.Release(at)
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
	p.session.drop(&p.Backlog, client.CauseClosed)
	p.close()
}
