package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/valyala/fasthttp"

	"pushbench/bench/clock"
)

// A stream receives server-sent events.
type stream struct {
	*session
	header fasthttp.RequestHeader
	events eventParser
}

// serve opens a stream and reads it to its end.
func (s *stream) serve(ctx context.Context) error {
	l, err := openLine(ctx, s.engine, &s.over)
	if err != nil {
		return err
	}
	defer l.close()
	l.head = s.head()
	s.opened(l.conn)
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
	s.header.SetRequestURIBytes(s.appendStream(nil, "/v1/sse"))
	s.header.Set("Accept", "text/event-stream")
	if err := l.send(&s.header, nil); err != nil {
		return err
	}
	l.awaitHeader()
	if err := l.response.Header.Read(l.reader); err != nil {
		return fmt.Errorf("read answer: %w", l.blame(err))
	}
	s.answered(l.conn, l.wired(), l.headerAt)
	if err := acceptStream(&l.response.Header); err != nil {
		s.traffic.Down.Envelope.Add(l.beyondHeader())
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
	s.events = eventParser{}
	for {
		if _, err := l.reader.Peek(1); err != nil {
			return unexpected(err)
		}
		in, _ := l.reader.Peek(l.reader.Buffered())
		size := len(in)
		at := clock.Now()
		for len(in) > 0 {
			data, n, err := s.event(&s.events, in)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err == nil && len(data) > 0 {
				err = s.receive(data, at)
			}
			if err != nil {
				return err
			}
			in = in[n:]
		}
		if _, err := l.reader.Discard(size); err != nil {
			return err
		}
	}
}

// unexpected tells a broken stream from one that ended properly.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
