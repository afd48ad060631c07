package model

import (
	"slices"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// Measured are the inputs of the closed formulas that come from a trial rather than from its
// scenario, because they depend on the machine.
type Measured struct {
	Delay     time.Duration // one way: half of the fastest TCP connect, which waited for no other client
	RepollGap time.Duration // mean, as counted by the server
	Write     time.Duration // mean server time per delivery, including a share of the publication and any re-poll
}

// models predict latency and requests by transport.
var models = map[scenarios.Transport]func(*model, scenarios.Transport){
	transports.ShortPoll:  (*model).shortPoll,
	transports.LongPoll:   (*model).longPoll,
	transports.SSE:        (*model).push,
	transports.HTTPStream: (*model).push,
	transports.WebSocket:  (*model).push,
	transports.Webhook:    (*model).webhook,
}

// Predict returns the metrics of a correct run of the scenario. It predicts nothing without
// a closed formula: if clients expect different rates, or, except for the age of
// information, if only the latest message is delivered.
func Predict(s *scenarios.Scenario, t scenarios.Transport, g Measured) []results.Prediction {
	d := g.Delay.Seconds()
	if s.Publish.By != scenarios.ByBackend {
		d *= 2 // upstream and downstream
	}
	m := model{scenario: s, d: d, transit: g.Delay.Seconds(), gap: g.RepollGap.Seconds(), write: g.Write.Seconds(), rate: s.PerClientRate()}
	switch {
	case m.variableDelay():
	case s.Delivery == scenarios.Latest: // the latency of the delivered messages has no closed formula; the age has one
	default:
		models[t](&m, t)
	}
	m.ages(t)
	m.replies(t)
	m.connecting()
	return m.predictions
}

// replies take as long as their messages plus one one-way delay, if none waits for another:
// a client posts the replies to the messages of one poll one after the other.
func (m *model) replies(t scenarios.Transport) {
	if m.scenario.Replies.Size == 0 || transports.Of(t).Timed || m.scenario.Publish.Arrivals != scenarios.Periodic || 2*m.transit >= 1/m.rate {
		return
	}
	replyMetrics := map[string]string{metric.P50: metric.ReplyP50, metric.P99: metric.ReplyP99}
	for _, p := range slices.Clone(m.predictions) {
		if reply, ok := replyMetrics[p.Metric]; ok {
			m.add(reply, p.Value+msPerSecond*m.transit, "("+p.Formula+") + d")
		}
	}
}

// connecting predicts one round trip per stage. Over a link hardly anything else matters.
func (m *model) connecting() {
	trips, stages := 2, "TCP 1 + request 1"
	if m.scenario.Network.TLS {
		trips, stages = 3, "TCP 1 + TLS 1.3 1 + request 1"
	}
	m.add(metric.ConnectRoundTrips, float64(trips), stages)
	if n := m.scenario.Network; n.RTT > 0 && !m.variableDelay() {
		m.add(metric.ConnectP50, float64(trips)*metric.Milliseconds(time.Duration(n.RTT)), "round trips · RTT")
	}
}

// A model collects the predictions for one transport in a scenario.
type model struct {
	scenario    *scenarios.Scenario
	d           float64 // s, from publisher to subscriber
	transit     float64 // s, one way
	gap         float64 // s
	write       float64 // w, s
	rate        float64 // λ, messages per second that one client expects
	predictions []results.Prediction
}

func (m *model) add(metric string, value float64, formula string) {
	m.predictions = append(m.predictions, results.Prediction{Metric: metric, Value: value, Formula: formula})
}

const msPerSecond = 1000

// variableDelay reports whether d varies because of the network.
func (m *model) variableDelay() bool {
	n := m.scenario.Network
	return n.Jitter > 0 || n.Rate > 0 || n.Loss > 0 || n.Reorder > 0 || n.IdleTimeout > 0
}

// equalRates reports whether every client expects the same rate.
func (m *model) equalRates() bool { return m.scenario.Topics.Spread == scenarios.Even }

func (m *model) poisson() bool { return m.scenario.Publish.Arrivals == scenarios.Poisson }

func (m *model) shortPoll(t scenarios.Transport) {
	interval, formula := m.interval()
	m.add(metric.P50, msPerSecond*ShortPollQuantile(m.d, interval, 0.5), formula)
	m.add(metric.P99, msPerSecond*ShortPollQuantile(m.d, interval, 0.99), formula)
	m.add(metric.P999, msPerSecond*ShortPollQuantile(m.d, interval, 0.999), formula)
	m.add(metric.Max, msPerSecond*ShortPollQuantile(m.d, interval, 1), "d + T")
	if !m.equalRates() {
		return
	}
	m.requests(t, ShortPollRequests(m.rate, interval), "1/(λT)")
	if m.visits() { // they have other shares of empty responses
		return
	}
	switch m.scenario.Publish.Arrivals {
	case scenarios.Poisson:
		m.add(metric.EmptyResponseShare, EmptyShare(m.rate, interval), "e^(−λT)")
		m.add(metric.MessagesPerBatch, ShortPollBatch(m.rate, interval), "λT / (1 − e^(−λT))")
	case scenarios.Periodic:
		if m.scenario.Publish.By == scenarios.ByBackend && m.scenario.Topics.PerClient == 1 {
			m.add(metric.EmptyResponseShare, EmptySharePeriodic(m.rate, interval), "max(0, 1 − T/P)")
		}
	}
}

// interval returns the time from one poll to the next, and the formula of the latency. A
// poll on a new connection takes one more round trip.
func (m *model) interval() (seconds float64, formula string) {
	settings := m.scenario.ShortPoll
	seconds = time.Duration(settings.Interval).Seconds()
	transit, trips := m.transit, "2d"
	if settings.NewConnection {
		transit, trips = 2*transit, "4d"
	}
	if settings.Pacing == scenarios.FixedDelay {
		return FixedDelayInterval(transit, 0, seconds), "d + q(T + " + trips + ")"
	}
	if grid := FixedRateInterval(transit, seconds); grid > seconds {
		return grid, "d + qkT, because a response takes " + trips + " > (k − 1)T"
	}
	return seconds, "d + qT"
}

func (m *model) longPoll(t scenarios.Transport) {
	if !m.equalRates() || m.gap == 0 || m.scenario.LongPoll.BatchingDelay > 0 {
		return
	}
	switch {
	case m.poisson():
		formula := "D = d + w(1 + q(N − 1)), or D + R(q − p₀)/(1 − p₀) beyond p₀ = e^(−λR)/b"
		m.add(metric.P50, msPerSecond*LongPollQuantile(m.reachedBy(0.5), m.rate, m.gap, 0.5), formula)
		m.add(metric.P99, msPerSecond*LongPollQuantile(m.reachedBy(0.99), m.rate, m.gap, 0.99), formula)
		m.add(metric.Mean, msPerSecond*LongPollMean(m.reachedBy(0.5), m.rate, m.gap), "d + w(N + 1)/2 + λR²/(2b), b = λR + e^(−λR)")
		timeout := time.Duration(m.scenario.PollTimeout()).Seconds()
		perPoll := m.rate * LongPollCycle(m.rate, m.gap, timeout) // messages per poll, empty polls included
		m.batches(perPoll/(1-LongPollEmptyShare(m.rate, m.gap, timeout)), "λC / (1 − e^(−λ(R+τ)))")
		m.requests(t, 1/perPoll, "1/(λC), C = R + e^(−λR)(1 − e^(−λτ))/λ")
	case m.periodExceedsGap():
		m.add(metric.P50, msPerSecond*m.reachedBy(0.5), "d + w(1 + q(N − 1)), because R < P")
		m.add(metric.Mean, msPerSecond*m.reachedBy(0.5), "d + w(N + 1)/2, because R < P")
		m.batches(1, "1, because R < P")
		m.requests(t, 1, "1, because R < P < τ")
	case m.gapExceedsPeriod():
		m.add(metric.Mean, msPerSecond*(m.reachedBy(0.5)+m.gap/2), "d + w(N + 1)/2 + R/2, because R > P")
	}
}

// gapExceedsPeriod reports whether messages are periodic and the period is shorter than the
// re-poll gap. Every poll then finds messages, which have waited for half a gap on average.
func (m *model) gapExceedsPeriod() bool {
	return m.scenario.Publish.Arrivals == scenarios.Periodic && m.scenario.Publish.By == scenarios.ByBackend &&
		m.scenario.Topics.PerClient == 1 && m.gap > 1/m.rate
}

// periodExceedsGap reports whether every message meets a parked poll: messages are periodic,
// and the period lies between the re-poll gap and the poll timeout.
func (m *model) periodExceedsGap() bool {
	period := 1 / m.rate
	timeout := time.Duration(m.scenario.PollTimeout()).Seconds()
	return m.scenario.Publish.Arrivals == scenarios.Periodic && m.scenario.Publish.By == scenarios.ByBackend &&
		m.scenario.Topics.PerClient == 1 && m.gap < period && period < timeout
}

// webhook equals a push unless the previous POST is still outstanding.
func (m *model) webhook(t scenarios.Transport) {
	if m.equalRates() && m.scenario.Publish.Arrivals == scenarios.Periodic && m.scenario.Topics.PerClient == 1 && 2*m.transit < 1/m.rate {
		m.add(metric.P50, msPerSecond*m.reachedBy(0.5), "d + w(1 + q(N − 1)), because 2d < P")
		m.add(metric.P99, msPerSecond*m.reachedBy(0.99), "d + w(1 + q(N − 1)), because 2d < P")
		m.add(metric.Mean, msPerSecond*m.reachedBy(0.5), "d + w(N + 1)/2, because 2d < P")
	}
	m.requests(t, 0, "0")
}

func (m *model) push(t scenarios.Transport) {
	if m.scenario.BatchingDelay(t) == 0 && m.equalRates() && m.scenario.Publish.Arrivals != scenarios.Burst { // the messages of a burst wait for each other
		const formula = "d + w(1 + q(N − 1))"
		m.add(metric.P50, msPerSecond*m.reachedBy(0.5), formula)
		m.add(metric.P99, msPerSecond*m.reachedBy(0.99), formula)
		m.add(metric.Mean, msPerSecond*m.reachedBy(0.5), "d + w(N + 1)/2")
	}
	if transports.Of(t).PublishesInSocket {
		m.frames(t)
		return
	}
	m.requests(t, 0, "0")
}

// batches adds the messages per batch. Batches to short-lived clients count, their messages do not.
func (m *model) batches(messages float64, formula string) {
	if !m.visits() {
		m.add(metric.MessagesPerBatch, messages, formula)
	}
}

// requests adds one POST per publication (which reaches all subscribers of its topic), per
// upstream message and per reply. Without equal fan-outs, the mean depends on the topics that chance
// publishes to.
func (m *model) requests(t scenarios.Transport, polls float64, formula string) {
	if !m.equalFanOuts() {
		return
	}
	formula += " + 1/N for the publication"
	upstream := float64(m.scenario.Upstream.Rate) / m.scenario.DeliveryRate()
	if upstream > 0 {
		formula += " + one per upstream message"
	}
	replies := 0.0
	if m.scenario.Replies.Size > 0 {
		replies = 1
		formula += " + one per reply"
	}
	m.addRequests(t, polls+1/m.fanOut()+upstream+replies, formula)
}

// frames handles WebSocket clients, which publish in frames; a backend uses POST.
func (m *model) frames(t scenarios.Transport) {
	switch {
	case m.scenario.Publish.By != scenarios.ByBackend:
		m.addRequests(t, 0, "0: publications are frames")
	case m.equalFanOuts():
		m.addRequests(t, 1/m.fanOut(), "0 + 1/N for the publication")
	}
}

// addRequests adds the requests per message, those of short-lived clients included.
func (m *model) addRequests(t scenarios.Transport, requests float64, formula string) {
	if m.visits() {
		each, ok := m.perVisit(t)
		if !ok {
			return
		}
		requests += each * m.visitsPerMessage()
		formula += " + V for the short-lived clients"
	}
	m.add(metric.RequestsPerMessage, requests, formula)
}

// equalFanOuts reports whether every message has the same number of subscribers.
func (m *model) equalFanOuts() bool {
	s := m.scenario
	return m.equalRates() && s.Clients.Count*s.Topics.PerClient%s.Topics.Count == 0
}

// reachedBy returns the time at which a message has reached a share q of its subscribers, if
// all are connected and no other message is outstanding.
func (m *model) reachedBy(q float64) float64 {
	return FanOutQuantile(m.d, m.write, m.fanOut(), q)
}

// fanOut returns N, the mean number of subscribers of a message per server.
func (m *model) fanOut() float64 {
	return m.scenario.DeliveryRate() / float64(m.scenario.Publish.Rate) / float64(m.scenario.Servers)
}
