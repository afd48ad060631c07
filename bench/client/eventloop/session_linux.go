package eventloop

import (
	"pushbench/bench/client"
	"pushbench/bench/client/internal/wire"
	"pushbench/bench/clock"
)

// A session is one client: it receives on its connection, and publishes on the same
// WebSocket or on a separate connection.
type session struct {
	client.Subscriber
	conn         // the connection to receive on
	phase        phase
	publisher    publisher     // nil if the session does not publish
	socket       *socket       // the publisher of a WebSocket, else nil
	closed       bool          // by the caller
	lastReceived clock.Instant // when bytes last arrived; see client.Config.ReadTimeout
	deadline     clock.Instant // of the response to the last request
	heartbeatAt  clock.Instant // when the next heartbeat is due
}

type phase uint8

const (
	offline   phase = iota // no connection; the timer is set to the next attempt
	opening                // dialling, or waiting for the header that opens a stream or a WebSocket
	polling                // the response to a poll is outstanding
	idle                   // short polling: until the next poll, with or without a connection
	streaming              // a stream or a WebSocket is open
)

// A publisher sends publications and reports their outcomes.
type publisher interface {
	publish(id uint32, topic string, payload []byte)
	dial(at clock.Instant) // opens the separate connection, if there is one
	stop()                 // stops sending, and reports what is queued as dropped
}

func newSession(l *loop, sub client.Subscription, sink client.Sink) *session {
	c := &l.engine.Config
	s := &session{Subscriber: client.NewSubscriber(c, sub, sink, &l.scratch)}
	s.conn = newConn(l, s, c.Distance(sub, client.Downstream))
	switch {
	case !sub.Backend() && s.Transport.Upgrades:
		s.socket = &socket{session: s}
		s.Duplex, s.publisher = s.socket, s.socket
		if sub.Publishes && !s.PublishesInSocket() {
			s.publisher = newPoster(s)
		}
	case sub.Publishes || len(sub.Topics) == 0:
		s.publisher = newPoster(s)
	}
	return s
}

// start makes the first attempt to connect.
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

// sendRequest sends a poll, or the request that opens a stream or a WebSocket.
func (s *session) sendRequest(at clock.Instant) {
	s.loop.out = s.AppendRequest(s.loop.out[:0], s)
	if !s.Transport.Streams {
		s.phase = polling
	}
	s.awaitResponse(at)
	if err := s.write(s.loop.out); err != nil {
		s.fail(err, at)
	}
}

// awaitResponse sets the timer to the deadline of a response. It leaves one that expires earlier, as the timer of the
// response before usually does: setting the timer for every poll would cost more.
func (s *session) awaitResponse(at clock.Instant) {
	s.deadline = never
	if timeout, _ := s.ResponseTimeout(); timeout > 0 {
		s.deadline = at.Add(timeout)
	}
	if s.deadline < never && (s.timer.index == 0 || s.timer.expires > s.deadline) {
		s.loop.timers.set(&s.timer, s.deadline)
	}
}

// awaitTime sets the timer of an open stream to the read timeout or to the next heartbeat.
func (s *session) awaitTime() {
	next := never
	if s.Config.ReadTimeout > 0 {
		next = s.lastReceived.Add(s.Config.ReadTimeout)
	}
	if s.HeartbeatInterval() > 0 {
		next = min(next, s.heartbeatAt)
	}
	if next != never {
		s.loop.timers.set(&s.timer, next)
	}
}

func (s *session) received(in []byte, at clock.Instant) (n int, err error) {
	s.lastReceived = at
	if s.phase == idle || s.phase == offline {
		return 0, wire.ErrMore
	}
	n, done, err := s.Consume(in, at)
	switch {
	case err == nil && n == 0 && s.deadline == never && s.phase == polling && s.RestTimeout() > 0: // it has begun
		s.deadline = at.Add(s.RestTimeout())
		s.loop.timers.set(&s.timer, s.deadline)
	case err != nil || !done:
	case s.phase == opening && s.Streaming():
		s.loop.timers.remove(&s.timer)
		s.phase = streaming
		s.heartbeatAt = at.Add(s.HeartbeatInterval())
		s.awaitTime()
	default:
		if s.Closes {
			s.close()
		}
		if s.Transport.Streams { // a request before that of the stream
			s.request(at)
		} else {
			s.awaitNextPoll(at)
		}
	}
	return n, err
}

// awaitNextPoll waits for the next poll, or polls at once with long polling.
func (s *session) awaitNextPoll(at clock.Instant) {
	next, waits := s.NextPoll(at)
	if !waits {
		s.request(at)
		return
	}
	s.phase = idle
	s.loop.timers.set(&s.timer, next)
}

// request sends the next request, on the open connection or on a new one.
func (s *session) request(at clock.Instant) {
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
		s.request(at)
	case polling, opening:
		s.expiredResponse(at)
	case streaming: // the timer is not reset at every read, but postponed when it expires too early
		s.expiredOpen(at)
	}
}

// expiredResponse ends a connection without a response in time. While it is dialled there is no request yet.
func (s *session) expiredResponse(at clock.Instant) {
	switch _, err := s.ResponseTimeout(); {
	case s.state != open:
		s.fail(errTimeout, at)
	case s.deadline <= at:
		s.fail(err, at)
	case s.deadline < never:
		s.loop.timers.set(&s.timer, s.deadline)
	}
}

// expiredOpen ends a silent stream, or sends a heartbeat.
func (s *session) expiredOpen(at clock.Instant) {
	if s.Config.ReadTimeout > 0 && s.lastReceived.Add(s.Config.ReadTimeout) <= at {
		s.fail(client.ErrSilent, at)
		return
	}
	if every := s.HeartbeatInterval(); every > 0 && s.heartbeatAt <= at {
		s.heartbeatAt = at.Add(every)
		if err := s.SendHeartbeat(); err != nil {
			s.fail(err, at)
			return
		}
	}
	s.awaitTime()
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

// dropQueued reports all queued publications as dropped.
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
		_ = s.write(s.CloseFrame(&s.loop.out)) // without waiting for the server's close frame
		s.skipDelay()
	}
	s.close()
}
