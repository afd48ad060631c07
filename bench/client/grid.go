package client

import (
	"time"

	"pushbench/bench/clock"
	"pushbench/scenarios"
)

// A grid holds the instants at which a client polls at a fixed rate: first + k·every.
type grid struct {
	first clock.Instant
	every time.Duration
}

// start lays the grid so that its phase lies the given share of an interval after now.
func (g *grid) start(now clock.Instant, phase float64) {
	g.first = now.Add(time.Duration(phase * float64(g.every)))
}

// next is the first instant of the grid after now: polls that an answer came
// too late for are left out, never sent in a burst.
func (g *grid) next(now clock.Instant) clock.Instant {
	if now < g.first {
		return g.first
	}
	return g.first.Add((now.Sub(g.first)/g.every + 1) * g.every)
}

// NextPoll is when to poll again after an answer that arrived at an instant; long polling
// does not wait.
func (s *Subscriber) NextPoll(answered clock.Instant) (at clock.Instant, waits bool) {
	switch {
	case s.Transport.Holds:
		return answered, false
	case s.Config.Pacing == scenarios.FixedDelay:
		return answered.Add(s.Config.Interval), true
	default:
		return s.polls.next(clock.Now()), true
	}
}
