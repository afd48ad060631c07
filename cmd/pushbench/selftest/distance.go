package selftest

import (
	"fmt"
	"math"
	"time"

	"pushbench/bench/model"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
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

// A reach is a workload over a link: every client has a topic of its own, so that
// all messages are independent.
type reach struct {
	transport string
	settings  string // more of the scenario, whole lines
	clients   int
	rate      float64 // λ, messages a second owed to one client
	rtt       time.Duration
	more      string        // of the link, such as ", jitter: 1ms"
	hold      time.Duration // of a long poll; 0: so long that none ends without a message
	warmup    time.Duration // default 500 ms
	window    time.Duration
}

func (r reach) experiment() experiment {
	return experiment{
		transport: r.transport, clients: r.clients, publish: fmt.Sprintf("rate: %g/s", r.rate*float64(r.clients)), window: r.window,
		settings: fmt.Sprintf("topics: {count: %d}\nnetwork: {rtt: %s%s}\nwarmup: %s\n", r.clients, r.rtt, r.more, max(r.warmup, 500*time.Millisecond)) + r.settings,
	}
}

// linkBounds: half a round trip for every message, one for TCP, one more for the request.
func linkBounds(l *lab) ([]Row, error) {
	return each([]string{"websocket", "sse"}, func(transport string) ([]Row, error) {
		e := reach{transport: transport, clients: 50, rate: 10, rtt: 40 * time.Millisecond, window: 2 * time.Second}.experiment()
		return l.rows(e, func(t results.Trial) []Row {
			tcp, ready := t.Connect.Stages["tcp"], t.Connect.Stages["ready"]
			return []Row{
				between(transport+" fastest delivery over a round trip of 40 ms", " ms", 20, 22, ms(t.Latency.Histogram.Quantile(0))),
				between(transport+" median delivery", " ms", 20, 24, ms(t.Latency.Histogram.Quantile(0.5))),
				between(transport+" fastest TCP connect", " ms", 40, 44, ms(tcp.Quantile(0))),
				between(transport+" fastest until subscribed", " ms", 80, 88, ms(ready.Quantile(0))),
				lossless(t),
			}
		})
	})
}

// linkShape: so few messages that hardly any waits for the one before it.
func linkShape(l *lab) ([]Row, error) {
	const rtt, jitter, size, rate = 40 * time.Millisecond, 100 * time.Millisecond, 50_000, 1_000_000
	link := reach{transport: "websocket", clients: 200, rate: 2, rtt: rtt, more: ", jitter: " + jitter.String(), window: 3 * time.Second}
	jittered, err := l.rows(link.experiment(), func(t results.Trial) []Row {
		return []Row{uniformRow("distance from uniform on (d, d + 100 ms)", t.Latency.Histogram, t.Latency.Histogram.Count(), rtt/2, jitter), lossless(t)}
	})
	if err != nil {
		return nil, err
	}
	link.clients, link.rate, link.more, link.settings = 1, 5, ", rate: 1MB", "payload: {size: 50kB}\n"
	slow, err := l.rows(link.experiment(), func(t results.Trial) []Row {
		least := ms(rtt/2 + time.Duration(size)*time.Second/rate)
		return []Row{
			between("fastest of 50 kB at 1 MB/s, d + 50 ms", " ms", least, least+2, ms(t.Latency.Histogram.Quantile(0))),
			between("median", " ms", least, least+4, ms(t.Latency.Histogram.Quantile(0.5))),
			lossless(t),
		}
	})
	return append(jittered, slow...), err
}

// pacings: T after each answer is T + 2d from poll to poll.
func pacings(l *lab) ([]Row, error) {
	const interval, rtt, clients = 100 * time.Millisecond, 40 * time.Millisecond, 50
	return each([]string{"fixed-rate", "fixed-delay"}, func(pacing string) ([]Row, error) {
		cycle := interval
		if pacing == "fixed-delay" {
			cycle += rtt
		}
		e := reach{
			transport: "shortpoll", settings: fmt.Sprintf("shortpoll: {interval: %s, pacing: %s}\n", interval, pacing),
			clients: clients, rate: published / clients, rtt: rtt, window: 4 * time.Second,
		}.experiment()
		return l.rows(e, func(t results.Trial) []Row {
			n := t.Latency.Histogram.Count()
			polls := float64(t.Cost.Wire.Polls)
			return of(pacing, []Row{
				quantileRow(t, 0.5, metric.P50, n, cycle),
				quantileRow(t, 0.99, metric.P99, n, cycle),
				// An answer takes time as well, which the closed form leaves out.
				within("polls a client and second", "", 1/cycle.Seconds(), polls/clients/t.Cost.Span.Seconds(),
					0.01/cycle.Seconds()+1/cycle.Seconds()-1/(cycle+timers(cycle)).Seconds()),
			})
		})
	})
}

// of names what rows are about.
func of(what string, rows []Row) []Row {
	for i := range rows {
		rows[i].What = what + " " + rows[i].What
	}
	return rows
}

func longPolls(l *lab) ([]Row, error) {
	return l.longPolls(3*time.Second,
		reach{rate: 5, rtt: 20 * time.Millisecond},
		reach{rate: 25, rtt: 20 * time.Millisecond},
		reach{rate: 75, rtt: 20 * time.Millisecond},
		reach{rate: 20, rtt: 80 * time.Millisecond})
}

func longPollSweep(l *lab) ([]Row, error) {
	var all []reach
	for _, rtt := range []time.Duration{10 * time.Millisecond, 40 * time.Millisecond, 160 * time.Millisecond} {
		for _, rate := range []float64{1, 5, 20, 60} {
			all = append(all, reach{rate: rate, rtt: rtt})
		}
	}
	all = append(all, reach{rate: 0.5, rtt: 40 * time.Millisecond, hold: time.Second, settings: "longpoll: {hold: 1s}\n"})
	return l.longPolls(10*time.Second, all...)
}

// published is how many messages a second there are in all: so few that hardly any
// waits for the one before it on its publisher's only connection.
const published = 450

// longPolls holds trials to the closed forms of the gap that their server counted.
func (l *lab) longPolls(window time.Duration, all ...reach) ([]Row, error) {
	return each(all, func(r reach) ([]Row, error) {
		r.transport, r.window = "longpoll", window
		r.clients = min(200, int(published/r.rate))
		return l.rows(r.experiment(), func(t results.Trial) []Row {
			return of(fmt.Sprintf("λ = %g/s, round trip %v:", r.rate, r.rtt), longPollRows(t, r))
		})
	})
}

// longPollRows compare what a trial measured with its theory. Chance is allowed for at
// one in a thousand: n messages came in n/b answers, which are independent.
func longPollRows(t results.Trial, r reach) []Row {
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
	return []Row{
		between("fastest", " ms", ms(r.rtt)/2, ms(r.rtt)/2+slack, ms(t.Latency.Histogram.Quantile(0))),
		within("p50", " ms", predicted(t, metric.P50), ms(t.Latency.Histogram.Quantile(0.5)), slack+chance(0.5)),
		within("p99", " ms", predicted(t, metric.P99), ms(t.Latency.Histogram.Quantile(0.99)), slack+chance(0.99)),
		within("messages an answer", "", b, batch, spread),
		// Polls that end without a message come however many messages there are.
		within("requests a message", "", expected, requests, spread/b+0.02+expected*empty*3.3/math.Sqrt(n)),
		lossless(t),
	}
}

func shortPollSweep(l *lab) ([]Row, error) {
	return each([]time.Duration{100 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second}, func(interval time.Duration) ([]Row, error) {
		return each([]float64{0.5, 2, 10}, func(rate float64) ([]Row, error) {
			e := reach{
				transport: "shortpoll", settings: fmt.Sprintf("shortpoll: {interval: %s}\n", interval),
				clients: min(200, int(published/rate)), rate: rate, window: 10 * time.Second,
				warmup: interval + 500*time.Millisecond, // else the first polls look back to before there were messages
			}.experiment()
			return l.rows(e, func(t results.Trial) []Row {
				return of(fmt.Sprintf("T = %v, λ = %g/s:", interval, rate), poissonRows(t, rate, interval))
			})
		})
	})
}

// A step is a period of messages over a round trip of 100 ms, and between what the mean
// latency must lie, in transits.
type step struct {
	period    time.Duration
	low, high float64
}

// periodicStep: one message every P for all. While the round trip R is shorter, each
// finds its poll parked and takes d. When it is longer something always waits, so that
// polls arrive every R, and the mean is 2d; how far the instants at which messages can
// fall lie apart (P = 70 ms, R = 100 ms: 10 ms) moves it by up to a tenth of d.
func periodicStep(l *lab) ([]Row, error) {
	const rtt = 100 * time.Millisecond
	return each([]step{{250 * time.Millisecond, 1, 1.1}, {150 * time.Millisecond, 1, 1.1}, {70 * time.Millisecond, 1.85, 2.15}, {23 * time.Millisecond, 1.85, 2.15}}, func(s step) ([]Row, error) {
		return l.rows(experiment{
			transport: "longpoll", clients: 20, publish: fmt.Sprintf("rate: %g/s, arrivals: periodic", 1/s.period.Seconds()), window: 8 * time.Second,
			settings: fmt.Sprintf("network: {rtt: %s}\nwarmup: 1s\n", rtt),
		}, func(t results.Trial) []Row {
			return []Row{between(fmt.Sprintf("mean in transits, P = %v, round trip %v", s.period, rtt), "", s.low, s.high, float64(t.Latency.Histogram.Mean())/float64(rtt/2))}
		})
	})
}
