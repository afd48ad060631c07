package httpstack

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"

	"pushbench/servers/sock"
)

// writeBuffer is how large an answer may be and still be one write, in bytes.
// It is lent from a pool while an answer is written.
const writeBuffer = 64 << 10

// A fastServer is fasthttp with a handler. fasthttp parses, and
// writes the answers, on buffers from its pools; its Serve is not used, for that keeps
// a goroutine for every connection. Here one has neither goroutine nor buffers
// between two requests, and is given to ServeConn, by a worker, for as long as there
// are requests on it. So much is an idle short-polling client on this stack: the
// least that fasthttp allows, as is a connection that was taken from it.
type fastServer struct {
	stack  *Stack
	server *fasthttp.Server
	closed func(*sock.Conn)
	turns  atomic.Int64 // under way
}

func (s *Stack) newFastHTTP(handle Handler, closed func(*sock.Conn)) *fastServer {
	f := &fastServer{stack: s, closed: closed}
	f.server = &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			c := ctx.Conn().(*fastConn) // what Serve makes
			c.arrived()
			s.serve(fastExchange{ctx, c}, handle)
			c.fresh = true
		},
		HeaderReceived:               markChunked,
		ErrorHandler:                 s.parseError,
		Logger:                       noLog(),
		ReadBufferSize:               s.MaxHeader,
		WriteBufferSize:              writeBuffer,
		MaxRequestBodySize:           s.MaxBody,
		NoDefaultServerHeader:        true,
		NoDefaultDate:                true,
		NoDefaultContentType:         true,
		DisablePreParseMultipartForm: true,
		SecureErrorLogMessage:        true,
	}
	return f
}

// Serve accepts and serves.
func (f *fastServer) Serve(ln net.Listener) error {
	for {
		accepted, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		c := &fastConn{server: f}
		c.Conn, c.stack, c.closed = accepted.(*sock.Conn), f.stack, f.closed // what sock.Listener accepts
		c.turn = func() { f.stack.Poller.Work(c) }
		c.Resume()
	}
}

// Stop lets running requests finish, for at most stopGrace.
func (f *fastServer) Stop(ctx context.Context) error {
	f.stack.closeIdle()
	Await(ctx, stopGrace, func() bool { return f.turns.Load() == 0 })
	return nil // what is left is for the caller
}

// A fastConn is a connection as fasthttp sees it: one that ends whenever there is
// nothing more to do on it now.
type fastConn struct {
	idleConn
	server *fastServer
	then   func(Taken) // the connection was taken: what is to be done with it; nil: it was not

	fresh       bool      // the next Read begins a request
	turnOver    bool      // the turn has ended, as nothing more was there
	exact       bool      // fasthttp has got nothing beyond the head of the request that is being served
	headerEnd   headerEnd // of that request
	hasDeadline bool      // the rest of that request is waited for, and has a deadline
}

// Work is a turn.
func (c *fastConn) Work() {
	c.server.turns.Add(1)
	defer c.server.turns.Add(-1)
	c.fresh, c.turnOver = true, false
	_ = c.server.server.ServeConn(c) // its errors are answered and counted there
	switch then := c.then; {
	case then != nil:
		c.then = nil
		then(c)
	case c.turnOver:
		c.Resume()
	default:
		c.cleanUp()
	}
}

// Read gives at most the head of a request, or, later, what follows it, so that when
// the connection is taken after the head nothing is in fasthttp's buffers.
func (c *fastConn) Read(p []byte) (n int, err error) {
	if c.fresh {
		if n, err = c.ReadNow(p); err == sock.ErrNothing {
			c.turnOver = true
			return 0, io.EOF
		}
		if n == 0 && err != nil {
			return 0, io.EOF // it broke between two requests: there is none to answer, or to count
		}
		c.fresh, c.exact, c.headerEnd, c.hasDeadline = false, true, headerEnd{}, false
	} else {
		n, err = c.wait(p)
	}
	if c.headerEnd.found {
		c.exact = false
		return n, err
	}
	if end := c.headerEnd.find(p[:n]); end < n {
		c.Unread(p[end:n])
		n = end
	}
	return n, err
}

// wait reads the rest of a request, for which the client has ReadTimeout in all.
func (c *fastConn) wait(p []byte) (int, error) {
	n, err := c.ReadNow(p)
	if err != sock.ErrNothing {
		return n, err
	}
	if !c.hasDeadline {
		c.hasDeadline = true
		if err := c.SetReadDeadline(time.Now().Add(c.stack.ReadTimeout)); err != nil {
			return 0, err
		}
	}
	return c.ReadWorking(p)
}

// arrived notes that a request is there. One for which nothing was read was in
// fasthttp's buffer, and who knows what else is.
func (c *fastConn) arrived() { c.exact = c.exact && !c.fresh }

// Write drops what fasthttp answers to a request whose connection was taken.
func (c *fastConn) Write(p []byte) (int, error) {
	if c.then != nil {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// Close closes, unless only the turn ends.
func (c *fastConn) Close() error {
	if c.then != nil || c.turnOver {
		return nil
	}
	return c.Conn.Close()
}

// A headEnd finds the end of a request's head: the first empty line, which ends by LF
// or CR LF.
type headerEnd struct {
	lineBytes int // bytes of the line that has begun
	found     bool
}

// find returns how many bytes of p belong to the head.
func (h *headerEnd) find(p []byte) int {
	for rest := p; ; {
		line, after, ended := bytes.Cut(rest, []byte{'\n'})
		h.lineBytes += len(bytes.TrimSuffix(line, []byte{'\r'}))
		if !ended {
			return len(p)
		}
		if rest = after; h.lineBytes == 0 {
			h.found = true
			return len(p) - len(rest)
		}
		h.lineBytes = 0
	}
}

// chunkedMark is a header that no client can send, for its name is not a token.
const chunkedMark = ":chunked"

// markChunked notes a Transfer-Encoding while it can be seen: with the body
// read, fasthttp replaces it by a Content-Length, even where both were sent.
func markChunked(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if h.ContentLength() == -1 {
		h.Set(chunkedMark, "1")
	}
	return fasthttp.RequestConfig{}
}

// parseError answers what fasthttp could not make a request of.
func (s *Stack) parseError(ctx *fasthttp.RequestCtx, err error) {
	var small *fasthttp.ErrSmallBuffer
	var network net.Error
	why := ErrMalformed
	switch {
	case errors.As(err, &small):
		why = ErrHeaderTooLarge
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		why = ErrBodyTooLarge
	case errors.As(err, &network) && network.Timeout():
		why = ErrTimeout
	}
	fastExchange{ctx, ctx.Conn().(*fastConn)}.Respond(s.Unreadable(why)) // what Serve makes
}

// A fastExchange is a request of fasthttp's.
type fastExchange struct {
	ctx  *fasthttp.RequestCtx
	conn *fastConn
}

func (x fastExchange) Conn() *sock.Conn { return x.conn.Conn }

func (x fastExchange) read(r *Request) error {
	h := &x.ctx.Request.Header
	// Copied: topics are cut from these two and outlive the request.
	path, query, _ := strings.Cut(string(h.RequestURI()), "?")
	*r = Request{
		Method:          text(h.Method()),
		Path:            path,
		Query:           query,
		Host:            text(h.Host()),
		ContentType:     text(h.ContentType()),
		ContentEncoding: text(h.ContentEncoding()),
		LastEventID:     text(h.Peek("Last-Event-ID")),
		HTTP11:          h.IsHTTP11(),
		Last:            h.ConnectionClose() || !h.IsHTTP11() || !x.conn.exact && h.IsGet(),
		Chunked:         len(h.Peek(chunkedMark)) > 0,
		Body:            x.ctx.Request.Body(),
	}
	r.HasBody = len(r.Body) > 0 || h.ContentLength() > 0
	for _, o := range h.PeekAll(fasthttp.HeaderOrigin) {
		r.Origins = append(r.Origins, text(o))
	}
	return nil
}

// text lends a buffer of fasthttp's as a string, until the request is answered.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Answer has fasthttp write an answer, in one write.
func (x fastExchange) Respond(r Response) {
	x.ctx.SetStatusCode(r.Status)
	h := &x.ctx.Response.Header
	if r.Body != nil {
		h.SetContentType(contentType)
		x.ctx.Response.SetBodyRaw(r.Body)
	}
	x.conn.stack.setHeaders(r, h.Set)
	if r.Close {
		x.ctx.SetConnectionClose()
	}
}

// Take has the turn end. fasthttp's own way, to hijack, takes a goroutine and a
// buffer that it does not get back.
func (x fastExchange) Take(then func(Taken)) {
	x.conn.then = then
	x.ctx.SetConnectionClose()
}

// Upgrade lends a net/http request and answers on the connection itself. It cannot see
// whether the client has sent more than the handshake before the connection is
// taken; net/http can, and gorilla then closes without a 101.
func (x fastExchange) Upgrade(upgrade func(http.ResponseWriter, *http.Request) error, then func()) error {
	conn := x.Conn()
	if err := upgrade(fastHijacker{conn: conn}, standardRequest(x.ctx)); err != nil {
		return err
	}
	x.Take(func(taken Taken) {
		taken.Release()
		if conn.Buffered() > 0 {
			conn.Abort()
			return
		}
		then()
	})
	return nil
}

// standardRequest is as much of a request as a handshake consists of (RFC 6455 section 4.2.1).
func standardRequest(ctx *fasthttp.RequestCtx) *http.Request {
	header := make(http.Header)
	for name, value := range ctx.Request.Header.All() {
		header.Add(string(name), string(value))
	}
	r := &http.Request{Method: string(ctx.Method()), Header: header}
	r.ProtoMajor, r.ProtoMinor, _ = http.ParseHTTPVersion(string(ctx.Request.Header.Protocol()))
	return r
}

// A fastHijacker is a ResponseWriter that can only be hijacked.
type fastHijacker struct {
	http.ResponseWriter // nil
	conn                *sock.Conn
}

// Hijack is http.Hijacker's. The buffers are for the one answer.
func (h fastHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReaderSize(h.conn, 0), bufio.NewWriterSize(h.conn, upgradeBuffer)), nil
}

// upgradeBuffer holds a 101, which is 129 bytes.
const upgradeBuffer = 256
