package httpstack

import (
	"bufio"
	"cmp"
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

// writeBuffer is the maximum size of a response that is one write, in bytes.
// The buffer comes from a pool while a response is written.
const writeBuffer = 64 << 10

// A fastServer is fasthttp with a handler. fasthttp parses requests and
// writes responses with buffers from its pools; its Serve is not used, because it keeps
// a goroutine per connection. Here a connection has neither goroutine nor buffers
// between two requests, and a worker passes it to ServeConn while there
// are requests on it. This is the cost of an idle short-polling client on this library: the
// minimum that fasthttp allows. The same is true of a connection that was taken from it.
type fastServer struct {
	stack  *Stack
	server *fasthttp.Server
	closed func(*sock.Conn)
	turns  atomic.Int64 // in progress
}

func (s *Stack) newFastHTTP(handle Handler, closed func(*sock.Conn)) *fastServer {
	f := &fastServer{stack: s, closed: closed}
	f.server = &fasthttp.Server{
		Handler: func(ctx *fasthttp.RequestCtx) {
			s.serve(fastExchange{ctx, ctx.Conn().(*fastConn)}, handle) // made by Serve
		},
		ErrorHandler:                 s.parseError,
		Logger:                       noLog(),
		ReadBufferSize:               s.MaxHeader,
		WriteBufferSize:              writeBuffer,
		MaxRequestBodySize:           s.MaxBody,
		NoDefaultServerHeader:        true,
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
		c.Conn, c.stack, c.closed = accepted.(*sock.Conn), f.stack, f.closed // sock.Listener accepts only these
		c.turn = func() { f.stack.Poller.Work(c) }
		c.Resume()
	}
}

// Stop lets running requests finish, for at most stopGrace.
func (f *fastServer) Stop(ctx context.Context) error {
	f.stack.closeIdle()
	Await(ctx, stopGrace, func() bool { return f.turns.Load() == 0 })
	return nil // the caller closes the remaining connections
}

// A fastConn is a connection as fasthttp sees it: it ends whenever no
// more bytes are available.
type fastConn struct {
	idleConn
	server *fastServer
	then   func(Taken) // called with a taken connection; nil: it was not taken

	turnOver    bool // the turn has ended, because no more bytes were available or spent is true
	spent       bool // the turn has ended because it was long
	refused     bool // the response to the last request ends the connection, of which the rest is not read
	requests    requestReader
	hasDeadline bool // for the rest of the current request
	begun       int  // requests of this turn
	moved       int  // bytes of this turn, read and written
}

// A turn ends after turnRequests requests or turnBytes bytes, those of responses included: a client that sends
// requests without end must not keep a worker to itself.
const (
	turnRequests = 16
	turnBytes    = 64 << 10
)

// Work is a turn.
func (c *fastConn) Work() {
	c.server.turns.Add(1)
	defer c.server.turns.Add(-1)
	c.turnOver, c.spent, c.begun, c.moved = false, false, 0, 0
	_ = c.server.server.ServeConn(c) // ErrorHandler reports and counts its errors
	switch then := c.then; {
	case then != nil:
		c.then = nil
		then(c)
	case c.turnOver:
		if c.spent {
			c.stack.Poller.Poll() // connections with new events are served first
		}
		c.Resume()
	default:
		c.cleanUp()
	}
}

// Read returns bytes of one request. So, when the connection is taken, fasthttp's buffers are empty.
func (c *fastConn) Read(p []byte) (int, error) {
	n, err := c.requests.read(p, c, c.stack)
	c.moved += n
	return n, err
}

// begin ends the turn if there is no request, if the turn has been long, or if the client does not read its responses.
func (c *fastConn) begin(p []byte) (int, error) {
	if c.begun == turnRequests || c.moved >= turnBytes || c.Unsent() {
		c.turnOver, c.spent = true, true
		return 0, io.EOF
	}
	c.hasDeadline = false
	c.begun++
	n, err := c.ReadNow(p)
	c.turnOver = err == sock.ErrNothing
	if n == 0 && err != nil {
		return 0, io.EOF // also if it broke: there is no request to count
	}
	return n, nil
}

// more reads the rest of a request, for which the client has ReadTimeout in total.
func (c *fastConn) more(p []byte) (int, error) {
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

// Write discards fasthttp's response to a request whose connection was taken.
func (c *fastConn) Write(p []byte) (int, error) {
	if c.then != nil {
		return len(p), nil
	}
	c.moved += len(p)
	return c.Conn.Write(p)
}

// Close closes the connection, unless only the turn ends.
func (c *fastConn) Close() error {
	switch {
	case c.then != nil, c.turnOver:
		return nil
	case c.refused:
		c.Linger()
		return nil
	}
	return c.Conn.Close()
}

// parseError responds to a request whose body does not arrive.
func (s *Stack) parseError(ctx *fasthttp.RequestCtx, err error) {
	fastExchange{ctx, ctx.Conn().(*fastConn)}.Respond(s.Unreadable(unreadableBy(err))) // made by Serve
}

// A fastExchange is an Exchange on fasthttp.
type fastExchange struct {
	ctx  *fasthttp.RequestCtx
	conn *fastConn
}

func (x fastExchange) Conn() *sock.Conn { return x.conn.Conn }

func (x fastExchange) read(r *Request) error {
	if err := x.conn.requests.invalid; err != nil {
		return err
	}
	h := &x.ctx.Request.Header
	// Copied: topics are cut from these two and outlive the request.
	path, query, _ := strings.Cut(string(h.RequestURI()), "?")
	*r = Request{
		Method:          text(h.Method()),
		Path:            path,
		Query:           query,
		Scheme:          x.conn.requests.head.scheme,
		Host:            cmp.Or(x.conn.requests.head.host, text(h.Host())),
		ContentType:     text(h.ContentType()),
		ContentEncoding: text(h.ContentEncoding()),
		LastEventID:     text(h.Peek("Last-Event-ID")),
		FetchSite:       text(h.Peek("Sec-Fetch-Site")),
		HTTP11:          h.IsHTTP11(),
		Last:            x.conn.requests.head.close,
		Body:            x.ctx.Request.Body(),
	}
	for _, o := range h.PeekAll(fasthttp.HeaderOrigin) {
		r.Origins = append(r.Origins, text(o))
	}
	return nil
}

// text returns a buffer of fasthttp as a string, which is valid until the response.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Respond makes fasthttp write a response, in one write.
func (x fastExchange) Respond(r Response) {
	x.conn.refused = r.refuses()
	x.ctx.SetStatusCode(r.Status)
	h := &x.ctx.Response.Header
	if r.Body != nil {
		h.SetContentType(contentType)
		x.ctx.Response.SetBodyRaw(r.Body)
	}
	x.conn.stack.setHeaders(r, h.Set)
	if r.Close || x.conn.requests.head.close {
		x.ctx.SetConnectionClose()
	}
}

// Take ends the turn. fasthttp's own hijacking needs a goroutine and a
// buffer that it does not get back.
func (x fastExchange) Take(then func(Taken)) {
	x.conn.then = then
	x.ctx.SetConnectionClose()
}

// Upgrade makes a net/http request and responds on the connection directly.
func (x fastExchange) Upgrade(upgrade func(http.ResponseWriter, *http.Request) error, then func()) error {
	conn := x.Conn()
	if err := upgrade(fastHijacker{conn: conn}, standardRequest(x.ctx)); err != nil {
		return err
	}
	x.Take(func(taken Taken) {
		taken.Release()
		then()
	})
	return nil
}

// standardRequest returns the parts of a request that a handshake needs (RFC 6455 section 4.2.1).
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

// Hijack implements http.Hijacker. The buffers are for the one response.
func (h fastHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReaderSize(h.conn, 0), bufio.NewWriterSize(h.conn, upgradeBuffer)), nil
}

// upgradeBuffer has room for a 101, which is 129 bytes.
const upgradeBuffer = 256
