package model

import (
	"math"
	"time"

	"pushbench/results/metric"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// How old what a client holds is depends on the rate of one topic, where latency and
// counts depend on the client's. It is the same for every message as for only the latest.

// ages adds what the ages must be, where each topic has one law that is known.
func (f *forms) ages(t scenarios.Transport) {
	topic, law := f.topic(t)
	switch {
	case f.wavers(), !f.known(topic), !transports.Of(t).Timed && !f.alike(), f.scenario.BatchingDelay(t) > 0:
	case transports.Of(t).Holds:
		f.longPollAge(topic, law)
	default:
		f.age(topic, law)
	}
}

// An ageLaw is how an age is put together: its mean, and the sum that its quantiles are of.
type ageLaw struct{ mean, sum string }

// topic is the law of a topic: its arrivals are Poisson or have a period, and a poll or
// the server's writes, one after another, spread when they are held.
func (f *forms) topic(t scenarios.Transport) (Age, ageLaw) {
	topic := Age{Delay: f.reaches(0), Spread: f.reaches(1) - f.reaches(0)}
	law := ageLaw{"d + w(N + 1)/2", "d + w + U(0, w(N − 1))"}
	if transports.Of(t).Timed {
		interval, _ := f.interval()
		topic, law = Age{Delay: f.d, Spread: interval}, ageLaw{"d + T/2", "d + U(0, T)"}
	}
	rate := float64(f.scenario.Publish.Rate) / float64(f.scenario.Topics.Count)
	if f.poisson() {
		topic.Rate = rate
		return topic, ageLaw{law.mean + " + 1/λ", law.sum + " + Exp(λ)"}
	}
	topic.Period = 1 / rate
	return topic, ageLaw{law.mean + " + P/2", law.sum + " + U(0, P)"}
}

// known says whether all topics are published to alike, and whether by the time the
// window opens nearly every client holds something: but for e^(−4) of the Poisson topics.
//
// The backend chooses its topics uniformly or in turn. Clients choose among their own:
// alike only where these are dealt evenly, and periodic for none, as each client has a
// phase of its own.
func (f *forms) known(topic Age) bool {
	const gaps = 4
	s := f.scenario
	settled := time.Duration(s.Warmup).Seconds() - topic.Spread
	switch {
	case s.Publish.By == scenarios.ByClients && (!f.poisson() || !f.alike() || s.Clients.Count*s.Topics.PerClient%s.Topics.Count != 0):
		return false
	case s.Publish.Arrivals == scenarios.Poisson:
		return settled*topic.Rate >= gaps
	case s.Publish.Arrivals == scenarios.Periodic:
		return settled >= topic.Period
	default:
		return false
	}
}

// longPollAge is a push's where no message finds its client re-arming. Where some do
// there is a form for the mean, as long as few holds end without a message: those
// re-arm too.
func (f *forms) longPollAge(topic Age, law ageLaw) {
	const fewEmpty = 0.01
	hold := time.Duration(f.scenario.PollTimeout()).Seconds()
	each := float64(f.scenario.Topics.PerClient)
	switch {
	case f.rearm == 0: // the server does not say
	case f.poisson() && math.Exp(-each*topic.Rate*hold) < fewEmpty:
		f.add(metric.AgeMean, msPerSecond*LongPollAge(f.reaches(0.5), topic.Rate, each, f.rearm), law.mean+", and up to R/2 more")
	case !f.poisson() && f.rearm < 1/float64(f.scenario.Publish.Rate) && topic.Period < hold:
		f.age(topic, law)
	}
}

// age adds the mean and the 99th percentile.
func (f *forms) age(a Age, law ageLaw) {
	f.add(metric.AgeMean, msPerSecond*a.Mean(), law.mean)
	f.add(metric.AgeP99, msPerSecond*a.Quantile(0.99), "p99 of "+law.sum)
}
