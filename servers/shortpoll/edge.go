// Package shortpoll serves short polling: every poll is answered at once with
// what is there, or with 204.
//
// It owns nothing but the HTTP server. It must never hold a poll.
package shortpoll

import (
	"context"
	"net"

	"pushbench/servers/wire"
	"pushbench/servers/wire/httpstack"
)

// An Edge is a short-polling server.
type Edge struct {
	service *wire.Service
	polls   *wire.Cache[wire.Answer]
	server  httpstack.Server
}

var _ wire.Edge = (*Edge)(nil)

// New makes the edge of a service.
func New(s *wire.Service) *Edge {
	e := &Edge{service: s, polls: s.NewPolls()}
	e.server = s.NewServer(e.poll, nil)
	return e
}

// Serve accepts and serves until Shutdown.
func (e *Edge) Serve(ln net.Listener) error { return e.server.Serve(e.service.Listen(ln)) }

// Shutdown stops accepting, lets running requests finish and closes the rest.
func (e *Edge) Shutdown(ctx context.Context) error {
	e.service.BeginShutdown()
	err := e.server.Stop(ctx)
	e.service.FinishShutdown(ctx)
	return err
}

func (e *Edge) poll(x httpstack.Exchange, _ *httpstack.Request, sub *wire.Subscribe) {
	answer, found := e.service.Poll(e.polls, sub)
	if !found {
		e.service.Count.Empty.Add(1)
	}
	x.Answer(answer)
}
