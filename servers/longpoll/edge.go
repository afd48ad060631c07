// Package longpoll serves long polling: a poll for which there is nothing is
// held until there is, or until its wait is over.
//
// It owns the connections whose polls are held: such a connection is taken
// from fasthttp and has no goroutine and no buffers until it is answered, and
// goes back when its next request arrives. It must never hold a poll that the
// log can answer, and never answer a held poll in other bytes than one that is not.
package longpoll

import (
	"context"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"pushbench/servers/sock"
	"pushbench/servers/wire"
)

// An Edge is a long-polling server.
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
	e.server.ConnState = released
	return e
}

// released frees what a connection holds when fasthttp has closed it.
func released(nc net.Conn, state fasthttp.ConnState) {
	if state != fasthttp.StateClosed {
		return
	}
	if c, ok := nc.(*sock.Conn).State().(*client); ok {
		c.leave()
	}
}

// Serve accepts and serves until Shutdown.
func (e *Edge) Serve(ln net.Listener) error { return e.server.Serve(e.service.Listen(ln)) }

// Shutdown answers every held poll, with what is there or with 204, and closes.
func (e *Edge) Shutdown(ctx context.Context) error {
	e.service.BeginShutdown()
	for _, conn := range e.service.Conns() {
		if c, ok := conn.State().(*client); ok {
			c.shutdown()
		}
	}
	err := wire.StopFastHTTP(ctx, e.server)
	e.service.FinishShutdown(ctx)
	return err
}

func (e *Edge) handle(ctx *fasthttp.RequestCtx) {
	answer, sub := e.service.Handle(wire.ReadFastHTTP(ctx))
	if sub == nil {
		wire.WriteFastHTTP(ctx, answer)
		return
	}
	c := e.clientOf(ctx)
	c.polled()
	closing := e.service.Closing() // asked before looking: what was acknowledged before the end is then found
	answer, found := e.service.Poll(e.polls, sub)
	if !found && sub.Wait > 0 && !closing {
		e.hold(ctx, c, sub)
		return
	}
	if !found {
		e.service.Count.Empty.Add(1)
	}
	wire.WriteFastHTTP(ctx, answer)
	c.answered(time.Now()) // the write follows at once
}

// hold takes the connection from fasthttp, which writes nothing and forgets it.
func (e *Edge) hold(ctx *fasthttp.RequestCtx, c *client, sub *wire.Subscribe) {
	last := ctx.Request.Header.ConnectionClose() || !ctx.Request.Header.IsHTTP11()
	c.leaveFastHTTP()
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(hijacked net.Conn) {
		c.conn.Reclaim(hijacked) // a pipelined request waits for its turn
		c.park(sub, last)
	})
}

// clientOf returns the state of the request's connection.
func (e *Edge) clientOf(ctx *fasthttp.RequestCtx) *client {
	conn := ctx.Conn().(*sock.Conn) // what Serve and ServeConn were given
	c, ok := conn.State().(*client)
	if !ok {
		c = &client{edge: e, conn: conn}
		conn.SetState(c)
		conn.Handle(c)
	}
	return c
}

// serve hands a connection back to fasthttp, which has a request to read.
func (e *Edge) serve(conn *sock.Conn) {
	_ = e.server.ServeConn(conn) // its errors are answered and counted there
}
