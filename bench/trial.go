package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"pushbench/bench/clock"
	"pushbench/bench/cost"
	"pushbench/results"
	"pushbench/scenarios"
)

// Grace periods of a trial.
const (
	startWait  = 10 * time.Second // a child's first word
	endWait    = 8 * time.Second  // a child's end, once its input is closed
	leadIn     = 150 * time.Millisecond
	answerWait = 20 * time.Second // a generator's answer beyond the time its order takes
)

// A trial is one case against a fresh server, from a fresh generator.
type trial struct {
	rig      *Rig
	scenario *scenarios.Scenario // of the case alone
	measured scenarios.Case
	block    int
	again    int // attempts that came before
	run      uint32
	discard  bool            // the generator keeps no record: see Observe
	pairs    *pairing        // what the trials before ran with; nil: nobody compares
	stop     <-chan struct{} // closed: end the publishing, drain, and tell what there is
	interval func(results.Interval) error
	phase    func(string)

	server    *process
	generator *process
	target    *target
	orders    *lineWriter
	messages  chan Message
	heard     error  // why there are no more messages; set before messages is closed
	settings  string // of the server, in one line

	result   results.Trial
	evidence Evidence
	before   serverStats // when all clients were connected
	reached  bool        // the clients were connected, so that the trial measured something
}

// measure runs the trial. The result is as complete as it got, whatever the
// error; an error is about the rig or the server's end, never about slowness.
func (t *trial) measure(ctx context.Context) (results.Trial, error) {
	began := clock.Now()
	t.result = results.Trial{Block: t.block, Again: t.again, Started: time.Now().UTC(), Status: results.Complete}
	t.result.Transport, t.result.Case = string(t.measured.Transport), t.measured.Name()
	t.result.Stack, t.result.Flush = string(t.measured.Stack), time.Duration(t.measured.Flush)
	err := t.stages(ctx)
	if ended := t.shutDown(grace(ctx)); err == nil {
		err = ended
	}
	t.result.Took = clock.Now().Sub(began)
	t.judge(err)
	return t.result, err
}

// stages are the steps of a trial, in order. Each may end it.
func (t *trial) stages(ctx context.Context) error {
	if err := t.startServer(ctx); err != nil {
		return err
	}
	if err := t.startGenerator(); err != nil {
		return err
	}
	ctx, release := endsWith(ctx, t.server, t.generator)
	defer release()
	for _, step := range []func(context.Context) error{t.prepare, t.connect, t.idle, t.window, t.audit} {
		if err := step(ctx); err != nil {
			return reason(ctx, err)
		}
	}
	return nil
}

// reason prefers what ended a context to what was noticed because of it.
func reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (t *trial) startServer(ctx context.Context) (err error) {
	t.phase("starting")
	if t.server, err = launch(serverRole, t.rig.Serve(t.measured), t.rig.ServerCores); err != nil {
		return err
	}
	ctx, release := endsWith(ctx, t.server)
	defer release()
	g, err := greeted(ctx, t.server)
	if err != nil {
		return err
	}
	t.settings = g.Settings
	if t.result.Settings, err = t.surroundings(); err != nil {
		return err
	}
	t.target = newTarget(g.Listening)
	if err := t.target.healthy(ctx); err != nil {
		return reason(ctx, err)
	}
	t.result.Cost.Server.MemoryBase, err = cost.Memory(t.server.pid())
	return err
}

func (t *trial) startGenerator() (err error) {
	if t.generator, err = launch(generatorRole, t.rig.Drive, t.rig.GeneratorCores); err != nil {
		return err
	}
	t.orders = &lineWriter{w: t.generator.stdin}
	t.messages = make(chan Message, 16)
	go func() {
		defer close(t.messages)
		t.heard = lines(t.generator.stdout, func(m Message) error {
			t.messages <- m
			return nil
		})
	}()
	return nil
}

// answer waits for what the generator says next.
func (t *trial) answer(ctx context.Context, within time.Duration) (Message, error) {
	select {
	case m, ok := <-t.messages:
		if !ok {
			return m, t.silence()
		}
		if m.Failed != "" {
			return m, generatorError(m.Failed)
		}
		return m, nil
	case <-time.After(within):
		return Message{}, fmt.Errorf("generator did not answer within %v", within)
	case <-ctx.Done():
		return Message{}, context.Cause(ctx)
	}
}

// silence says why the generator says nothing more: what it said last, or how it ended.
func (t *trial) silence() error {
	if t.heard != nil {
		return generatorError(t.heard.Error())
	}
	select {
	case <-t.generator.ended:
		return errors.New(t.generator.obituary())
	case <-time.After(endWait):
		return generatorError("it closed its output")
	}
}

func (t *trial) prepare(ctx context.Context) (err error) {
	order := Prepare{
		Scenario:  string(t.scenario.YAML()),
		Transport: string(t.measured.Transport),
		Target:    t.target.address,
		Block:     t.block,
		Run:       t.run,
		Engine:    t.rig.Engine,
		Discard:   t.discard,
	}
	if err := t.orders.send(Order{Prepare: &order}); err != nil {
		return err
	}
	m, err := t.answer(ctx, answerWait)
	if err != nil {
		return err
	}
	if m.Prepared == nil {
		return generatorError("it did not prepare")
	}
	t.result.Cost.Generator.MemoryBase, err = cost.Memory(t.generator.pid())
	return err
}

func (t *trial) connect(ctx context.Context) error {
	t.phase("connecting")
	if err := t.orders.send(Order{Connect: &Connect{}}); err != nil {
		return err
	}
	opening := time.Duration(float64(t.scenario.Clients.Count) / float64(t.scenario.Clients.ConnectRate) * float64(time.Second))
	m, err := t.answer(ctx, opening+connectGrace+answerWait)
	if err != nil {
		return err
	}
	if m.Connected == nil {
		return generatorError("it did not connect")
	}
	t.result.Connect = *m.Connected
	t.reached = true
	return nil
}

// idle samples what clients cost that only wait.
func (t *trial) idle(ctx context.Context) (err error) {
	t.phase("idle")
	select {
	case <-time.After(time.Duration(t.scenario.Idle)):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if t.before, err = t.target.stats(ctx); err != nil {
		return err
	}
	t.result.Cost.Server.Goroutines = t.before.Goroutines
	maps.Copy(t.result.Settings, t.before.settings)
	if t.result.Cost.Server.MemoryIdle, err = cost.Memory(t.server.pid()); err != nil {
		return err
	}
	t.result.Cost.Generator.MemoryIdle, err = cost.Memory(t.generator.pid())
	return err
}

// window publishes through warm-up and window and waits for the drain.
func (t *trial) window(ctx context.Context) error {
	start := clock.Now().Add(leadIn)
	if err := t.orders.send(Order{Start: &Start{At: start}}); err != nil {
		return err
	}
	opens := start.Add(time.Duration(t.scenario.Warmup))
	closes := opens.Add(time.Duration(t.scenario.Window))
	ctx, cancel := context.WithCancelCause(ctx)
	var measuring sync.WaitGroup
	defer measuring.Wait()
	defer cancel(nil)
	var spanned error
	measuring.Go(func() { spanned = t.span(ctx, opens, closes) })
	t.phase("warm-up")
	done, err := t.follow(ctx)
	if err != nil {
		return err
	}
	if measuring.Wait(); spanned != nil {
		return spanned
	}
	t.take(done)
	return nil
}

// follow passes intervals on until the generator is done.
func (t *trial) follow(ctx context.Context) (*Outcome, error) {
	stop := t.stop
	go func() {
		select {
		case <-stop:
			_ = t.orders.send(Order{Stop: &Stop{}}) // a generator that is gone is noticed elsewhere
		case <-ctx.Done():
		}
	}()
	for {
		m, err := t.answer(ctx, answerWait)
		if err != nil {
			return nil, err
		}
		if m.Done != nil {
			return m.Done, nil
		}
		if m.Interval == nil {
			return nil, generatorError("it spoke out of turn")
		}
		m.Interval.Block, m.Interval.Case, m.Interval.Again = t.block, t.measured.Name(), t.again
		t.evidence.Seconds = append(t.evidence.Seconds, *m.Interval)
		if err := t.interval(*m.Interval); err != nil {
			return nil, err
		}
		t.phase(phaseAt(m.Interval.Start+m.Interval.Length, time.Duration(t.scenario.Window)))
	}
}

// phaseAt names the phase of an instant counted from the window's opening.
func phaseAt(since, window time.Duration) string {
	switch {
	case since < 0:
		return "warm-up"
	case since < window:
		return "window"
	default:
		return "drain"
	}
}

// span reads the processes' clocks when the window opens and when it closes.
func (t *trial) span(ctx context.Context, opens, closes clock.Instant) error {
	var server, generator [2]cost.Usage
	var throttled [2]int64
	var read [2]clock.Instant
	var stalls Stalls // in the end: of the window
	for i, at := range []clock.Instant{opens, closes} {
		select {
		case <-time.After(at.Sub(clock.Now())):
		case <-t.stop:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		var errs [3]error
		read[i] = clock.Now()
		server[i], errs[0] = cost.Read(t.server.pid())
		generator[i], errs[1] = cost.Read(t.generator.pid())
		stalls, errs[2] = t.rig.keeper.stalls()
		throttled[i], t.evidence.ThrottleShown = cost.Throttled()
		if err := errors.Join(errs[:]...); err != nil {
			return err
		}
		if i == 0 {
			t.watched(WindowOpened)
		}
	}
	t.evidence.Stalls, t.evidence.Throttled = stalls, throttled[1]-throttled[0]
	t.evidence.Watched = read[1].Sub(read[0])
	usage(&t.result.Cost.Server, server[1].Minus(server[0]))
	usage(&t.result.Cost.Generator, generator[1].Minus(generator[0]))
	return nil
}

func usage(p *results.Process, u cost.Spent) {
	p.Processes, p.CPU, p.User, p.System, p.ContextSwitches = 1, u.CPU, u.User, u.System, u.ContextSwitches
}

// take puts the generator's part into the result.
func (t *trial) take(o *Outcome) {
	t.result.Publishes, t.result.Ledger = o.Publishes, o.Ledger
	t.result.Latency, t.result.Ack, t.result.Freshness = o.Latency, o.Ack, o.Freshness
	t.result.Cost.Span, t.result.Cost.Delivered, t.result.Cost.Wire = o.Span, o.Delivered, o.Wire
	t.result.Cost.Generator.Goroutines = o.Goroutines
	t.evidence.Total, t.evidence.Abandoned = o.Total, o.Abandoned
	maps.Copy(t.result.Settings, o.Settings)
	t.evidence.Flight, t.evidence.Window = o.Flight, time.Duration(t.scenario.Window)
	if hiccup := t.evidence.Stalls.longest(); hiccup > max(longHiccup, o.Latency.Histogram.Quantile(0.99)/10) {
		t.result.Warnings = append(t.result.Warnings, fmt.Sprintf("a core stood still for %v: quantiles beyond p99, and the maximum, may be the machine's", round(hiccup)))
	}
	if len(o.Broken) > 0 {
		t.result.Warnings = append(t.result.Warnings, "connections lost: "+reasons(o.Broken))
	}
	if o.Cut {
		t.result.Status, t.result.Reason = results.Partial, "interrupted: only what was due by then was owed"
	}
}

// audit gathers what the gates need while the server still lives.
func (t *trial) audit(ctx context.Context) (err error) {
	after, err := t.settledStats(ctx)
	if err != nil {
		return err
	}
	t.evidence.Least = nearestBy(t.scenario)
	t.evidence.Accepted = after.Accepted - t.target.dials.Load()
	t.evidence.Served = after.load()
	tcp := t.result.Connect.Stages["tcp"]
	g := givens{delay: tcp.Quantile(0) / 2, rearm: after.rearm(t.before)}
	if c := t.result.Cost; c.Delivered > 0 {
		g.write = c.Server.CPU / time.Duration(c.Delivered)
	}
	t.result.Theory = theory(t.scenario, t.measured.Transport, g)
	if t.result.Cost.Server.MemoryPeak, err = cost.PeakMemory(t.server.pid()); err != nil {
		return err
	}
	t.evidence.ServerAsked, t.evidence.GeneratorAsked = t.rig.ServerCores, t.rig.GeneratorCores
	t.evidence.ServerGot, _ = cost.Affinity(t.server.pid()) // where it is not shown, nothing was asked either
	t.evidence.GeneratorGot, _ = cost.Affinity(t.generator.pid())
	t.result.Cost.Generator.MemoryPeak, err = cost.PeakMemory(t.generator.pid())
	t.watched(Drained)
	return err
}

// acceptWait is how long a server may take to accept what the kernel holds for it.
const acceptWait = time.Second

// settledStats asks for the server's counters until it has accepted every
// connection that the clients report: one that was opened and closed just now
// can still lie in its queue, which hides nothing.
func (t *trial) settledStats(ctx context.Context) (s serverStats, err error) {
	deadline := clock.Now().Add(acceptWait)
	for {
		if s, err = t.target.stats(ctx); err != nil {
			return s, err
		}
		if s.Accepted-t.target.dials.Load() >= t.evidence.Total.Dials || clock.Now() >= deadline {
			return s, nil
		}
		if !until(ctx, clock.Now().Add(readyPoll)) {
			return s, context.Cause(ctx)
		}
	}
}

// grace is how long children have to end: hardly any when the person is impatient.
func grace(ctx context.Context) time.Duration {
	if ctx.Err() != nil {
		return 100 * time.Millisecond
	}
	return endWait
}

// shutDown ends both processes, the generator first.
func (t *trial) shutDown(grace time.Duration) (err error) {
	t.phase("stopping")
	if t.generator != nil {
		go t.deafen()
		early := t.generator.gone()
		if ended := t.generator.end(grace); ended != nil && !early {
			err = ended
		}
	}
	if t.target != nil {
		t.target.close()
	}
	if t.server != nil {
		early := t.server.gone()
		if ended := t.server.end(grace); ended != nil && !early && err == nil {
			err = ended
		}
	}
	return err
}

// deafen takes what the generator still says, so that it can end, and so that who reads it can.
func (t *trial) deafen() {
	for range t.messages {
	}
}

// judge settles what the trial is worth.
func (t *trial) judge(err error) {
	if err != nil {
		t.result.Status, t.result.Reason = results.Invalid, err.Error()
		return
	}
	t.evidence.Trial, t.evidence.Engine = t.result, t.rig.Engine
	t.evidence.Ceiling, t.evidence.Offered = t.rig.ceiling, load(t.scenario)
	if t.pairs != nil {
		t.evidence.First, t.evidence.Before = t.pairs.first, t.pairs.before[t.measured.Name()]
		t.pairs.note(t.measured.Name(), t.result.Settings)
	}
	t.result.Warnings = append(t.result.Warnings, nearCeiling(t.evidence)...)
	t.result.Gates = Judge(t.evidence)
	for _, g := range t.result.Gates {
		if !g.Passed {
			t.result.Status, t.result.Reason = results.Invalid, g.Name+": "+g.Detail
			return
		}
	}
	if t.result.Status == results.Complete && saturated(t.result) {
		t.result.Status = results.Saturated
		t.result.Reason = fmt.Sprintf("%d of %d publishes were dropped: %s",
			t.result.Publishes.Dropped, t.result.Publishes.Planned, reasons(t.result.Publishes.DroppedBy))
	}
}

// reasons lists counted causes.
func reasons(by map[string]int64) string {
	var list []string
	for _, cause := range slices.Sorted(maps.Keys(by)) {
		list = append(list, fmt.Sprintf("%s (%d)", cause, by[cause]))
	}
	return strings.Join(list, ", ")
}

// saturated says whether the server could not even take what was offered.
func saturated(t results.Trial) bool {
	const tolerated = 0.005
	return float64(t.Publishes.Dropped) > tolerated*float64(t.Publishes.Planned)
}
