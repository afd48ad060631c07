package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/valyala/fasthttp"
)

// maxBody bounds an answer, an event and a frame, in bytes, so that a server gone wrong
// cannot exhaust us. The largest batch of PROTOCOL.md takes about a fiftieth of it.
const maxBody = 16 << 20

// requestHeader sets what every request carries.
func requestHeader(h *fasthttp.RequestHeader, method, host string) {
	h.SetMethod(method)
	h.SetHost(host)
	h.SetUserAgent(Agent)
}

// A line is one keep-alive connection that carries one request at a time; one
// goroutine may send on it while another receives. It never retries and never
// dials again: when it fails, it is of no more use.
type line struct {
	*conn
	release  func()
	traffic  *Traffic
	reader   *bufio.Reader
	out      []byte
	head     int // see Config.Head
	response fasthttp.Response
}

func openLine(ctx context.Context, e *engine, over *distance) (*line, error) {
	c, err := dial(ctx, &e.Config, over)
	if err != nil {
		return nil, err
	}
	return newLine(ctx, c, e.Traffic), nil
}

func newLine(ctx context.Context, c *conn, traffic *Traffic) *line {
	release := atEnd(ctx, func() { c.Close() })
	return &line{
		conn:    c,
		release: func() { release(); c.Close() },
		traffic: traffic,
		reader:  bufio.NewReader(c),
	}
}

func (l *line) close() { l.release() }

// send writes a request in one write. A body is payload.
func (l *line) send(header *fasthttp.RequestHeader, body []byte) error {
	if header.IsPost() {
		header.SetContentLength(len(body))
	}
	l.out = header.AppendBytes(l.out[:0])
	const end = "\r\n"
	l.out = append(fillHead(l.out[:len(l.out)-len(end)], l.head), end...)
	head := len(l.out)
	l.traffic.Requests.Add(1) // also when it breaks off: the server may have had it
	l.out = append(l.out, body...)
	if _, err := l.Write(l.out); err != nil {
		return err
	}
	l.traffic.Up.Headers.Add(int64(head))
	l.traffic.Up.Payload.Add(int64(len(body)))
	return nil
}

// What a server may get wrong about an answer.
var (
	errAnswer  = errors.New("malformed answer")
	errTooLong = errors.New("answer is too long")
	errMore    = errors.New("server sent more than its answer")
)

// receive reads an answer whole; its body is l.response.Body() until the next.
func (l *line) receive() (status int, err error) {
	before := l.plain()
	l.awaitHeader()
	if err := l.response.ReadLimitBody(l.reader, maxBody); err != nil {
		return 0, fmt.Errorf("read answer: %w", l.blame(err))
	}
	if l.reader.Buffered() > 0 || len(l.ahead) > 0 {
		return 0, errMore // or it would be taken for the answer to the next request
	}
	// What is neither the header nor the body is a body's coding or an interim answer.
	l.traffic.Down.Framing.Add(l.plain() - before - int64(l.headerSize) - int64(len(l.response.Body())))
	return l.response.StatusCode(), nil
}

// blame tells what the connection did, which err says, from what the server did.
// (The parser's words quote what it read: no two alike, and not ours to repeat.)
func (c *conn) blame(err error) error {
	var network net.Error
	switch {
	case c.silent:
		return errSilent // whatever the parser calls it
	case c.inHeader && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		// Of the two parsers that we use each calls either end by its own name.
		if c.headerSize == 0 {
			return io.EOF
		}
		return io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network):
		return err
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		return errTooLong
	default:
		return errAnswer
	}
}
