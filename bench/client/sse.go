package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/valyala/fasthttp"

	"pushbench/bench/clock"
)

// A stream receives server-sent events (WHATWG HTML, section 9.2) over a
// chunked response (RFC 9112, section 7.1).
type stream struct {
	*session
	header fasthttp.RequestHeader
	events eventReader
}

// serve opens a stream and reads it to its end.
func (s *stream) serve(ctx context.Context) error {
	l, err := openLine(ctx, s.engine)
	if err != nil {
		return err
	}
	defer l.close()
	s.stages.TCP = clock.Now().Sub(s.dialled)
	if err := s.request(l); err != nil {
		return err
	}
	if s.stages.Resume {
		s.subscribed(clock.Now())
	}
	return s.read(l)
}

func (s *stream) request(l *line) error {
	requestHeader(&s.header, fasthttp.MethodGet, s.engine.Target)
	s.header.SetRequestURI(s.query("/v1/sse"))
	s.header.Set("Accept", "text/event-stream")
	if err := l.send(&s.header, nil); err != nil {
		return err
	}
	l.awaitHeader()
	if err := l.response.Header.Read(l.reader); err != nil {
		return fmt.Errorf("read answer: %w", l.blame(err))
	}
	s.answered(l.conn)
	if err := acceptStream(&l.response.Header); err != nil {
		s.engine.Traffic.Down.Envelope.Add(l.beyondHeader())
		return err
	}
	return nil
}

// acceptStream says what is wrong with the header of a stream, if anything is.
func acceptStream(h *fasthttp.ResponseHeader) error {
	kind, _, _ := bytes.Cut(h.ContentType(), []byte(";"))
	switch {
	case h.StatusCode() != fasthttp.StatusOK:
		return fmt.Errorf("stream answered with status %d", h.StatusCode())
	case !bytes.EqualFold(bytes.TrimSpace(kind), []byte("text/event-stream")):
		return errors.New("stream is not of type text/event-stream")
	case h.ContentLength() != -1:
		return errors.New("stream is not in chunked coding")
	default:
		return nil
	}
}

func (s *stream) read(l *line) error {
	s.events = eventReader{chunks: chunkReader{in: l.reader}}
	for {
		data, err := s.events.next()
		at := clock.Now()
		if errors.Is(err, io.EOF) {
			s.engine.Traffic.Down.Framing.Add(s.events.rest())
			return nil
		}
		if err != nil {
			return err
		}
		s.engine.Traffic.Down.Framing.Add(s.events.framing())
		if len(data) == 0 {
			continue // a comment: a heartbeat
		}
		if err := s.receive(data, at); err != nil {
			return err
		}
	}
}

// An eventReader reads the data of one event after another.
type eventReader struct {
	chunks  chunkReader
	begun   bool // the stream's first line is read
	afterCR bool // a LF now belongs to the line end before
	line    []byte
	data    []byte
	size    int64 // bytes of the event as it came, chunked coding and all
	told    int64 // of chunks.consumed: the bytes of all events so far
}

var byteOrderMark = []byte("\uFEFF")

// next returns the data of the next event: its data lines joined by LF, or
// nothing for a comment. It is valid until the next call. io.EOF is the
// stream's proper end; an event that it cuts off is none.
func (r *eventReader) next() ([]byte, error) {
	r.data = r.data[:0]
	for lines := 0; ; {
		line, err := r.readLine()
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			r.size = r.rest()
			r.told = r.chunks.consumed
			return r.data, nil
		}
		// `id` repeats the cursor that the batch carries; `event` and `retry` are not used.
		name, value, _ := bytes.Cut(line, []byte(":"))
		if string(name) != "data" {
			continue
		}
		if lines++; lines > 1 {
			r.data = append(r.data, '\n')
		}
		if r.data = append(r.data, bytes.TrimPrefix(value, []byte(" "))...); len(r.data) > maxBody {
			return nil, errTooLong
		}
	}
}

// framing is how many bytes of the last event were not its data.
func (r *eventReader) framing() int64 { return r.size - int64(len(r.data)) }

// rest is how many bytes came since the last event.
func (r *eventReader) rest() int64 { return r.chunks.consumed - r.told }

// readLine reads a line without its end, which is LF, CR LF or CR. After a CR
// it does not wait whether a LF follows: that may be long in coming.
func (r *eventReader) readLine() ([]byte, error) {
	r.line = r.line[:0]
	for {
		part, err := r.chunks.line()
		if r.afterCR && len(part) > 0 {
			r.afterCR = false
			part = bytes.TrimPrefix(part, []byte("\n")) // then it is all of part
		}
		r.line = append(r.line, part...)
		if err != nil {
			return nil, err
		}
		if n := len(r.line); n > 0 && endsLine(r.line[n-1]) {
			r.afterCR = r.line[n-1] == '\r'
			return r.first(r.line[:n-1]), nil
		}
		if len(r.line) > maxBody {
			return nil, errTooLong
		}
	}
}

// first takes the byte order mark from the stream's first line.
func (r *eventReader) first(line []byte) []byte {
	if r.begun {
		return line
	}
	r.begun = true
	return bytes.TrimPrefix(line, byteOrderMark)
}

func endsLine(c byte) bool { return c == '\n' || c == '\r' }

// A chunkReader undoes chunked coding and counts what it consumed, the coding included.
type chunkReader struct {
	in       *bufio.Reader
	left     int // of the current chunk
	consumed int64
}

// line returns data up to and including the next LF or CR, or what there is of
// it in the current chunk or buffer. It is valid until the next call.
func (c *chunkReader) line() ([]byte, error) {
	if c.left == 0 {
		if err := c.nextChunk(); err != nil {
			return nil, err
		}
	}
	if _, err := c.in.Peek(1); err != nil {
		return nil, unexpected(err)
	}
	part, _ := c.in.Peek(min(c.in.Buffered(), c.left))
	for _, end := range []byte("\n\r") {
		if i := bytes.IndexByte(part, end); i >= 0 {
			part = part[:i+1]
		}
	}
	n, err := c.in.Discard(len(part)) // the bytes stay in the buffer until the next read
	c.left -= n
	c.consumed += int64(n)
	if c.left == 0 && err == nil {
		err = c.crlf(&part)
	}
	return part, err
}

// errChunk says that chunked coding is not as it should be.
var errChunk = errors.New("malformed chunk")

// crlf reads the end of a chunk. It may move the buffer, so part is copied if it must be.
func (c *chunkReader) crlf(part *[]byte) error {
	if c.in.Buffered() < 2 {
		*part = bytes.Clone(*part)
	}
	end, err := c.in.Peek(2)
	if err != nil {
		return unexpected(err)
	}
	if string(end) != "\r\n" {
		return errChunk
	}
	c.consumed += 2
	_, err = c.in.Discard(2)
	return err
}

// nextChunk reads a chunk's size line; io.EOF is the stream's proper end.
func (c *chunkReader) nextChunk() error {
	line, err := c.codingLine()
	if err != nil {
		return err
	}
	digits, _, _ := bytes.Cut(line, []byte(";"))
	size, err := strconv.ParseUint(string(bytes.TrimRight(digits, " \t")), 16, 31)
	if err != nil {
		return errChunk
	}
	if size == 0 {
		return c.trailer()
	}
	c.left = int(size)
	return nil
}

// trailer reads what follows the last chunk, up to the empty line.
func (c *chunkReader) trailer() error {
	for {
		line, err := c.codingLine()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return io.EOF
		}
	}
}

// codingLine reads a line of the coding itself: no longer than the buffer.
func (c *chunkReader) codingLine() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, errChunk
	}
	if err != nil {
		return nil, unexpected(err)
	}
	c.consumed += int64(len(line))
	return bytes.TrimRight(line, "\r\n"), nil
}

// unexpected tells a broken stream from one that ended properly.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
