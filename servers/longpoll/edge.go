// Package longpoll serves long polling: a poll for which there is nothing is
// held until there is, or until its wait is over.
//
// It owns the connections whose polls are held: such a connection is taken
// from the HTTP library and has no goroutine and no buffers until it is answered,
// and goes back when its next request arrives. It must never hold a poll that the
// log can answer, and never answer a held poll in other bytes than one that is not.
package longpoll

import (
	"time"

	"pushbench/servers/sock"
	"pushbench/servers/wire"
	"pushbench/servers/wire/httpstack"
)

// An edge is a long-polling server.
type edge struct {
	service *wire.Service
	polls   *wire.Cache[wire.Response]
}

// New makes the edge of a service.
func New(s *wire.Service) *wire.Edge {
	e := &edge{service: s, polls: s.NewPolls()}
	return wire.NewEdge(s, e.poll, released)
}

// released frees what a connection holds when the HTTP library has closed it.
func released(conn *sock.Conn) {
	if c, ok := conn.State().(*client); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.release()
	}
}

func (e *edge) poll(x httpstack.Exchange, r *httpstack.Request, sub *wire.Subscribe) {
	c := e.clientOf(x.Conn())
	c.polled()
	closing := e.service.Closing() // asked before looking: what was acknowledged before the end is then found
	answer, found := e.service.Poll(e.polls, sub)
	if !found && sub.Wait > 0 && !closing {
		last := r.Last
		c.depart()
		x.Take(func(taken httpstack.Taken) { c.park(taken, sub, last) })
		return
	}
	if !found {
		e.service.Count.Empty.Add(1)
	}
	x.Respond(answer)
	c.answered(time.Now()) // the write follows at once
}

// clientOf returns the state of a connection.
func (e *edge) clientOf(conn *sock.Conn) *client {
	c, ok := conn.State().(*client)
	if !ok {
		c = &client{edge: e, conn: conn}
		conn.SetState(c)
	}
	return c
}
