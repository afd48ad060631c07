package client

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"pushbench/bench/client/internal/wire"
	"pushbench/bench/clock"
	"pushbench/bench/target"
)

// A foreign is the part of a Subscriber that speaks the protocol of a target instead of pushbench's.
type foreign struct {
	*target.Dialogue
	text []byte // sent last, by the receiving side
}

func newForeign(c *Config, sub Subscription) *foreign {
	if c.Dialect == nil {
		return nil
	}
	f := &foreign{Dialogue: c.Dialect.NewDialogue(sub.Client, sub.Topics)}
	if !sub.Backend() {
		f.UseLogin(sub.Client)
	}
	return f
}

// appendForeignRequest appends to dst, which is empty, a poll, the request that opens a stream or a WebSocket, or
// one that comes before, whose body it returns.
func (s *Subscriber) appendForeignRequest(dst []byte, stream bool) (_, body []byte) {
	if s.foreign.Additional() {
		s.Report(Event{Kind: Stepped, ID: uint32(s.foreign.Step())}, clock.Now())
		dst, body = s.foreign.AppendAdditional(dst, s.Config.common)
		if s.Transport.Polls && s.Config.NewConnection {
			dst = append(dst, "Connection: close\r\n"...)
		}
		return dst, body
	}
	dst = append(append(dst, s.foreign.Method()...), ' ')
	dst = append(s.foreign.AppendTarget(dst), s.Config.common...)
	switch {
	case s.Duplex != nil:
		s.socket.key = wire.NewKey()
		dst = append(append(append(dst, upgradeFields...), s.socket.key...), "\r\n"...)
		if p := s.foreign.Subprotocol; p != "" {
			dst = append(append(append(dst, "Sec-WebSocket-Protocol: "...), p...), "\r\n"...)
		}
	case stream:
		s.pieces = streams[s.Config.Transport].pieces()
	case s.Transport.Polls && s.Config.NewConnection:
		dst = append(dst, "Connection: close\r\n"...)
	}
	s.foreign.text = s.foreign.AppendBody(s.foreign.text[:0])
	return s.foreign.AppendFields(dst), s.foreign.text
}

// additional reports whether the next request, or the one whose response is awaited, is neither a poll nor that of a
// stream.
func (s *Subscriber) additional() bool { return s.foreign != nil && s.foreign.Additional() }

// Streaming reports whether the stream or the WebSocket is open. If it is not after a response, another request comes
// before.
func (s *Subscriber) Streaming() bool { return s.open }

// PublishesInSocket reports whether a client publishes on the WebSocket on which it receives.
func (s *Subscriber) PublishesInSocket() bool {
	return s.Transport.PublishesInSocket && (s.foreign == nil || s.foreign.PublishesInFrames())
}

// subprotocol is what the upgrade offers; "": nothing.
func (s *Subscriber) subprotocol() string {
	if s.foreign == nil {
		return ""
	}
	return s.foreign.Subprotocol
}

// opensForeignStream returns an error unless a header opens a stream.
func (s *Subscriber) opensForeignStream(h *wire.Header) error {
	if err := h.OpensForeignStream(s.Transport.Name == "sse"); err != nil {
		s.foreign.Refused()
		return err
	}
	switch h.Length {
	case wire.Chunked:
	case wire.UntilClose:
		s.pieces.WithoutCoding()
	default:
		return fmt.Errorf("stream has a length of %d bytes, so it ends", h.Length)
	}
	return nil
}

// openForeign begins the dialogue on a stream or a WebSocket whose header has n bytes.
func (s *Subscriber) openForeign(n int, at clock.Instant) error {
	s.consuming = n
	defer func() { s.consuming = 0 }()
	if s.Duplex != nil {
		return s.converse(at)
	}
	if s.foreign.Opens(nil) {
		s.subscribed(at)
	}
	return nil
}

// opcode is that of the frames of the protocol.
func (s *Subscriber) opcode() byte {
	if s.foreign != nil && s.foreign.Binary {
		return wire.OpBinary
	}
	return wire.OpText
}

// converse sends what the protocol requires next, and reports that the client is subscribed after the last
// step.
func (s *Subscriber) converse(at clock.Instant) error {
	for {
		text, ok := s.foreign.AppendSend(s.foreign.text[:0])
		if s.foreign.text = text; !ok {
			break
		}
		if err := s.Duplex.Control(s.opcode(), text); err != nil {
			return err
		}
	}
	if s.foreign.Subscribed() {
		s.subscribed(at)
		return nil
	}
	s.Report(Event{Kind: Stepped, ID: uint32(s.foreign.Step())}, at)
	return nil
}

// foreignMessage handles a message of a WebSocket, which may hold several records.
func (s *Subscriber) foreignMessage(text []byte, at clock.Instant) error {
	s.frame.Batch = Batch{Messages: s.frame.Messages[:0]}
	records := 0
	for record := range s.foreign.Records(text) {
		records++
		err := s.record(record, at)
		if err == nil {
			err = s.checkElements(records)
		}
		if err != nil {
			s.Traffic.Down.Envelope.Add(int64(len(text)))
			return err
		}
	}
	s.deliverForeign(len(text), at)
	return nil
}

// checkElements returns an error if a message or a response has too many records or payloads.
func (s *Subscriber) checkElements(records int) error {
	if n := max(records, len(s.frame.Messages)); n > maxElements {
		return fmt.Errorf("%w: more than %d records or payloads", ErrMalformed, maxElements)
	}
	return nil
}

// record handles one record of a WebSocket.
func (s *Subscriber) record(record []byte, at clock.Instant) error {
	s.foreign.Body(record)
	found := s.findPayloads(record)
	received := !s.ready && s.foreign.Receive(record)
	if err := s.foreign.Overlong(); err != nil {
		return err
	}
	switch {
	case received: // it may have the messages that the client missed
		return s.converse(at)
	case found:
	case s.foreign.Beats(record):
		s.socket.responses.beat = true
	case s.foreign.Acks(record):
		s.acknowledged(at)
	}
	return nil
}

// HeartbeatInterval is the time between two heartbeats of a client; 0: it sends none at intervals.
func (s *Subscriber) HeartbeatInterval() time.Duration {
	if s.foreign == nil {
		return 0
	}
	return s.foreign.HeartbeatInterval()
}

// SendHeartbeat sends a heartbeat, unless the client is not subscribed yet. An engine calls it at intervals.
func (s *Subscriber) SendHeartbeat() error {
	if !s.foreign.Subscribed() {
		return nil
	}
	return s.Duplex.Control(s.opcode(), s.foreign.AppendHeartbeat(nil))
}

// findPayloads adds the payloads in a record to the batch, and reports whether it has any.
func (s *Subscriber) findPayloads(record []byte) bool {
	before := len(s.frame.Messages)
	for rest := record; len(s.frame.Messages) <= maxElements; {
		found, after, ok := s.Config.Payloads.Next(rest)
		if !ok {
			return len(s.frame.Messages) > before
		}
		s.frame.Messages = append(s.frame.Messages, Message{Data: found.Data})
		rest = after
	}
	return true // too many: see checkElements
}

// deliverForeign delivers the batch that was found in size bytes.
func (s *Subscriber) deliverForeign(size int, at clock.Instant) {
	payload := s.frame.payloadBytes()
	s.Traffic.Down.Payload.Add(payload)
	s.Traffic.Down.Envelope.Add(int64(size) - payload)
	if len(s.frame.Messages) == 0 {
		return
	}
	s.served = true
	s.Traffic.Batches.Add(1)
	s.sink.Deliver(s.Sub.Client, &s.frame.Batch, at)
}

// acknowledged reports the acknowledgement of the oldest publication in a frame. Others are ignored: they may
// belong to a step.
func (s *Subscriber) acknowledged(at clock.Instant) {
	id, ok := s.awaited.oldest()
	if !ok {
		return
	}
	s.Duplex.Completed()
	s.Report(Event{Kind: Acked, ID: id}, at)
}

// appendForeignFrame appends the text of a publication in a frame.
func (s *Subscriber) appendForeignFrame(dst []byte, id uint32, topic string, payload []byte) []byte {
	if s.foreign.Acknowledges() {
		s.awaited.add(id)
	}
	return s.foreign.AppendFrame(dst, id, topic, payload)
}

// Unacknowledged reports whether a publication in a frame has no outcome, because the server acknowledges
// none.
func (s *Subscriber) Unacknowledged() bool { return s.foreign != nil && !s.foreign.Acknowledges() }

// appendForeignPost appends a publication by POST.
func (s *Subscriber) appendForeignPost(dst []byte, id uint32, topic string, payload []byte) []byte {
	request, header := s.foreign.AppendPost(dst, s.Config.common, id, topic, payload)
	s.Traffic.Requests.Add(1) // also if the write fails: the server may have received it
	s.Traffic.Up.Headers.Add(int64(header))
	s.Traffic.Up.Payload.Add(int64(len(payload)))
	s.Traffic.Up.Envelope.Add(int64(len(request) - header - len(payload)))
	return request
}

// foreignPostOutcome is the outcome of a publication by POST.
func foreignPostOutcome(d *target.Dialect, status int, body []byte) Event {
	if cause := d.RefusesPost(status, body); cause != "" {
		return Event{Kind: Failed, Cause: cause}
	}
	return Event{Kind: Acked}
}

// receiveAdditional handles the response to a request that is neither a poll nor that of a stream.
func (s *Subscriber) receiveAdditional(header []byte, status int, body []byte, at clock.Instant) error {
	s.takeFields(header)
	if err := errors.Join(s.foreign.Respond(status, body), s.foreign.Overlong()); err != nil {
		s.Traffic.Down.Envelope.Add(int64(len(body)))
		return err
	}
	if err := s.findRecords(body); err != nil {
		return err
	}
	s.deliverForeign(len(body), at)
	return nil
}

// takeFields takes the values of a response's header that later requests need.
func (s *Subscriber) takeFields(header []byte) {
	if s.foreign.ReadsHeader() {
		wire.EachField(header, s.foreign.Header)
	}
}

// receiveForeignPoll handles the response to a poll.
func (s *Subscriber) receiveForeignPoll(header []byte, m *wire.Message, at clock.Instant) error {
	body, empty, err := m.Body, s.foreign.IsEmpty(m.Status), m.Plain()
	if m.Status != http.StatusOK && !empty {
		s.foreign.Refused()
		err = fmt.Errorf("poll returned status %d", m.Status)
	}
	if err != nil {
		s.Traffic.Down.Envelope.Add(int64(len(body)))
		return err
	}
	s.takeFields(header)
	s.foreign.Body(body)
	if err := s.foreign.Overlong(); err != nil {
		s.Traffic.Down.Envelope.Add(int64(len(body)))
		return err
	}
	s.subscribed(at)
	if err := s.findRecords(body); err != nil {
		return err
	}
	if empty || len(s.frame.Messages) == 0 {
		s.Traffic.Down.Envelope.Add(int64(len(body)))
		s.polledEmpty(at)
		return nil
	}
	s.deliverForeign(len(body), at)
	return nil
}

// findRecords makes a batch of the payloads in a response, and notes whether a record requests a heartbeat.
func (s *Subscriber) findRecords(body []byte) error {
	s.frame.Batch = Batch{Messages: s.frame.Messages[:0]}
	records := 0
	for record := range s.foreign.Records(body) {
		records++
		if !s.findPayloads(record) && s.foreign.Beats(record) {
			s.foreign.RequestHeartbeat()
		}
		if err := s.checkElements(records); err != nil {
			s.Traffic.Down.Envelope.Add(int64(len(body)))
			return err
		}
	}
	return nil
}

// receiveForeignPiece handles an event or a line of a stream.
func (s *Subscriber) receiveForeignPiece(data []byte, at clock.Instant) error {
	if events, ok := s.pieces.(*wire.Events); ok && events.ID() != nil {
		s.foreign.Event(events.ID())
	}
	if !s.ready && s.foreign.Opens(data) { // else the pattern would be matched with every message
		s.subscribed(at)
	}
	s.foreign.Body(data)
	if err := s.foreign.Overlong(); err != nil {
		s.Traffic.Down.Envelope.Add(int64(len(data)))
		return err
	}
	s.frame.Batch = Batch{Messages: s.frame.Messages[:0]}
	s.findPayloads(data)
	if err := s.checkElements(1); err != nil {
		s.Traffic.Down.Envelope.Add(int64(len(data)))
		return err
	}
	s.deliverForeign(len(data), at)
	return nil
}
