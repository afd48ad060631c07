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

// models are the checks that compare a run with a closed-form model.
var models = []check{
	{name: "shortpoll", title: "short polling's latency is uniform on (d, d + T), even if the publisher's period equals the interval", run: uniformPolls},
	{name: "age", title: "age of information and share of superseded messages follow from rates and intervals", run: ages},
	{name: "stalls", title: "the stall monitor measures a stall of known length", on: "linux", run: monitoredStalls},
}

// uniformPolls publishes messages at random times, each to one client, so that all latencies
// are independent. Then it publishes one message per interval to all clients: their phases
// alone determine the latency, because they connect at nearly the same time.
func uniformPolls(l *lab) ([]Result, error) {
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

// ages checks a push with period P, where the age at a client lies between 0 and P, and
// polls every T of Poisson messages, each of which delivers only the latest message.
func ages(l *lab) ([]Result, error) {
	const period, interval, clients, rate, window = 100 * time.Millisecond, 200 * time.Millisecond, 100, 10.0, 4
	pushed := experiment{clients: clients, publish: fmt.Sprintf("rate: %g/s, arrivals: periodic", rate), window: window * time.Second, settings: "delivery: latest\nwarmup: 1s\ndrain: 1s\n"}
	polled := pushed
	pushed.rows = func(t results.Trial) []Result {
		return []Result{
			within("pushed every 100 ms: mean, P/2 + latency", " ms", ms(period/2+t.Latency.Histogram.Mean()), summary.Measure(metric.AgeMean, t).X, 1),
			within("p99, 0.99 P + latency", " ms", 0.99*ms(period)+ms(t.Latency.Histogram.Mean()), ms(t.Age.Age.Quantile(0.99)), 2),
		}
	}
	polled.transport, polled.rate = transports.ShortPoll, rate
	polled.settings += fmt.Sprintf("shortpoll: {interval: %s}\n", interval)
	polled.rows = func(t results.Trial) []Result {
		// Ages at two times are independent if a message arrives between them, so the mean of a
		// client over a window of D has the variance 2/(λ³D).
		const gap = 1000 / rate // ms
		chance := 3.3 * gap * math.Sqrt(2/(rate*window*clients))
		share := model.ShortPollLatestShare(rate, interval.Seconds())
		expected := float64(t.Ledger.Expected)
		return []Result{
			within("polled every 200 ms: mean, T/2 + 1/λ", " ms", ms(interval/2)+gap, summary.Measure(metric.AgeMean, t).X, chance+ms(timers(interval))),
			within("share delivered, (1 − e^(−λT))/λT", "", share, float64(t.Ledger.Delivered)/expected, 3.3*math.Sqrt(share*(1-share)/expected)+0.005),
			exactly("superseded: all others", t.Ledger.Expected-t.Ledger.Delivered, t.Ledger.Superseded),
		}
	}
	return l.rows(pushed, polled)
}

// predicted returns the prediction of the trial's model for a metric.
func predicted(t results.Trial, metric string) float64 {
	for _, p := range t.Predicted {
		if p.Metric == metric {
			return p.Value
		}
	}
	return math.NaN()
}

// ksRow tests the latencies of a trial against the uniform distribution on (d, d + T).
func ksRow(what string, t results.Trial, m int64, interval time.Duration) Result {
	d := time.Duration(predicted(t, metric.Max)*float64(time.Millisecond)) - interval
	return uniformRow(what, t.Latency.Histogram, m, d, interval)
}

// poissonRows compares short polling with its model under Poisson arrivals of λ per second.
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
		within("requests per message", "", predicted(t, metric.RequestsPerMessage),
			summary.Measure(metric.RequestsPerMessage, t).X, predicted(t, metric.RequestsPerMessage)*3.3/math.Sqrt(float64(n))),
	}
}

// quantileRow compares a quantile of n independent uniform latencies with the model. The
// tolerance is chance at p = 0.001 plus the lateness of timers.
func quantileRow(t results.Trial, q float64, metric string, n int64, interval time.Duration) Result {
	chance := 3.3 * math.Sqrt(q*(1-q)/float64(n)) * float64(interval)
	return within(metric, " ms", predicted(t, metric), ms(t.Latency.Histogram.Quantile(q)), ms(time.Duration(chance)+timers(interval)))
}

// monitoredStalls freezes the stall monitor itself, so that every core appears to stall for
// that time.
func monitoredStalls(l *lab) (rows []Result, err error) {
	err = host.WithMonitor([]string{l.options.Executable, "prevent-idle"}, func(m *host.Monitor) error {
		if _, err := m.Stalls(); err != nil {
			return err
		}
		const intended = 200 * time.Millisecond
		actual, freezeErr := freeze(m.Process.PID(), intended)
		time.Sleep(intended) // until the thread on each core has run, even on a busy core
		stalls, err := m.Stalls()
		for _, s := range stalls {
			rows = append(rows, between(fmt.Sprintf("core %d, frozen for %.0f ms", s.Core, ms(actual)), " ms", 0.9*ms(intended), ms(actual)+50, ms(s.Longest)))
		}
		return errors.Join(freezeErr, err)
	})
	if err == nil && len(rows) == 0 {
		err = errors.New("this system does not report CPU stalls")
	}
	return rows, err
}
