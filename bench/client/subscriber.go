package client

import (
	"errors"
	"io"
	"os"
	"time"

	"pushbench/bench/client/internal/wire"
	"pushbench/bench/clock"
	"pushbench/scenarios/transports"
)

// A Subscriber is the part of one client that is common to all engines: what it sends to
// the server, and how it interprets what the server sends, however the bytes arrive.
type Subscriber struct {
	Sub       Subscription
	Config    *Config
	Transport transports.Transport // Config.Transport
	Traffic   *Traffic
	Duplex    Duplex // of a WebSocket; nil for other transports
	URL       string // where the client receives webhooks
	Closes    bool   // the connection ends with the last response
	*Scratch

	sink      Sink
	cursor    []byte        // the server's cursor; empty until the first subscribe-ack
	dialled   clock.Instant // when the current attempt began
	attempt   int           // attempts since the server last served the client
	stages    Stages
	ready     bool          // Connected was reported for this attempt
	readyAt   clock.Instant // when
	served    bool          // by a message or an empty poll since
	conn      Conn          // the connection of the last request
	headerAt  clock.Instant // when the header of its response was complete; 0: it is not
	interim   int           // bytes of the interim responses before it
	partial   *wire.Partial // of a long response that is not complete
	held      int           // bytes of an incomplete message; see hold
	consuming int           // bytes of conn that are being consumed
	open      bool          // the stream or the WebSocket is open
	pieces    wire.Pieces   // of a stream
	socket    socket        // of a WebSocket
	awaited   awaited       // on a WebSocket

	polls grid // of short polling

	foreign *foreign // the protocol of a target; nil: pushbench's own
	resumes bool     // the client was subscribed before

	postTopic string // of the last publication by POST
	postPath  []byte // its target
}

// A Scratch is the memory for decoding. Subscribers that never decode at the same time can
// share one.
type Scratch struct {
	frame   frame
	decoder decoder
	body    wire.Room
}

// A Conn counts the bytes of its connection.
type Conn interface {
	Sent() int64
	Consumed() int64 // by calls of Consume that have returned
}

// NewSubscriber returns a Subscriber that is not connected.
func NewSubscriber(config *Config, sub Subscription, sink Sink, s *Scratch) Subscriber {
	return Subscriber{
		Sub: sub, Config: config, Transport: transports.Of(config.Transport), Traffic: config.Traffic, Scratch: s,
		sink: sink, polls: grid{every: config.Interval}, foreign: newForeign(config, sub),
	}
}

// Report reports an event to the sink.
func (s *Subscriber) Report(e Event, at clock.Instant) { s.sink.Event(s.Sub.Client, e, at) }

// Connecting reports the start of an attempt to connect.
func (s *Subscriber) Connecting(at clock.Instant) {
	s.ready, s.open, s.served = false, false, false
	s.awaited.forget() // here, when no goroutine publishes on the previous connection any longer
	s.dialled = at
	s.stages = Stages{Resume: s.resumes}
	s.polls.start(at, s.Sub.Phase)
	if s.foreign != nil {
		s.foreign.Begin()
	}
	s.Report(Event{Kind: Connecting}, at)
}

// ResponseTimeout is how long the response to the last request may take until it is complete, or its header if it opens
// a stream or a WebSocket, and the error of one that takes longer; 0: no limit.
func (s *Subscriber) ResponseTimeout() (time.Duration, error) {
	if s.Transport.Streams || s.additional() {
		return s.Config.OpenTimeout, os.ErrDeadlineExceeded
	}
	return s.Config.ReadTimeout, ErrSilent
}

// RestTimeout is how long the rest of the response to the last request may take, from its beginning on; 0: no limit but
// ResponseTimeout.
func (s *Subscriber) RestTimeout() time.Duration {
	if s.Transport.Streams || s.additional() {
		return 0
	}
	return s.Config.RestTimeout
}

// Opened notes when the attempt's first connection was open, and when its TLS handshake was
// done, if it has TLS.
func (s *Subscriber) Opened(tcp, tls clock.Instant) {
	if s.stages.TCP != 0 {
		return
	}
	s.stages.TCP = tcp.Sub(s.dialled)
	if tls != 0 {
		s.stages.TLS = tls.Sub(s.dialled)
	}
}

// responded notes that the header of a response is complete: the first of an attempt, or one before the client is
// subscribed.
func (s *Subscriber) responded(at clock.Instant) {
	if s.stages.Response == 0 {
		s.stages.Response = at.Sub(s.dialled)
	}
	if !s.ready {
		s.stages.Requests++
		s.stages.BytesUp = s.conn.Sent()
	}
}

// subscribed reports, once per attempt, that the client is subscribed.
func (s *Subscriber) subscribed(at clock.Instant) {
	if s.ready {
		return
	}
	s.ready, s.readyAt, s.resumes = true, at, true
	s.stages.Ready = at.Sub(s.dialled)
	s.stages.BytesDown = s.conn.Consumed() + int64(s.consuming)
	s.Report(Event{Kind: Connected, Stages: s.stages}, at)
}

// DiscardFragments discards the fragments of a message that the connection cut off.
func (s *Subscriber) DiscardFragments() {
	s.Traffic.Down.Envelope.Add(int64(len(s.socket.message)))
	s.partial = nil
	s.Traffic.held.Add(-int64(s.held))
	s.held = 0
	s.socket.fragmented, s.socket.message, s.socket.begun = false, nil, false
	s.socket.responses.pings, s.socket.responses.beat = false, false
}

// Disconnected reports why a connection ended or could not be opened, and returns how long
// to wait before the next attempt.
func (s *Subscriber) Disconnected(err error, at clock.Instant) time.Duration {
	switch k := &s.socket; {
	case !s.open || err != io.EOF: // a regular end is errEnd
	case s.Duplex != nil && !k.fragmented && !k.begun:
		err = errNoClose
	default:
		err = io.ErrUnexpectedEOF
	}
	s.DiscardFragments()
	s.pieces, s.open = nil, false
	s.Report(Event{Kind: Disconnected, Cause: Cause(err)}, at)
	if s.ready && (s.served || at.Sub(s.readyAt) >= backOffCap) { // else the server may refuse each connection so
		s.attempt = 0
	}
	s.attempt++
	return backOff(s.attempt - 1)
}

// PublisherDisconnected reports that the connection to publish on ended or could not be
// opened.
func (s *Subscriber) PublisherDisconnected(err error, at clock.Instant) {
	s.Report(Event{Kind: Disconnected, Cause: "upstream: " + Cause(err)}, at)
}

// Dropped reports that a publication was never sent.
func (s *Subscriber) Dropped(id uint32, cause string) {
	s.Report(Event{Kind: Dropped, ID: id, Cause: cause}, clock.Now())
}

// Sending reports that the write of a publication begins, and how long it waited for a
// busy connection.
func (s *Subscriber) Sending(id uint32, waited time.Duration, at clock.Instant) {
	s.Report(Event{Kind: Sending, ID: id, Waited: waited}, at)
}

// ErrOffline is the error of a publication without a connection to write to.
var ErrOffline = errors.New(CauseOffline)

// ErrUnsolicited is the error of a connection on which a response arrived without a request.
var ErrUnsolicited = errors.New("server sent a response without a request")

// NotSent reports that a publication could not be written: Dropped without a connection,
// Failed if the write failed.
func (s *Subscriber) NotSent(id uint32, err error, at clock.Instant) {
	if errors.Is(err, ErrOffline) {
		s.Report(Event{Kind: Dropped, ID: id, Cause: CauseOffline}, at)
		return
	}
	s.Report(Event{Kind: Failed, ID: id, Cause: Cause(err)}, at)
}
