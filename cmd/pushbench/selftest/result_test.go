package selftest

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pushbench/bench/model"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/results/metric"
)

// A row that cannot fail checks nothing. Each check therefore gets a trial that agrees with
// the model, and trials that are wrong in one way.

// rejects checks that exactly the rows fail whose What contains one of the texts.
func rejects(t *testing.T, name string, rows []Result, failing ...string) {
	t.Helper()
	for _, r := range rows {
		want := true
		for _, f := range failing {
			want = want && !strings.Contains(r.What, f)
		}
		if r.Passed != want {
			t.Errorf("%s: %s: expected %s, measured %s %s: passed %v, want %v", name, r.What, r.Expected, r.Measured, r.Allowed, r.Passed, want)
		}
	}
	for _, f := range failing {
		found := false
		for _, r := range rows {
			found = found || strings.Contains(r.What, f)
		}
		if !found {
			t.Errorf("%s: no row contains %q", name, f)
		}
	}
}

func trialOf(transport string, predicted map[string]float64, latencies ...time.Duration) results.Trial {
	t := results.Trial{Transport: transport}
	for _, d := range latencies {
		t.Latency.Histogram.Record(d)
	}
	n := int64(len(latencies))
	t.Ledger = results.Ledger{Expected: n, Delivered: n, Received: n}
	for metric, x := range predicted {
		t.Predicted = append(t.Predicted, results.Prediction{Metric: metric, Value: x})
	}
	return t
}

func TestStallRowsRejectAHiddenStall(t *testing.T) {
	const window, gap = 6 * time.Second, time.Second / 300
	frozen := time.Second
	trialWith := func(latency func(due time.Duration) time.Duration) results.Trial {
		var all []time.Duration
		for due := time.Duration(0); due < window; due += gap {
			all = append(all, latency(due))
		}
		return trialOf("websocket", nil, all...)
	}
	inStall := func(due time.Duration) bool { return due >= frozenAt && due < frozenAt+frozen }
	open := trialWith(func(due time.Duration) time.Duration {
		if inStall(due) {
			return frozenAt + frozen - due
		}
		return time.Millisecond / 2
	})
	rejects(t, "open loop", stallRows(open, frozen, window))
	first := true
	closed := trialWith(func(due time.Duration) time.Duration {
		if inStall(due) && first {
			first = false
			return frozen
		}
		return time.Millisecond / 2
	})
	rejects(t, "closed loop", stallRows(closed, frozen, window), "p95", "p99")
	late := trialWith(func(due time.Duration) time.Duration {
		if inStall(due) {
			return frozenAt + frozen - due
		}
		return 40 * time.Millisecond
	})
	rejects(t, "every latency 40 ms longer", stallRows(late, frozen, window), "p50")
	half := trialWith(func(due time.Duration) time.Duration {
		if inStall(due) {
			return (frozenAt + frozen - due) / 2
		}
		return time.Millisecond / 2
	})
	rejects(t, "half of the stall", stallRows(half, frozen, window), "p95", "p99", "max")
}

func TestGeneratorStallRowsRejectAnotherCause(t *testing.T) {
	const rate, stall, window = 500, time.Second, 3 * time.Second
	late := func(frozen time.Duration, failed ...string) results.Trial {
		t := results.Trial{Status: results.Complete}
		for due := time.Duration(0); due < window; due += time.Second / rate {
			t.Publishes.Lateness.Record(max(20*time.Microsecond, frozen-due))
			t.Publishes.Planned, t.Publishes.Late = t.Publishes.Planned+1, t.Publishes.Late+1
		}
		for _, name := range failed {
			t.Status, t.Checks = results.Invalid, append(t.Checks, results.ValidityCheck{Name: name})
		}
		return t
	}
	rows := func(trials ...results.Trial) []Result { return generatorStallRows(trials, stall, rate) }
	first := late(stall, validity.GeneratorOnTime)
	rejects(t, "correct", rows(first, late(0)))
	rejects(t, "correct on a busy machine", rows(first, late(stall/10, validity.GeneratorOnTime, validity.CoresRunning)))
	rejects(t, "another check fails as well", rows(late(stall, validity.GeneratorOnTime, validity.LittlesLaw), late(0)), "repeated")
	rejects(t, "not detected", rows(late(stall), late(0)), "status of the trial", "check that failed", "repeated")
	rejects(t, "half of the stall detected", rows(late(stall/2, validity.GeneratorOnTime), late(0)), "maximum lateness", "publications later than half")
	rejects(t, "late without a stall", rows(first, late(stall, validity.GeneratorOnTime)), "second attempt: later than half")
	rejects(t, "a defect without a stall", rows(first, late(0, validity.LedgerAddsUp)), "second attempt, without")
	rejects(t, "not repeated", rows(first), "second attempt, without", "second attempt: later than half")
}

// polled returns a trial of short polls under Poisson arrivals, with latencies from a
// quantile function.
func polled(random *rand.Rand, rate float64, interval time.Duration, latency func(u float64) time.Duration) results.Trial {
	const n = 3000
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = latency(random.Float64())
	}
	d := time.Millisecond
	t := trialOf("shortpoll", map[string]float64{
		metric.Max: ms(d + interval), metric.P50: ms(d + interval/2), metric.P99: ms(d + interval*99/100),
		metric.RequestsPerMessage: model.ShortPollRequests(rate, interval.Seconds()),
	}, all...)
	polls := math.Round(n / (rate * interval.Seconds()))
	t.Cost.Wire.Requests, t.Cost.Wire.Polls = int64(polls), int64(polls)
	t.Cost.Wire.EmptyResponses = int64(polls * math.Exp(-rate*interval.Seconds()))
	t.Cost.Delivered = n
	return t
}

func TestShortPollRowsRejectOtherDistributions(t *testing.T) {
	const rate, interval, d = 5.0, 200 * time.Millisecond, time.Millisecond
	random := rand.New(rand.NewPCG(1, 9))
	uniformly := func(u float64) time.Duration { return d + time.Duration(u*float64(interval)) }
	rejects(t, "as predicted", poissonRows(polled(random, rate, interval, uniformly), rate, interval))
	rejects(t, "all in phase", poissonRows(polled(random, rate, interval, func(float64) time.Duration { return d + interval/2 }), rate, interval), "uniform", "p99")
	rejects(t, "a tenth longer", poissonRows(polled(random, rate, interval, func(u float64) time.Duration { return d + time.Duration(1.1*u*float64(interval)) }), rate, interval),
		"uniform", "p50", "p99")
	twice := polled(random, rate, interval, uniformly)
	twice.Cost.Wire.Requests, twice.Cost.Wire.Polls = 2*twice.Cost.Wire.Requests, 2*twice.Cost.Wire.Polls
	rejects(t, "every poll twice", poissonRows(twice, rate, interval), "share of empty polls", "requests per message")
}

// longPolled simulates long polling: messages wait for the next poll, which arrives one
// re-poll gap after the last response. The model of the trial assumes another gap.
func longPolled(random *rand.Rand, rate float64, gap time.Duration, assumed time.Duration) results.Trial {
	const n = 20000
	var arrivals []float64
	for at := 0.0; len(arrivals) < n; {
		at += random.ExpFloat64() / rate
		arrivals = append(arrivals, at)
	}
	r := gap.Seconds()
	var all []time.Duration
	responses, free := 0, 0.0
	for i := 0; i < n; responses++ {
		response := max(arrivals[i], free)
		for ; i < n && arrivals[i] <= response; i++ {
			all = append(all, gap/2+time.Duration((response-arrivals[i])*1e9))
		}
		free = response + r
	}
	b := model.LongPollBatch(rate, assumed.Seconds())
	t := trialOf("longpoll", map[string]float64{
		metric.P50:              1000 * model.LongPollQuantile(assumed.Seconds()/2, rate, assumed.Seconds(), 0.5),
		metric.P99:              1000 * model.LongPollQuantile(assumed.Seconds()/2, rate, assumed.Seconds(), 0.99),
		metric.MessagesPerBatch: b, metric.RequestsPerMessage: 1 / b,
	}, all...)
	t.Cost.Wire.Requests, t.Cost.Wire.Batches = int64(responses), int64(responses)
	t.Cost.Delivered = n
	return t
}

func TestLongPollRowsRejectAnotherGap(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	e := experiment{rate: 20, rtt: 80 * time.Millisecond}
	rejects(t, "as predicted", longPollRows(longPolled(random, e.rate, e.rtt, e.rtt), e))
	rejects(t, "a third of the gap", longPollRows(longPolled(random, e.rate, e.rtt/3, e.rtt), e),
		"fastest", "p50", "p99", "messages per response", "requests per message")
}

// Each row rejects a trial that differs in what it compares; the sum rejects all of them.
func TestPriceRowsRejectOtherUsage(t *testing.T) {
	trial := func() (t results.Trial) {
		t.Connect.Clients = 1000
		t.Cost = results.Cost{
			Span: 10 * time.Second, Server: results.Process{CPU: 400 * time.Millisecond},
			Wire: results.Wire{Down: results.Direction{Bytes: 40_000 * 172, Segments: 40_000}, Requests: 500},
			Idle: results.IdleMemory{Probes: 1, First: 300, Added: 1000, Server: results.ResidentSizes{First: 1, All: 1 + 24_576_000}},
		}
		return t
	}
	rejects(t, "the trial", priceRows(trial()))
	for what, change := range map[string]func(*results.Trial){
		"cores":    func(t *results.Trial) { t.Cost.Server.CPU += time.Millisecond },
		"memory":   func(t *results.Trial) { t.Cost.Idle.Server.All += 1 << 20 },
		"egress":   func(t *results.Trial) { t.Cost.Wire.Down.Segments++ },
		"requests": func(t *results.Trial) { t.Cost.Wire.Requests++ },
	} {
		other := trial()
		change(&other)
		rejects(t, what, priceRows(other), what, "price")
	}
}
