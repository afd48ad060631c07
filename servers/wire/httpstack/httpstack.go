// Package httpstack provides net/http and fasthttp behind one interface: a server that parses
// requests, writes responses, and lets a handler take over a connection and return it.
//
// It owns a connection while the HTTP library has it and while it is idle between two
// requests. It must never know an endpoint, a topic or a transport. The responses of the two
// libraries must differ only as PROTOCOL.md lists.
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

// Config is the configuration of both libraries. Every field is required, except
// ResponseHeaderBytes: 0 disables padding.
type Config struct {
	Library             Library
	Poller              *sock.Poller
	MaxHeader           int           // bytes of request line and headers
	MaxBody             int           // bytes
	ResponseHeaderBytes int           // bytes to which the headers of a 200 or 204 are padded
	ReadTimeout         time.Duration // for a request, from its first byte
	IdleTimeout         time.Duration // between two requests of a connection

	Conns      func() []*sock.Conn  // the open connections
	Closing    func() bool          // the server is shutting down
	Unreadable func(error) Response // the response to an unreadable request, for one of the errors below
}

// The errors of an unreadable request.
var (
	ErrMalformed        = errors.New("malformed request")
	ErrHeaderTooLarge   = errors.New("header too large")
	ErrBodyTooLarge     = errors.New("body too large")
	ErrNoRoom           = errors.New("too many bodies are arriving")
	ErrTimeout          = errors.New("request timed out")
	ErrUnexpectedBody   = errors.New("body on another method than POST")
	ErrTransferEncoding = errors.New("transfer coding")
	ErrExpectation      = errors.New("unknown expectation")
	ErrVersion          = errors.New("neither HTTP/1.1 nor HTTP/1.0")
)

// A Stack is a configured library.
type Stack struct {
	Config
	clock dateClock
	fill  string // ResponseHeaderBytes bytes of padding; a response uses a part
}

// New configures a library.
func New(c Config) *Stack {
	return &Stack{Config: c, clock: dateClock{now: time.Now}, fill: strings.Repeat("x", c.ResponseHeaderBytes)}
}

// A Request has the parts of an HTTP request that the contract uses, for either library.
// Strings may be in that library's buffers: they are valid until the response.
type Request struct {
	Method          string
	Path            string   // as sent, not decoded
	Query           string   // as sent, without the question mark
	Scheme          string   // of a target in absolute form; else ""
	Host            string   // of a target in absolute form, else the header
	Origins         []string // every Origin header
	ContentType     string
	ContentEncoding string
	LastEventID     string
	FetchSite       string // Sec-Fetch-Site: from where a browser's page requests
	HTTP11          bool
	Last            bool // the client wants the connection closed after the response
	Body            []byte
}

// An Exchange is a request, on either library, and the three ways to handle it. A
// handler uses one of them, once, before it returns.
type Exchange interface {
	Conn() *sock.Conn

	// read reads the request and its body. It fails with one of the errors above.
	read(*Request) error

	// Respond writes a response; the library keeps the connection.
	Respond(Response)

	// Take takes the connection from the library, which writes nothing. then is called once
	// the library has released it, perhaps after the handler has returned; bytes that the client
	// has sent in advance are in the connection.
	Take(then func(Taken))

	// Upgrade lets code for net/http, such as gorilla's upgrader, respond and take the
	// connection. If it fails, then is not called, and the exchange still requires a response
	// if nothing has been written.
	Upgrade(upgrade func(http.ResponseWriter, *http.Request) error, then func()) error
}

// A Taken is a connection that was taken from the library and can be returned to it.
type Taken interface {
	Resume()  // returns the connection: the library reads the next request
	Release() // the connection will not be returned
}

// A Handler handles a request, which is valid until it returns.
type Handler func(Exchange, *Request)

// A Server is a library's server.
type Server interface {
	// Serve accepts and serves until Stop. The listener accepts *sock.Conn.
	Serve(ln net.Listener) error

	// Stop lets running requests finish, for at most stopGrace. The caller closes the
	// connections that are open after that.
	Stop(ctx context.Context) error
}

// stopGrace bounds how long requests in progress may take at shutdown.
// Handlers take microseconds; only clients are slow.
const stopGrace = 500 * time.Millisecond

// Await waits at shutdown until a condition is true, for at most limit and no longer than ctx.
func Await(ctx context.Context, limit time.Duration, condition func() bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// NewServer makes a server. closed, if not nil, is called for each connection that the
// library has closed, not for those closed after Take.
func (s *Stack) NewServer(handle Handler, closed func(*sock.Conn)) Server {
	if closed == nil {
		closed = func(*sock.Conn) {}
	}
	if s.Library == NetHTTP {
		return s.newNetHTTP(handle, closed)
	}
	return s.newFastHTTP(handle, closed)
}

// noLog discards the library's log: client errors are reported to the client and counted, and
// a client's bytes must not appear in a log.
func noLog() *log.Logger { return log.New(io.Discard, "", 0) }

// requests is a pool: no handler keeps a request.
var requests = sync.Pool{New: func() any { return new(Request) }}

// serve handles a request: it is the handler of both libraries.
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
