package httpstack

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"pushbench/servers/sock"
)

// A netServer is net/http with a handler. The library's cost per
// client, in addition to the cost that is the same on every library:
//
//   - while net/http has a connection, a goroutine with a read buffer and a
//     write buffer of 4 KiB each, also between two requests. This is the cost of an
//     idle short-polling client;
//   - while a request is being handled, a second goroutine, which reads ahead.
//     Taking the connection interrupts that read;
//   - a connection that was taken (a waiting poll, a stream, a socket) has neither.
//     But net/http never returns the buffers of such a connection to its
//     pools: each waiting poll leaves 8 KiB and more for the garbage collector.
type netServer struct {
	stack   *Stack
	handle  Handler
	closed  func(*sock.Conn)
	server  *http.Server
	resumed *resumedListener
}

func (s *Stack) newNetHTTP(handle Handler, closed func(*sock.Conn)) *netServer {
	n := &netServer{stack: s, handle: handle, closed: closed, resumed: newResumedListener()}
	n.server = &http.Server{
		Handler:                      n,
		ConnContext:                  func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ErrorLog:                     noLog(),
		ReadTimeout:                  s.ReadTimeout,
		IdleTimeout:                  s.IdleTimeout,
		MaxHeaderBytes:               s.MaxHeader,
		DisableGeneralOptionsHandler: true,
		ConnState: func(c net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				closed(c.(*netConn).Conn)
			}
		},
	}
	return n
}

// Serve accepts and serves, including returned connections.
func (n *netServer) Serve(ln net.Listener) error {
	var resuming sync.WaitGroup
	resuming.Go(func() { _ = n.server.Serve(n.resumed) }) // ends when it is closed, or the server is stopped
	err := n.server.Serve(netListener{ln, n.stack})
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		err = nil // Stop also ends the resuming goroutine
	} else {
		err = errors.Join(err, n.resumed.Close())
	}
	resuming.Wait()
	return err
}

// resume makes net/http serve a connection as if it were new, with a goroutine and buffers,
// because net/http has no other way to add a connection.
func (n *netServer) resume(c *sock.Conn) {
	if n.resumed.offer(&netConn{Conn: c, stack: n.stack}) {
		return
	}
	c.Abort() // the server is being stopped
	n.closed(c)
}

// Stop lets running requests finish, for at most stopGrace.
func (n *netServer) Stop(ctx context.Context) error {
	brief, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	n.stack.closeIdle()
	err := n.server.Shutdown(brief)
	if err != nil && ctx.Err() == nil {
		err = n.server.Close() // idle connections that never sent a request
	}
	if errors.Is(err, net.ErrClosed) {
		return nil // the listener is closed already
	}
	return err
}

// ServeHTTP deals with a request.
func (n *netServer) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	conn := hr.Context().Value(connKey{}).(*netConn) // set by netListener and resume
	n.stack.serve(&netExchange{server: n, conn: conn, w: w, request: hr}, n.handle)
}

// connKey is the key of the connection in a request's context.
type connKey struct{}

// A netExchange is an Exchange on net/http.
type netExchange struct {
	server  *netServer
	conn    *netConn
	w       http.ResponseWriter
	request *http.Request
}

func (x *netExchange) Conn() *sock.Conn { return x.conn.Conn }

func (x *netExchange) read(r *Request) error {
	if err := x.conn.requests.invalid; err != nil {
		return err
	}
	hr := x.request
	path, query, _ := strings.Cut(hr.RequestURI, "?")
	*r = Request{
		Method:          hr.Method,
		Path:            path,
		Query:           query,
		Scheme:          x.conn.requests.head.scheme,
		Host:            cmp.Or(x.conn.requests.head.host, hr.Host),
		Origins:         hr.Header["Origin"],
		ContentType:     hr.Header.Get("Content-Type"),
		ContentEncoding: hr.Header.Get("Content-Encoding"),
		LastEventID:     hr.Header.Get("Last-Event-Id"),
		FetchSite:       hr.Header.Get("Sec-Fetch-Site"),
		HTTP11:          hr.ProtoAtLeast(1, 1),
		Last:            x.conn.requests.head.close,
	}
	if hr.ContentLength == 0 {
		return nil
	}
	var err error
	if r.Body, err = io.ReadAll(hr.Body); err != nil {
		return unreadableBy(err)
	}
	return nil
}

// netBuffer is the size of net/http's buffer for a response, headers and body, in
// bytes; headerRoom is more than the headers of any response here.
const (
	netBuffer  = 4 << 10
	headerRoom = 512
)

// Respond writes a response in one write. net/http
// alone would split a response that is larger than its buffer.
func (x *netExchange) Respond(r Response) {
	if len(r.Body)+headerRoom+x.server.stack.ResponseHeaderBytes <= netBuffer {
		x.write(r)
		return
	}
	x.conn.cork()
	defer x.conn.uncork()
	x.write(r)
	_ = http.NewResponseController(x.w).Flush() // fails only if the client has disconnected
}

func (x *netExchange) write(r Response) {
	x.conn.refused = r.refuses()
	h := x.w.Header()
	h["Date"] = x.server.stack.clock.date().values // else net/http formats one per response
	if r.Body != nil {
		h.Set("Content-Type", contentType)
		h.Set("Content-Length", strconv.Itoa(len(r.Body)))
	}
	x.server.stack.setHeaders(r, h.Set)
	if r.Close || x.conn.requests.head.close {
		h.Set("Connection", "close")
	}
	x.request.ProtoMinor = 1 // RFC 9110 section 2.5, as fasthttp and polls that waited; else net/http responds in HTTP/1.0
	x.w.WriteHeader(r.Status)
	_, _ = x.w.Write(r.Body) // fails only if the client has disconnected
}

// Take hijacks. then runs immediately, on net/http's goroutine, which ends soon
// afterwards and releases the buffers.
func (x *netExchange) Take(then func(Taken)) {
	_, _, err := http.NewResponseController(x.w).Hijack() // its reader is empty: see netConn.Read
	if err != nil {                                       // the connection broke in the meantime: net/http does not close it
		x.conn.Abort()
		x.server.closed(x.conn.Conn)
		return
	}
	then(x.server.idleConn(x.conn.Conn))
}

// idleConn returns the idleConn of a connection, which has only one: each has a timer.
func (n *netServer) idleConn(c *sock.Conn) *idleConn {
	if idle, ok := c.Handler().(*idleConn); ok {
		return idle
	}
	return &idleConn{Conn: c, stack: n.stack, closed: n.closed, turn: func() { go n.resume(c) }}
}

// Upgrade calls upgrade directly: it is made for net/http.
func (x *netExchange) Upgrade(upgrade func(http.ResponseWriter, *http.Request) error, then func()) error {
	if err := upgrade(x.w, x.request); err != nil {
		return err
	}
	then()
	return nil
}
