// Package httpstack is net/http and fasthttp behind one interface: a server that parses
// requests, writes responses, and lets a handler take a connection over and give it back.
//
// It owns a connection while the HTTP library has it and while it is idle between two
// requests. It must never know an endpoint, a topic or a transport, and the two libraries
// must never differ in what a client is answered beyond what PROTOCOL.md lists.
package httpstack

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"pushbench/servers/sock"
)

// A Library names an HTTP library.
type Library string

// The libraries.
const (
	NetHTTP  Library = "nethttp"
	FastHTTP Library = "fasthttp"
)

// Config is what both libraries need to serve. Every field is required, except that an
// AnswerHead of 0 leaves heads as they are.
type Config struct {
	Library             Library
	Poller              *sock.Poller
	MaxHeader           int           // bytes of request line and headers
	MaxBody             int           // bytes
	ResponseHeaderBytes int           // bytes to which the head of a 200 or 204 is filled up
	ReadTimeout         time.Duration // for a request, from its first byte
	IdleTimeout         time.Duration // between two requests of a connection

	Conns      func() []*sock.Conn  // the open connections
	Closing    func() bool          // the server is shutting down
	Unreadable func(error) Response // answers what is no request, for one of the errors below
}

// Why a request could not be read.
var (
	ErrMalformed      = errors.New("malformed request")
	ErrHeaderTooLarge = errors.New("header too large")
	ErrBodyTooLarge   = errors.New("body too large")
	ErrTimeout        = errors.New("request timed out")
)

// A Stack is a library that is set up to serve.
type Stack struct {
	Config
	fill string // AnswerHead bytes, of which an answer takes what it needs
}

// New sets a library up.
func New(c Config) *Stack { return &Stack{Config: c, fill: strings.Repeat("x", c.ResponseHeaderBytes)} }

// A Request is what the contract looks at of an HTTP request, whichever library parsed it.
// Strings may lie in that library's buffers: they are valid until the request is answered.
type Request struct {
	Method          string
	Path            string // as sent, not decoded
	Query           string // as sent, without the question mark
	Host            string
	Origins         []string // every Origin header
	ContentType     string
	ContentEncoding string
	LastEventID     string
	HTTP11          bool
	Last            bool // the client wants the connection closed after the answer
	Chunked         bool // a Transfer-Encoding was given
	HasBody         bool // a body was announced, of whatever kind, longer than nothing
	Body            []byte
}

// An Exchange is a request, on whichever library, and the three ways to deal with it. A
// handler uses one of them, once, before it returns.
type Exchange interface {
	Conn() *sock.Conn

	// read fills in the request, with its body. It fails with one of the errors above.
	read(*Request) error

	// Answer answers; the library keeps the connection.
	Respond(Response)

	// Take takes the connection from the library, which writes nothing. then is called once
	// the library is done with it, perhaps after the handler has returned; what the client
	// has sent ahead is in the connection.
	Take(then func(Taken))

	// Upgrade lets what is made for net/http, as gorilla's upgrader is, answer and take the
	// connection. If it fails, then is not called, and the exchange is still to be answered
	// where nothing has been written.
	Upgrade(upgrade func(http.ResponseWriter, *http.Request) error, then func()) error
}

// A Taken is a connection that was taken from the library, which keeps its place.
type Taken interface {
	Resume()  // gives the connection back: the next request is the library's
	Release() // the connection will not be given back
}

// A Handler deals with a request, which is valid until it returns.
type Handler func(Exchange, *Request)

// A Server is a library's server.
type Server interface {
	// Serve accepts and serves until Stop. The listener accepts *sock.Conn.
	Serve(ln net.Listener) error

	// Stop lets running requests finish, for at most stopGrace. What is open after that is
	// for the caller to close.
	Stop(ctx context.Context) error
}

// stopGrace bounds how long requests that are being read or answered may take at shutdown.
// Handlers take microseconds; what is slow is a client.
const stopGrace = 500 * time.Millisecond

// Await waits at shutdown until a condition holds, for at most limit and no longer than ctx.
func Await(ctx context.Context, limit time.Duration, holds func() bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// NewServer makes a server. closed, if not nil, is called for each connection that the
// library, and not who took it, has closed.
func (s *Stack) NewServer(handle Handler, closed func(*sock.Conn)) Server {
	if closed == nil {
		closed = func(*sock.Conn) {}
	}
	if s.Library == NetHTTP {
		return s.newNetHTTP(handle, closed)
	}
	return s.newFastHTTP(handle, closed)
}

// noLog drops what a library logs: a client's mistakes are answered and counted, and its
// bytes have no business in a log.
func noLog() *log.Logger { return log.New(io.Discard, "", 0) }

// requests lends them: a handler keeps none.
var requests = sync.Pool{New: func() any { return new(Request) }}

// serve deals with a request: it is the handler of both libraries.
func (s *Stack) serve(x Exchange, handle Handler) {
	r := requests.Get().(*Request)
	defer func() {
		*r = Request{}
		requests.Put(r)
	}()
	if err := x.read(r); err != nil {
		x.Respond(s.Unreadable(err))
		return
	}
	handle(x, r)
}
