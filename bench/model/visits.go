package model

import (
	"math"
	"time"

	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// Each short-lived client subscribes, waits for its first message and leaves. Its requests count as costs,
// its message does not.

// visits reports whether there are short-lived clients.
func (m *model) visits() bool { return m.scenario.ShortLived.Rate > 0 }

// perVisit returns the mean number of requests of a short-lived client; ok is false if there is no formula.
// A stream takes one request. A poll that subscribes is answered at once, with no message. The next ones
// find the first message, and a long poll has been sent again before the client leaves.
func (m *model) perVisit(t scenarios.Transport) (requests float64, ok bool) {
	traits := transports.Of(t)
	if !traits.Polls {
		return 1, true
	}
	wait, _ := m.interval()
	again := 0.0
	if traits.Holds {
		wait, again = time.Duration(m.scenario.PollTimeout()).Seconds(), 1
	}
	polls, ok := m.pollsUntilMessage(wait)
	return 1 + polls + again, ok
}

// pollsUntilMessage returns the mean number of polls, each of which covers some seconds, that a client
// needs for a first message.
func (m *model) pollsUntilMessage(seconds float64) (polls float64, ok bool) {
	switch s := m.scenario; {
	case !m.equalRates():
		return 0, false
	case m.poisson():
		return 1 / (1 - math.Exp(-m.rate*seconds)), true
	case s.Publish.Arrivals == scenarios.Periodic && s.Publish.By == scenarios.ByBackend && s.Topics.PerClient == 1:
		period := 1 / m.rate
		whole := math.Floor(period / seconds) // the message comes after a time that is uniform on (0, period)
		return (whole*(whole+1)/2*seconds + (whole+1)*(period-whole*seconds)) / period, true
	default:
		return 0, false
	}
}

// visitsPerMessage returns the number of short-lived clients per message of the other clients.
func (m *model) visitsPerMessage() float64 {
	return float64(m.scenario.ShortLived.Rate) / m.scenario.DeliveryRate()
}
