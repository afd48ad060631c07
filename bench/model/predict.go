package model

import (
	"slices"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// Measured are the values that the closed forms take from a trial rather than
// from its scenario: no formula knows how fast a machine is.
type Measured struct {
	Delay     time.Duration // one way: half of what the fastest TCP connect took, which waited for no other client
	RepollGap time.Duration // mean, as the server counted it
	Write     time.Duration // what one delivery takes the server, on average: its publish's share and any re-poll included
}

// laws are what the latency and the requests of each transport follow from.
var laws = map[scenarios.Transport]func(*forms, scenarios.Transport){
	transports.ShortPoll:  (*forms).shortPoll,
	transports.LongPoll:   (*forms).longPoll,
	transports.SSE:        (*forms).push,
	transports.HTTPStream: (*forms).push,
	transports.WebSocket:  (*forms).push,
	transports.Webhook:    (*forms).webhook,
}

// Predict returns what a correct run of the scenario must find. It is silent where no
// closed form applies: to clients that expect different rates, and to everything but the
// age of information where only the latest message is delivered.
func Predict(s *scenarios.Scenario, t scenarios.Transport, g Measured) []results.Prediction {
	d := g.Delay.Seconds()
	if s.Publish.By != scenarios.ByBackend {
		d *= 2 // up to the server, and down again
	}
	f := forms{scenario: s, d: d, transit: g.Delay.Seconds(), rearm: g.RepollGap.Seconds(), write: g.Write.Seconds(), rate: s.PerClientRate()}
	switch {
	case f.wavers():
	case s.Delivery == scenarios.Latest: // the latency of what happens to be delivered has no law; its age has
	default:
		laws[t](&f, t)
	}
	f.ages(t)
	f.answers(t)
	f.connecting()
	return f.said
}

// answers take as long as their messages, and one way more, where none waits for another:
// what a poll brings together is posted one by one.
func (f *forms) answers(t scenarios.Transport) {
	if f.scenario.Replies.Size == 0 || transports.Of(t).Timed || f.scenario.Publish.Arrivals != scenarios.Periodic || 2*f.transit >= 1/f.rate {
		return
	}
	there := map[string]string{metric.P50: metric.ReplyP50, metric.P99: metric.ReplyP99}
	for _, p := range slices.Clone(f.said) {
		if back, ok := there[p.Metric]; ok {
			f.add(back, p.Value+msPerSecond*f.transit, "("+p.Formula+") + d")
		}
	}
}

// connecting takes a round trip for each of its stages, and over a distance hardly
// anything else.
func (f *forms) connecting() {
	trips, stages := 2, "TCP 1 + request 1"
	if f.scenario.Network.TLS {
		trips, stages = 3, "TCP 1 + TLS 1.3 1 + request 1"
	}
	f.add(metric.ConnectRoundTrips, float64(trips), stages)
	if n := f.scenario.Network; n.RTT > 0 && !f.wavers() {
		f.add(metric.ConnectP50, float64(trips)*metric.Milliseconds(time.Duration(n.RTT)), "round trips · RTT")
	}
}

type forms struct {
	scenario *scenarios.Scenario
	d        float64 // s, from publisher to subscriber
	transit  float64 // s, one way
	rearm    float64 // s
	write    float64 // w, s
	rate     float64 // λ, messages a second owed to one client
	said     []results.Prediction
}

func (f *forms) add(metric string, value float64, formula string) {
	f.said = append(f.said, results.Prediction{Metric: metric, Value: value, Formula: formula})
}

const msPerSecond = 1000

// wavers says whether the network makes d no constant.
func (f *forms) wavers() bool {
	n := f.scenario.Network
	return n.Jitter > 0 || n.Rate > 0 || n.Loss > 0 || n.Reorder > 0 || n.IdleTimeout > 0
}

// alike says whether every client is owed the same rate.
func (f *forms) alike() bool { return f.scenario.Topics.Spread == scenarios.Even }

func (f *forms) poisson() bool { return f.scenario.Publish.Arrivals == scenarios.Poisson }

func (f *forms) shortPoll(scenarios.Transport) {
	interval, law := f.interval()
	f.add(metric.P50, msPerSecond*ShortPollQuantile(f.d, interval, 0.5), law)
	f.add(metric.P99, msPerSecond*ShortPollQuantile(f.d, interval, 0.99), law)
	f.add(metric.P999, msPerSecond*ShortPollQuantile(f.d, interval, 0.999), law)
	f.add(metric.Max, msPerSecond*ShortPollQuantile(f.d, interval, 1), "d + T")
	if !f.alike() {
		return
	}
	f.requests(ShortPollRequests(f.rate, interval), "1/(λT)")
	switch f.scenario.Publish.Arrivals {
	case scenarios.Poisson:
		f.add(metric.EmptyResponseShare, EmptyShare(f.rate, interval), "e^(−λT)")
		f.add(metric.MessagesPerBatch, ShortPollBatch(f.rate, interval), "λT / (1 − e^(−λT))")
	case scenarios.Periodic:
		if f.scenario.Publish.By == scenarios.ByBackend && f.scenario.Topics.PerClient == 1 {
			f.add(metric.EmptyResponseShare, EmptySharePeriodic(f.rate, interval), "max(0, 1 − T/P)")
		}
	}
}

// interval is the time from one poll to the next, and the law of what a message
// waits. A poll on a new connection takes a round trip more.
func (f *forms) interval() (seconds float64, law string) {
	settings := f.scenario.ShortPoll
	seconds = time.Duration(settings.Interval).Seconds()
	transit, trips := f.transit, "2d"
	if settings.NewConnection {
		transit, trips = 2*transit, "4d"
	}
	if settings.Pacing == scenarios.FixedDelay {
		return FixedDelayInterval(transit, 0, seconds), "d + q(T + " + trips + ")"
	}
	if grid := FixedRateInterval(transit, seconds); grid > seconds {
		return grid, "d + qkT, as an answer takes " + trips + " > (k − 1)T"
	}
	return seconds, "d + qT"
}

func (f *forms) longPoll(scenarios.Transport) {
	if !f.alike() || f.rearm == 0 || f.scenario.LongPoll.BatchingDelay > 0 {
		return
	}
	switch {
	case f.poisson():
		law := "D = d + w(1 + q(N − 1)), or D + R(q − p₀)/(1 − p₀) beyond p₀ = e^(−λR)/b"
		f.add(metric.P50, msPerSecond*LongPollQuantile(f.reaches(0.5), f.rate, f.rearm, 0.5), law)
		f.add(metric.P99, msPerSecond*LongPollQuantile(f.reaches(0.99), f.rate, f.rearm, 0.99), law)
		f.add(metric.Mean, msPerSecond*LongPollMean(f.reaches(0.5), f.rate, f.rearm), "d + w(N + 1)/2 + λR²/(2b), b = λR + e^(−λR)")
		hold := time.Duration(f.scenario.PollTimeout()).Seconds()
		each := f.rate * LongPollCycle(f.rate, f.rearm, hold) // messages a poll, the empty ones included
		f.add(metric.MessagesPerBatch, each/(1-LongPollEmptyShare(f.rate, f.rearm, hold)), "λC / (1 − e^(−λ(R+τ)))")
		f.requests(1/each, "1/(λC), C = R + e^(−λR)(1 − e^(−λτ))/λ")
	case f.punctual():
		f.add(metric.P50, msPerSecond*f.reaches(0.5), "d + w(1 + q(N − 1)), as R < P")
		f.add(metric.Mean, msPerSecond*f.reaches(0.5), "d + w(N + 1)/2, as R < P")
		f.add(metric.MessagesPerBatch, 1, "1, as R < P")
		f.requests(1, "1, as R < P < τ")
	case f.overtaken():
		f.add(metric.Mean, msPerSecond*(f.reaches(0.5)+f.rearm/2), "d + w(N + 1)/2 + R/2, as R > P")
	}
}

// overtaken says whether messages come at one period, and faster than a poll can be
// back: each poll finds some, so that a message waits for half a re-arm gap on average.
func (f *forms) overtaken() bool {
	return f.scenario.Publish.Arrivals == scenarios.Periodic && f.scenario.Publish.By == scenarios.ByBackend &&
		f.scenario.Topics.PerClient == 1 && f.rearm > 1/f.rate
}

// punctual says whether every message finds its client's poll parked: they come at
// one period, which leaves time to re-arm, and the hold outlasts it.
func (f *forms) punctual() bool {
	period := 1 / f.rate
	hold := time.Duration(f.scenario.PollTimeout()).Seconds()
	return f.scenario.Publish.Arrivals == scenarios.Periodic && f.scenario.Publish.By == scenarios.ByBackend &&
		f.scenario.Topics.PerClient == 1 && f.rearm < period && period < hold
}

// webhook leaves as a push does, unless the post before it is still unanswered.
func (f *forms) webhook(scenarios.Transport) {
	if f.alike() && f.scenario.Publish.Arrivals == scenarios.Periodic && f.scenario.Topics.PerClient == 1 && 2*f.transit < 1/f.rate {
		f.add(metric.P50, msPerSecond*f.reaches(0.5), "d + w(1 + q(N − 1)), as 2d < P")
		f.add(metric.P99, msPerSecond*f.reaches(0.99), "d + w(1 + q(N − 1)), as 2d < P")
		f.add(metric.Mean, msPerSecond*f.reaches(0.5), "d + w(N + 1)/2, as 2d < P")
	}
	f.requests(0, "0")
}

func (f *forms) push(t scenarios.Transport) {
	if f.scenario.BatchingDelay(t) == 0 && f.alike() && f.scenario.Publish.Arrivals != scenarios.Burst { // of a burst one waits for another
		const law = "d + w(1 + q(N − 1))"
		f.add(metric.P50, msPerSecond*f.reaches(0.5), law)
		f.add(metric.P99, msPerSecond*f.reaches(0.99), law)
		f.add(metric.Mean, msPerSecond*f.reaches(0.5), "d + w(N + 1)/2")
	}
	if transports.Of(t).PublishesInSocket {
		f.frames()
		return
	}
	f.requests(0, "0")
}

// requests adds a POST for every publish, which reaches all of its topic's subscribers,
// for every input and for every answer.
func (f *forms) requests(polls float64, law string) {
	law += " + 1/N for the publish"
	inputs := float64(f.scenario.Upstream.Rate) / f.scenario.DeliveryRate()
	if inputs > 0 {
		law += " + one for each input"
	}
	answers := 0.0
	if f.scenario.Replies.Size > 0 {
		answers = 1
		law += " + one for each answer"
	}
	f.add(metric.RequestsPerMessage, polls+1/f.fanOut()+inputs+answers, law)
}

// frames are what clients publish in over a WebSocket; a backend posts all the same.
func (f *forms) frames() {
	if f.scenario.Publish.By == scenarios.ByBackend {
		f.add(metric.RequestsPerMessage, 1/f.fanOut(), "0 + 1/N for the publish")
		return
	}
	f.add(metric.RequestsPerMessage, 0, "0: publishes are frames")
}

// reaches is when a message has reached a share q of its subscribers, if all were
// there to be written to and no other message was under way.
func (f *forms) reaches(q float64) float64 {
	return FanOutQuantile(f.d, f.write, f.fanOut(), q)
}

// fanOut is N: how many subscribers a message has on a server, on average.
func (f *forms) fanOut() float64 {
	return f.scenario.DeliveryRate() / float64(f.scenario.Publish.Rate) / float64(f.scenario.Servers)
}
