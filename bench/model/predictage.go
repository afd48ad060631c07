package model

import (
	"math"
	"time"

	"pushbench/results/metric"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// The age of information depends on the rate of one topic; latency and counts depend on the
// rate of the client. Delivery of every message and of only the latest have the same age.

// ages adds the ages if the distribution is known and the same for all topics.
func (m *model) ages(t scenarios.Transport) {
	topic, formula := m.topic(t)
	switch {
	case m.variableDelay(), !m.known(topic), !transports.Of(t).Timed && !m.equalRates(), m.scenario.BatchingDelay(t) > 0:
	case transports.Of(t).Holds:
		m.longPollAge(topic, formula)
	default:
		m.age(topic, formula)
	}
}

// An ageFormula describes an age: its mean, and the sum for its quantiles.
type ageFormula struct{ mean, sum string }

// topic returns the age of a topic with Poisson or periodic arrivals. Polls, or the
// sequential writes of the server, spread the delivery times.
func (m *model) topic(t scenarios.Transport) (Age, ageFormula) {
	topic := Age{Delay: m.reachedBy(0), Spread: m.reachedBy(1) - m.reachedBy(0)}
	formula := ageFormula{"d + w(N + 1)/2", "d + w + U(0, w(N − 1))"}
	if transports.Of(t).Timed {
		interval, _ := m.interval()
		topic, formula = Age{Delay: m.d, Spread: interval}, ageFormula{"d + T/2", "d + U(0, T)"}
	}
	rate := float64(m.scenario.Publish.Rate) / float64(m.scenario.Topics.Count)
	if m.poisson() {
		topic.Rate = rate
		return topic, ageFormula{formula.mean + " + 1/λ", formula.sum + " + Exp(λ)"}
	}
	topic.Period = 1 / rate
	return topic, ageFormula{formula.mean + " + P/2", formula.sum + " + U(0, P)"}
}

// known reports whether all topics have the same rate, and whether nearly every client holds
// a message when the window opens: all except for e^(−4) of the Poisson topics.
//
// The backend chooses its topics uniformly or in turn. Clients choose among their own topics:
// the rates are equal only if the topics are distributed evenly, and no topic is periodic,
// because each client has a different phase.
func (m *model) known(topic Age) bool {
	const gaps = 4
	s := m.scenario
	settled := time.Duration(s.Warmup).Seconds() - topic.Spread
	switch {
	case s.Publish.By == scenarios.ByClients && (!m.poisson() || !m.equalFanOuts()):
		return false
	case s.Publish.Arrivals == scenarios.Poisson:
		return settled*topic.Rate >= gaps
	case s.Publish.Arrivals == scenarios.Periodic:
		return settled >= topic.Period
	default:
		return false
	}
}

// longPollAge equals that of a push if no message meets a re-poll gap. Otherwise a formula
// for the mean exists if few polls time out: those cause a gap, too.
func (m *model) longPollAge(topic Age, formula ageFormula) {
	const fewEmpty = 0.01
	timeout := time.Duration(m.scenario.PollTimeout()).Seconds()
	topics := float64(m.scenario.Topics.PerClient)
	switch {
	case m.gap == 0: // the server does not report it
	case m.poisson() && math.Exp(-topics*topic.Rate*timeout) < fewEmpty:
		m.add(metric.AgeMean, msPerSecond*LongPollAge(m.reachedBy(0.5), topic.Rate, topics, m.gap), formula.mean+", and up to R/2 more")
	case !m.poisson() && m.gap < 1/float64(m.scenario.Publish.Rate) && topic.Period < timeout:
		m.age(topic, formula)
	}
}

// age adds the mean and the 99th percentile.
func (m *model) age(a Age, formula ageFormula) {
	m.add(metric.AgeMean, msPerSecond*a.Mean(), formula.mean)
	m.add(metric.AgeP99, msPerSecond*a.Quantile(0.99), "p99 of "+formula.sum)
}
