// Package shortpoll serves short polling: the response to every poll is immediate, with
// the available messages or 204.
//
// It owns nothing. It must never make a poll wait.
package shortpoll

import (
	"pushbench/servers/wire"
	"pushbench/servers/wire/httpstack"
)

// New makes the edge of a service.
func New(s *wire.Service) *wire.Edge {
	polls := s.NewPolls()
	return wire.NewEdge(s, func(x httpstack.Exchange, _ *httpstack.Request, sub *wire.Subscribe) {
		response, found := s.Poll(polls, sub)
		if !found {
			s.Count.EmptyResponses.Add(1)
		}
		x.Respond(response)
	}, nil)
}
