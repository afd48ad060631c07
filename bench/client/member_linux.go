package client

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"

	"pushbench/bench/clock"
	"pushbench/scenarios"
)

// A member is one session of a loop: its way down and, on link and frames of its
// own or on the way down's, its way up.
type member struct {
	subscriber
	link    // the way down
	phase   phase
	attempt int // how many since the client was last subscribed
	beat    beat
	headAt  clock.Instant // when the header of the answer under way was complete; 0: it is not
	socket  *socketState  // WebSocket
	events  *eventParser  // server-sent events
	up      wayUp         // nil: it does not publish
	over    bool          // closed
	heard   clock.Instant // when something came, of a stream or a socket; see Config.Patience
}

type phase uint8

const (
	absent    phase = iota // no connection, and a time set for the next attempt
	calling                // dialling, or the first answer of the attempt is awaited
	asking                 // a poll is unanswered
	resting                // short polling: until the next poll, with a connection or without
	streaming              // a stream or a socket is open
)

// A wayUp sends publications and knows what becomes of them.
type wayUp interface {
	publish(id uint32, topic string, payload []byte)
	shut() // nothing more goes up; what is queued is told as dropped
}

// socketState is what a member has only if it is on a WebSocket.
type socketState struct {
	key        string // of the opening handshake
	fragmented bool   // a message has begun whose last fragment is not there
	message    []byte // its fragments
	ponging    bool   // a pong waits to be written
	backlog
}

func newMember(l *loop, sub Subscription, sink Sink) *member {
	c := &l.engine.Config
	m := &member{subscriber: newSubscriber(c, sub, sink, &l.reader), beat: beat{every: c.Interval}}
	m.link = newLink(l, m, c.distance(sub, wayDown))
	switch {
	case !sub.backend() && c.Transport == scenarios.WebSocket:
		m.socket = new(socketState)
		m.up = (*socketUp)(m)
	case sub.Publishes || len(sub.Topics) == 0:
		m.up = newPostUp(m)
	}
	return m
}

// begin makes the first attempt of all.
func (m *member) begin(at clock.Instant) {
	if up, ok := m.up.(*postUp); ok {
		up.dial(at)
	}
	if len(m.sub.Topics) > 0 || m.socket != nil {
		m.connect(at)
	}
}

// connect makes an attempt to connect.
func (m *member) connect(at clock.Instant) {
	m.connecting(at)
	m.beat.start(at, m.sub.Phase)
	m.call(at)
}

// call dials.
func (m *member) call(at clock.Instant) {
	m.phase = calling
	if err := m.dial(at); err != nil {
		m.broke(err, at)
	}
}

func (m *member) opened(at clock.Instant) {
	if m.stages.TCP == 0 {
		m.stages.TCP = at.Sub(m.dialled)
	}
	m.ask(at)
}

// ask sends the request: a poll, or the one that opens a stream or a socket.
func (m *member) ask(at clock.Instant) {
	m.headAt = 0
	out := append(m.loop.out[:0], "GET "...)
	switch m.config.Transport {
	case scenarios.SSE:
		m.events = new(eventParser)
		out = append(m.appendStream(out, "/v1/sse"), m.loop.engine.common...)
		out = append(out, "Accept: text/event-stream\r\n"...)
	case scenarios.WebSocket:
		m.socket.key = m.loop.key()
		out = append(m.appendStream(out, "/v1/ws"), m.loop.engine.common...)
		out = append(out, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "...)
		out = append(out, m.socket.key...)
		out = append(out, "\r\n"...)
		m.loop.timers.set(&m.timer, at.Add(dialTimeout))
	default:
		m.phase = asking
		m.traffic.Polls.Add(1)
		if m.config.Patience > 0 {
			m.loop.timers.set(&m.timer, at.Add(m.config.Patience))
		}
		out = append(m.appendPoll(out), m.loop.engine.common...)
		if m.config.NewConnection {
			out = append(out, "Connection: close\r\n"...)
		}
	}
	out = append(fillHead(out, m.config.Head), "\r\n"...)
	m.loop.out = out
	m.traffic.Requests.Add(1) // also when it breaks off: the server may have had it
	m.traffic.Up.Headers.Add(int64(len(out)))
	if err := m.write(out); err != nil {
		m.fail(err, at)
	}
}

// key is a nonce for an opening handshake (RFC 6455, section 4.1).
func (l *loop) key() string {
	var nonce [16]byte
	_, _ = l.random.Read(nonce[:]) // never fails
	return base64.StdEncoding.EncodeToString(nonce[:])
}

func (m *member) came(in []byte, at clock.Instant) (n int, err error) {
	m.heard = at
	switch {
	case m.phase == asking:
		return m.answer(in, at)
	case m.phase == calling:
		return m.open(in, at)
	case m.phase == streaming && m.socket != nil:
		return m.frameCame(in, at)
	case m.phase == streaming:
		return m.eventCame(in, at)
	default:
		return 0, errMore
	}
}

// eventCame takes one event.
func (m *member) eventCame(in []byte, at clock.Instant) (n int, err error) {
	data, n, err := m.event(m.events, in)
	switch {
	case errors.Is(err, io.EOF):
		err = errEnd
	case err == nil && len(data) > 0:
		m.taken += int64(n) // see answer
		err = m.receive(data, at)
		m.taken -= int64(n)
	}
	return n, err
}

// errEnd is a stream's proper end.
var errEnd = fmt.Errorf("%w", io.EOF)

// answer takes the answer to a poll.
func (m *member) answer(in []byte, at clock.Instant) (n int, err error) {
	a, headSize, err := parseAnswer(in, &m.loop.room)
	if headSize > 0 && a.interim() {
		m.traffic.Down.Headers.Add(int64(headSize))
		return headSize, nil
	}
	if headSize > 0 && m.headAt == 0 {
		m.headAt = at
	}
	if err == nil && a.size == 0 {
		return 0, nil
	}
	m.traffic.Down.Headers.Add(int64(headSize))
	switch {
	case err != nil:
		return headSize, fmt.Errorf("read answer: %w", err)
	case a.size < len(in):
		return headSize, errMore // or it would be taken for the answer to the next request
	}
	m.traffic.Down.Framing.Add(int64(a.size - headSize - len(a.body)))
	m.answered(m, m.sent, m.headAt)
	m.taken += int64(a.size) // Connected may be told in a moment, and says how much came
	err = m.receivePoll(a.status, a.body, at)
	m.taken -= int64(a.size)
	if err != nil {
		return a.size, err
	}
	if m.config.NewConnection || a.closes {
		m.close()
	}
	m.rest(at)
	return a.size, nil
}

// rest waits for the next poll; long polling does not.
func (m *member) rest(at clock.Instant) {
	if m.config.Transport == scenarios.LongPoll {
		m.poll(at)
		return
	}
	m.phase = resting
	if m.config.Pacing == scenarios.FixedDelay {
		m.loop.timers.set(&m.timer, at.Add(m.config.Interval))
	} else {
		m.loop.timers.set(&m.timer, m.beat.next(clock.Now()))
	}
}

// poll asks again, on the connection there is or on a new one.
func (m *member) poll(at clock.Instant) {
	if m.state == linkOpen {
		m.ask(at)
	} else {
		m.call(at)
	}
}

// open takes the header that opens a stream or a socket.
func (m *member) open(in []byte, at clock.Instant) (n int, err error) {
	h, n, err := parseHead(in)
	if n == 0 {
		return 0, err
	}
	m.traffic.Down.Headers.Add(int64(n))
	switch {
	case err != nil:
		return n, fmt.Errorf("read answer: %w", err)
	case h.interim():
		return n, nil
	case m.socket != nil:
		err = m.acceptSocket(h)
	default:
		err = acceptEvents(h)
	}
	if err != nil {
		return n, err
	}
	m.loop.timers.remove(&m.timer)
	m.phase = streaming
	if m.config.Patience > 0 {
		m.loop.timers.set(&m.timer, at.Add(m.config.Patience))
	}
	m.answered(m, m.sent, at)
	if m.stages.Resume {
		m.taken += int64(n)
		m.subscribed(at)
		m.taken -= int64(n)
	}
	return n, nil
}

// interim says whether the real answer is still to come (RFC 9110, section 15.2).
func (h head) interim() bool { return h.status/100 == 1 && h.status != http.StatusSwitchingProtocols }

// acceptEvents says what is wrong with the header of a stream, if anything is.
func acceptEvents(h head) error {
	switch {
	case h.status != http.StatusOK:
		return fmt.Errorf("stream answered with status %d", h.status)
	case !is(h.kind, "text/event-stream"):
		return errors.New("stream is not of type text/event-stream")
	case h.length != chunkedBody:
		return errors.New("stream is not in chunked coding")
	default:
		return nil
	}
}

// acceptSocket says what is wrong with the answer to an upgrade, if anything is.
func (m *member) acceptSocket(h head) error {
	sum := sha1.Sum([]byte(m.socket.key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // RFC 6455, section 4.2.2
	switch {
	case h.status != http.StatusSwitchingProtocols:
		return fmt.Errorf("upgrade answered with status %d", h.status)
	case !h.upgrades, string(h.accept) != base64.StdEncoding.EncodeToString(sum[:]):
		return fmt.Errorf("upgrade: %w", errAnswer)
	case h.extension:
		return errUnaskedExtension
	default:
		return nil
	}
}

// frameCame takes one frame.
func (m *member) frameCame(in []byte, at clock.Instant) (n int, err error) {
	f, err := parseFrame(in)
	if err != nil || f.size == 0 {
		return 0, err
	}
	m.traffic.Down.Framing.Add(int64(f.size - len(f.body)))
	switch s := m.socket; {
	case f.opcode >= opClose:
		m.traffic.Down.Framing.Add(int64(len(f.body)))
		return f.size, m.control(f)
	case (f.opcode == opContinue) != s.fragmented:
		err = fmt.Errorf("%w: fragments out of order", errFrame)
	case f.opcode == opBinary:
		err = errBinary
	case f.final && !s.fragmented:
		return f.size, m.text(f.body, f.size, at)
	case len(s.message)+len(f.body) > maxBody:
		err = errTooLong
	default:
		s.message = append(s.message, f.body...)
		if s.fragmented = !f.final; s.fragmented {
			return f.size, nil
		}
		whole := s.message
		s.message = nil
		return f.size, m.text(whole, f.size, at)
	}
	m.traffic.Down.Envelope.Add(int64(len(f.body)))
	return f.size, err
}

// text takes a message whose last frame has the given size.
func (m *member) text(body []byte, size int, at clock.Instant) error {
	m.taken += int64(size) // see answer
	outcome, is, err := m.receiveFrame(body, at)
	m.taken -= int64(size)
	if is {
		m.socket.inFlight = max(0, m.socket.inFlight-1)
		m.tell(outcome, at)
	}
	return err
}

// forgetFragments gives up a message whose last fragment will not come.
func (m *member) forgetFragments() {
	m.traffic.Down.Envelope.Add(int64(len(m.socket.message)))
	m.socket.fragmented, m.socket.message = false, nil
}

// control takes a control frame (RFC 6455, section 5.5).
func (m *member) control(f wsFrame) error {
	switch f.opcode {
	case opPing:
		if m.socket.ponging {
			return nil // one that is not written yet answers for this as well (section 5.5.3)
		}
		err := m.writeFrame(opPong, f.body)
		m.socket.ponging = len(m.out) > 0
		return err
	case opClose:
		code := closeCode(f.body)
		_ = m.writeFrame(opClose, f.body[:min(2, len(f.body))]) // it may be gone already
		return fmt.Errorf("websocket closed by server with code %d", code)
	default:
		return nil
	}
}

// closeCode is the code of a close frame, or that for none (RFC 6455, section 7.4.1).
func closeCode(body []byte) int {
	if len(body) < 2 {
		return 1005
	}
	return int(body[0])<<8 | int(body[1])
}

// writeFrame writes a control frame.
func (m *member) writeFrame(opcode byte, body []byte) error {
	key := m.loop.mask()
	out := openFrame(m.loop.out[:0], opcode, len(body), key)
	header := len(out)
	out = append(out, body...)
	mask(out[header:], key)
	m.loop.out = out
	m.traffic.Up.Framing.Add(int64(len(out)))
	err := m.write(out)
	if len(m.out) > 0 && m.socket.since == 0 {
		m.socket.hold(clock.Now()) // what is published now waits for the connection
	}
	return err
}

// mask is a key to mask a frame with, unpredictable (RFC 6455, section 5.3).
func (l *loop) mask() (key [4]byte) {
	_, _ = l.random.Read(key[:]) // never fails
	return key
}

func (m *member) flushed(at clock.Instant) {
	if m.socket != nil {
		(*socketUp)(m).flushed(at)
	}
}

func (m *member) broke(err error, at clock.Instant) {
	if m.phase == streaming && err == io.EOF {
		err = io.ErrUnexpectedEOF // a proper end says so
	}
	m.phase = absent
	if m.socket != nil {
		m.forgetFragments()
		(*socketUp)(m).offline(at)
	}
	m.events = nil
	m.tell(Event{Kind: Disconnected, Cause: cause(err)}, at)
	if m.ready {
		m.attempt = 0
	}
	m.loop.timers.set(&m.timer, at.Add(backOff(m.attempt)))
	m.attempt++
}

func (m *member) expired(at clock.Instant) {
	switch {
	case m.phase == absent:
		m.traffic.Reconnects.Add(1)
		m.connect(at)
	case m.phase == resting:
		m.poll(at)
	case m.phase == asking:
		m.fail(errSilent, at)
	case m.phase == streaming: // the timer is set once, and put off when it finds out that it is too early
		if until := m.heard.Add(m.config.Patience); until > at {
			m.loop.timers.set(&m.timer, until)
			return
		}
		m.fail(errSilent, at)
	default:
		m.fail(errTimeout, at)
	}
}

func (m *member) Publish(id uint32, topic string, payload []byte) {
	m.loop.mu.Lock()
	defer m.loop.unlock()
	m.publish(id, topic, payload)
}

func (m *member) publish(id uint32, topic string, payload []byte) {
	if m.over {
		m.tell(Event{Kind: Dropped, ID: id, Cause: CauseClosed}, clock.Now())
		return
	}
	m.up.publish(id, topic, payload)
}

func (m *member) Close() {
	m.loop.mu.Lock()
	defer m.loop.unlock()
	if m.over {
		return
	}
	m.over = true
	if m.up != nil {
		m.up.shut()
	}
	if m.socket != nil {
		m.forgetFragments()
	}
	if m.socket != nil && m.phase == streaming && m.written() {
		_ = m.writeFrame(opClose, []byte{0x03, 0xe8}) // 1000: a goodbye, which is not waited for
		m.hurry()
	}
	m.link.close()
}
