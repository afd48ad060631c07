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

// arithmetic are the proofs that need neither a server nor a clock.
var arithmetic = []claim{
	{name: "recorder", says: "what is recorded is what happened, to the bucket", run: recorder},
	{name: "window", says: "the window's edges are exact: what counts is when a message was due", run: windowEdges},
	{name: "quantiles", says: "quantiles and merging agree with sorting everything", run: quantiles},
	{name: "survivors", says: "a server that discards what would be slow is not rewarded for it", run: survivors},
	{name: "gates", says: "every gate passes a sound trial and refuses those that were spoilt for it", run: gates},
	{name: "schedule", says: "the same seed plans the same messages, and Poisson arrivals are Poisson", run: schedules},
}

// A stage is a recorder with a plan, whose clock is ours.
type stage struct {
	plan     *schedule.Schedule
	book     *record.Book
	recorder *record.Recorder
	run      uint32
}

const stageStart = clock.Instant(time.Hour)

// newStage plans messages for one client: due so long after the warm-up's begin.
func newStage(due ...time.Duration) (*stage, error) {
	s, err := experiment{transport: "websocket", publish: "rate: 1/s", settings: "warmup: 1s\n", window: 10 * time.Second}.read("stage")
	if err != nil {
		return nil, err
	}
	messages := make([]schedule.Message, len(due))
	for i, d := range due {
		messages[i] = schedule.Message{Due: d, Publisher: schedule.Backend, Size: 64}
	}
	g := &stage{plan: schedule.Of(s, messages), run: 7}
	g.book = record.NewBook(g.plan, s, transports.WebSocket, g.run)
	g.book.Begin(stageStart)
	g.recorder = record.NewRecorder(g.book, []int{0})
	g.recorder.Event(0, client.Event{Kind: client.Connected}, stageStart)
	return g, nil
}

// deliver hands the client a message so long after it was due.
func (g *stage) deliver(index int, after time.Duration) {
	data := payload.Append(nil, g.run, uint32(index), 64)
	g.recorder.Deliver(0, &client.Batch{Messages: []client.Message{{Topic: []byte(g.plan.Topics[0]), Seq: uint64(index + 1), Data: data}}},
		stageStart.Add(g.plan.Messages[index].Due+after))
}

// recorder feeds known latencies through the path that real ones take.
func recorder(*lab) ([]Result, error) {
	due := time.Second + time.Millisecond // in the window
	lost := 0
	const steps = 400
	for i := range steps {
		g, err := newStage(due)
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
		exactly("of 400 latencies from 1 µs to 60 s, lost or in another bucket", 0, lost),
		exactly("values outside the bounds are counted, not clamped", 2, beyond.Overflow()),
	}, nil
}

// inItsBucket says whether a histogram holds one value, in the bucket it belongs to.
func inItsBucket(h results.Histogram, d time.Duration) bool {
	found := h.Count() == 1 && h.Overflow() == 0
	for _, bar := range h.HDR().Distribution() {
		found = found && (bar.Count == 0 || bar.From <= int64(d) && int64(d) <= bar.To)
	}
	return found
}

// windowEdges: a nanosecond before the window opens, as it opens, a nanosecond
// before it closes, as it closes.
func windowEdges(*lab) ([]Result, error) {
	const opens, closes = time.Second, 11 * time.Second
	g, err := newStage(opens-1, opens, closes-1, closes)
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
		exactly("owed", 2, ledger.Expected),
		exactly("counted", 2, latency.Histogram.Count()),
		exactly("unexpected, as the others were known", 0, ledger.Unexpected),
	}, nil
}

// quantiles are compared with a sorted list, whole and merged from parts in any order.
func quantiles(*lab) ([]Result, error) {
	random := rand.New(rand.NewPCG(1, 2))
	const n, parts = 100_000, 7
	all := make([]time.Duration, n)
	var whole results.Histogram
	split := make([]results.Histogram, parts)
	for i := range all {
		d := time.Duration(math.Exp(random.NormFloat64()*1.5+13) + 1000) // ns: a long tail around 0.4 ms
		if i%1000 == 0 {
			d *= 1000 // a crafted skew: no mean of parts' quantiles would find it
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
		between("largest error of a quantile, in buckets (0.1 %, 512 ns at least)", "", 0, 1, worst),
		holds("merged from 7 parts, in either order", "equal", merged.Equal(whole) && reversed.Equal(whole)),
		exactly("counted", n, merged.Count()),
		exactly("exact maximum", all[n-1], merged.Max()),
	}, nil
}

// survivors: one server discards the 5 % that would take 200 ms, another delivers
// them. By what arrived the first is four times as fast; by what was owed it is not.
func survivors(*lab) ([]Result, error) {
	const n = 2000
	due := make([]time.Duration, n)
	for i := range due {
		due[i] = time.Second + time.Duration(i)*time.Millisecond
	}
	var honest, discarding results.Latency
	for latency, slow := range map[*results.Latency]time.Duration{&honest: 200 * time.Millisecond, &discarding: 0} {
		g, err := newStage(due...)
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
		exactly("p99 of what was owed, 5 % never delivered", "∞", quantile(discarding, 0.99)),
		took("p99 of an honest slow server", 200*time.Millisecond, honest.Histogram.Quantile(0.99), 200*time.Microsecond),
		exactly("infinite", n/20, discarding.Infinite),
		// Of 20 latencies in a row, 19 arrive: of 1…50 ms the 26th, by what was owed the 27th.
		took("p50 of what was owed", 27*time.Millisecond, median, 27*time.Microsecond),
	}, nil
}

// schedules: planned twice, they are equal; exponential gaps pass the test of
// Anderson and Darling with a known mean at 1 %.
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
	const limit = 3.857 // of A² for a fully known distribution, at 1 % (Stephens, 1974)
	return []Result{
		holds("two plans of one seed and block", "equal", slices.Equal(a.Messages, b.Messages)),
		holds("another block", "another plan", !slices.Equal(a.Messages, other.Messages)),
		between(fmt.Sprintf("A² of Anderson and Darling, of %d gaps", len(gaps)), "", 0, limit, andersonDarling(gaps)),
	}, nil
}
