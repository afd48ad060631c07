package client

import (
	"io"
	"net/url"
	"strconv"
	"time"

	"pushbench/bench/clock"
)

// A backlog keeps what cannot be sent yet, and the account of who is to blame for that.
type backlog struct {
	queue    []publication
	inFlight int           // queued, being sent or unanswered
	held     time.Duration // how long the connection was not free to send, all in all
	since    clock.Instant // since when it is not; 0 while it is
}

// put queues a publication.
func (b *backlog) put(id uint32, topic string, payload []byte, at clock.Instant) {
	b.queue = append(b.queue, publication{id: id, topic: topic, data: append([]byte(nil), payload...), held: b.heldBy(at)})
}

// next takes the first of the queue.
func (b *backlog) next() (p publication, ok bool) {
	if len(b.queue) == 0 {
		return publication{}, false
	}
	p = b.queue[0]
	if b.queue = b.queue[1:]; len(b.queue) == 0 {
		b.queue = nil
	}
	return p, true
}

// heldBy is how long the connection was not free, up to an instant.
func (b *backlog) heldBy(at clock.Instant) time.Duration {
	if b.since == 0 {
		return b.held
	}
	return b.held + max(0, at.Sub(b.since))
}

// hold notes that the connection is not free to send from an instant on.
func (b *backlog) hold(at clock.Instant) { b.held, b.since = b.heldBy(at), at }

// release notes that the connection is free from an instant on.
func (b *backlog) release(at clock.Instant) { b.held, b.since = b.heldBy(at), 0 }

// socketUp publishes in the member's own socket.
type socketUp member

func (u *socketUp) publish(id uint32, topic string, payload []byte) {
	m, b := (*member)(u), &u.socket.backlog
	now := clock.Now()
	switch {
	case m.phase != streaming:
		m.tell(Event{Kind: Dropped, ID: id, Cause: CauseOffline}, now)
	case b.inFlight >= m.config.InFlight:
		m.tell(Event{Kind: Dropped, ID: id, Cause: CauseInFlight}, now)
	case len(m.out) > 0:
		b.inFlight++
		b.put(id, topic, payload, now)
	default:
		b.inFlight++
		u.send(&publication{id: id, topic: topic, data: payload, held: b.heldBy(now)})
	}
}

// send writes one publication as one frame.
func (u *socketUp) send(p *publication) {
	m, b := (*member)(u), &u.socket.backlog
	const room = 14 // the longest header
	key := m.loop.mask()
	out := append(m.loop.out[:0], make([]byte, room)...)
	out = appendPublish(out, p)
	m.loop.out = out
	size := len(out) - room
	mask(out[room:], key)
	header := frameHeader(int64(size), true)
	out = out[room-header:]
	openFrame(out[:0], opText, size, key)
	now := clock.Now()
	m.tell(Event{Kind: Sending, ID: p.id, Waited: b.heldBy(now) - p.held}, now)
	up := &m.traffic.Up
	up.Payload.Add(int64(len(p.data)))
	up.Envelope.Add(int64(size - len(p.data)))
	up.Framing.Add(header)
	if err := m.write(out); err != nil {
		b.inFlight--
		m.tell(failure(p.id, err), now)
		m.fail(err, now)
		return
	}
	if len(m.out) > 0 {
		b.hold(now)
	}
}

func (u *socketUp) flushed(at clock.Instant) {
	u.socket.release(at)
	u.socket.ponging = false
	for len(u.out) == 0 && u.phase == streaming {
		p, ok := u.socket.next()
		if !ok {
			return
		}
		u.send(&p)
	}
}

// offline gives up all that was queued, and all hope of answers.
func (u *socketUp) offline(at clock.Instant) {
	u.drop(CauseOffline, at)
	u.socket.inFlight, u.socket.ponging = 0, false
	u.socket.release(at)
}

func (u *socketUp) shut() { u.drop(CauseClosed, clock.Now()) }

func (u *socketUp) drop(why string, at clock.Instant) {
	for p, ok := u.socket.next(); ok; p, ok = u.socket.next() {
		(*member)(u).tell(Event{Kind: Dropped, ID: p.id, Cause: why}, at)
	}
}

// postUp publishes by POST on a keep-alive connection of its own, which it opens
// at once and opens again only when a publication finds it gone.
type postUp struct {
	link
	m *member
	backlog
	awaiting bool   // a publication is unanswered
	id       uint32 // of that publication
	first    bool   // the connection is being opened for the first time
	path     []byte // "POST /v1/topics/…": of the last topic
	topic    string // that one
}

func newPostUp(m *member) *postUp {
	u := &postUp{m: m, first: true}
	u.link = newLink(m.loop, u, m.config.distance(m.sub, wayUpOnly))
	return u
}

func (u *postUp) dial(at clock.Instant) {
	u.hold(at)
	if err := u.link.dial(at); err != nil {
		u.broke(err, at)
	}
}

func (u *postUp) opened(at clock.Instant) {
	if u.first && len(u.m.sub.Topics) == 0 {
		u.m.tell(Event{Kind: Connected}, at)
	}
	u.first = false
	u.release(at)
	u.proceed(at)
}

func (u *postUp) publish(id uint32, topic string, payload []byte) {
	now := clock.Now()
	if u.inFlight >= u.m.config.InFlight {
		u.m.tell(Event{Kind: Dropped, ID: id, Cause: CauseInFlight}, now)
		return
	}
	u.inFlight++
	if u.state == linkOpen && !u.awaiting && len(u.queue) == 0 {
		u.send(&publication{id: id, topic: topic, data: payload, held: u.heldBy(now)})
		return
	}
	u.put(id, topic, payload, now)
	u.proceed(now)
}

// proceed sends the next of the queue, if the connection is free, or opens one.
func (u *postUp) proceed(at clock.Instant) {
	switch {
	case len(u.queue) == 0 || u.awaiting || u.state == linkDialling:
	case u.state == linkOpen:
		p, _ := u.next()
		u.send(&p)
	default:
		u.m.traffic.Reconnects.Add(1)
		u.dial(at)
	}
}

// send writes one publication; nothing more is sent until it is answered.
func (u *postUp) send(p *publication) {
	m := u.m
	if u.path == nil || p.topic != u.topic {
		u.path = append(append(u.path[:0], "POST /v1/topics/"...), url.PathEscape(p.topic)...)
		u.topic = p.topic
	}
	out := append(append(m.loop.out[:0], u.path...), m.loop.engine.common...)
	out = append(out, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: "...)
	out = strconv.AppendInt(out, int64(len(p.data)), 10)
	out = append(out, "\r\n"...)
	if !m.sub.backend() {
		out = fillHead(out, m.config.Head)
	}
	out = append(out, "\r\n"...)
	m.traffic.Up.Headers.Add(int64(len(out)))
	m.traffic.Up.Payload.Add(int64(len(p.data)))
	out = append(out, p.data...)
	m.loop.out = out
	m.traffic.Requests.Add(1) // also when it breaks off: the server may have had it
	now := clock.Now()
	u.awaiting, u.id = true, p.id
	waited := u.heldBy(now) - p.held
	u.hold(now)
	m.tell(Event{Kind: Sending, ID: p.id, Waited: waited}, now)
	if err := u.write(out); err != nil {
		u.fail(err, now)
	}
}

func (u *postUp) flushed(clock.Instant) {}

func (u *postUp) came(in []byte, at clock.Instant) (n int, err error) {
	if !u.awaiting {
		return 0, errUnasked
	}
	a, headSize, err := parseAnswer(in, &u.m.loop.room)
	if headSize > 0 && a.interim() {
		u.m.traffic.Down.Headers.Add(int64(headSize))
		return headSize, nil
	}
	if err == nil && a.size == 0 {
		return 0, nil
	}
	u.m.traffic.Down.Headers.Add(int64(headSize))
	switch {
	case err != nil:
		return headSize, err
	case a.size < len(in):
		return headSize, errMore
	}
	u.m.traffic.Down.Framing.Add(int64(a.size - headSize - len(a.body)))
	outcome := u.m.loop.reader.receivePosted(u.m.traffic, a.status, a.body)
	u.settle(outcome, at)
	if a.closes {
		u.close()
		u.lost(io.EOF, at)
	}
	u.proceed(at)
	return a.size, nil
}

// settle tells what became of the publication that was unanswered.
func (u *postUp) settle(outcome Event, at clock.Instant) {
	outcome.ID = u.id
	u.awaiting = false
	u.inFlight--
	u.release(at)
	u.m.tell(outcome, at)
}

// lost tells that there is no connection, or none any more.
func (u *postUp) lost(err error, at clock.Instant) {
	u.m.tell(Event{Kind: Disconnected, Cause: "way up: " + cause(err)}, at)
}

func (u *postUp) broke(err error, at clock.Instant) {
	opening := u.since != 0 && !u.awaiting
	switch {
	case u.awaiting:
		u.settle(Event{Kind: Failed, Cause: cause(err)}, at)
		u.lost(err, at)
	case opening && !u.first:
		u.release(at)
		if p, ok := u.next(); ok { // for which it was to be opened
			u.inFlight--
			u.m.tell(Event{Kind: Dropped, ID: p.id, Cause: CauseOffline}, at)
		}
	default:
		u.release(at)
		u.lost(err, at)
	}
	u.first = false
	u.proceed(at)
}

func (u *postUp) expired(at clock.Instant) { u.fail(errTimeout, at) }

func (u *postUp) shut() {
	now := clock.Now()
	if u.awaiting {
		u.settle(Event{Kind: Failed, Cause: causeClosed}, now)
	}
	for p, ok := u.next(); ok; p, ok = u.next() {
		u.m.tell(Event{Kind: Dropped, ID: p.id, Cause: CauseClosed}, now)
	}
	u.close()
}
