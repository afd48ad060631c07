package client

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"

	"pushbench/bench/client/internal/wire"
	"pushbench/bench/clock"
)

// Consume consumes the first n bytes of in, which respond to the last request; n is 0
// while more bytes are needed. done means that the response is complete. For a stream or a
// WebSocket that is the header that opens it; its events or frames follow, one per call.
func (s *Subscriber) Consume(in []byte, at clock.Instant) (n int, done bool, err error) {
	switch {
	case !s.Transport.Streams || !s.open && s.additional():
		return s.consumeResponse(in, at)
	case !s.open:
		return s.consumeHeader(in, at)
	case s.Duplex != nil:
		n, err = s.consumeFrame(in, at)
		s.socket.begun = n == 0
		if err == nil {
			err = s.respond(in[n:])
		}
	default:
		n, err = s.consumePiece(in, at)
	}
	if err == nil {
		err = s.hold(in, n)
	}
	return n, false, err
}

// Limits of incomplete messages. One is bounded by itself, but a server can begin a long one to each of many clients.
const (
	longHeld = 64 << 10 // shorter ones are not counted
	maxHeld  = 512 << 20
)

// ErrHeld is the error of a client when those of all clients are too long.
var ErrHeld = errors.New("incomplete messages to all clients exceed 512 MiB")

// hold counts what is held of a message that is not complete, after n bytes of in were consumed.
func (s *Subscriber) hold(in []byte, n int) error {
	held := len(s.socket.message)
	if n == 0 {
		held += len(in)
	}
	if s.pieces != nil {
		held += s.pieces.Held()
	}
	if s.partial != nil {
		held += s.partial.Held()
	}
	if held < longHeld {
		held = 0
	}
	if held == s.held {
		return nil
	}
	total := s.Traffic.held.Add(int64(held - s.held))
	if s.held = held; total > maxHeld {
		return ErrHeld
	}
	return nil
}

// consumeResponse consumes the response to a poll, a registration, or a request before the first poll or a stream.
func (s *Subscriber) consumeResponse(in []byte, at clock.Instant) (n int, done bool, err error) {
	s.body.Partial = &s.partial
	m, header, err := wire.ParseResponse(in, &s.body)
	s.body.Partial = nil
	if header > 0 && s.headerAt == 0 && !m.Interim() {
		s.headerAt = at
	}
	n, err = s.Traffic.countResponse(&m, header, len(in), err)
	if err != nil {
		return n, false, fmt.Errorf("read response: %w", err)
	}
	if err := s.hold(in, n); err != nil {
		return n, false, err
	}
	if n == 0 || m.Interim() {
		return n, false, s.countInterim(n)
	}
	s.responded(s.headerAt)
	s.consuming, s.Closes = n, m.Closes || s.Config.NewConnection
	defer func() { s.consuming = 0 }()
	if s.Transport.ServerDials {
		return n, true, s.receiveRegistration(m.Status, m.Body, at)
	}
	if s.additional() {
		return n, true, s.receiveAdditional(in[:header], m.Status, m.Body, at)
	}
	if s.foreign != nil {
		return n, true, s.receiveForeignPoll(in[:header], &m, at)
	}
	return n, true, s.receivePoll(&m, at)
}

// countInterim returns an error if interim responses (RFC 9110, section 15.2) do not end.
func (s *Subscriber) countInterim(n int) error {
	if s.interim += n; s.interim > maxInterim {
		return ErrInterim
	}
	return nil
}

// maxInterim bounds the interim responses before a response, in bytes, as a header is bounded.
const maxInterim = 64 << 10

// ErrInterim is the error of interim responses that do not end.
var ErrInterim = errors.New("more than 64 KiB of interim responses before a response")

// countResponse counts all of a response but its body, as far as it has arrived, and
// returns how many of the size bytes that arrived it takes. No byte may follow it, which
// would be taken for the response to the next request.
func (t *Traffic) countResponse(m *wire.Message, header, size int, err error) (n int, _ error) {
	switch {
	case err == nil && m.Size == 0:
		return 0, nil
	case m.Interim():
		t.Down.Headers.Add(int64(header))
		return header, nil
	}
	t.Down.Headers.Add(int64(header))
	switch {
	case err != nil:
		return header, err
	case m.Size < size:
		return header, wire.ErrMore
	}
	t.Down.Framing.Add(int64(m.Size - header - len(m.Body)))
	return m.Size, nil
}

// consumeHeader consumes the header that opens a stream or a WebSocket.
func (s *Subscriber) consumeHeader(in []byte, at clock.Instant) (n int, done bool, err error) {
	h, n, err := wire.ParseHeader(in)
	if n == 0 {
		return 0, false, err
	}
	s.Traffic.Down.Headers.Add(int64(n))
	switch {
	case err != nil:
		return n, false, fmt.Errorf("read response: %w", err)
	case h.Interim():
		return n, false, s.countInterim(n)
	case s.Duplex != nil:
		err = h.OpensSocket(s.socket.key, s.subprotocol())
	case s.foreign != nil:
		err = s.opensForeignStream(&h)
	default:
		err = h.OpensStream(streams[s.Config.Transport].mediaType)
	}
	if err != nil {
		return n, false, err
	}
	s.open = true
	s.responded(at)
	if s.Duplex != nil {
		s.Duplex.Opened()
	}
	if s.foreign != nil {
		return n, true, s.openForeign(n, at)
	}
	if s.stages.Resume {
		s.consuming = n
		s.subscribed(at)
		s.consuming = 0
	}
	return n, true, nil
}

// errEnd is a stream's regular end. A bare io.EOF is a connection that ended within it.
var errEnd = fmt.Errorf("%w", io.EOF)

// consumePiece consumes at most one piece of a stream.
func (s *Subscriber) consumePiece(in []byte, at clock.Instant) (n int, err error) {
	data, ok, n, err := s.pieces.Next(in)
	if err != nil || !ok {
		data = nil
	}
	s.Traffic.Down.Framing.Add(int64(n - len(data)))
	switch {
	case errors.Is(err, io.EOF):
		err = errEnd
	case err == nil && len(data) > 0:
		s.consuming = n
		if s.foreign != nil {
			err = s.receiveForeignPiece(data, at)
		} else {
			err = s.Receive(data, at)
		}
		s.consuming = 0
	}
	return n, err
}

// A Duplex is the sending side of a WebSocket, as far as its receiving side needs it.
type Duplex interface {
	Opened()                                // the handshake is complete; called before Connected is reported
	Control(opcode byte, body []byte) error // writes a control frame, or a text of a target's protocol
	Completed()                             // the server sent the outcome of one publication
}

// A socket is the state of a Subscriber's WebSocket.
type socket struct {
	key        string // of the opening handshake
	fragmented bool   // the last fragment of the current message has not arrived
	message    []byte // its fragments
	begun      bool   // a frame has begun to arrive
	responses  responses
}

// responses are what a client owes its server: one pong for all pings of a read, which RFC 6455 allows (section 5.5.3),
// and one heartbeat of a target's protocol. With one for each, a server that floods one client would delay the others.
type responses struct {
	pong        []byte // body of the last ping
	pings, beat bool   // they are due
}

// respond sends the responses that are due, unless the rest of what was read has another frame.
func (s *Subscriber) respond(rest []byte) error {
	due := &s.socket.responses
	if !due.pings && !due.beat {
		return nil
	}
	if next, err := wire.ParseFrame(rest); err == nil && next.Size > 0 {
		return nil
	}
	if due.pings {
		due.pings = false
		if err := s.Duplex.Control(wire.OpPong, due.pong); err != nil {
			return err
		}
	}
	if due.beat {
		due.beat = false
		s.foreign.text = s.foreign.AppendHeartbeat(s.foreign.text[:0])
		return s.Duplex.Control(s.opcode(), s.foreign.text)
	}
	return nil
}

// consumeFrame consumes one frame.
func (s *Subscriber) consumeFrame(in []byte, at clock.Instant) (n int, err error) {
	f, err := wire.ParseFrame(in)
	if err != nil || f.Size == 0 {
		return 0, err
	}
	s.Traffic.Down.Framing.Add(int64(f.Size - len(f.Body)))
	switch k := &s.socket; {
	case f.IsControl():
		s.Traffic.Down.Framing.Add(int64(len(f.Body)))
		return f.Size, s.control(f)
	case (f.Opcode == wire.OpContinue) != k.fragmented:
		err = fmt.Errorf("%w: fragments out of order", wire.ErrFrame)
	case f.Opcode == wire.OpBinary && s.opcode() == wire.OpText:
		err = wire.ErrBinary
	case f.Opcode == wire.OpText && s.opcode() == wire.OpBinary:
		err = wire.ErrText
	case f.Final && !k.fragmented:
		return f.Size, s.text(f.Body, f.Size, at)
	case len(k.message)+len(f.Body) > wire.MaxBody:
		err = wire.ErrTooLong
	default:
		k.message = append(k.message, f.Body...)
		if k.fragmented = !f.Final; k.fragmented {
			return f.Size, nil
		}
		whole := k.message
		k.message = nil
		return f.Size, s.text(whole, f.Size, at)
	}
	s.Traffic.Down.Envelope.Add(int64(len(f.Body)))
	return f.Size, err
}

// control handles a control frame (RFC 6455, section 5.5).
func (s *Subscriber) control(f wire.Frame) error {
	switch f.Opcode {
	case wire.OpPing:
		due := &s.socket.responses
		due.pings, due.pong = true, append(due.pong[:0], f.Body...)
		return nil
	case wire.OpClose:
		_ = s.Duplex.Control(wire.OpClose, f.Body[:min(2, len(f.Body))]) // the server may have closed already
		return fmt.Errorf("WebSocket closed by server with code %d", wire.CloseCode(f.Body))
	default:
		return nil
	}
}

// text handles a message whose last frame has the given size: a batch, or the outcome of
// a publication.
func (s *Subscriber) text(text []byte, size int, at clock.Instant) error {
	s.consuming = size
	defer func() { s.consuming = 0 }()
	if s.foreign != nil {
		return s.foreignMessage(text, at)
	}
	if err := s.decode(text); err != nil {
		return err
	}
	f := &s.frame
	if f.errorName == nil && !f.acked {
		return s.deliver(len(text), at)
	}
	s.Traffic.Down.Envelope.Add(int64(len(text)))
	outcome := Event{Kind: Acked, ID: uint32(f.id), Seq: f.seq}
	switch {
	case f.id > math.MaxUint32 || !s.awaited.take(uint32(f.id)):
		return fmt.Errorf("%w: outcome for a publication that was not sent", ErrMalformed)
	case f.errorName != nil:
		const longest = 64 // bytes: the cause becomes a map key
		outcome = Event{Kind: Failed, ID: uint32(f.id), Cause: string(f.errorName[:min(len(f.errorName), longest)])}
	case f.seq == 0:
		return fmt.Errorf("%w: acknowledgement without a sequence number", ErrMalformed) // numbers start at 1
	}
	s.Duplex.Completed()
	s.Report(outcome, at)
	return nil
}

// Receive decodes and delivers one batch that arrived at the given instant.
func (s *Subscriber) Receive(body []byte, at clock.Instant) error {
	if err := s.decode(body); err != nil {
		return err
	}
	return s.deliver(len(body), at)
}

func (s *Subscriber) decode(body []byte) error {
	err := s.decoder.decode(body, &s.frame)
	if err != nil {
		s.Traffic.Down.Envelope.Add(int64(len(body)))
	}
	return err
}

// deliver delivers the decoded batch of size bytes. A batch without a cursor is malformed:
// the next request would start "from now" and silently lose messages.
func (s *Subscriber) deliver(size int, at clock.Instant) error {
	if err := s.checkBatch(); err != nil {
		s.Traffic.Down.Envelope.Add(int64(size))
		return err
	}
	payload := s.frame.payloadBytes()
	s.Traffic.Down.Payload.Add(payload)
	s.Traffic.Down.Envelope.Add(int64(size) - payload)
	if len(s.frame.Messages) > 0 {
		s.served = true
		s.Traffic.Batches.Add(1)
	}
	s.cursor = append(s.cursor[:0], s.frame.Cursor...)
	s.subscribed(at)
	s.sink.Deliver(s.Sub.Client, &s.frame.Batch, at)
	return nil
}

// maxCursor bounds a cursor, in bytes: a client sends it with its next request.
const maxCursor = 256

// checkBatch returns an error if the decoded batch is none of PROTOCOL.md.
func (s *Subscriber) checkBatch() error {
	switch f := &s.frame; {
	case len(f.Cursor) == 0:
		return fmt.Errorf("%w: no cursor", ErrMalformed)
	case len(f.Cursor) > maxCursor:
		return fmt.Errorf("%w: a cursor of %d bytes", ErrMalformed, len(f.Cursor))
	case len(f.Gaps) > max(1, len(s.Sub.Topics)):
		return fmt.Errorf("%w: %d gaps for %d topics", ErrMalformed, len(f.Gaps), len(s.Sub.Topics))
	default:
		return nil
	}
}

func (s *Subscriber) receivePoll(m *wire.Message, at clock.Instant) error {
	switch m.Status {
	case http.StatusOK:
		if err := m.IsBatch(); err != nil {
			s.Traffic.Down.Envelope.Add(int64(len(m.Body)))
			return err
		}
		if err := s.Receive(m.Body, at); err != nil {
			return err
		}
		if len(s.frame.Messages) > 0 {
			return nil
		}
	case http.StatusNoContent:
		if len(s.cursor) == 0 {
			return fmt.Errorf("%w: no subscribe-ack", ErrMalformed)
		}
		s.subscribed(at)
	default:
		s.Traffic.Down.Envelope.Add(int64(len(m.Body)))
		return fmt.Errorf("poll returned status %d", m.Status)
	}
	s.polledEmpty(at)
	return nil
}

// polledEmpty reports a poll without a message.
func (s *Subscriber) polledEmpty(at clock.Instant) {
	s.served = true
	s.Traffic.Empty.Add(1)
	s.Report(Event{Kind: Polled}, at)
}

func (s *Subscriber) receiveRegistration(status int, body []byte, at clock.Instant) error {
	if status != http.StatusOK {
		s.Traffic.Down.Envelope.Add(int64(len(body)))
		return fmt.Errorf("registration returned status %d", status)
	}
	return s.Receive(body, at)
}

// PostResponse is the response to a publication by POST.
type PostResponse struct {
	Outcome Event // the caller sets its ID
	Done    bool  // the response is complete
	Closes  bool  // the server closes the connection afterwards
}

// maxOutcome bounds the response to a publication, in bytes.
const maxOutcome = 256 << 10

// ErrOutcome is the error of a longer one.
var ErrOutcome = errors.New("response to a publication exceeds 256 KiB")

// ConsumePost consumes the response to a publication by POST, like Subscriber.Consume. interim is 0 when the publication
// is sent, and counts the bytes of the interim responses.
func (s *Scratch) ConsumePost(c *Config, in []byte, interim *int) (p PostResponse, n int, err error) {
	t := c.Traffic
	m, header, err := wire.ParseResponse(in, &s.body)
	n, err = t.countResponse(&m, header, len(in), err)
	if err == nil && n == 0 && len(in) > maxOutcome {
		err = ErrOutcome
	}
	if m.Interim() {
		if *interim += n; err == nil && *interim > maxInterim {
			err = ErrInterim
		}
	}
	if err != nil || n == 0 || m.Interim() {
		return PostResponse{}, n, err
	}
	t.Down.Envelope.Add(int64(len(m.Body)))
	if c.Dialect != nil {
		return PostResponse{foreignPostOutcome(c.Dialect, m.Status, m.Body), true, m.Closes}, n, nil
	}
	return PostResponse{s.postOutcome(m.Status, m.Body), true, m.Closes}, n, nil
}

func (s *Scratch) postOutcome(status int, body []byte) Event {
	if status != http.StatusOK {
		return Event{Kind: Failed, Cause: fmt.Sprintf("publish returned status %d", status)}
	}
	if err := s.decoder.decode(body, &s.frame); err != nil {
		return Event{Kind: Failed, Cause: Cause(err)}
	}
	if s.frame.seq == 0 {
		return Event{Kind: Failed, Cause: ErrMalformed.Error()} // numbers start at 1
	}
	return Event{Kind: Acked, Seq: s.frame.seq}
}
