// Package webhook has the server dial: whoever can be reached leaves a URL, and what is
// published is posted to it.
//
// It owns the connections out of a server, and who may be at their other end. It must
// never lose a message that a receiver has not accepted as long as it tries, never try
// for ever, and never dial an address that it was not allowed.
package webhook

import (
	"context"
	"net"
	"net/netip"

	"pushbench/servers/wire"
	"pushbench/servers/wire/httpstack"
)

// An Edge is a server from which nothing comes down but by webhooks.
type Edge struct {
	service *wire.Service
	server  httpstack.Server
	hooks   *Hooks
}

var _ wire.Edge = (*Edge)(nil)

// New makes the edge of a service.
func New(s *wire.Service, allowed []netip.Prefix) *Edge {
	return &Edge{service: s, server: s.NewServer(nowhere(s), nil), hooks: Enable(s, allowed)}
}

// nowhere is for subscriptions, of which this transport has none.
func nowhere(s *wire.Service) wire.Handler {
	return func(x httpstack.Exchange, _ *httpstack.Request, _ *wire.Subscribe) { x.Answer(s.Refuse(nil)) }
}

// Serve accepts and serves until Shutdown.
func (e *Edge) Serve(ln net.Listener) error { return e.server.Serve(e.service.Listen(ln)) }

// Shutdown ends the webhooks, whatever is still to be posted, and closes.
func (e *Edge) Shutdown(ctx context.Context) error {
	e.service.BeginShutdown()
	e.hooks.Close()
	err := e.server.Stop(ctx)
	e.service.FinishShutdown(ctx)
	return err
}
