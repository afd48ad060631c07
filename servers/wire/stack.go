package wire

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"pushbench/servers/sock"
)

// A Stack says which HTTP library the edges are built on. Everything else, the
// hub, the caches, the sockets and their writes, the limits and the counters,
// is the same code on all of them, so that what differs is the library's.
type Stack string

// Reference is each transport on what people deploy it on: polling and event
// streams on fasthttp, WebSocket on net/http. On the other two all transports
// are on the one library. WebSocket frames are gorilla's everywhere.
const (
	Reference Stack = "reference"
	NetHTTP   Stack = "nethttp"
	FastHTTP  Stack = "fasthttp"
)

// Stacks are all there are.
var Stacks = []Stack{Reference, NetHTTP, FastHTTP}

// library is NetHTTP or FastHTTP: what a transport is really built on.
func (s Stack) library(transport string) Stack {
	switch {
	case s != Reference:
		return s
	case transport == "websocket":
		return NetHTTP
	}
	return FastHTTP
}

// An Exchange is a request, on whichever library, and the three ways to deal
// with it. A handler uses one of them, once, before it returns.
type Exchange interface {
	Conn() *sock.Conn

	// read fills in the request as the contract sees it, with its body.
	read(*Request) error

	// Answer answers; the library keeps the connection.
	Answer(Response)

	// Take takes the connection from the library, which writes nothing. then is
	// called once the library is done with it, perhaps after the handler has
	// returned; what the client has sent ahead is in the connection.
	Take(then func(Seat))

	// Upgrade lets what is made for net/http, as gorilla's upgrader is, answer
	// and take the connection. If it fails, then is not called, and the
	// exchange is still to be answered where nothing has been written.
	Upgrade(upgrade func(http.ResponseWriter, *http.Request) error, then func()) error
}

// A Handler deals with a subscription that Service.Handle has found good.
type Handler func(x Exchange, r *Request, sub *Subscribe)

// A Server is a library's server.
type Server interface {
	// Serve accepts and serves until Stop; the listener is Service.Listen's.
	Serve(ln net.Listener) error

	// Stop lets running requests finish, for at most stopGrace. What is open
	// after that is for FinishShutdown to close.
	Stop(ctx context.Context) error
}

// stopGrace bounds how long requests that are being read or answered may take
// at shutdown. Handlers take microseconds; what is slow is a client.
const stopGrace = 500 * time.Millisecond

// NewServer makes the server of the stack: handle gets its subscriptions, the
// rest is answered here. closed, if not nil, is told of connections that the
// library, and not the edge, has closed.
func (s *Service) NewServer(handle Handler, closed func(*sock.Conn)) Server {
	if s.library == NetHTTP {
		return s.newNetHTTP(handle, closed)
	}
	return s.newFastHTTP(handle, closed)
}

// serve deals with a request: it is the handler of both libraries.
func (s *Service) serve(x Exchange, handle Handler) {
	if failed := s.Guard(func() { s.dispatch(x, handle) }); failed != nil {
		x.Answer(*failed)
	}
}

// requests lends them: nobody keeps one beyond its handler.
var requests = sync.Pool{New: func() any { return new(Request) }}

func (s *Service) dispatch(x Exchange, handle Handler) {
	r := requests.Get().(*Request)
	defer func() {
		*r = Request{}
		requests.Put(r)
	}()
	if err := x.read(r); err != nil {
		s.Count.request(unknownEndpoint)
		x.Answer(s.Refuse(err))
		return
	}
	answer, sub := s.Handle(r)
	if sub == nil {
		x.Answer(answer)
		return
	}
	handle(x, r, sub)
}
