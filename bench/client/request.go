package client

import (
	"net/url"
	"strconv"

	"pushbench/bench/client/internal/wire"
	"pushbench/bench/clock"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A stream is a transport whose response to one GET is an endless chunked body, each piece
// of which is a batch.
type stream struct {
	path      string
	mediaType string
	pieces    func() wire.Pieces
}

var streams = map[scenarios.Transport]stream{
	transports.SSE:        {"/v1/sse", "text/event-stream", func() wire.Pieces { return new(wire.Events) }},
	transports.HTTPStream: {"/v1/stream", "application/x-ndjson", func() wire.Pieces { return new(wire.Lines) }},
}

// AppendRequest appends to dst, which is empty, the next request on a connection: a poll,
// or the request that opens a stream or a WebSocket.
func (s *Subscriber) AppendRequest(dst []byte, c Conn) []byte {
	s.conn, s.headerAt, s.open, s.interim, s.partial = c, 0, false, 0, nil
	if s.Transport.ServerDials {
		return s.appendRegistration(dst)
	}
	stream, isStream := streams[s.Config.Transport]
	additional := s.additional()
	if s.Transport.Polls && !additional {
		s.Traffic.Polls.Add(1)
	}
	var body []byte
	if s.foreign != nil {
		dst, body = s.appendForeignRequest(dst, isStream)
	} else {
		dst = s.appendOwnRequest(dst, stream, isStream)
	}
	dst = wire.EndHeader(dst, s.Config.HeaderBytes)
	s.Traffic.Requests.Add(1) // also if the write fails: the server may have received it
	s.Traffic.Up.Headers.Add(int64(len(dst)))
	s.Traffic.Up.Envelope.Add(int64(len(body)))
	if s.foreign != nil && s.Transport.Holds && !additional {
		s.subscribed(clock.Now()) // no response follows before the first message
	}
	return append(dst, body...)
}

// upgradeFields open a WebSocket, up to the key (RFC 6455, section 4.1).
const upgradeFields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "

// appendOwnRequest appends a request of PROTOCOL.md.
func (s *Subscriber) appendOwnRequest(dst []byte, stream stream, isStream bool) []byte {
	dst = append(dst, "GET "...)
	switch {
	case s.Duplex != nil:
		s.socket.key = wire.NewKey()
		dst = append(s.appendTarget(dst, "/v1/ws"), s.Config.common...)
		dst = append(append(append(dst, upgradeFields...), s.socket.key...), "\r\n"...)
	case isStream:
		s.pieces = stream.pieces()
		dst = append(s.appendTarget(dst, stream.path), s.Config.common...)
		dst = append(append(append(dst, "Accept: "...), stream.mediaType...), "\r\n"...)
	default:
		dst = s.appendTarget(dst, "/v1/poll")
		if s.Transport.Holds {
			dst = append(append(dst, "&wait="...), s.Config.PollTimeout.String()...)
		}
		dst = append(dst, s.Config.common...)
		if s.Config.NewConnection {
			dst = append(dst, "Connection: close\r\n"...)
		}
	}
	return dst
}

// webhooksPath registers webhooks.
const webhooksPath = "/v1/webhooks"

// appendRegistration appends the request that registers the client's URL with the server.
func (s *Subscriber) appendRegistration(dst []byte) []byte {
	dst = s.appendPost(dst, s.appendTarget(nil, webhooksPath), []byte(s.URL))
	s.Traffic.Up.Payload.Add(-int64(len(s.URL))) // it is not a message
	s.Traffic.Up.Envelope.Add(int64(len(s.URL)))
	return dst
}

// AppendPost appends to dst, which is empty, a publication by POST.
func (s *Subscriber) AppendPost(dst []byte, id uint32, topic string, payload []byte) []byte {
	if s.foreign != nil {
		return s.appendForeignPost(dst, id, topic, payload)
	}
	if s.postPath == nil || topic != s.postTopic {
		s.postPath = append(append(s.postPath[:0], "/v1/topics/"...), url.PathEscape(topic)...)
		s.postTopic = topic
	}
	return s.appendPost(dst, s.postPath, payload)
}

func (s *Subscriber) appendPost(dst, target, body []byte) []byte {
	dst = append(append(append(dst, "POST "...), target...), s.Config.common...)
	dst = append(dst, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: "...)
	dst = append(strconv.AppendInt(dst, int64(len(body)), 10), "\r\n"...)
	size := s.Config.HeaderBytes
	if s.Sub.Backend() {
		size = 0
	}
	dst = wire.EndHeader(dst, size)
	s.Traffic.Requests.Add(1) // also if the write fails: the server may have received it
	s.Traffic.Up.Headers.Add(int64(len(dst)))
	s.Traffic.Up.Payload.Add(int64(len(body)))
	return append(dst, body...)
}

// PublishFrame encodes a publication as a frame, in room.
func (s *Subscriber) PublishFrame(room *[]byte, id uint32, topic string, payload []byte) []byte {
	*room = append((*room)[:0], make([]byte, wire.FrameRoom)...)
	opcode := byte(wire.OpText)
	if s.foreign != nil {
		opcode, *room = s.opcode(), s.appendForeignFrame(*room, id, topic, payload)
	} else {
		s.awaited.add(id)
		*room = appendPublish(*room, id, topic, payload)
	}
	frame, header := wire.SealFrame(*room, opcode)
	up := &s.Traffic.Up
	up.Framing.Add(int64(header))
	up.Payload.Add(int64(len(payload)))
	up.Envelope.Add(int64(len(frame) - header - len(payload)))
	return frame
}

// ControlFrame encodes a control frame, in room, all of which is framing, or a text of a target's protocol.
func (s *Subscriber) ControlFrame(room *[]byte, opcode byte, body []byte) []byte {
	*room = append(append((*room)[:0], make([]byte, wire.FrameRoom)...), body...)
	frame, header := wire.SealFrame(*room, opcode)
	if opcode <= wire.OpBinary { // of a target's protocol
		s.Traffic.Up.Framing.Add(int64(header))
		s.Traffic.Up.Envelope.Add(int64(len(body)))
		return frame
	}
	s.Traffic.Up.Framing.Add(int64(len(frame)))
	return frame
}

// CloseFrame encodes the frame that closes a WebSocket normally, in room.
func (s *Subscriber) CloseFrame(room *[]byte) []byte {
	return s.ControlFrame(room, wire.OpClose, []byte{0x03, 0xe8}) // 1000 (RFC 6455, section 7.4.1)
}

// appendPublish appends the text {"id":n,"topic":"…","data":"…"}.
func appendPublish(dst []byte, id uint32, topic string, payload []byte) []byte {
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendUint(dst, uint64(id), 10)
	dst = append(dst, `,"topic":"`...)
	dst = append(dst, topic...) // topics need no escaping
	dst = append(dst, `","data":"`...)
	dst = appendEscaped(dst, payload)
	return append(dst, `"}`...)
}

// appendEscaped appends s as the content of a JSON string.
func appendEscaped(dst, s []byte) []byte {
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, `\u00`...)
			dst = append(dst, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendTarget appends the subscription as the target of a request.
func (s *Subscriber) appendTarget(dst []byte, path string) []byte {
	dst = append(dst, path...)
	separator := byte('?')
	parameter := func(name, value string) {
		dst = append(append(append(append(dst, separator), name...), '='), value...)
		separator = '&'
	}
	for _, topic := range s.Sub.Topics {
		parameter("topic", url.QueryEscape(topic))
	}
	if s.Sub.Delivery == string(scenarios.Latest) && len(s.Sub.Topics) > 0 {
		parameter("delivery", "latest")
	}
	if len(s.cursor) > 0 {
		parameter("after", url.QueryEscape(string(s.cursor)))
	}
	return dst
}
