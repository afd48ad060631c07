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

// Take takes what answers the last request off the beginning of in, of n bytes; n is 0
// while more is needed. done: the answer is complete, which of a stream or a socket is
// the header that opens it; its events or frames follow, one a call.
func (s *Subscriber) Consume(in []byte, at clock.Instant) (n int, done bool, err error) {
	switch {
	case !s.Transport.Streams:
		return s.consumeResponse(in, at)
	case !s.open:
		return s.consumeHeader(in, at)
	case s.Duplex != nil:
		n, err = s.consumeFrame(in, at)
	default:
		n, err = s.consumePiece(in, at)
	}
	return n, false, err
}

// takeAnswer takes the answer to a poll or a registration.
func (s *Subscriber) consumeResponse(in []byte, at clock.Instant) (n int, done bool, err error) {
	a, head, err := wire.ParseResponse(in, &s.body)
	if head > 0 && s.headerAt == 0 && !a.Interim() {
		s.headerAt = at
	}
	n, err = s.Traffic.countResponse(&a, head, len(in), err)
	if err != nil {
		return n, false, fmt.Errorf("read answer: %w", err)
	}
	if n == 0 || a.Interim() {
		return n, false, nil
	}
	s.firstResponse(s.headerAt)
	s.consuming, s.Closes = n, a.Closes || s.Config.NewConnection
	defer func() { s.consuming = 0 }()
	if s.Transport.ServerDials {
		return n, true, s.receiveRegistration(a.Status, a.Body, at)
	}
	return n, true, s.receivePoll(a.Status, a.Body, at)
}

// answerCame counts all of an answer but its body, as far as it arrived, which is the
// beginning of size bytes, and returns how many of them it takes. Nothing may follow it:
// that would be taken for the answer to the next request.
func (t *Traffic) countResponse(a *wire.Message, head, size int, err error) (n int, _ error) {
	switch {
	case err == nil && a.Size == 0:
		return 0, nil
	case a.Interim():
		t.Down.Headers.Add(int64(head))
		return head, nil
	}
	t.Down.Headers.Add(int64(head))
	switch {
	case err != nil:
		return head, err
	case a.Size < size:
		return head, wire.ErrMore
	}
	t.Down.Framing.Add(int64(a.Size - head - len(a.Body)))
	return a.Size, nil
}

// takeHead takes the header that opens a stream or a socket.
func (s *Subscriber) consumeHeader(in []byte, at clock.Instant) (n int, done bool, err error) {
	h, n, err := wire.ParseHeader(in)
	if n == 0 {
		return 0, false, err
	}
	s.Traffic.Down.Headers.Add(int64(n))
	switch {
	case err != nil:
		return n, false, fmt.Errorf("read answer: %w", err)
	case h.Interim():
		return n, false, nil
	case s.Duplex != nil:
		err = h.OpensSocket(s.socket.key)
	default:
		err = h.OpensStream(streams[s.Config.Transport].mediaType)
	}
	if err != nil {
		return n, false, err
	}
	s.open = true
	s.firstResponse(at)
	if s.Duplex != nil {
		s.Duplex.Opened()
	}
	if s.stages.Resume {
		s.consuming = n
		s.subscribed(at)
		s.consuming = 0
	}
	return n, true, nil
}

// errEnd is a stream's proper end: bare, io.EOF is a connection that broke off.
var errEnd = fmt.Errorf("%w", io.EOF)

// takePiece takes at most one piece of a stream.
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
		err = s.Receive(data, at)
		s.consuming = 0
	}
	return n, err
}

// A Duplex is the way up of a WebSocket, as far as its way down needs it.
type Duplex interface {
	Opened()                                // the handshake is complete; Connected is reported afterwards
	Control(opcode byte, body []byte) error // writes a control frame
	Completed()                             // the server answered one publication
}

// A socket is what a Subscriber knows of its WebSocket.
type socket struct {
	key        string // of the opening handshake
	fragmented bool   // a message has begun whose last fragment has not arrived
	message    []byte // its fragments
}

// takeFrame takes one frame.
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
	case f.Opcode == wire.OpBinary:
		err = wire.ErrBinary
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

// control takes a control frame (RFC 6455, section 5.5).
func (s *Subscriber) control(f wire.Frame) error {
	switch f.Opcode {
	case wire.OpPing:
		return s.Duplex.Control(wire.OpPong, f.Body)
	case wire.OpClose:
		_ = s.Duplex.Control(wire.OpClose, f.Body[:min(2, len(f.Body))]) // the server may be gone already
		return fmt.Errorf("websocket closed by server with code %d", wire.CloseCode(f.Body))
	default:
		return nil
	}
}

// text takes a message whose last frame has the given size: a batch, or the outcome of a
// publication.
func (s *Subscriber) text(text []byte, size int, at clock.Instant) error {
	s.consuming = size
	defer func() { s.consuming = 0 }()
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
	case f.id > math.MaxUint32:
		return fmt.Errorf("%w: outcome of a publication that was not sent", ErrMalformed)
	case f.errorName != nil:
		const longest = 64 // bytes: a cause becomes a key of a map
		outcome = Event{Kind: Failed, ID: uint32(f.id), Cause: string(f.errorName[:min(len(f.errorName), longest)])}
	case f.seq == 0:
		return fmt.Errorf("%w: acknowledged without a number", ErrMalformed) // they count from 1
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

// deliver delivers the decoded batch, of which size bytes arrived. Without a
// cursor it is none: the next request would ask "from now" and lose in silence.
func (s *Subscriber) deliver(size int, at clock.Instant) error {
	if len(s.frame.Cursor) == 0 {
		s.Traffic.Down.Envelope.Add(int64(size))
		return fmt.Errorf("%w: no cursor", ErrMalformed)
	}
	payload := s.frame.payloadBytes()
	s.Traffic.Down.Payload.Add(payload)
	s.Traffic.Down.Envelope.Add(int64(size) - payload)
	if len(s.frame.Messages) > 0 {
		s.Traffic.Batches.Add(1)
	}
	s.cursor = append(s.cursor[:0], s.frame.Cursor...)
	s.subscribed(at)
	s.sink.Deliver(s.Sub.Client, &s.frame.Batch, at)
	return nil
}

func (s *Subscriber) receivePoll(status int, body []byte, at clock.Instant) error {
	switch status {
	case http.StatusOK:
		if err := s.Receive(body, at); err != nil {
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
		s.Traffic.Down.Envelope.Add(int64(len(body)))
		return fmt.Errorf("poll answered with status %d", status)
	}
	s.Traffic.Empty.Add(1)
	s.Report(Event{Kind: Polled}, at)
	return nil
}

func (s *Subscriber) receiveRegistration(status int, body []byte, at clock.Instant) error {
	if status != http.StatusOK {
		s.Traffic.Down.Envelope.Add(int64(len(body)))
		return fmt.Errorf("registration answered with status %d", status)
	}
	return s.Receive(body, at)
}

// Posted is the answer to a publication by POST.
type PostResponse struct {
	Outcome Event // its ID is the caller's to set
	Done    bool  // the answer is complete
	Closes  bool  // the server closes the connection after it
}

// TakePosted takes the answer to a publication by POST off the beginning of in, like Take.
func (s *Scratch) ConsumePost(t *Traffic, in []byte) (p PostResponse, n int, err error) {
	a, head, err := wire.ParseResponse(in, &s.body)
	n, err = t.countResponse(&a, head, len(in), err)
	if err != nil || n == 0 || a.Interim() {
		return PostResponse{}, n, err
	}
	t.Down.Envelope.Add(int64(len(a.Body)))
	return PostResponse{s.postOutcome(a.Status, a.Body), true, a.Closes}, n, nil
}

func (s *Scratch) postOutcome(status int, body []byte) Event {
	if status != http.StatusOK {
		return Event{Kind: Failed, Cause: fmt.Sprintf("publish answered with status %d", status)}
	}
	if err := s.decoder.decode(body, &s.frame); err != nil {
		return Event{Kind: Failed, Cause: Cause(err)}
	}
	if s.frame.seq == 0 {
		return Event{Kind: Failed, Cause: ErrMalformed.Error()} // messages are numbered from 1
	}
	return Event{Kind: Acked, Seq: s.frame.seq}
}
