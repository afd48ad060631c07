package client

import (
	"fmt"
	"math"
	"net/http"
	"net/url"

	"pushbench/bench/clock"
	"pushbench/scenarios"
)

// A subscriber is what any engine knows of one client, and what it makes of
// what a server says, wherever the bytes come from.
type subscriber struct {
	sub     Subscription
	sink    Sink
	config  *Config
	traffic *Traffic
	*reader

	cursor  []byte        // what the client has read; empty until the first subscribe-ack
	dialled clock.Instant // when the current attempt began
	stages  Stages
	first   meter // of the connection that was answered first
	ready   bool  // Connected was told for this connection
}

// A reader decodes. Those who never do so at the same time can share one.
type reader struct {
	frame   frame
	decoder decoder
}

// A meter knows how many bytes of a connection were understood so far.
type meter interface{ understood() int64 }

func newSubscriber(config *Config, sub Subscription, sink Sink, r *reader) subscriber {
	return subscriber{sub: sub, sink: sink, config: config, traffic: config.Traffic, reader: r}
}

func (s *subscriber) tell(e Event, at clock.Instant) { s.sink.Event(s.sub.Client, e, at) }

// connecting begins an attempt to connect.
func (s *subscriber) connecting(at clock.Instant) {
	s.ready, s.first = false, nil
	s.dialled = at
	s.stages = Stages{Resume: len(s.cursor) > 0}
	s.tell(Event{Kind: Connecting}, at)
}

// answered notes that the first header of a connection is complete, on which
// sent bytes were sent until then.
func (s *subscriber) answered(c meter, sent int64, at clock.Instant) {
	if s.stages.Answer == 0 {
		s.stages.Answer = at.Sub(s.dialled)
		s.stages.Requests = 1
		s.stages.BytesUp = sent
		s.first = c
	}
}

// subscribed tells, once a connection, that the client is subscribed.
func (s *subscriber) subscribed(at clock.Instant) {
	if s.ready {
		return
	}
	s.ready = true
	s.stages.Ready = at.Sub(s.dialled)
	s.stages.BytesDown = s.first.understood()
	s.tell(Event{Kind: Connected, Stages: s.stages}, at)
}

// receive decodes and delivers one batch that arrived at the given instant.
func (s *subscriber) receive(body []byte, at clock.Instant) error {
	if err := s.decoder.decode(body, &s.frame); err != nil {
		s.traffic.Down.Envelope.Add(int64(len(body)))
		return err
	}
	return s.take(int64(len(body)), at)
}

// take delivers the decoded batch, of which size bytes arrived. Without a
// cursor it is none: the next request would ask "from now" and lose in silence.
func (s *subscriber) take(size int64, at clock.Instant) error {
	if len(s.frame.Cursor) == 0 {
		s.traffic.Down.Envelope.Add(size)
		return fmt.Errorf("%w: no cursor", errMalformed)
	}
	payload := s.frame.payloadBytes()
	s.traffic.Down.Payload.Add(payload)
	s.traffic.Down.Envelope.Add(size - payload)
	if len(s.frame.Messages) > 0 {
		s.traffic.Batches.Add(1)
	}
	s.cursor = append(s.cursor[:0], s.frame.Cursor...)
	s.subscribed(at)
	s.sink.Deliver(s.sub.Client, &s.frame.Batch, at)
	return nil
}

// receivePoll takes the answer to a poll.
func (s *subscriber) receivePoll(status int, body []byte, at clock.Instant) error {
	switch status {
	case http.StatusOK:
		if err := s.receive(body, at); err != nil {
			return err
		}
		if len(s.frame.Messages) == 0 {
			s.empty(at)
		}
		return nil
	case http.StatusNoContent:
		if len(s.cursor) == 0 {
			return fmt.Errorf("%w: no subscribe-ack", errMalformed)
		}
		s.subscribed(at)
		s.empty(at)
		return nil
	default:
		s.traffic.Down.Envelope.Add(int64(len(body)))
		return fmt.Errorf("poll answered with status %d", status)
	}
}

func (s *subscriber) empty(at clock.Instant) {
	s.traffic.Empty.Add(1)
	s.tell(Event{Kind: Polled}, at)
}

// receiveFrame takes the text of a frame: a batch, or the outcome of a publication.
func (s *subscriber) receiveFrame(text []byte, at clock.Instant) (outcome Event, is bool, err error) {
	size := int64(len(text))
	if err := s.decoder.decode(text, &s.frame); err != nil {
		s.traffic.Down.Envelope.Add(size)
		return Event{}, false, err
	}
	f := &s.frame
	if f.refused == nil && !f.acked {
		return Event{}, false, s.take(size, at)
	}
	s.traffic.Down.Envelope.Add(size)
	switch {
	case f.id > math.MaxUint32:
		return Event{}, false, fmt.Errorf("%w: outcome of a publication that nobody sent", errMalformed)
	case f.refused != nil:
		return Event{Kind: Failed, ID: uint32(f.id), Cause: refusal(f.refused)}, true, nil
	case f.seq == 0:
		return Event{}, false, fmt.Errorf("%w: acknowledged without a number", errMalformed) // they count from 1
	default:
		return Event{Kind: Acked, ID: uint32(f.id), Seq: f.seq}, true, nil
	}
}

// refusal is a server's name for an error, bounded: it becomes a key of a map.
func refusal(name []byte) string {
	const longest = 64 // bytes
	return string(name[:min(len(name), longest)])
}

// receivePosted takes the answer to a publication by POST.
func (r *reader) receivePosted(traffic *Traffic, status int, body []byte) (outcome Event) {
	traffic.Down.Envelope.Add(int64(len(body)))
	if status != http.StatusOK {
		return Event{Kind: Failed, Cause: fmt.Sprintf("publish answered with status %d", status)}
	}
	if err := r.decoder.decode(body, &r.frame); err != nil {
		return Event{Kind: Failed, Cause: cause(err)}
	}
	if r.frame.seq == 0 {
		return Event{Kind: Failed, Cause: errMalformed.Error()} // messages are numbered from 1
	}
	return Event{Kind: Acked, Seq: r.frame.seq}
}

// appendStream appends the subscription as the URL of a stream or a socket.
func (s *subscriber) appendStream(dst []byte, path string) []byte {
	dst = append(dst, path...)
	separator := byte('?')
	parameter := func(name, value string) {
		dst = append(append(append(append(dst, separator), name...), '='), value...)
		separator = '&'
	}
	for _, topic := range s.sub.Topics {
		parameter("topic", url.QueryEscape(topic))
	}
	if s.sub.Delivery == string(scenarios.Latest) && len(s.sub.Topics) > 0 {
		parameter("delivery", "latest")
	}
	if len(s.cursor) > 0 {
		parameter("after", url.QueryEscape(string(s.cursor)))
	}
	return dst
}

// appendPoll appends the subscription as the URL of a poll.
func (s *subscriber) appendPoll(dst []byte) []byte {
	dst = s.appendStream(dst, "/v1/poll")
	if s.config.Transport == scenarios.LongPoll {
		dst = append(dst, "&wait="...)
		dst = append(dst, s.config.Hold.String()...)
	}
	return dst
}
