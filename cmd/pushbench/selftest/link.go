package selftest

import (
	"fmt"
	"math"
	"time"

	"pushbench/bench/model"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// linkChecks use an emulated link: without a delay long polling has no re-poll gap. Only
// "link" and "link-shape" verify that the delay is the one in the scenario: the model of
// polling takes it from the connect times of the trial.
var linkChecks = []check{
	{name: "link", title: "no message is faster than the link, and connecting takes the required round trips", run: linkBounds},
	{name: "link-shape", title: "the jitter of a link is uniform, and its rate delays large messages", run: linkShape},
	{name: "pacing", title: "polling with a fixed delay adds the round trip to the interval; with a fixed rate it does not", run: pacings},
	{name: "longpoll", title: "latency, batch size and requests of long polling follow from rate and re-poll gap", run: longPolls},
	{name: "longpoll-sweep", title: "long polling at more rates and round trips, with empty responses", slow: true, run: longPollSweep},
	{name: "shortpoll-sweep", title: "short polling at more rates and intervals", slow: true, run: shortPollSweep},
	{name: "longpoll-periodic", title: "periodic messages: long polling's mean doubles when the round trip exceeds their period", slow: true, run: periodicMessages},
}

// linkBounds expects half a round trip per message, one per TCP connect, and another one
// for the request.
func linkBounds(l *lab) ([]Result, error) {
	e := experiment{clients: 50, rate: 10, rtt: 40 * time.Millisecond, window: 2 * time.Second}
	e.rows = func(t results.Trial) []Result {
		tcp, ready := t.Connect.Stages["tcp"], t.Connect.Stages["ready"]
		return append(prefixed(t.Transport,
			between("fastest delivery, round trip 40 ms", " ms", 20, 22, ms(t.Latency.Histogram.Quantile(0))),
			between("median delivery", " ms", 20, 24, ms(t.Latency.Histogram.Quantile(0.5))),
			between("fastest TCP connect", " ms", 40, 44, ms(tcp.Quantile(0))),
			between("fastest until subscribed", " ms", 80, 88, ms(ready.Quantile(0)))), lossless(t))
	}
	return l.rows(e.over(transports.WebSocket, transports.SSE)...)
}

// linkShape uses so few messages that hardly any waits for its predecessor.
func linkShape(l *lab) ([]Result, error) {
	const rtt, jitter, size, rate = 40 * time.Millisecond, 100 * time.Millisecond, 50_000, 1_000_000
	jittered := experiment{clients: 200, rate: 2, rtt: rtt, link: ", jitter: " + jitter.String(), window: 3 * time.Second}
	jittered.rows = func(t results.Trial) []Result {
		return []Result{uniformRow("distance from uniform on (d, d + 100 ms)", t.Latency.Histogram, t.Latency.Histogram.Count(), rtt/2, jitter), lossless(t)}
	}
	slow := experiment{clients: 1, rate: 5, rtt: rtt, link: ", rate: 1MB", settings: "payload: {size: 50kB}\n", window: 3 * time.Second}
	slow.rows = func(t results.Trial) []Result {
		minimum := ms(rtt/2 + time.Duration(size)*time.Second/rate)
		return []Result{
			between("fastest delivery of 50 kB at 1 MB/s: d + 50 ms", " ms", minimum, minimum+2, ms(t.Latency.Histogram.Quantile(0))),
			between("median", " ms", minimum, minimum+4, ms(t.Latency.Histogram.Quantile(0.5))),
			lossless(t),
		}
	}
	return l.rows(jittered, slow)
}

// pacings checks that a delay of T after each response polls every T + 2d.
func pacings(l *lab) ([]Result, error) {
	const interval, rtt, clients = 100 * time.Millisecond, 40 * time.Millisecond, 50
	paced := func(pacing string, cycle time.Duration) experiment {
		return experiment{
			transport: transports.ShortPoll, settings: fmt.Sprintf("shortpoll: {interval: %s, pacing: %s}\n", interval, pacing),
			clients: clients, rate: published / clients, rtt: rtt, window: 4 * time.Second,
			rows: func(t results.Trial) []Result {
				n := t.Latency.Histogram.Count()
				polls := float64(t.Cost.Wire.Polls)
				return prefixed(pacing,
					quantileRow(t, 0.5, metric.P50, n, cycle),
					quantileRow(t, 0.99, metric.P99, n, cycle),
					// The closed form neglects the time of a response.
					within("polls per client per second", "", 1/cycle.Seconds(), polls/clients/t.Cost.Span.Seconds(),
						0.01/cycle.Seconds()+1/cycle.Seconds()-1/(cycle+timers(cycle)).Seconds()))
			},
		}
	}
	return l.rows(paced("fixed-rate", interval), paced("fixed-delay", interval+rtt))
}

func longPolls(l *lab) ([]Result, error) {
	return l.longPolls(3*time.Second,
		experiment{rate: 5, rtt: 20 * time.Millisecond},
		experiment{rate: 25, rtt: 20 * time.Millisecond},
		experiment{rate: 75, rtt: 20 * time.Millisecond},
		experiment{rate: 20, rtt: 80 * time.Millisecond})
}

func longPollSweep(l *lab) ([]Result, error) {
	var all []experiment
	for _, rtt := range []time.Duration{10 * time.Millisecond, 40 * time.Millisecond, 160 * time.Millisecond} {
		for _, rate := range []float64{1, 5, 20, 60} {
			all = append(all, experiment{rate: rate, rtt: rtt})
		}
	}
	return l.longPolls(10*time.Second, append(all, experiment{rate: 0.5, rtt: 40 * time.Millisecond, pollTimeout: time.Second})...)
}

// published is the total rate in messages per second: so low that hardly any message
// waits for its predecessor on the only connection of its publisher.
const published = 450

// longPolls compares trials with the closed forms, given the re-poll gap that their server
// counted.
func (l *lab) longPolls(window time.Duration, all ...experiment) ([]Result, error) {
	for i, e := range all {
		e.transport, e.window, e.clients = transports.LongPoll, window, min(200, int(published/e.rate))
		e.rows = func(t results.Trial) []Result {
			return prefixed(fmt.Sprintf("λ = %g/s, round trip %v:", e.rate, e.rtt), longPollRows(t, e)...)
		}
		all[i] = e
	}
	return l.rows(all...)
}

// longPollRows compares the metrics of a trial with its model. The tolerance includes
// chance at one in a thousand: n messages arrived in n/b independent responses.
func longPollRows(t results.Trial, e experiment) []Result {
	n := float64(t.Latency.Histogram.Count())
	b := predicted(t, metric.MessagesPerBatch)
	rtt := e.rtt.Seconds()
	// Chance moves the rank, and the rank moves the quantile: the distribution is steep near
	// the share of messages that is delivered at once.
	chance := func(q float64) float64 { // ms
		at := func(q float64) float64 { return 1000 * model.LongPollQuantile(rtt/2, e.rate, rtt, q) }
		rank := 3.3 * math.Sqrt(q*(1-q)/(n/b))
		return max(at(min(1, q+rank))-at(q), at(q)-at(q-rank))
	}
	empty := 0.0
	if e.pollTimeout > 0 {
		empty = model.LongPollEmptyShare(e.rate, rtt, e.pollTimeout.Seconds())
	}
	slack := ms(timers(e.rtt))
	batch := summary.Measure(metric.MessagesPerBatch, t).X
	requests, expected := summary.Measure(metric.RequestsPerMessage, t).X, predicted(t, metric.RequestsPerMessage)
	spread := 3.3*math.Sqrt(max(e.rate*rtt, 0.01)*b/n) + 0.02*b
	return []Result{
		between("fastest", " ms", ms(e.rtt)/2, ms(e.rtt)/2+slack, ms(t.Latency.Histogram.Quantile(0))),
		within("p50", " ms", predicted(t, metric.P50), ms(t.Latency.Histogram.Quantile(0.5)), slack+chance(0.5)),
		within("p99", " ms", predicted(t, metric.P99), ms(t.Latency.Histogram.Quantile(0.99)), slack+chance(0.99)),
		within("messages per response", "", b, batch, spread),
		// The number of empty polls does not depend on the number of messages.
		within("requests per message", "", expected, requests, spread/b+0.02+expected*empty*3.3/math.Sqrt(n)),
		lossless(t),
	}
}

func shortPollSweep(l *lab) ([]Result, error) {
	var all []experiment
	for _, interval := range []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second} {
		for _, rate := range []float64{0.5, 2, 10} {
			all = append(all, experiment{
				// A longer warm-up: else the first polls cover a time before the first message.
				transport: transports.ShortPoll, settings: fmt.Sprintf("shortpoll: {interval: %s}\nwarmup: %s\n", interval, interval+500*time.Millisecond),
				clients: min(200, int(published/rate)), rate: rate, window: 10 * time.Second,
				rows: func(t results.Trial) []Result {
					return prefixed(fmt.Sprintf("T = %v, λ = %g/s:", interval, rate), poissonRows(t, rate, interval)...)
				},
			})
		}
	}
	return l.rows(all...)
}

// periodicMessages publishes one message every P to all clients. If the round trip R is
// shorter, every message meets a parked poll and takes d. If R is longer, a message is
// always waiting, so that polls arrive every R, and the mean is 2d. The spacing of the
// possible arrival times (10 ms for P = 70 ms and R = 100 ms) moves it by up to d/10.
func periodicMessages(l *lab) ([]Result, error) {
	const rtt = 100 * time.Millisecond
	step := func(period time.Duration, low, high float64) experiment { // low and high in one-way delays
		return experiment{
			transport: transports.LongPoll, clients: 20, publish: fmt.Sprintf("rate: %g/s, arrivals: periodic", 1/period.Seconds()), rtt: rtt, window: 8 * time.Second,
			settings: "warmup: 1s\n",
			rows: func(t results.Trial) []Result {
				return []Result{between(fmt.Sprintf("mean in one-way delays, P = %v, round trip %v", period, rtt), "", low, high, float64(t.Latency.Histogram.Mean())/float64(rtt/2))}
			},
		}
	}
	return l.rows(step(250*time.Millisecond, 1, 1.1), step(150*time.Millisecond, 1, 1.1), step(70*time.Millisecond, 1.85, 2.15), step(23*time.Millisecond, 1.85, 2.15))
}
