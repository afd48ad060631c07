package selftest

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"pushbench/bench/trial"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios/transports"
	"pushbench/servers/wire"
)

// honesty are the proofs about what goes wrong on purpose.
var honesty = []claim{
	{name: "delay", says: "a delay that the server knows it made is what is measured", run: delay},
	{name: "freeze", says: "a server that stands still for a second is seen by every message that was due meanwhile", run: frozenServer},
	{name: "closed-loop", says: "a generator that waits for its answers hides the same standstill: coordinated omission", run: closedLoop},
	{name: "generator-freeze", says: "a generator that stands still is to blame itself", run: frozenGenerator},
	{name: "overload", says: "a server that cannot keep up is said to be overloaded, and everything planned is accounted for", run: overload},
	{name: "lies", says: "what a lying server loses, doubles, swaps and damages is counted exactly, and what is lost is infinite", run: lies},
}

// streams is the workload of most of them: one topic, few subscribers, messages at a
// fixed period from a publisher that stands beside the server.
func streams(rate, clients int, window time.Duration) experiment {
	return experiment{clients: clients, publish: fmt.Sprintf("rate: %d/s, arrivals: periodic", rate), window: window}
}

// pushAndPoll are the transports that all of a server's faults are tried on.
var pushAndPoll = []string{transports.WebSocket, transports.SSE, transports.LongPoll, transports.ShortPoll}

// delay: a server holds every message for a time, by its own account for how long
// really; that much, and no more, must be added to the latency. What the latency is
// without is measured before and after: the rest is known no better than the two agree.
func delay(l *lab) (rows []Result, err error) {
	delays := []time.Duration{0, 5 * time.Millisecond, 50 * time.Millisecond, 250 * time.Millisecond, 0}
	really, p50 := make([]time.Duration, len(delays)), make([]time.Duration, len(delays))
	for i, held := range delays {
		if really[i], p50[i], err = l.heldFor(held, 2*time.Second); err != nil {
			return nil, err
		}
	}
	last := len(delays) - 1
	before, after := p50[0], p50[last]
	for i, held := range delays[1:last] {
		bucket := time.Duration(bucketWidth * float64(held))
		allowed := max(100*time.Microsecond, bucket, (before - after).Abs())
		rows = append(rows, took(fmt.Sprintf("p50 with each message held for %v", held), (before+after)/2+really[i+1], p50[i+1], allowed))
	}
	return rows, nil
}

// heldFor is one trial of a server that holds messages: for how long it did by its own account,
// and what latency that made.
func (l *lab) heldFor(held, window time.Duration) (really, p50 time.Duration, err error) {
	var server wire.Stats
	e := streams(500, 2, window)
	if e.watch = asking(&server); held > 0 {
		e.lie = "delay=" + held.String()
	}
	t, err := l.trial(e)
	return server.Faults.DelayP50, t.Latency.Histogram.Quantile(0.5), err
}

// frozenFor is how long processes are frozen, and frozenAt when in the window.
const (
	frozenFor = time.Second
	frozenAt  = 2 * time.Second
)

// frozenServer: of the messages due in a standstill of F, the one due x after its
// begin waits F − x. So in a window of D, the p-quantile is F − (1 − p)D wherever
// 1 − p < F/D. Draining what piled up takes time as well, and polls add their
// interval: that is what is allowed.
func frozenServer(l *lab) ([]Result, error) {
	// So few messages that the burst after the standstill does not make the generator late.
	const window = 6 * time.Second
	stood := new(frost)
	e := streams(300, 1, window)
	e.untimed = true // what disturbs a trial by milliseconds is nothing beside a second
	e.watch = func(u trial.Underway) {
		if u.Phase == trial.WindowOpened {
			stood.freeze(u.Server, frozenAt)
		}
	}
	e.rows = func(t results.Trial) []Result { return standstill(t, stood.last(), window) }
	return l.rows(e.over(pushAndPoll...)...)
}

// A frost knows for how long a process of the last trial stood still.
type frost struct{ ns atomic.Int64 }

func (f *frost) last() time.Duration { return time.Duration(f.ns.Load()) }

// freeze freezes a process after a while, and closes done when it runs again. Where it cannot,
// the rows will say so.
func (f *frost) freeze(pid int, after time.Duration) (done chan struct{}) {
	f.ns.Store(0)
	done = make(chan struct{})
	go func() {
		defer close(done)
		time.Sleep(after)
		if stood, err := freeze(pid, frozenFor); err == nil {
			f.ns.Store(int64(stood))
		}
	}()
	return done
}

// standstill holds a trial's quantiles to the closed form.
func standstill(t results.Trial, stood, window time.Duration) (rows []Result) {
	spread, added := stood/50, time.Duration(0)
	if transports.Of(t.Transport).Timed {
		const interval = 50 * time.Millisecond
		spread, added = spread+interval, interval/2
	}
	for _, q := range []float64{0.95, 0.99} {
		theory := stood - time.Duration((1-q)*float64(window)) + added
		// What was due meanwhile is drained at some speed, which stretches the tail by up to a fifth.
		drain := time.Duration((1 - q) * float64(window) / 5)
		rows = append(rows, took(fmt.Sprintf("p%g of a standstill of %.3f s", 100*q, stood.Seconds()),
			theory+drain/2, t.Latency.Histogram.Quantile(q), spread+drain/2))
	}
	// Of five sixths that were not held up, the 0.6-quantile: of uniform polls 30 ms.
	low, high := 0.0, 5.0
	if transports.Of(t.Transport).Timed {
		low, high = 20, 40
	}
	return of(t.Transport, append(rows,
		between("max", " ms", 0.98*ms(stood), 1.05*ms(stood+added*2)+50, ms(t.Latency.Histogram.Max())),
		between("p50 hardly knows of it", " ms", low, high, ms(t.Latency.Histogram.Quantile(0.5))),
		exactly("delivered", t.Ledger.Expected, t.Ledger.Unique))...)
}

// frozenGenerator: the check of lateness blames the generator, and no other check does.
// Publications are late by F, those at the begin of the stall, down to nothing at its
// end: half of what is due meanwhile is late by more than F/2, and nothing is without it.
func frozenGenerator(l *lab) (rows []Result, err error) {
	const rate = 500
	stood := new(frost)
	e := streams(rate, 2, 3*time.Second)
	e.counts = true
	e.watch = func(u trial.Underway) {
		if u.Phase == trial.WindowOpened && u.Attempt == 0 {
			stood.freeze(u.Generator, 0)
		}
	}
	run, err := l.measure(e)
	if err != nil {
		return nil, err
	}
	return frozenGeneratorRows(run.Trials, stood.last(), rate), nil
}

// frozenGeneratorRows hold a trial whose generator was frozen for a time, and the one after it.
func frozenGeneratorRows(trials []results.Trial, f time.Duration, rate float64) []Result {
	first, last := trials[0], trials[len(trials)-1]
	blamed, again, after := "", "yes", string(last.Status)
	if slices.ContainsFunc(first.FailedChecks(), func(g results.ValidityCheck) bool { return g.Name == validity.GeneratorOnTime }) {
		blamed = validity.GeneratorOnTime
	}
	if !validity.Disturbed(first) {
		again = "no: " + reasons(first)
	}
	if validity.Disturbed(last) {
		after = "disturbed by the machine"
	}
	allowed := f/20 + 10*time.Millisecond
	sound := Result{What: "the same without the stall", Expected: "no defect", Measured: after, Passed: len(trials) > 1 && (last.Status == results.Complete || validity.Disturbed(last))}
	return []Result{
		exactly("the trial", results.Invalid, first.Status),
		exactly("the check that failed", validity.GeneratorOnTime, blamed),
		exactly("so that it is measured again", "yes", again),
		took("the longest lateness", f, first.Publishes.Lateness.Max(), allowed),
		within("publications later than half the stall", "", rate*f.Seconds()/2, float64(above(first.Publishes.Lateness, f/2)), rate*allowed.Seconds()),
		exactly("planned = on time + late + dropped", first.Publishes.Planned, first.Publishes.OnTime+first.Publishes.Late+first.Publishes.Dropped),
		sound,
		exactly("and as late as that", 0, above(last.Publishes.Lateness, f/2)),
	}
}

// above is how many durations were longer than d, to the bucket.
func above(h results.Histogram, d time.Duration) (n int64) {
	if h.HDR() == nil {
		return 0
	}
	for _, bar := range h.HDR().Distribution() {
		if bar.From > int64(d) {
			n += bar.Count
		}
	}
	return n
}

// overload: each publication costs the server 2 ms or more, so that it can take 500 a
// second at most, and is offered four times as many.
func overload(l *lab) ([]Result, error) {
	const rate, warmUp, window = 2000, 0.3, 4
	var server wire.Stats
	e := streams(rate, 1, window*time.Second)
	e.lie, e.expects, e.watch = "work=2ms", results.Saturated, asking(&server)
	e.rows = func(t results.Trial) []Result {
		p, led := t.Publishes, t.Ledger
		took := float64(server.Published) // by the server's own count, those of the warm-up included
		return []Result{
			exactly("planned", rate*window, p.Planned),
			exactly("planned = on time + late + dropped", p.Planned, p.OnTime+p.Late+p.Dropped),
			exactly("sent = acknowledged + failed + unknown", p.Sent, p.Acknowledged+p.Failed+p.Unknown),
			exactly("owed = unique + superseded + gap + lost", led.Expected, led.Unique+led.Superseded+led.DeclaredGap+led.Lost),
			between("published, by the server's count: at most 500 a second", "", 500, 500*(warmUp+window+drained), took),
			// They go in turn, so that all of the warm-up are among them; a fifth of a second passes between the two counts.
			within("acknowledged of the window", "", took-rate*warmUp, float64(p.Acknowledged), 500/5),
			exactly("p99", "∞", quantile(t.Latency, 0.99)),
		}
	}
	return l.rows(e)
}

// Every so many-th message; no two of them strike the same one of 3,000.
const (
	dropEvery    = 97
	doubleEvery  = 89
	swapEvery    = 101
	corruptEvery = 103
)

func lies(l *lab) ([]Result, error) {
	const clients = 5
	e := streams(1000, clients, 3*time.Second)
	e.settings, e.untimed = "warmup: 0s\ndrain: 500ms\n", true
	e.lie = fmt.Sprintf("drop=%d,double=%d,swap=%d,corrupt=%d", dropEvery, doubleEvery, swapEvery, corruptEvery)
	e.rows = func(t results.Trial) []Result {
		n := t.Publishes.Planned
		rows := []Result{
			exactly("lost", clients*(n/dropEvery+n/corruptEvery), t.Ledger.Lost),
			exactly("duplicates", clients*(n/doubleEvery), t.Ledger.Duplicates),
			exactly("out of order", clients*(n/swapEvery), t.Ledger.Reordered),
			exactly("damaged", clients*(n/corruptEvery), t.Ledger.Corrupt),
			exactly("received = unique + duplicates + unexpected", t.Ledger.Received, t.Ledger.Unique+t.Ledger.Duplicates+t.Ledger.Unexpected),
		}
		if t.Transport != transports.ShortPoll { // whose poll cycles are too few for a p99
			rows = append(rows, exactly("p99, of which 2 % never came", "∞", quantile(t.Latency, 0.99)))
		}
		return of(t.Transport, rows...)
	}
	return l.rows(e.over(pushAndPoll...)...)
}

func quantile(l results.Latency, q float64) string {
	switch d, never, ok := l.Quantile(q); {
	case never:
		return "∞"
	case !ok:
		return "n/a"
	default:
		return number(ms(d)) + " ms"
	}
}
