package wire

import (
	"context"
	"net"
	"time"

	"pushbench/servers/sock"
	"pushbench/servers/wire/httpstack"
)

// A Handler handles a subscription that the service has validated.
type Handler func(x httpstack.Exchange, r *httpstack.Request, sub *Subscribe)

// An Edge serves one transport: a handler handles its subscriptions, the service all other requests.
type Edge struct {
	// End ends resources of the edge other than connections; nil: none. Set it before Serve.
	End func()

	service *Service
	server  httpstack.Server
}

// A Subscriber is an edge's state of a connection that it serves (sock.Conn.SetState).
type Subscriber interface {
	// Shutdown sends the available messages and ends the subscription cleanly, without waiting.
	Shutdown()

	// Settled is false while the connection is in transfer from the HTTP library to the edge,
	// and during a closing handshake. At shutdown the connection is closed only when it is true.
	Settled() bool
}

// NewEdge makes the edge of a service. closed, if not nil, is called for connections that
// the HTTP library has closed, not for those that the edge has closed.
func NewEdge(s *Service, handle Handler, closed func(*sock.Conn)) *Edge {
	dispatch := func(x httpstack.Exchange, r *httpstack.Request) {
		failed := s.Guard(func() {
			if response, sub := s.handle(r); sub != nil {
				if sub.Origin != "" {
					x = readable{x, sub.Origin}
				}
				handle(x, r, sub)
			} else {
				x.Respond(response)
			}
		})
		if failed != nil {
			x.Respond(*failed)
		}
	}
	return &Edge{service: s, server: s.HTTP.NewServer(dispatch, closed)}
}

// A readable exchange lets a page of another origin read the response.
type readable struct {
	httpstack.Exchange
	origin string
}

// Respond names the origin in the response.
func (x readable) Respond(r httpstack.Response) {
	r.Origin = x.origin
	x.Exchange.Respond(r)
}

// Serve accepts and serves until the listener is closed or Shutdown.
func (e *Edge) Serve(ln net.Listener) error { return e.server.Serve(e.service.listen(ln)) }

// Shutdown stops accepting, ends every subscription cleanly, at the latest when ctx is
// done, and then closes the remaining connections. A client that is disconnected here did not
// read for drainGrace; with its cursor the next server can determine the missed messages.
func (e *Edge) Shutdown(ctx context.Context) error {
	e.service.beginShutdown()
	for _, conn := range e.service.Conns() {
		if ctx.Err() != nil {
			break
		}
		if s, ok := conn.State().(Subscriber); ok {
			s.Shutdown()
		}
	}
	if e.End != nil {
		e.End()
	}
	err := e.server.Stop(ctx)
	httpstack.Await(ctx, drainGrace, e.service.settled)
	for _, c := range e.service.Conns() {
		c.Abort()
	}
	return err
}

// drainGrace is how long subscriptions may take to end at shutdown.
const drainGrace = 2 * time.Second

// settled reports whether every subscriber has settled and all written bytes are sent.
func (s *Service) settled() bool {
	for _, c := range s.Conns() {
		if sub, ok := c.State().(Subscriber); ok && !sub.Settled() {
			return false
		}
	}
	return s.Poller.Slow() == 0
}
