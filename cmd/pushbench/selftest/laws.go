package selftest

import (
	"errors"
	"fmt"
	"math"
	"time"

	"pushbench/bench/host"
	"pushbench/bench/model"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// laws are the proofs that a run finds what physics says.
var laws = []claim{
	{name: "shortpoll", says: "short polling's latency is uniform on (d, d + T), also when the publisher's period is the interval", run: uniformLaw},
	{name: "age", says: "how old what a client holds is follows from rates and intervals, and so does how much only the latest leaves out", run: latestAges},
	{name: "hiccups", says: "the meter of standstills sees one of a known length", on: "linux", run: hiccups},
}

// uniformLaw: messages at random instants, each for one client, so that all are
// independent; then one at every interval for all clients, whose phases alone decide:
// these connect at nearly the same instant, so that nothing else spreads their polls.
func uniformLaw(l *lab) ([]Result, error) {
	const interval = 200 * time.Millisecond
	random := experiment{transport: transports.ShortPoll, window: 3 * time.Second, clients: 200, rate: 5, settings: "shortpoll: {interval: 200ms}\ndrain: 1s\n"}
	random.rows = func(t results.Trial) []Result { return append(poissonRows(t, random.rate, interval), lossless(t)) }
	periodic := random
	periodic.rate, periodic.publish = 0, "rate: 5/s, arrivals: periodic"
	periodic.settings += "clients: {count: 500, connect_rate: 20000/s}\n"
	periodic.rows = func(t results.Trial) []Result {
		return []Result{ksRow("distance from uniform, publisher's period = T", t, 500, interval), lossless(t)}
	}
	return l.rows(random, periodic)
}

// latestAges: a push at a period of P, whose clients hold something between 0 and P
// old; and polls every T of Poisson messages, of which only the last before each comes.
func latestAges(l *lab) ([]Result, error) {
	const period, interval, clients, rate, window = 100 * time.Millisecond, 200 * time.Millisecond, 100, 10.0, 4
	pushed := experiment{clients: clients, publish: fmt.Sprintf("rate: %g/s, arrivals: periodic", rate), window: window * time.Second, settings: "delivery: latest\nwarmup: 1s\ndrain: 1s\n"}
	polled := pushed
	pushed.rows = func(t results.Trial) []Result {
		return []Result{
			within("pushed every 100 ms: mean, P/2 and the delivery", " ms", ms(period/2+t.Latency.Histogram.Mean()), summary.Measure(metric.AgeMean, t).X, 1),
			within("p99, 0.99 P and the delivery", " ms", 0.99*ms(period)+ms(t.Latency.Histogram.Mean()), ms(t.Age.Age.Quantile(0.99)), 2),
		}
	}
	polled.transport, polled.rate = transports.ShortPoll, rate
	polled.settings += fmt.Sprintf("shortpoll: {interval: %s}\n", interval)
	polled.rows = func(t results.Trial) []Result {
		// Ages of two instants have nothing to do with each other once a message has come
		// between, so a client's mean over a window of D varies by 2/(λ³D).
		const gap = 1000 / rate // ms
		chance := 3.3 * gap * math.Sqrt(2/(rate*window*clients))
		share := model.ShortPollLatestShare(rate, interval.Seconds())
		owed := float64(t.Ledger.Expected)
		return []Result{
			within("polled every 200 ms: mean, T/2 + 1/λ", " ms", ms(interval/2)+gap, summary.Measure(metric.AgeMean, t).X, chance+ms(timers(interval))),
			within("share that is ever delivered, (1 − e^(−λT))/λT", "", share, float64(t.Ledger.Unique)/owed, 3.3*math.Sqrt(share*(1-share)/owed)+0.005),
			exactly("what is not is superseded", t.Ledger.Expected-t.Ledger.Unique, t.Ledger.Superseded),
		}
	}
	return l.rows(pushed, polled)
}

// predicted is what the trial's own theory says of a metric.
func predicted(t results.Trial, metric string) float64 {
	for _, p := range t.Predicted {
		if p.Metric == metric {
			return p.Value
		}
	}
	return math.NaN()
}

// ksRow tests a trial's latencies against the uniform law on (d, d + T).
func ksRow(what string, t results.Trial, m int64, interval time.Duration) Result {
	d := time.Duration(predicted(t, metric.Max)*float64(time.Millisecond)) - interval
	return uniformRow(what, t.Latency.Histogram, m, d, interval)
}

// poissonRows are what is known of short polling under Poisson arrivals of λ a second.
func poissonRows(t results.Trial, rate float64, interval time.Duration) []Result {
	n := t.Latency.Histogram.Count()
	polls := float64(t.Cost.Wire.Polls)
	empty := float64(t.Cost.Wire.EmptyResponses) / polls
	e := math.Exp(-rate * interval.Seconds())
	return []Result{
		ksRow("distance from uniform, λ = "+number(rate)+"/s", t, n, interval),
		quantileRow(t, 0.5, metric.P50, n, interval),
		quantileRow(t, 0.99, metric.P99, n, interval),
		within("share of empty polls", "", e, empty, 3.3*math.Sqrt(e*(1-e)/polls)+0.002),
		within("requests a message", "", predicted(t, metric.RequestsPerMessage),
			summary.Measure(metric.RequestsPerMessage, t).X, predicted(t, metric.RequestsPerMessage)*3.3/math.Sqrt(float64(n))),
	}
}

// quantileRow holds a quantile of n independent uniform latencies to theory: by what
// chance explains at one in a thousand, and what timers may be late by.
func quantileRow(t results.Trial, q float64, metric string, n int64, interval time.Duration) Result {
	chance := 3.3 * math.Sqrt(q*(1-q)/float64(n)) * float64(interval)
	return within(metric, " ms", predicted(t, metric), ms(t.Latency.Histogram.Quantile(q)), ms(time.Duration(chance)+timers(interval)))
}

// hiccups: the process that watches the cores is frozen itself, so every core seems
// to have stood still for that long.
func hiccups(l *lab) (rows []Result, err error) {
	err = host.WithMonitor([]string{l.options.Executable, "awake"}, func(m *host.Monitor) error {
		if _, err := m.Stalls(); err != nil {
			return err
		}
		const stood = 200 * time.Millisecond
		really, frozen := freeze(m.Process.PID(), stood)
		time.Sleep(stood) // for each core's thread to have had its turn, however busy the core is
		stalls, err := m.Stalls()
		for _, s := range stalls {
			rows = append(rows, between(fmt.Sprintf("core %d, frozen for %.0f ms", s.Core, ms(really)), " ms", 0.9*ms(stood), ms(really)+50, ms(s.Longest)))
		}
		return errors.Join(frozen, err)
	})
	if err == nil && len(rows) == 0 {
		err = errors.New("this system does not show standstills")
	}
	return rows, err
}
