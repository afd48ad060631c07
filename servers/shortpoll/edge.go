// Package shortpoll serves short polling: every poll is answered at once with
// what is there, or with 204.
//
// It owns nothing. It must never hold a poll.
package shortpoll

import (
	"pushbench/servers/wire"
	"pushbench/servers/wire/httpstack"
)

// New makes the edge of a service.
func New(s *wire.Service) *wire.Edge {
	polls := s.NewPolls()
	return wire.NewEdge(s, func(x httpstack.Exchange, _ *httpstack.Request, sub *wire.Subscribe) {
		answer, found := s.Poll(polls, sub)
		if !found {
			s.Count.Empty.Add(1)
		}
		x.Respond(answer)
	}, nil)
}
