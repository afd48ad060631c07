package selftest

import (
	"fmt"
	"math"
	"strings"
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

func (r reach) yaml() string {
	return fmt.Sprintf(`transports: [%s]
clients: {count: %d}
topics: {count: %d}
publish: {by: backend, rate: %g/s}
network: {rtt: %s%s}
%sidle: 0s
warmup: %s
drain: 2s
window: %s
blocks: 1
`, r.transport, r.clients, r.clients, r.rate*float64(r.clients), r.rtt, r.more, r.sized(), max(r.warmup, 500*time.Millisecond), r.window)
}

// sized are the settings, with a small payload unless they say which.
func (r reach) sized() string {
	if strings.Contains(r.settings, "payload:") {
		return r.settings
	}
	return "payload: {size: 64B}\n" + r.settings
}

func (l *lab) reach(r reach) (results.Trial, error) {
	run, err := l.measure(experiment{scenario: r.yaml()})
	if err != nil {
		return results.Trial{}, err
	}
	return lastTrial(run, r.transport), nil
}

// linkBounds: half a round trip for every message, one for TCP, one more for the request.
func linkBounds(l *lab) (rows []Row, err error) {
	const rtt = 40 * time.Millisecond
	for _, transport := range []string{transports.WebSocket, transports.SSE} {
		t, err := l.reach(reach{transport: transport, clients: 50, rate: 10, rtt: rtt, window: 2 * time.Second})
		if err != nil {
			return rows, err
		}
		tcp, ready := t.Connect.Stages["tcp"], t.Connect.Stages["ready"]
		rows = append(rows,
			between(transport+" fastest delivery over a round trip of 40 ms", " ms", 20, 22, ms(t.Latency.Histogram.Quantile(0))),
			between(transport+" median delivery", " ms", 20, 24, ms(t.Latency.Histogram.Quantile(0.5))),
			between(transport+" fastest TCP connect", " ms", 40, 44, ms(tcp.Quantile(0))),
			between(transport+" fastest until subscribed", " ms", 80, 88, ms(ready.Quantile(0))),
			lossless(t))
	}
	return rows, nil
}

// linkShape: so few messages that hardly any waits for the one before it.
func linkShape(l *lab) (rows []Row, err error) {
	const rtt, jitter, size, rate = 40 * time.Millisecond, 100 * time.Millisecond, 50_000, 1_000_000
	t, err := l.reach(reach{transport: transports.WebSocket, clients: 200, rate: 2, rtt: rtt, more: ", jitter: " + jitter.String(), window: 3 * time.Second})
	if err != nil {
		return rows, err
	}
	m := t.Latency.Histogram.Count()
	distance, limit := kolmogorov(t.Latency.Histogram, uniform(rtt/2, jitter)), kolmogorovLimit(m, jitter)
	rows = append(rows, between(fmt.Sprintf("distance from uniform on (d, d + 100 ms), m = %d", m), "", 0, limit, distance), lossless(t))
	t, err = l.reach(reach{
		transport: transports.WebSocket, clients: 1, rate: 5, rtt: rtt, more: ", rate: 1MB", window: 3 * time.Second,
		settings: "payload: {size: 50kB}\n",
	})
	if err != nil {
		return rows, err
	}
	serial := time.Duration(size) * time.Second / rate
	return append(rows,
		between("fastest of 50 kB at 1 MB/s, d + 50 ms", " ms", ms(rtt/2+serial), ms(rtt/2+serial)+2, ms(t.Latency.Histogram.Quantile(0))),
		between("median", " ms", ms(rtt/2+serial), ms(rtt/2+serial)+4, ms(t.Latency.Histogram.Quantile(0.5))),
		lossless(t)), nil
}

// pacings: T after each answer is T + 2d from poll to poll.
func pacings(l *lab) (rows []Row, err error) {
	const interval, rtt, clients = 100 * time.Millisecond, 40 * time.Millisecond, 50
	for _, pacing := range []string{"fixed-rate", "fixed-delay"} {
		t, err := l.reach(reach{
			transport: transports.ShortPoll, settings: fmt.Sprintf("shortpoll: {interval: %s, pacing: %s}\n", interval, pacing),
			clients: clients, rate: published / clients, rtt: rtt, window: 4 * time.Second,
		})
		if err != nil {
			return rows, err
		}
		cycle := interval
		if pacing == "fixed-delay" {
			cycle += rtt
		}
		n := t.Latency.Histogram.Count()
		polls := float64(t.Cost.Wire.Polls)
		rows = append(rows,
			quantileRow(t, 0.5, metric.P50, n, cycle).of(pacing),
			quantileRow(t, 0.99, metric.P99, n, cycle).of(pacing),
			// An answer takes time as well, which the closed form leaves out.
			within(pacing+" polls a client and second", "", 1/cycle.Seconds(), polls/clients/t.Cost.Span.Seconds(),
				0.01/cycle.Seconds()+1/cycle.Seconds()-1/(cycle+timers(cycle)).Seconds()))
	}
	return rows, nil
}

// of names what a row is about.
func (r Row) of(what string) Row {
	r.What = what + " " + r.What
	return r
}

func longPolls(l *lab) (rows []Row, err error) {
	return l.longPolls([]reach{
		{rate: 5, rtt: 20 * time.Millisecond},
		{rate: 25, rtt: 20 * time.Millisecond},
		{rate: 75, rtt: 20 * time.Millisecond},
		{rate: 20, rtt: 80 * time.Millisecond},
	}, 3*time.Second)
}

func longPollSweep(l *lab) (rows []Row, err error) {
	var all []reach
	for _, rtt := range []time.Duration{10 * time.Millisecond, 40 * time.Millisecond, 160 * time.Millisecond} {
		for _, rate := range []float64{1, 5, 20, 60} {
			all = append(all, reach{rate: rate, rtt: rtt})
		}
	}
	rows, err = l.longPolls(all, 10*time.Second)
	if err != nil {
		return rows, err
	}
	more, err := l.longPolls([]reach{{rate: 0.5, rtt: 40 * time.Millisecond, hold: time.Second, settings: "longpoll: {hold: 1s}\n"}}, 10*time.Second)
	return append(rows, more...), err
}

// published is how many messages a second there are in all: so few that hardly any
// waits for the one before it on its publisher's only connection.
const published = 450

// longPolls holds trials to the closed forms of the gap that their server counted.
func (l *lab) longPolls(all []reach, window time.Duration) (rows []Row, err error) {
	for _, r := range all {
		r.transport, r.window = transports.LongPoll, window
		r.clients = min(200, int(published/r.rate))
		t, err := l.reach(r)
		if err != nil {
			return rows, err
		}
		what := fmt.Sprintf("λ = %g/s, round trip %v:", r.rate, r.rtt)
		for _, row := range longPollRows(t, r) {
			rows = append(rows, row.of(what))
		}
	}
	return rows, nil
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

func shortPollSweep(l *lab) (rows []Row, err error) {
	for _, interval := range []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second} {
		for _, rate := range []float64{0.5, 2, 10} {
			t, err := l.reach(reach{
				transport: transports.ShortPoll, settings: fmt.Sprintf("shortpoll: {interval: %s}\n", interval),
				clients: min(200, int(published/rate)), rate: rate, window: 10 * time.Second,
				warmup: interval + 500*time.Millisecond, // else the first polls look back to before there were messages
			})
			if err != nil {
				return rows, err
			}
			for _, row := range poissonRows(t, rate, interval) {
				rows = append(rows, row.of(fmt.Sprintf("T = %v, λ = %g/s:", interval, rate)))
			}
		}
	}
	return rows, nil
}

// periodicStep: one message every P for all. While the round trip R is shorter, each
// finds its poll parked and takes d. When it is longer something always waits, so that
// polls arrive every R, and the mean is 2d; how far the instants at which messages can
// fall lie apart (P = 70 ms, R = 100 ms: 10 ms) moves it by up to a tenth of d.
func periodicStep(l *lab) (rows []Row, err error) {
	const rtt = 100 * time.Millisecond
	for _, test := range []struct {
		period    time.Duration
		low, high float64 // of the mean, in units of d
	}{{250 * time.Millisecond, 1, 1.1}, {150 * time.Millisecond, 1, 1.1}, {70 * time.Millisecond, 1.85, 2.15}, {23 * time.Millisecond, 1.85, 2.15}} {
		run, err := l.measure(experiment{scenario: fmt.Sprintf(`transports: [longpoll]
clients: {count: 20}
publish: {by: backend, rate: %g/s, arrivals: periodic}
payload: {size: 64B}
network: {rtt: %s}
idle: 0s
warmup: 1s
drain: 2s
window: 8s
blocks: 1
`, 1/test.period.Seconds(), rtt)})
		if err != nil {
			return rows, err
		}
		t := lastTrial(run, transports.LongPoll)
		rows = append(rows, between(fmt.Sprintf("mean in transits, P = %v, round trip %v", test.period, rtt), "",
			test.low, test.high, float64(t.Latency.Histogram.Mean())/float64(rtt/2)))
	}
	return rows, nil
}
