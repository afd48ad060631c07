package wire

import (
	"strconv"

	"pushbench/servers/hub"
	"pushbench/servers/sock"
	"pushbench/servers/wire/httpstack"
)

// A StreamFormat is the framing of one streaming transport. All of them send one chunked
// response per client that never ends, one batch per chunk, one chunk per write. Errors are
// reported as on every transport, before the stream begins.
type StreamFormat struct {
	ContentType string
	Heartbeat   string // clients ignore it

	// Append appends a framed batch; next is the cursor from which the stream resumes.
	Append func(dst, body []byte, next hub.Cursor) []byte
}

// NewStreamEdge makes the edge of a streaming transport. It owns the streams: each is a
// connection taken from the HTTP library, without a goroutine.
func NewStreamEdge(s *Service, f StreamFormat) *Edge {
	e := &streamEdge{service: s, frame: f.chunk}
	// The last two headers tell proxies not to buffer.
	e.header = "Content-Type: " + f.ContentType + "\r\n" +
		"Transfer-Encoding: chunked\r\n" +
		"Cache-Control: no-cache, no-transform\r\n" +
		"X-Accel-Buffering: no\r\n\r\n"
	e.heartbeat = finishChunk(append(make([]byte, chunkHeader), f.Heartbeat...))
	e.batches = NewCache(s.Hub, e.frame)
	return NewEdge(s, e.handle, nil)
}

// A streamEdge is the state that the streams of a server share.
type streamEdge struct {
	service   *Service
	batches   *Cache[[]byte]
	frame     func(body []byte, next hub.Cursor) []byte
	header    string // without the status line and the date
	heartbeat []byte
}

// chunkHeader is the space for a chunk's size and line break (RFC 9112 section 7.1).
const chunkHeader = 16 + len("\r\n")

// chunk frames a batch as one chunk.
func (f StreamFormat) chunk(body []byte, next hub.Cursor) []byte {
	chunk := make([]byte, chunkHeader, chunkHeader+len(body)+hub.MaxCursor+16)
	return finishChunk(f.Append(chunk, body, next))
}

// finishChunk makes a chunk of the bytes after the first chunkHeader bytes.
func finishChunk(chunk []byte) []byte {
	var size [chunkHeader]byte
	header := append(strconv.AppendInt(size[:0], int64(len(chunk)-chunkHeader), 16), "\r\n"...)
	begin := chunkHeader - len(header)
	copy(chunk[begin:], header)
	return append(chunk[begin:], "\r\n"...)
}

// lastChunk, of 0 bytes, ends a stream cleanly.
var lastChunk = []byte("0\r\n\r\n")

func (e *streamEdge) handle(x httpstack.Exchange, r *httpstack.Request, sub *Subscribe) {
	if !r.HTTP11 {
		x.Respond(e.service.refuse(errHTTP11)) // HTTP/1.0 has no chunks
		return
	}
	s := &stream{Feed: Feed{conn: x.Conn()}, edge: e}
	s.conn.SetState(s)
	x.Take(func(taken httpstack.Taken) {
		taken.Release() // a stream ends with its connection
		s.open(sub)
	})
}

// A stream is one client's response.
type stream struct {
	Feed
	edge *streamEdge
}

// open sends the headers, with the ack in the same write if one is due, and starts the feed.
// Bytes that a client sends after its request are never read.
func (s *stream) open(sub *Subscribe) {
	first := s.edge.service.HTTP.AppendDate([]byte("HTTP/1.1 200 OK\r\n"))
	if sub.Origin != "" {
		first = httpstack.AppendOrigin(first, sub.Origin)
	}
	first = append(first, s.edge.header...)
	if sub.FromNow {
		first = append(first, s.edge.frame(s.edge.service.Ack(sub), sub.After)...)
	}
	if s.Send(first) != nil {
		s.conn.Abort()
		return
	}
	s.conn.Handle(&s.Feed)
	s.Start(s.edge.service, s.edge.batches, s.conn, s, sub)
	if s.conn.Watch(sock.Hangup) != 0 {
		s.Close(Gone)
	}
}

// Send writes a chunk.
func (s *stream) Send(chunk []byte) error {
	_, err := s.conn.Write(chunk)
	return err
}

// Beat writes a heartbeat.
func (s *stream) Beat() error { return s.Send(s.edge.heartbeat) }

// End ends the response as cleanly as possible. A peer that is slow in the
// middle of a chunk gets no last chunk, so that it can detect the truncation.
func (s *stream) End(why Reason) {
	if why == Gone || why == Slow && s.conn.Unsent() {
		s.conn.Abort()
		return
	}
	_ = s.Send(lastChunk) // fails only if the peer has disconnected, and then no client needs it
	_ = s.conn.Close()
}
