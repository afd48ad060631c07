// Package shortpoll serves short polling: every poll is answered at once with
// what is there, or with 204.
//
// It owns nothing but the fasthttp server. It must never hold a poll.
package shortpoll

import (
	"context"
	"net"

	"github.com/valyala/fasthttp"

	"pushbench/servers/wire"
)

// An Edge is a short-polling server.
type Edge struct {
	service *wire.Service
	polls   *wire.Cache[wire.Answer]
	server  *fasthttp.Server
}

var _ wire.Edge = (*Edge)(nil)

// New makes the edge of a service.
func New(s *wire.Service) *Edge {
	e := &Edge{service: s, polls: s.NewPolls()}
	e.server = s.NewFastHTTP(e.handle)
	return e
}

// Serve accepts and serves until Shutdown.
func (e *Edge) Serve(ln net.Listener) error { return e.server.Serve(e.service.Listen(ln)) }

// Shutdown stops accepting, lets running requests finish and closes the rest.
func (e *Edge) Shutdown(ctx context.Context) error {
	e.service.BeginShutdown()
	err := wire.StopFastHTTP(ctx, e.server)
	e.service.FinishShutdown(ctx)
	return err
}

func (e *Edge) handle(ctx *fasthttp.RequestCtx) {
	answer, sub := e.service.Handle(wire.ReadFastHTTP(ctx))
	if sub != nil {
		var found bool
		if answer, found = e.service.Poll(e.polls, sub); !found {
			e.service.Count.Empty.Add(1)
		}
	}
	wire.WriteFastHTTP(ctx, answer)
}
