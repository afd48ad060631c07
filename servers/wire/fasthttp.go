package wire

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"
	"unsafe"

	"github.com/valyala/fasthttp"

	"pushbench/servers/sock"
)

// writeBuffer is how large an answer may be and still be one write, in bytes.
// It is lent from a pool while an answer is written.
const writeBuffer = 64 << 10

// idleWorker is how long fasthttp keeps the goroutine of a connection that was
// taken from it. Its default of ten seconds would be counted as our memory.
const idleWorker = 250 * time.Millisecond

// A fastServer is fasthttp with an edge's handler in it. What the library costs
// a client, beyond what is the same on every stack:
//
//   - while a connection is fasthttp's, a goroutine, also between two requests,
//     but with ReduceMemoryUsage no buffers then. So much is an idle
//     short-polling client;
//   - a connection that was taken (a held poll, a stream, a socket) has neither.
//     Taking it costs a short-lived goroutine, and a reader's buffer of
//     MaxHeader bytes that fasthttp does not get back into its pool.
type fastServer struct {
	service *Service
	server  *fasthttp.Server
}

func (s *Service) newFastHTTP(handle Handler, closed func(*sock.Conn)) *fastServer {
	f := &fastServer{service: s}
	f.server = &fasthttp.Server{
		Handler:                      func(ctx *fasthttp.RequestCtx) { s.serve(fastExchange{ctx}, handle) },
		HeaderReceived:               markChunked,
		ErrorHandler:                 s.parseError,
		Logger:                       silent{},
		ReadBufferSize:               s.Limits.MaxHeader,
		WriteBufferSize:              writeBuffer,
		ReadTimeout:                  s.Limits.ReadTimeout,
		IdleTimeout:                  s.Limits.IdleTimeout,
		MaxIdleWorkerDuration:        idleWorker,
		MaxRequestBodySize:           s.Limits.MaxPayload,
		ReduceMemoryUsage:            true,
		KeepHijackedConns:            true,
		NoDefaultServerHeader:        true,
		NoDefaultDate:                true,
		NoDefaultContentType:         true,
		DisablePreParseMultipartForm: true,
		SecureErrorLogMessage:        true,
	}
	if closed != nil {
		f.server.ConnState = func(c net.Conn, state fasthttp.ConnState) {
			if state == fasthttp.StateClosed {
				closed(c.(*sock.Conn))
			}
		}
	}
	return f
}

// Serve accepts and serves.
func (f *fastServer) Serve(ln net.Listener) error { return f.server.Serve(ln) }

// Resume serves on the goroutine it is called on.
func (f *fastServer) Resume(c *sock.Conn) {
	_ = f.server.ServeConn(c) // its errors are answered and counted there
}

// Stop lets running requests finish, for at most stopGrace.
func (f *fastServer) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	err := f.server.ShutdownWithContext(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return nil // BeginShutdown closed the listener already
	}
	return err
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

// silent drops what fasthttp logs: a client's mistakes are answered and
// counted, and its bytes have no business in a log.
type silent struct{}

func (silent) Printf(string, ...any) {}

// parseError answers what fasthttp could not make a request of.
func (s *Service) parseError(ctx *fasthttp.RequestCtx, err error) {
	s.Count.request(unknownEndpoint)
	var small *fasthttp.ErrSmallBuffer
	var network net.Error
	e := errBadRequest
	switch {
	case errors.As(err, &small):
		e = errHeaderTooLarge
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		e = errPayloadTooLarge
	case errors.As(err, &network) && network.Timeout():
		e = errTimeout
	}
	fastExchange{ctx}.Answer(s.refuse(e))
}

// A fastExchange is a request of fasthttp's.
type fastExchange struct{ ctx *fasthttp.RequestCtx }

func (x fastExchange) Conn() *sock.Conn { return x.ctx.Conn().(*sock.Conn) } // what Service.Listen accepts

func (x fastExchange) read() (*Request, error) {
	h := &x.ctx.Request.Header
	// Copied: topics are cut from these two and outlive the request.
	path, query, _ := strings.Cut(string(h.RequestURI()), "?")
	r := &Request{
		Method:          text(h.Method()),
		Path:            path,
		Query:           query,
		Host:            text(h.Host()),
		ContentType:     text(h.ContentType()),
		ContentEncoding: text(h.ContentEncoding()),
		LastEventID:     text(h.Peek("Last-Event-ID")),
		HTTP11:          h.IsHTTP11(),
		Last:            h.ConnectionClose() || !h.IsHTTP11(),
		Chunked:         len(h.Peek(chunkedMark)) > 0,
		Body:            x.ctx.Request.Body(),
	}
	r.HasBody = len(r.Body) > 0 || h.ContentLength() > 0
	for _, o := range h.PeekAll(fasthttp.HeaderOrigin) {
		r.Origins = append(r.Origins, text(o))
	}
	return r, nil
}

// text lends a buffer of fasthttp's as a string, until the request is answered.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Answer has fasthttp write an answer, in one write.
func (x fastExchange) Answer(r Response) {
	x.ctx.SetStatusCode(r.Status)
	h := &x.ctx.Response.Header
	if r.Body != nil {
		h.SetContentType(contentType)
		x.ctx.Response.SetBodyRaw(r.Body)
	}
	if r.NoStore {
		h.Set(fasthttp.HeaderCacheControl, noStore)
	}
	if r.Allow != "" {
		h.Set(fasthttp.HeaderAllow, r.Allow)
	}
	if r.Version != "" {
		h.Set(fasthttp.HeaderSecWebSocketVersion, r.Version)
	}
	if r.Close {
		x.ctx.SetConnectionClose()
	}
}

// Take hijacks. then runs on a goroutine that fasthttp starts for it.
func (x fastExchange) Take(then func()) {
	conn := x.Conn()
	x.ctx.HijackSetNoResponse(true)
	x.ctx.Hijack(func(hijacked net.Conn) {
		conn.Reclaim(hijacked)
		then()
	})
}

// Upgrade lends a net/http request and answers on the connection itself, which
// fasthttp does not touch when it is told to write nothing. It cannot see
// whether the client has sent more than the handshake before the connection is
// taken; net/http can, and gorilla then closes without a 101.
func (x fastExchange) Upgrade(upgrade func(http.ResponseWriter, *http.Request) error, then func()) error {
	conn := x.Conn()
	if err := upgrade(fastHijacker{conn: conn}, standardRequest(x.ctx)); err != nil {
		return err
	}
	x.Take(func() {
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
	return &http.Request{Method: string(ctx.Method()), Header: header}
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
