package eventloop

import (
	"io"
	"net"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// A poster publishes by POST on a separate keep-alive connection. It opens it at once, and
// opens another only when a publication finds it closed.
type poster struct {
	conn
	session *session
	client.Backlog
	awaitingResponse bool          // the response to a publication is outstanding
	id               uint32        // ID of that publication
	firstDial        bool          // the first connection is being opened
	interim          int           // bytes of the interim responses to it
	deadline         clock.Instant // of the response
}

func newPoster(s *session) *poster {
	p := &poster{session: s, firstDial: true}
	p.conn = newConn(s.loop, p, s.Config.Distance(s.Sub, client.Upstream))
	return p
}

func (p *poster) dial(at clock.Instant) {
	p.SetBusy(at)
	if err := p.conn.dial(at); err != nil {
		p.disconnected(err, at)
	}
}

func (p *poster) opened(at clock.Instant) {
	if p.firstDial && len(p.session.Sub.Topics) == 0 {
		p.session.Report(client.Event{Kind: client.Connected}, at)
	}
	p.firstDial = false
	p.SetFree(at)
	p.sendNext(at)
}

func (p *poster) publish(id uint32, topic string, payload []byte) {
	now := clock.Now()
	publication, ok := p.Accept(id, topic, payload, p.session.Config.InFlight, now)
	switch {
	case !ok:
		p.session.Dropped(id, client.CauseInFlight)
	case p.state == open && !p.awaitingResponse && p.Empty():
		p.send(&publication)
	default:
		p.Queue(publication)
		p.sendNext(now)
	}
}

// sendNext sends the next queued publication if the connection is free, or opens one.
func (p *poster) sendNext(at clock.Instant) {
	switch {
	case p.Empty() || p.awaitingResponse || p.state == dialling:
	case p.state == open:
		next, _ := p.Next()
		p.send(&next)
	default:
		p.session.Traffic.Reconnects.Add(1)
		p.dial(at)
	}
}

// send writes one publication; the next waits for its response.
func (p *poster) send(publication *client.Outgoing) {
	p.loop.out = p.session.AppendPost(p.loop.out[:0], publication.ID, publication.Topic, publication.Payload)
	now := clock.Now()
	p.awaitingResponse, p.id, p.interim = true, publication.ID, 0
	p.session.Sending(publication.ID, p.Waited(publication, now), now)
	p.SetBusy(now)
	if timeout := p.session.Config.PostTimeout; timeout > 0 {
		p.deadline = now.Add(timeout)
		if p.timer.index == 0 { // else it expires earlier: setting it for every publication would cost more
			p.loop.timers.set(&p.timer, p.deadline)
		}
	}
	if err := p.write(p.loop.out); err != nil {
		p.fail(err, now)
	}
}

func (p *poster) flushed(clock.Instant) {}

func (p *poster) received(in []byte, at clock.Instant) (n int, err error) {
	if !p.awaitingResponse {
		return 0, client.ErrUnsolicited
	}
	response, n, err := p.loop.scratch.ConsumePost(p.session.Config, in, &p.interim)
	if err != nil || !response.Done {
		return n, err
	}
	p.complete(response.Outcome, at)
	if response.Closes {
		p.close()
		p.session.PublisherDisconnected(io.EOF, at)
	}
	p.sendNext(at)
	return n, nil
}

// complete reports the outcome of the publication whose response was outstanding.
func (p *poster) complete(outcome client.Event, at clock.Instant) {
	outcome.ID = p.id
	p.awaitingResponse = false
	p.Completed()
	p.SetFree(at)
	p.session.Report(outcome, at)
}

func (p *poster) disconnected(err error, at clock.Instant) {
	opening := p.Busy() && !p.awaitingResponse
	switch {
	case p.awaitingResponse:
		p.complete(client.Event{Kind: client.Failed, Cause: client.Cause(err)}, at)
		p.session.PublisherDisconnected(err, at)
	case opening && !p.firstDial:
		p.SetFree(at)
		if next, ok := p.Next(); ok { // the publication for which it was opened
			p.Completed()
			p.session.Dropped(next.ID, client.CauseOffline)
		}
	default:
		p.SetFree(at)
		p.session.PublisherDisconnected(err, at)
	}
	p.firstDial = false
	p.sendNext(at)
}

func (p *poster) expired(at clock.Instant) {
	switch {
	case p.state == dialling:
		p.fail(errTimeout, at)
	case !p.awaitingResponse:
	case p.deadline <= at:
		p.fail(client.ErrSilent, at)
	default:
		p.loop.timers.set(&p.timer, p.deadline)
	}
}

func (p *poster) stop() {
	if p.awaitingResponse {
		p.complete(client.Event{Kind: client.Failed, Cause: client.Cause(net.ErrClosed)}, clock.Now())
	}
	p.session.dropQueued(&p.Backlog, client.CauseClosed)
	p.close()
}
