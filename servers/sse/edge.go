// Package sse serves server-sent events: one chunked response per client that
// never ends, a batch an event.
//
// It owns the streams: each is a connection taken from fasthttp, without a
// goroutine. It must never write an event in more than one chunk, nor a chunk
// in more than one write.
package sse

import (
	"context"
	"net"

	"github.com/valyala/fasthttp"

	"pushbench/servers/sock"
	"pushbench/servers/wire"
)

// An Edge is a server of event streams.
type Edge struct {
	service *wire.Service
	events  *wire.Cache[[]byte]
	server  *fasthttp.Server
}

var _ wire.Edge = (*Edge)(nil)

// New makes the edge of a service.
func New(s *wire.Service) *Edge {
	e := &Edge{service: s, events: wire.NewCache(s.Hub, appendEvent)}
	e.server = s.NewFastHTTP(e.handle)
	return e
}

// Serve accepts and serves until Shutdown.
func (e *Edge) Serve(ln net.Listener) error { return e.server.Serve(e.service.Listen(ln)) }

// Shutdown sends what is there, ends every stream properly, and closes.
func (e *Edge) Shutdown(ctx context.Context) error {
	e.service.BeginShutdown()
	for _, conn := range e.service.Conns() {
		if s, ok := conn.State().(*stream); ok {
			s.feed.Close(wire.Shutdown)
		}
	}
	err := wire.StopFastHTTP(ctx, e.server)
	e.service.FinishShutdown(ctx)
	return err
}

func (e *Edge) handle(ctx *fasthttp.RequestCtx) {
	answer, sub := e.service.Handle(wire.ReadFastHTTP(ctx))
	if sub != nil && !ctx.Request.Header.IsHTTP11() {
		answer, sub = e.service.Refuse(wire.ErrHTTP11), nil // HTTP/1.0 has no chunks
	}
	if sub == nil {
		wire.WriteFastHTTP(ctx, answer)
		return
	}
	s := &stream{conn: ctx.Conn().(*sock.Conn)} // what Serve was given
	s.conn.SetState(s)
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(net.Conn) { e.open(s, sub) })
}
