package selftest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/results"
	"pushbench/scenarios/transports"
)

// arithmetic are the checks that need neither a server nor a clock.
var arithmetic = []check{
	{name: "recorder", title: "every latency is recorded in its bucket", run: recorder},
	{name: "window", title: "the edges of the window are exact: a message counts if its due instant lies in the window", run: windowEdges},
	{name: "quantiles", title: "quantiles and merged histograms agree with a sorted list", run: quantiles},
	{name: "lost-messages", title: "lost messages count in the quantiles: discarding slow messages does not help a server", run: lostMessages},
	{name: "price", title: "the price of a trial with known resource use is the price computed by hand", run: knownPrice},
	{name: "checks", title: "every validity check accepts a valid trial and rejects the trials corrupted for it", run: validityChecks},
	{name: "schedule", title: "equal seeds plan equal messages, and Poisson arrivals are Poisson", run: schedules},
}

// A fixture is a recorder with a plan and a simulated clock.
type fixture struct {
	plan     *schedule.Schedule
	book     *record.Book
	recorder *record.Recorder
	run      uint32
}

const fixtureStart = clock.Instant(time.Hour)

// newFixture plans messages for one client. Each due instant counts from the start of the warm-up.
func newFixture(due ...time.Duration) (*fixture, error) {
	s, err := experiment{transport: "websocket", publish: "rate: 1/s", settings: "warmup: 1s\n", window: 10 * time.Second}.read("stage")
	if err != nil {
		return nil, err
	}
	messages := make([]schedule.Message, len(due))
	for i, d := range due {
		messages[i] = schedule.Message{Due: d, Publisher: schedule.Backend, Size: 64}
	}
	g := &fixture{plan: schedule.Of(s, messages), run: 7}
	g.book = record.NewBook(g.plan, s, transports.WebSocket, g.run)
	g.book.Begin(fixtureStart)
	g.recorder = record.NewRecorder(g.book, []int{0})
	g.recorder.Event(0, client.Event{Kind: client.Connected}, fixtureStart)
	return g, nil
}

// deliver delivers a message to the client with a given latency.
func (g *fixture) deliver(index int, after time.Duration) {
	data := payload.Append(nil, g.run, uint32(index), 64)
	g.recorder.Deliver(0, &client.Batch{Messages: []client.Message{{Topic: []byte(g.plan.Topics[0]), Data: data}}},
		fixtureStart.Add(g.plan.Messages[index].Due+after))
}

// recorder records known latencies through the path of real ones.
func recorder(*lab) ([]Result, error) {
	due := time.Second + time.Millisecond // in the window
	lost := 0
	const steps = 400
	for i := range steps {
		g, err := newFixture(due)
		if err != nil {
			return nil, err
		}
		d := time.Duration(float64(time.Microsecond) * math.Pow(60e6, float64(i)/(steps-1))) // 1 µs … 60 s
		g.deliver(0, d)
		g.recorder.Take()
		ledger, latency := g.recorder.Close()
		if ledger.Lost > 0 || !inItsBucket(latency.Histogram, d) {
			lost++
		}
	}
	var beyond results.Histogram
	for _, d := range []time.Duration{-1, 24 * time.Hour, time.Second} {
		beyond.Record(d)
	}
	return []Result{
		exactly("400 latencies, 1 µs to 60 s: lost or misplaced", 0, lost),
		exactly("values out of bounds: counted, not clamped", 2, beyond.Overflow()),
	}, nil
}

// inItsBucket reports whether a histogram holds one value, in the right bucket.
func inItsBucket(h results.Histogram, d time.Duration) bool {
	found := h.Count() == 1 && h.Overflow() == 0
	for _, bar := range h.HDR().Distribution() {
		found = found && (bar.Count == 0 || bar.From <= int64(d) && int64(d) <= bar.To)
	}
	return found
}

// windowEdges schedules messages 1 ns before the window opens, when it opens, 1 ns before
// it closes, and when it closes.
func windowEdges(*lab) ([]Result, error) {
	const opens, closes = time.Second, 11 * time.Second
	g, err := newFixture(opens-1, opens, closes-1, closes)
	if err != nil {
		return nil, err
	}
	for i := range g.plan.Messages {
		g.deliver(i, time.Millisecond)
	}
	g.recorder.Take()
	ledger, latency := g.recorder.Close()
	planned, _ := g.book.Publishes()
	return []Result{
		exactly("planned", 2, planned.Planned),
		exactly("expected", 2, ledger.Expected),
		exactly("counted", 2, latency.Histogram.Count()),
		exactly("unexpected (the others were planned)", 0, ledger.Unexpected),
	}, nil
}

// quantiles compares the quantiles of one histogram, and of histograms merged in either
// order, with a sorted list.
func quantiles(*lab) ([]Result, error) {
	random := rand.New(rand.NewPCG(1, 2))
	const n, parts = 100_000, 7
	all := make([]time.Duration, n)
	var whole results.Histogram
	split := make([]results.Histogram, parts)
	for i := range all {
		d := time.Duration(math.Exp(random.NormFloat64()*1.5+13) + 1000) // ns: a long tail around 0.4 ms
		if i%1000 == 0 {
			d *= 1000 // a skew that no mean of the parts' quantiles would reproduce
		}
		all[i] = d
		whole.Record(d)
		split[random.IntN(parts)].Record(d)
	}
	slices.Sort(all)
	worst := 0.0
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 0.9999} {
		exact := all[int(math.Ceil(q*n))-1]
		worst = max(worst, math.Abs(float64(whole.Quantile(q)-exact))/float64(max(512, exact/1000)))
	}
	var merged, reversed results.Histogram
	for i := range split {
		merged.Merge(split[i])
		reversed.Merge(split[parts-1-i])
	}
	return []Result{
		between("largest quantile error in buckets (max(0.1 %, 512 ns))", "", 0, 1, worst),
		holds("merged from 7 parts, in either order", "equal", merged.Equal(whole) && reversed.Equal(whole)),
		exactly("counted", n, merged.Count()),
		exactly("exact maximum", all[n-1], merged.Max()),
	}, nil
}

// lostMessages compares a server that discards the 5 % of messages that would take 200 ms
// with one that delivers them. Over the delivered messages the first is four times as
// fast; over the expected messages it is not.
func lostMessages(*lab) ([]Result, error) {
	const n = 2000
	due := make([]time.Duration, n)
	for i := range due {
		due[i] = time.Second + time.Duration(i)*time.Millisecond
	}
	var delivering, discarding results.Latency
	for latency, slow := range map[*results.Latency]time.Duration{&delivering: 200 * time.Millisecond, &discarding: 0} {
		g, err := newFixture(due...)
		if err != nil {
			return nil, err
		}
		for i := range due {
			switch after := time.Duration(1+i%50) * time.Millisecond; {
			case i%20 > 0:
				g.deliver(i, after)
			case slow > 0:
				g.deliver(i, slow)
			}
		}
		g.recorder.Take()
		_, *latency = g.recorder.Close()
		latency.Independent = n
	}
	median, _, _ := discarding.Quantile(0.5)
	return []Result{
		exactly("p99 of all expected messages, 5 % never delivered", "∞", quantile(discarding, 0.99)),
		took("p99 of a server that delivers them slowly", 200*time.Millisecond, delivering.Histogram.Quantile(0.99), 200*time.Microsecond),
		exactly("infinite latencies", n/20, discarding.Infinite),
		// 19 of 20 consecutive latencies arrive. The median of 1…50 ms is the 26th value
		// over the delivered messages, the 27th over the expected messages.
		took("p50 of all expected messages", 27*time.Millisecond, median, 27*time.Microsecond),
	}, nil
}

// schedules checks that two plans are equal, and that exponential gaps pass the
// Anderson-Darling test with a known mean at 1 %.
func schedules(*lab) ([]Result, error) {
	s, err := experiment{transport: "websocket", clients: 100, settings: "publish: {by: clients, rate: 10000/s}\nwarmup: 0s\nseed: 3\n", window: 10 * time.Second}.read("plan")
	if err != nil {
		return nil, err
	}
	a, b, other := schedule.New(s, 1), schedule.New(s, 1), schedule.New(s, 2)
	gaps := make([]float64, len(a.Messages))
	last := time.Duration(0)
	for i, m := range a.Messages {
		gaps[i] = 1 - math.Exp(-float64(m.Due-last)/float64(100*time.Microsecond)) // uniform if exponential
		last = m.Due
	}
	const limit = 3.857 // A² of a fully specified distribution, at 1 % (Stephens, 1974)
	return []Result{
		holds("two plans of the same seed and repetition", "equal", slices.Equal(a.Messages, b.Messages)),
		holds("plans of different repetitions", "different", !slices.Equal(a.Messages, other.Messages)),
		between(fmt.Sprintf("Anderson-Darling A² of %d gaps", len(gaps)), "", 0, limit, andersonDarling(gaps)),
	}, nil
}
