// Package sse serves server-sent events: one chunked response per client that
// never ends, a batch an event.
//
// It owns the streams: each is a connection taken from the HTTP library, without
// a goroutine. It must never write an event in more than one chunk, nor a chunk
// in more than one write.
package sse

import (
	"context"
	"net"

	"pushbench/servers/wire"
	"pushbench/servers/wire/httpstack"
)

// An Edge is a server of event streams.
type Edge struct {
	service *wire.Service
	events  *wire.Cache[[]byte]
	server  httpstack.Server
}

var _ wire.Edge = (*Edge)(nil)

// New makes the edge of a service.
func New(s *wire.Service) *Edge {
	e := &Edge{service: s, events: wire.NewCache(s.Hub, appendEvent)}
	e.server = s.NewServer(e.stream, nil)
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
	err := e.server.Stop(ctx)
	e.service.FinishShutdown(ctx)
	return err
}

func (e *Edge) stream(x httpstack.Exchange, r *httpstack.Request, sub *wire.Subscribe) {
	if !r.HTTP11 {
		x.Answer(e.service.Refuse(wire.ErrHTTP11)) // HTTP/1.0 has no chunks
		return
	}
	s := &stream{conn: x.Conn()}
	s.conn.SetState(s)
	x.Take(func(taken httpstack.Taken) {
		taken.Release() // a stream ends with its connection
		e.open(s, sub)
	})
}
