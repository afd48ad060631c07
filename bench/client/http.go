package client

import (
	"bufio"
	"context"
	"fmt"

	"github.com/valyala/fasthttp"
)

// maxBody bounds an answer, so that a server gone wrong cannot exhaust us.
const maxBody = 64 << 20

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
	response fasthttp.Response
}

func openLine(ctx context.Context, e *engine) (*line, error) {
	c, err := dial(ctx, e.Target, e.Traffic)
	if err != nil {
		return nil, err
	}
	return newLine(ctx, c, e.Traffic), nil
}

func newLine(ctx context.Context, c *conn, traffic *Traffic) *line {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	return &line{
		conn:    c,
		release: func() { stop(); c.Close() },
		traffic: traffic,
		reader:  bufio.NewReader(c),
	}
}

func (l *line) close() { l.release() }

// send writes a request in one write.
func (l *line) send(header *fasthttp.RequestHeader, body []byte) error {
	if header.IsPost() {
		header.SetContentLength(len(body))
	}
	l.out = header.AppendBytes(l.out[:0])
	l.traffic.Requests.Add(1)
	l.traffic.Up.Headers.Add(int64(len(l.out)))
	l.out = append(l.out, body...)
	_, err := l.Write(l.out)
	return err
}

// receive reads an answer whole; its body is l.response.Body() until the next.
func (l *line) receive() (status int, err error) {
	l.awaitHeader()
	if err := l.response.ReadLimitBody(l.reader, maxBody); err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	return l.response.StatusCode(), nil
}
