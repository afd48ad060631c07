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

// The rows of a proof are worth what they refuse: each is shown a trial that is as
// theory says, and trials that are wrong in one way.

// refuses checks that of the rows those fail, and only those, whose What holds one of the texts.
func refuses(t *testing.T, name string, rows []Result, failing ...string) {
	t.Helper()
	for _, r := range rows {
		want := true
		for _, f := range failing {
			want = want && !strings.Contains(r.What, f)
		}
		if r.Passed != want {
			t.Errorf("%s: %s: theory %s, measured %s %s: passed %v, want %v", name, r.What, r.Expected, r.Measured, r.Allowed, r.Passed, want)
		}
	}
	for _, f := range failing {
		found := false
		for _, r := range rows {
			found = found || strings.Contains(r.What, f)
		}
		if !found {
			t.Errorf("%s: no row is about %q", name, f)
		}
	}
}

func trialOf(transport string, theory map[string]float64, latencies ...time.Duration) results.Trial {
	t := results.Trial{Transport: transport}
	for _, d := range latencies {
		t.Latency.Histogram.Record(d)
	}
	n := int64(len(latencies))
	t.Ledger = results.Ledger{Expected: n, Unique: n, Received: n}
	for metric, x := range theory {
		t.Predicted = append(t.Predicted, results.Prediction{Metric: metric, Value: x})
	}
	return t
}

func TestStandstillRowsRefuseWhatHidesIt(t *testing.T) {
	const window, gap = 6 * time.Second, time.Second / 300
	stood := time.Second
	hidden := func(seen func(due time.Duration) time.Duration) results.Trial {
		var all []time.Duration
		for due := time.Duration(0); due < window; due += gap {
			all = append(all, seen(due))
		}
		return trialOf("websocket", nil, all...)
	}
	still := func(due time.Duration) bool { return due >= frozenAt && due < frozenAt+stood }
	open := hidden(func(due time.Duration) time.Duration {
		if still(due) {
			return frozenAt + stood - due
		}
		return time.Millisecond / 2
	})
	refuses(t, "open loop", standstill(open, stood, window))
	first := true
	closed := hidden(func(due time.Duration) time.Duration {
		if still(due) && first {
			first = false
			return stood
		}
		return time.Millisecond / 2
	})
	refuses(t, "closed loop", standstill(closed, stood, window), "p95", "p99")
	late := hidden(func(due time.Duration) time.Duration {
		if still(due) {
			return frozenAt + stood - due
		}
		return 40 * time.Millisecond
	})
	refuses(t, "40 ms more everywhere", standstill(late, stood, window), "p50")
	half := hidden(func(due time.Duration) time.Duration {
		if still(due) {
			return (frozenAt + stood - due) / 2
		}
		return time.Millisecond / 2
	})
	refuses(t, "half of it", standstill(half, stood, window), "p95", "p99", "max")
}

func TestFrozenGeneratorRowsRefuseAnotherBlame(t *testing.T) {
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
	rows := func(trials ...results.Trial) []Result { return frozenGeneratorRows(trials, stall, rate) }
	first := late(stall, validity.GeneratorOnTime)
	refuses(t, "as it must be", rows(first, late(0)))
	refuses(t, "and a busy machine", rows(first, late(stall/10, validity.GeneratorOnTime, validity.CoresRunning)))
	refuses(t, "a ledger that is blamed as well", rows(late(stall, validity.GeneratorOnTime, validity.LittlesLaw), late(0)), "measured again")
	refuses(t, "nothing noticed", rows(late(stall), late(0)), "the trial", "check that failed", "measured again")
	refuses(t, "half of it seen", rows(late(stall/2, validity.GeneratorOnTime), late(0)), "longest lateness", "later than half")
	refuses(t, "late without a stall", rows(first, late(stall, validity.GeneratorOnTime)), "and as late as that")
	refuses(t, "a defect without a stall", rows(first, late(0, validity.LedgerAddsUp)), "the same without")
	refuses(t, "not measured again", rows(first), "the same without", "and as late as that")
}

// polled is a trial of short polls under Poisson arrivals, whose latencies a law gives.
func polled(random *rand.Rand, rate float64, interval time.Duration, law func(u float64) time.Duration) results.Trial {
	const n = 3000
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = law(random.Float64())
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

func TestShortPollRowsRefuseOtherLaws(t *testing.T) {
	const rate, interval, d = 5.0, 200 * time.Millisecond, time.Millisecond
	random := rand.New(rand.NewPCG(1, 9))
	uniformly := func(u float64) time.Duration { return d + time.Duration(u*float64(interval)) }
	refuses(t, "as theory says", poissonRows(polled(random, rate, interval, uniformly), rate, interval))
	refuses(t, "all in phase", poissonRows(polled(random, rate, interval, func(float64) time.Duration { return d + interval/2 }), rate, interval), "uniform", "p99")
	refuses(t, "a tenth longer", poissonRows(polled(random, rate, interval, func(u float64) time.Duration { return d + time.Duration(1.1*u*float64(interval)) }), rate, interval),
		"uniform", "p50", "p99")
	twice := polled(random, rate, interval, uniformly)
	twice.Cost.Wire.Requests, twice.Cost.Wire.Polls = 2*twice.Cost.Wire.Requests, 2*twice.Cost.Wire.Polls
	refuses(t, "every poll twice", poissonRows(twice, rate, interval), "share of empty polls", "requests a message")
}

// longPolled simulates long polling: messages wait for the next poll, which arrives R
// after the last answer.
func longPolled(random *rand.Rand, rate float64, rearm time.Duration, told time.Duration) results.Trial {
	const n = 20000
	var arrivals []float64
	for at := 0.0; len(arrivals) < n; {
		at += random.ExpFloat64() / rate
		arrivals = append(arrivals, at)
	}
	r := rearm.Seconds()
	var all []time.Duration
	answers, free := 0, 0.0
	for i := 0; i < n; answers++ {
		answer := max(arrivals[i], free)
		for ; i < n && arrivals[i] <= answer; i++ {
			all = append(all, rearm/2+time.Duration((answer-arrivals[i])*1e9))
		}
		free = answer + r
	}
	b := model.LongPollBatch(rate, told.Seconds())
	t := trialOf("longpoll", map[string]float64{
		metric.P50:              1000 * model.LongPollQuantile(told.Seconds()/2, rate, told.Seconds(), 0.5),
		metric.P99:              1000 * model.LongPollQuantile(told.Seconds()/2, rate, told.Seconds(), 0.99),
		metric.MessagesPerBatch: b, metric.RequestsPerMessage: 1 / b,
	}, all...)
	t.Cost.Wire.Requests, t.Cost.Wire.Batches = int64(answers), int64(answers)
	t.Cost.Delivered = n
	return t
}

func TestLongPollRowsRefuseAnotherGap(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	reached := experiment{rate: 20, rtt: 80 * time.Millisecond}
	refuses(t, "as theory says", longPollRows(longPolled(random, reached.rate, reached.rtt, reached.rtt), reached))
	refuses(t, "a third of the gap", longPollRows(longPolled(random, reached.rate, reached.rtt/3, reached.rtt), reached),
		"fastest", "p50", "p99", "messages an answer", "requests a message")
}
