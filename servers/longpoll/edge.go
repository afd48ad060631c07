// Package longpoll serves long polling: a poll without a message
// waits until there is one, or until its timeout ends.
//
// It owns the connections with a waiting poll: such a connection is taken
// from the HTTP library and has no goroutine and no buffers until the response,
// and returns to the library when its next request arrives. A poll must never wait if the
// log has a message for it, and its response must have the same bytes as an immediate one.
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
	polls   *wire.Cache[*httpstack.Poll]
}

// New makes the edge of a service.
func New(s *wire.Service) *wire.Edge {
	e := &edge{service: s, polls: s.NewPolls()}
	return wire.NewEdge(s, e.poll, released)
}

// released frees the resources of a connection that the HTTP library has closed.
func released(conn *sock.Conn) {
	if c, ok := conn.State().(*client); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.release()
	}
}

func (e *edge) poll(x httpstack.Exchange, r *httpstack.Request, sub *wire.Subscribe) {
	c := e.clientOf(x.Conn())
	c.recordPoll()
	closing := e.service.Closing() // before the log is read: messages acknowledged before the end are then found
	response, found := e.service.Poll(e.polls, sub)
	if !found && sub.Wait > 0 && !closing {
		last := r.Last
		c.enter()
		x.Take(func(taken httpstack.Taken) { c.park(taken, sub, last) })
		return
	}
	if !found {
		e.service.Count.EmptyResponses.Add(1)
	}
	x.Respond(response)
	c.recordResponse(time.Now()) // the write follows immediately
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
