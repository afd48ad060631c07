package sse

import (
	"strconv"

	"pushbench/servers/hub"
	"pushbench/servers/sock"
	"pushbench/servers/wire"
)

// head starts every stream. The last two headers ask proxies not to buffer.
const head = "HTTP/1.1 200 OK\r\n" +
	"Content-Type: text/event-stream\r\n" +
	"Transfer-Encoding: chunked\r\n" +
	"Cache-Control: no-cache, no-transform\r\n" +
	"X-Accel-Buffering: no\r\n\r\n"

// tail is the last chunk, of no bytes: the end of a stream that ends properly.
const tail = "0\r\n\r\n"

// comment is the chunk of a comment with nothing in it, and the empty line that ends it.
const comment = "3\r\n:\n\n\r\n"

// A stream is one client's response.
type stream struct {
	conn *sock.Conn
	feed wire.Feed[[]byte]
}

// open sends the head, with the ack in the same write if one is due, and
// starts the feed. What a client sends after its request is never read.
func (e *Edge) open(s *stream, sub *wire.Subscribe) {
	first := []byte(head)
	if sub.FromNow {
		body, now := e.service.Ack(sub.Set)
		sub.After = now
		first = append(first, appendEvent(body, now)...)
		e.service.Count.Acks.Add(1)
	}
	if _, err := s.conn.Write(first); err != nil {
		s.conn.Abort()
		return
	}
	s.conn.Handle(&s.feed)
	s.feed.Start(e.service, e.events, s.conn, s, sub)
	if s.conn.Watch(sock.Hangup) != 0 {
		s.feed.Close(wire.Gone)
	}
}

// Entering says that the stream is not open yet.
func (s *stream) Entering() bool { return s.feed.Entering() }

// Send writes an event.
func (s *stream) Send(event []byte) error {
	_, err := s.conn.Write(event)
	return err
}

// Beat writes a comment, which a client does not look at (WHATWG HTML, section 9.2.6).
func (s *stream) Beat() error {
	_, err := s.conn.Write([]byte(comment))
	return err
}

// End ends the response as well as that is still possible: a peer that is
// slow in the middle of an event gets no end, so that it can tell.
func (s *stream) End(why wire.Reason) {
	if why == wire.Gone || why == wire.Slow && s.conn.Unsent() {
		s.conn.Abort()
		return
	}
	_, _ = s.conn.Write([]byte(tail)) // fails only if the peer is gone, and then nobody misses it
	_ = s.conn.Close()
}

// appendEvent frames a batch as one event in one chunk. JSON has no raw line
// breaks, so a payload can never start a field or an event of its own.
func appendEvent(body []byte, next hub.Cursor) []byte {
	event := make([]byte, 0, len(body)+hub.MaxCursor+32)
	id := next.String()
	size := len("id: ") + len(id) + len("\ndata: ") + len(body) + len("\n\n")
	event = strconv.AppendInt(event, int64(size), 16)
	event = append(event, "\r\nid: "...)
	event = append(event, id...)
	event = append(event, "\ndata: "...)
	event = append(event, body...)
	return append(event, "\n\n\r\n"...)
}
