package wire

import (
	"context"
	"net"
	"time"

	"pushbench/servers/sock"
	"pushbench/servers/wire/httpstack"
)

// A Handler deals with a subscription that the service has found good.
type Handler func(x httpstack.Exchange, r *httpstack.Request, sub *Subscribe)

// An Edge serves one transport: a handler answers its subscriptions, the service the rest.
type Edge struct {
	// End ends what the edge has beside its connections; nil: nothing. Set it before Serve.
	End func()

	service *Service
	server  httpstack.Server
}

// A Subscriber is what an edge keeps with a connection that it serves (sock.Conn.SetState).
type Subscriber interface {
	// Shutdown sends what is there and ends the subscription properly, without waiting.
	Shutdown()

	// Settled is false while the connection is on its way from the HTTP library to the edge,
	// and while it says goodbye. At shutdown it is not closed until it is true.
	Settled() bool
}

// NewEdge makes the edge of a service. closed, if not nil, is called for connections that
// the HTTP library, and not the edge, has closed.
func NewEdge(s *Service, handle Handler, closed func(*sock.Conn)) *Edge {
	dispatch := func(x httpstack.Exchange, r *httpstack.Request) {
		failed := s.Guard(func() {
			if answer, sub := s.handle(r); sub != nil {
				handle(x, r, sub)
			} else {
				x.Respond(answer)
			}
		})
		if failed != nil {
			x.Respond(*failed)
		}
	}
	return &Edge{service: s, server: s.HTTP.NewServer(dispatch, closed)}
}

// Serve accepts and serves until the listener is closed or Shutdown.
func (e *Edge) Serve(ln net.Listener) error { return e.server.Serve(e.service.listen(ln)) }

// Shutdown stops accepting, ends every subscription properly, at the latest when ctx is
// done, and then closes what is left. A client that is cut off here did not read for
// drainGrace; its cursor tells the next server what it missed.
func (e *Edge) Shutdown(ctx context.Context) error {
	e.service.beginShutdown()
	for _, conn := range e.service.Conns() {
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

// settled reports whether every subscriber has settled and what was written is sent.
func (s *Service) settled() bool {
	for _, c := range s.Conns() {
		if sub, ok := c.State().(Subscriber); ok && !sub.Settled() {
			return false
		}
	}
	return s.Poller.Slow() == 0
}
