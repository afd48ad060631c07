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

// maxLine bounds a line of an event stream or of its chunked coding.
const maxLine = 64 << 20

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
		return fmt.Errorf("read answer: %w", err)
	}
	s.answered(l.conn)
	if status := l.response.StatusCode(); status != fasthttp.StatusOK {
		return fmt.Errorf("stream answered with status %d", status)
	}
	if l.response.Header.ContentLength() != -1 {
		return errors.New("stream is not in chunked coding")
	}
	return nil
}

func (s *stream) read(l *line) error {
	s.events = eventReader{chunks: chunkReader{in: l.reader}}
	for {
		data, err := s.events.next()
		at := clock.Now()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
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
	chunks chunkReader
	line   []byte
	data   []byte
	size   int64 // bytes of the event as it came, chunked coding and all
}

// next returns the data of the next event: its data lines joined by LF, or
// nothing for a comment. It is valid until the next call.
func (r *eventReader) next() ([]byte, error) {
	r.data = r.data[:0]
	before := r.chunks.consumed
	lines := 0
	for {
		line, err := r.readLine()
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			r.size = r.chunks.consumed - before
			return r.data, nil
		}
		if value, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			if lines++; lines > 1 {
				r.data = append(r.data, '\n')
			}
			r.data = append(r.data, bytes.TrimPrefix(value, []byte(" "))...)
		}
		// `id` repeats the cursor that the batch carries; `event` and `retry` are not used.
	}
}

// framing is how many bytes of the last event were not its data.
func (r *eventReader) framing() int64 { return r.size - int64(len(r.data)) }

func (r *eventReader) readLine() ([]byte, error) {
	r.line = r.line[:0]
	for {
		part, err := r.chunks.until('\n')
		r.line = append(r.line, part...)
		if err != nil {
			return nil, err
		}
		if n := len(r.line); n > 0 && r.line[n-1] == '\n' {
			return bytes.TrimSuffix(r.line[:n-1], []byte("\r")), nil
		}
		if len(r.line) > maxLine {
			return nil, errors.New("line of an event stream is too long")
		}
	}
}

// A chunkReader undoes chunked coding and counts what it consumed, the coding included.
type chunkReader struct {
	in       *bufio.Reader
	left     int // of the current chunk
	consumed int64
}

// until returns data up to and including the delimiter, or what there is of it
// in the current chunk or buffer. It is valid until the next call.
func (c *chunkReader) until(delimiter byte) ([]byte, error) {
	if c.left == 0 {
		if err := c.nextChunk(); err != nil {
			return nil, err
		}
	}
	if _, err := c.in.Peek(1); err != nil {
		return nil, unexpected(err)
	}
	part, _ := c.in.Peek(min(c.in.Buffered(), c.left))
	if i := bytes.IndexByte(part, delimiter); i >= 0 {
		part = part[:i+1]
	}
	n, err := c.in.Discard(len(part)) // the bytes stay in the buffer until the next read
	c.left -= n
	c.consumed += int64(n)
	if c.left == 0 && err == nil {
		err = c.crlf(&part)
	}
	return part, err
}

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
		return errors.New("chunk does not end in CR LF")
	}
	c.consumed += 2
	_, err = c.in.Discard(2)
	return err
}

// nextChunk reads a chunk's size line; io.EOF is the stream's proper end.
func (c *chunkReader) nextChunk() error {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return unexpected(err)
	}
	c.consumed += int64(len(line))
	digits, _, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(";"))
	size, err := strconv.ParseUint(string(digits), 16, 31)
	if err != nil {
		return fmt.Errorf("chunk size %q: %w", digits, err)
	}
	if size == 0 {
		return io.EOF
	}
	c.left = int(size)
	return nil
}

// unexpected tells a broken stream from one that ended properly.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
