package eventloop

import (
	"pushbench/bench/client"
	"pushbench/bench/client/internal/wire"
	"pushbench/bench/clock"
)

// A session is one client's: its way down and, on a connection and with frames of its
// own or on the way down's, its way up.
type session struct {
	client.Subscriber
	conn         // the way down
	phase        phase
	publisher    publisher     // nil: it does not publish
	socket       *socket       // the publisher, of a WebSocket
	closed       bool          // by its caller
	lastReceived clock.Instant // when something arrived, of a stream or a socket; see client.Config.ReadTimeout
}

type phase uint8

const (
	offline   phase = iota // no connection, and a time set for the next attempt
	opening                // dialling, or the header that opens a stream or a socket is awaited
	polling                // a poll is unanswered
	idle                   // short polling: until the next poll, with a connection or without
	streaming              // a stream or a socket is open
)

// A publisher sends publications and knows what becomes of them.
type publisher interface {
	publish(id uint32, topic string, payload []byte)
	dial(at clock.Instant) // opens a connection of its own, if it has one
	stop()                 // nothing more goes up; what is queued is reported as dropped
}

func newSession(l *loop, sub client.Subscription, sink client.Sink) *session {
	c := &l.engine.Config
	s := &session{Subscriber: client.NewSubscriber(c, sub, sink, &l.scratch)}
	s.conn = newConn(l, s, c.Distance(sub, client.Downstream))
	switch {
	case !sub.Backend() && s.Transport.Upgrades:
		s.socket = &socket{session: s}
		s.Duplex, s.publisher = s.socket, s.socket
	case sub.Publishes || len(sub.Topics) == 0:
		s.publisher = newPoster(s)
	}
	return s
}

// begin makes the first attempt of all.
func (s *session) start(at clock.Instant) {
	if s.publisher != nil {
		s.publisher.dial(at)
	}
	if len(s.Sub.Topics) > 0 || s.socket != nil {
		s.connect(at)
	}
}

// connect makes an attempt to connect.
func (s *session) connect(at clock.Instant) {
	s.Connecting(at)
	s.dial(at)
}

func (s *session) dial(at clock.Instant) {
	s.phase = opening
	if err := s.conn.dial(at); err != nil {
		s.disconnected(err, at)
	}
}

func (s *session) opened(at clock.Instant) {
	s.Opened(at, 0)
	s.sendRequest(at)
}

// ask sends the request: a poll, or the one that opens a stream or a socket.
func (s *session) sendRequest(at clock.Instant) {
	s.loop.out = s.AppendRequest(s.loop.out[:0], s)
	switch {
	case s.socket != nil:
		s.loop.timers.set(&s.timer, at.Add(client.DialTimeout))
	case !s.Transport.Streams:
		s.phase = polling
		s.awaitBytes(at)
	}
	if err := s.write(s.loop.out); err != nil {
		s.fail(err, at)
	}
}

// awaitBytes sets the timer to when nothing arrived for too long.
func (s *session) awaitBytes(since clock.Instant) {
	if s.Config.ReadTimeout > 0 {
		s.loop.timers.set(&s.timer, since.Add(s.Config.ReadTimeout))
	}
}

func (s *session) received(in []byte, at clock.Instant) (n int, err error) {
	s.lastReceived = at
	if s.phase == idle || s.phase == offline {
		return 0, wire.ErrMore
	}
	n, done, err := s.Consume(in, at)
	switch {
	case err != nil || !done:
	case s.phase == opening:
		s.loop.timers.remove(&s.timer)
		s.phase = streaming
		s.awaitBytes(at)
	default:
		if s.Closes {
			s.close()
		}
		s.awaitNextPoll(at)
	}
	return n, err
}

// rest waits for the next poll; long polling does not.
func (s *session) awaitNextPoll(at clock.Instant) {
	next, waits := s.NextPoll(at)
	if !waits {
		s.poll(at)
		return
	}
	s.phase = idle
	s.loop.timers.set(&s.timer, next)
}

// poll asks again, on the connection there is or on a new one.
func (s *session) poll(at clock.Instant) {
	if s.state == open {
		s.sendRequest(at)
	} else {
		s.dial(at)
	}
}

func (s *session) flushed(at clock.Instant) {
	if s.socket != nil {
		s.socket.flushed(at)
	}
}

func (s *session) disconnected(err error, at clock.Instant) {
	s.phase = offline
	next := at.Add(s.Disconnected(err, at))
	if s.socket != nil {
		s.socket.offline(at) // reports what was queued as dropped, so it follows Disconnected
	}
	s.loop.timers.set(&s.timer, next)
}

func (s *session) expired(at clock.Instant) {
	switch s.phase {
	case offline:
		s.Traffic.Reconnects.Add(1)
		s.connect(at)
	case idle:
		s.poll(at)
	case polling:
		s.fail(client.ErrSilent, at)
	case streaming: // the timer is set once, and put off when it finds out that it is too early
		if until := s.lastReceived.Add(s.Config.ReadTimeout); until > at {
			s.loop.timers.set(&s.timer, until)
			return
		}
		s.fail(client.ErrSilent, at)
	default:
		s.fail(errTimeout, at)
	}
}

func (s *session) Publish(id uint32, topic string, payload []byte) {
	s.loop.mu.Lock()
	defer s.loop.unlock()
	s.publish(id, topic, payload)
}

func (s *session) publish(id uint32, topic string, payload []byte) {
	if s.closed {
		s.Dropped(id, client.CauseClosed)
		return
	}
	s.publisher.publish(id, topic, payload)
}

// drop gives up all that is queued.
func (s *session) dropQueued(b *client.Backlog, cause string) {
	for _, p := range b.TakeAll() {
		s.Dropped(p.ID, cause)
	}
}

func (s *session) Close() {
	s.loop.mu.Lock()
	defer s.loop.unlock()
	if s.closed {
		return
	}
	s.closed = true
	if s.publisher != nil {
		s.publisher.stop()
	}
	s.DiscardFragments()
	if s.socket != nil && s.phase == streaming && s.allWritten() {
		_ = s.write(s.CloseFrame(&s.loop.out)) // the server's is not waited for
		s.skipDelay()
	}
	s.close()
}
