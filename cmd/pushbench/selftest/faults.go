package selftest

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"pushbench/bench/agent"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios/transports"
	"pushbench/servers/wire"
)

// faults are the checks with deliberate faults.
var faults = []check{
	{name: "delay", title: "a delay injected into the server is measured exactly", run: delay},
	{name: "server-stall", title: "when a server stalls for 1 s, every message due meanwhile shows the delay", run: serverStall},
	{name: "closed-loop", title: "a closed-loop load generator hides a server stall (coordinated omission)", run: closedLoop},
	{name: "generator-stall", title: "a stall of the load generator is attributed to the load generator", run: generatorStall},
	{name: "overload", title: "a server that falls behind is reported as overloaded, and every message is accounted for", run: overload},
	{name: "faults", title: "messages that a server loses, duplicates, reorders and corrupts are counted exactly; a lost message has infinite latency", run: injectedFaults},
}

// streams is the workload of most of these checks: one topic, few subscribers, messages at
// a fixed period from a backend publisher.
func streams(rate, clients int, window time.Duration) experiment {
	return experiment{clients: clients, publish: fmt.Sprintf("rate: %d/s, arrivals: periodic", rate), window: window}
}

// pushAndPoll are the transports with which every fault is injected.
var pushAndPoll = []string{transports.WebSocket, transports.SSE, transports.LongPoll, transports.ShortPoll}

// delay injects a delay for every message. The server reports the actual delay; the latency
// must grow by exactly that much. The latency without a delay is measured before and after:
// the difference between the two limits the precision.
func delay(l *lab) (rows []Result, err error) {
	delays := []time.Duration{0, 5 * time.Millisecond, 50 * time.Millisecond, 250 * time.Millisecond, 0}
	actual, p50 := make([]time.Duration, len(delays)), make([]time.Duration, len(delays))
	for i, d := range delays {
		if actual[i], p50[i], err = l.delayed(d, 2*time.Second); err != nil {
			return nil, err
		}
	}
	last := len(delays) - 1
	before, after := p50[0], p50[last]
	for i, d := range delays[1:last] {
		bucket := time.Duration(bucketWidth * float64(d))
		allowed := max(100*time.Microsecond, bucket, (before - after).Abs())
		rows = append(rows, took(fmt.Sprintf("p50 with each message delayed by %v", d), (before+after)/2+actual[i+1], p50[i+1], allowed))
	}
	return rows, nil
}

// delayed makes one trial with an injected delay. It returns the actual delay that the
// server reports and the p50 latency.
func (l *lab) delayed(d, window time.Duration) (actual, p50 time.Duration, err error) {
	var server wire.Stats
	e := streams(500, 2, window)
	if e.watch = readStats(&server); d > 0 {
		e.inject = "delay=" + d.String()
	}
	t, err := l.trial(e)
	return server.Faults.DelayP50, t.Latency.Histogram.Quantile(0.5), err
}

// frozenFor is how long processes are frozen, frozenAt the time in the window.
const (
	frozenFor = time.Second
	frozenAt  = 2 * time.Second
)

// serverStall freezes the server for F. A message due x after the start of the stall waits
// F − x. In a window of D, the p-quantile is therefore F − (1 − p)D if 1 − p < F/D.
// Draining the backlog takes time as well, and polls add their interval: the tolerance
// covers both.
func serverStall(l *lab) ([]Result, error) {
	// So few messages that the burst after the stall does not delay the generator.
	const window = 6 * time.Second
	s := new(stall)
	e := streams(300, 1, window)
	e.untimed = true // disturbances of milliseconds are negligible against a second
	e.watch = func(u agent.Running) {
		if u.Phase == agent.WindowOpened {
			s.freeze(u.Server, frozenAt)
		}
	}
	e.rows = func(t results.Trial) []Result { return stallRows(t, s.last(), window) }
	return l.rows(e.over(pushAndPoll...)...)
}

// A stall records how long a process of the last trial was frozen.
type stall struct{ ns atomic.Int64 }

func (s *stall) last() time.Duration { return time.Duration(s.ns.Load()) }

// freeze freezes a process after a delay, and closes resumed when it runs again. If it
// cannot freeze it, the rows fail.
func (s *stall) freeze(pid int, after time.Duration) (resumed chan struct{}) {
	s.ns.Store(0)
	resumed = make(chan struct{})
	go func() {
		defer close(resumed)
		time.Sleep(after)
		if frozen, err := freeze(pid, frozenFor); err == nil {
			s.ns.Store(int64(frozen))
		}
	}()
	return resumed
}

// stallRows compares the quantiles of a trial with the closed form.
func stallRows(t results.Trial, frozen, window time.Duration) (rows []Result) {
	spread, added := frozen/50, time.Duration(0)
	if transports.Of(t.Transport).Timed {
		const interval = 50 * time.Millisecond
		spread, added = spread+interval, interval/2
	}
	for _, q := range []float64{0.95, 0.99} {
		expected := frozen - time.Duration((1-q)*float64(window)) + added
		// The backlog drains at a finite rate, which stretches the tail by up to a fifth.
		drain := time.Duration((1 - q) * float64(window) / 5)
		rows = append(rows, took(fmt.Sprintf("p%g of a stall of %.3f s", 100*q, frozen.Seconds()),
			expected+drain/2, t.Latency.Histogram.Quantile(q), spread+drain/2))
	}
	// The median is the 0.6-quantile of the five sixths without a delay: 30 ms with uniform polls.
	low, high := 0.0, 5.0
	if transports.Of(t.Transport).Timed {
		low, high = 20, 40
	}
	return prefixed(t.Transport, append(rows,
		between("max", " ms", 0.98*ms(frozen), 1.05*ms(frozen+added*2)+50, ms(t.Latency.Histogram.Max())),
		between("p50 (hardly affected)", " ms", low, high, ms(t.Latency.Histogram.Quantile(0.5))),
		exactly("delivered", t.Ledger.Expected, t.Ledger.Delivered))...)
}

// generatorStall freezes the generator for F: the validity check of lateness must fail, and
// no other. Publications are late by F at the start of the stall, by 0 at its end: half of
// those due meanwhile are late by more than F/2. Without a stall none is.
func generatorStall(l *lab) (rows []Result, err error) {
	const rate = 500
	s := new(stall)
	e := streams(rate, 2, 3*time.Second)
	e.counts, e.disturbed = true, true
	e.watch = func(u agent.Running) {
		if u.Phase == agent.WindowOpened && u.Attempt == 0 {
			s.freeze(u.Generator, 0)
		}
	}
	run, err := l.measure(e)
	if err != nil {
		return nil, err
	}
	return generatorStallRows(run.Trials, s.last(), rate), nil
}

// generatorStallRows checks a trial whose generator was frozen for a time, and the next one.
func generatorStallRows(trials []results.Trial, f time.Duration, rate float64) []Result {
	first, last := trials[0], trials[len(trials)-1]
	failed, repeated, after := "", "yes", string(last.Status)
	if slices.ContainsFunc(first.FailedChecks(), func(g results.ValidityCheck) bool { return g.Name == validity.GeneratorOnTime }) {
		failed = validity.GeneratorOnTime
	}
	if !validity.RetryableTrial(first) {
		repeated = "no: " + reasons(first)
	}
	if validity.RetryableTrial(last) {
		after = "disturbed by the machine"
	}
	allowed := f/20 + 10*time.Millisecond
	second := Result{What: "second attempt, without the stall", Expected: "no defect", Measured: after, Passed: len(trials) > 1 && (last.Status == results.Complete || validity.RetryableTrial(last))}
	return []Result{
		exactly("status of the trial", results.Invalid, first.Status),
		exactly("validity check that failed", validity.GeneratorOnTime, failed),
		exactly("trial is repeated", "yes", repeated),
		took("maximum lateness", f, first.Publishes.Lateness.Max(), allowed),
		within("publications later than half the stall", "", rate*f.Seconds()/2, float64(above(first.Publishes.Lateness, f/2)), rate*allowed.Seconds()),
		exactly("planned = on time + late + dropped", first.Publishes.Planned, first.Publishes.OnTime+first.Publishes.Late+first.Publishes.Dropped),
		second,
		exactly("second attempt: later than half the stall", 0, above(last.Publishes.Lateness, f/2)),
	}
}

// above counts the durations longer than d, to the precision of a bucket.
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

// overload makes each publication cost the server 2 ms or more, which limits it to 500 per
// second, and publishes at four times that rate.
func overload(l *lab) ([]Result, error) {
	const rate, warmUp, window = 2000, 0.3, 4
	var server wire.Stats
	e := streams(rate, 1, window*time.Second)
	e.inject, e.expects, e.watch = "work=2ms", results.Saturated, readStats(&server)
	e.rows = func(t results.Trial) []Result {
		p, led := t.Publishes, t.Ledger
		accepted := float64(server.Published) // counted by the server, warm-up included
		return []Result{
			exactly("planned", rate*window, p.Planned),
			exactly("planned = on time + late + dropped", p.Planned, p.OnTime+p.Late+p.Dropped),
			exactly("sent = acknowledged + failed + unknown", p.Sent, p.Acknowledged+p.Failed+p.Unknown),
			exactly("expected = delivered + superseded + gap + lost", led.Expected, led.Delivered+led.Superseded+led.DeclaredGap+led.Lost),
			between("accepted by the server: at most 500 per second", "", 500, 500*(warmUp+window+drained), accepted),
			// Publications keep their order, so that all of the warm-up are among them. The two
			// counts are up to 0.2 s apart.
			within("acknowledged in the window", "", accepted-rate*warmUp, float64(p.Acknowledged), 500/5),
			exactly("p99", "∞", quantile(t.Latency, 0.99)),
		}
	}
	return l.rows(e)
}

// Every n-th message gets a fault; no message of 3,000 gets two.
const (
	dropEvery    = 97
	doubleEvery  = 89
	swapEvery    = 101
	corruptEvery = 103
)

func injectedFaults(l *lab) ([]Result, error) {
	const clients = 5
	e := streams(1000, clients, 3*time.Second)
	e.settings, e.untimed = "warmup: 0s\ndrain: 500ms\n", true
	e.inject = fmt.Sprintf("drop=%d,double=%d,swap=%d,corrupt=%d", dropEvery, doubleEvery, swapEvery, corruptEvery)
	e.rows = func(t results.Trial) []Result {
		n := t.Publishes.Planned
		rows := []Result{
			exactly("lost", clients*(n/dropEvery+n/corruptEvery), t.Ledger.Lost),
			exactly("duplicates", clients*(n/doubleEvery), t.Ledger.Duplicates),
			exactly("out of order", clients*(n/swapEvery), t.Ledger.Reordered),
			exactly("corrupt", clients*(n/corruptEvery), t.Ledger.Corrupt),
			exactly("received = delivered + duplicates + unexpected", t.Ledger.Received, t.Ledger.Delivered+t.Ledger.Duplicates+t.Ledger.Unexpected),
		}
		if t.Transport != transports.ShortPoll { // too few poll cycles for a p99
			rows = append(rows, exactly("p99 with 2 % never delivered", "∞", quantile(t.Latency, 0.99)))
		}
		return prefixed(t.Transport, rows...)
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
