package client

import (
	"time"

	"pushbench/bench/clock"
	"pushbench/scenarios"
)

// A grid is the instants at which a client polls at a fixed rate: first + k·every.
type grid struct {
	first clock.Instant
	every time.Duration
}

// start sets the first instant to now plus the given fraction of an interval.
func (g *grid) start(now clock.Instant, phase float64) {
	g.first = now.Add(time.Duration(phase * float64(g.every)))
}

// next returns the first instant of the grid after now. Polls that a late response
// prevented are skipped, never sent in a burst.
func (g *grid) next(now clock.Instant) clock.Instant {
	if now < g.first {
		return g.first
	}
	return g.first.Add((now.Sub(g.first)/g.every + 1) * g.every)
}

// NextPoll returns when to send the next poll after a response that arrived at an instant.
// Long polling does not wait, nor do requests before the first poll.
func (s *Subscriber) NextPoll(responded clock.Instant) (at clock.Instant, waits bool) {
	switch {
	case s.Transport.Holds, s.foreign != nil && (!s.ready || s.foreign.Additional()):
		return responded, false
	case s.Config.Pacing == scenarios.FixedDelay:
		return responded.Add(s.Config.Interval), true
	default:
		return s.polls.next(clock.Now()), true
	}
}
