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

// distances are the proofs over a link: without a distance long polling has no gap.
// That the distance is what the scenario says only "link" and "link-shape" can see: the
// theory of polls takes it from how fast the trial's own connections were.
var distances = []claim{
	{name: "link", says: "nothing is faster than the link, and setting up takes the round trips it must", run: linkBounds},
	{name: "link-shape", says: "a link's jitter is uniform, and its rate is what large messages wait for", run: linkShape},
	{name: "pacing", says: "polling at a fixed delay waits for the round trip as well, at a fixed rate it does not", run: pacings},
	{name: "longpoll", says: "long polling's latency, batches and requests follow from rate and re-arm gap", run: longPolls},
	{name: "longpoll-sweep", says: "the same over more rates and distances, with empty answers", slow: true, run: longPollSweep},
	{name: "shortpoll-sweep", says: "short polling over more rates and intervals", slow: true, run: shortPollSweep},
	{name: "step", says: "periodic messages: long polling's mean doubles where the round trip passes their period", slow: true, run: periodicStep},
}

// linkBounds: half a round trip for every message, one for TCP, one more for the request.
func linkBounds(l *lab) ([]Result, error) {
	e := experiment{clients: 50, rate: 10, rtt: 40 * time.Millisecond, window: 2 * time.Second}
	e.rows = func(t results.Trial) []Result {
		tcp, ready := t.Connect.Stages["tcp"], t.Connect.Stages["ready"]
		return append(of(t.Transport,
			between("fastest delivery over a round trip of 40 ms", " ms", 20, 22, ms(t.Latency.Histogram.Quantile(0))),
			between("median delivery", " ms", 20, 24, ms(t.Latency.Histogram.Quantile(0.5))),
			between("fastest TCP connect", " ms", 40, 44, ms(tcp.Quantile(0))),
			between("fastest until subscribed", " ms", 80, 88, ms(ready.Quantile(0)))), lossless(t))
	}
	return l.rows(e.over(transports.WebSocket, transports.SSE)...)
}

// linkShape: so few messages that hardly any waits for the one before it.
func linkShape(l *lab) ([]Result, error) {
	const rtt, jitter, size, rate = 40 * time.Millisecond, 100 * time.Millisecond, 50_000, 1_000_000
	jittered := experiment{clients: 200, rate: 2, rtt: rtt, link: ", jitter: " + jitter.String(), window: 3 * time.Second}
	jittered.rows = func(t results.Trial) []Result {
		return []Result{uniformRow("distance from uniform on (d, d + 100 ms)", t.Latency.Histogram, t.Latency.Histogram.Count(), rtt/2, jitter), lossless(t)}
	}
	slow := experiment{clients: 1, rate: 5, rtt: rtt, link: ", rate: 1MB", settings: "payload: {size: 50kB}\n", window: 3 * time.Second}
	slow.rows = func(t results.Trial) []Result {
		least := ms(rtt/2 + time.Duration(size)*time.Second/rate)
		return []Result{
			between("fastest of 50 kB at 1 MB/s, d + 50 ms", " ms", least, least+2, ms(t.Latency.Histogram.Quantile(0))),
			between("median", " ms", least, least+4, ms(t.Latency.Histogram.Quantile(0.5))),
			lossless(t),
		}
	}
	return l.rows(jittered, slow)
}

// pacings: T after each answer is T + 2d from poll to poll.
func pacings(l *lab) ([]Result, error) {
	const interval, rtt, clients = 100 * time.Millisecond, 40 * time.Millisecond, 50
	paced := func(pacing string, cycle time.Duration) experiment {
		return experiment{
			transport: transports.ShortPoll, settings: fmt.Sprintf("shortpoll: {interval: %s, pacing: %s}\n", interval, pacing),
			clients: clients, rate: published / clients, rtt: rtt, window: 4 * time.Second,
			rows: func(t results.Trial) []Result {
				n := t.Latency.Histogram.Count()
				polls := float64(t.Cost.Wire.Polls)
				return of(pacing,
					quantileRow(t, 0.5, metric.P50, n, cycle),
					quantileRow(t, 0.99, metric.P99, n, cycle),
					// An answer takes time as well, which the closed form leaves out.
					within("polls a client and second", "", 1/cycle.Seconds(), polls/clients/t.Cost.Span.Seconds(),
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
	return l.longPolls(10*time.Second, append(all, experiment{rate: 0.5, rtt: 40 * time.Millisecond, hold: time.Second})...)
}

// published is how many messages a second there are in all: so few that hardly any
// waits for the one before it on its publisher's only connection.
const published = 450

// longPolls holds trials to the closed forms of the gap that their server counted.
func (l *lab) longPolls(window time.Duration, all ...experiment) ([]Result, error) {
	for i, e := range all {
		e.transport, e.window, e.clients = transports.LongPoll, window, min(200, int(published/e.rate))
		e.rows = func(t results.Trial) []Result {
			return of(fmt.Sprintf("λ = %g/s, round trip %v:", e.rate, e.rtt), longPollRows(t, e)...)
		}
		all[i] = e
	}
	return l.rows(all...)
}

// longPollRows compare what a trial measured with its theory. Chance is allowed for at
// one in a thousand: n messages came in n/b answers, which are independent.
func longPollRows(t results.Trial, r experiment) []Result {
	n := float64(t.Latency.Histogram.Count())
	b := predicted(t, metric.MessagesPerBatch)
	rtt := r.rtt.Seconds()
	// By how much chance moves a quantile is by how far it moves the rank: near the share
	// that is delivered at once the law is steep.
	chance := func(q float64) float64 { // ms
		at := func(q float64) float64 { return 1000 * model.LongPollQuantile(rtt/2, r.rate, rtt, q) }
		rank := 3.3 * math.Sqrt(q*(1-q)/(n/b))
		return max(at(min(1, q+rank))-at(q), at(q)-at(q-rank))
	}
	empty := 0.0
	if r.hold > 0 {
		empty = model.LongPollEmptyShare(r.rate, rtt, r.hold.Seconds())
	}
	slack := ms(timers(r.rtt))
	batch := summary.Measure(metric.MessagesPerBatch, t).X
	requests, expected := summary.Measure(metric.RequestsPerMessage, t).X, predicted(t, metric.RequestsPerMessage)
	spread := 3.3*math.Sqrt(max(r.rate*rtt, 0.01)*b/n) + 0.02*b
	return []Result{
		between("fastest", " ms", ms(r.rtt)/2, ms(r.rtt)/2+slack, ms(t.Latency.Histogram.Quantile(0))),
		within("p50", " ms", predicted(t, metric.P50), ms(t.Latency.Histogram.Quantile(0.5)), slack+chance(0.5)),
		within("p99", " ms", predicted(t, metric.P99), ms(t.Latency.Histogram.Quantile(0.99)), slack+chance(0.99)),
		within("messages an answer", "", b, batch, spread),
		// Polls that end without a message come however many messages there are.
		within("requests a message", "", expected, requests, spread/b+0.02+expected*empty*3.3/math.Sqrt(n)),
		lossless(t),
	}
}

func shortPollSweep(l *lab) ([]Result, error) {
	var all []experiment
	for _, interval := range []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second} {
		for _, rate := range []float64{0.5, 2, 10} {
			all = append(all, experiment{
				// A longer warm-up: else the first polls look back to before there were messages.
				transport: transports.ShortPoll, settings: fmt.Sprintf("shortpoll: {interval: %s}\nwarmup: %s\n", interval, interval+500*time.Millisecond),
				clients: min(200, int(published/rate)), rate: rate, window: 10 * time.Second,
				rows: func(t results.Trial) []Result {
					return of(fmt.Sprintf("T = %v, λ = %g/s:", interval, rate), poissonRows(t, rate, interval)...)
				},
			})
		}
	}
	return l.rows(all...)
}

// periodicStep: one message every P for all. While the round trip R is shorter, each
// finds its poll parked and takes d. When it is longer something always waits, so that
// polls arrive every R, and the mean is 2d; how far the instants at which messages can
// fall lie apart (P = 70 ms, R = 100 ms: 10 ms) moves it by up to a tenth of d.
func periodicStep(l *lab) ([]Result, error) {
	const rtt = 100 * time.Millisecond
	step := func(period time.Duration, low, high float64) experiment { // low and high in transits
		return experiment{
			transport: transports.LongPoll, clients: 20, publish: fmt.Sprintf("rate: %g/s, arrivals: periodic", 1/period.Seconds()), rtt: rtt, window: 8 * time.Second,
			settings: "warmup: 1s\n",
			rows: func(t results.Trial) []Result {
				return []Result{between(fmt.Sprintf("mean in transits, P = %v, round trip %v", period, rtt), "", low, high, float64(t.Latency.Histogram.Mean())/float64(rtt/2))}
			},
		}
	}
	return l.rows(step(250*time.Millisecond, 1, 1.1), step(150*time.Millisecond, 1, 1.1), step(70*time.Millisecond, 1.85, 2.15), step(23*time.Millisecond, 1.85, 2.15))
}
