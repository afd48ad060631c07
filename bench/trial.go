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

	"pushbench/bench/child"
	"pushbench/bench/client/engines"
	"pushbench/bench/clock"
	"pushbench/bench/cost"
	"pushbench/bench/generator"
	"pushbench/bench/model"
	"pushbench/bench/record"
	"pushbench/bench/schedule"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// leadIn is the time from the order to start until the warm-up begins.
const leadIn = 150 * time.Millisecond

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

	network  *network // nil: this machine's own loopback
	replicas []*replica
	settings string // of the servers, in one line

	result   results.Trial
	evidence validity.Evidence
	reached  bool // the clients were connected, so that the trial measured something
}

// measure runs the trial. The result is as complete as it got, whatever the
// error; an error is about the rig or the server's end, never about slowness.
func (t *trial) measure(ctx context.Context) (results.Trial, error) {
	began := clock.Now()
	t.result = results.Trial{Block: t.block, Again: t.again, Started: time.Now().UTC(), Status: results.Complete}
	t.result.Transport, t.result.Case = string(t.measured.Transport), t.measured.Name()
	t.result.Stack, t.result.Flush = string(t.measured.Stack), time.Duration(t.measured.Flush)
	err := t.stages(ctx)
	if ended := t.shutDown(child.Grace(ctx)); err == nil {
		err = ended
	}
	t.result.Took = clock.Now().Sub(began)
	t.judge(err)
	return t.result, err
}

// stages are the steps of a trial, in order. Each may end it.
func (t *trial) stages(ctx context.Context) error {
	if err := t.startServers(ctx); err != nil {
		return err
	}
	for _, r := range t.replicas {
		if err := r.startGenerator(t.rig, t.network); err != nil {
			return err
		}
	}
	ctx, release := child.EndsWith(ctx, slices.Concat(t.servers(), t.generators(), t.network.processes())...)
	defer release()
	for _, step := range []func(context.Context) error{t.prepare, t.connect, t.idle, t.window, t.audit} {
		if err := step(ctx); err != nil {
			return child.Cause(ctx, err)
		}
	}
	return nil
}

func (t *trial) startServers(ctx context.Context) (err error) {
	t.phase("starting")
	if t.network, err = newNetwork(ctx, t.rig, t.scenario); err != nil {
		return err
	}
	for range t.scenario.Servers {
		r := &replica{}
		t.replicas = append(t.replicas, r)
		if err := r.startServer(ctx, t.rig, t.network, t.measured); err != nil {
			return err
		}
	}
	t.settings = t.replicas[0].settings
	if t.result.Settings, err = t.surroundings(); err != nil {
		return err
	}
	t.result.Cost.Server.MemoryBase, err = t.servers().memory(cost.Memory)
	return err
}

// order tells every generator something, of which each makes its own.
func (t *trial) order(each func(replica int) generator.Order) error {
	for i, r := range t.replicas {
		if err := r.generator.Send(each(i)); err != nil {
			return err
		}
	}
	return nil
}

// answers waits for what every generator says next.
func (t *trial) answers(ctx context.Context, within time.Duration) (all []generator.Message, err error) {
	for _, r := range t.replicas {
		m, err := r.answer(ctx, within)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

func (t *trial) prepare(ctx context.Context) (err error) {
	text := string(t.scenario.YAML())
	if err := t.order(func(i int) generator.Order {
		return generator.Order{Prepare: &generator.Prepare{
			Scenario:  text,
			Transport: string(t.measured.Transport),
			Target:    t.replicas[i].target.address,

			Certificate: t.replicas[i].known,
			Replica:     i,
			Block:       t.block,
			Run:         t.run,
			Engine:      t.rig.Engine,
			Discard:     t.discard,
			Beside:      t.network.beside(),
		}}
	}); err != nil {
		return err
	}
	all, err := t.answers(ctx, child.AnswerWait)
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.Prepared == nil {
			return generatorError("it did not prepare")
		}
	}
	t.result.Cost.Generator.MemoryBase, err = t.generators().memory(cost.Memory)
	return err
}

func (t *trial) connect(ctx context.Context) error {
	t.phase("connecting")
	if err := t.order(func(int) generator.Order { return generator.Order{Connect: &generator.Connect{}} }); err != nil {
		return err
	}
	before, err := t.usage()
	if err != nil {
		return err
	}
	opening := time.Duration(float64(t.scenario.Sessions()) / float64(t.scenario.Clients.ConnectRate) * float64(time.Second))
	all, err := t.answers(ctx, opening+generator.ConnectGrace+child.AnswerWait)
	if err != nil {
		return err
	}
	after, err := t.usage()
	if err != nil {
		return err
	}
	sum := results.Connect{Stages: map[string]results.Histogram{}, FailedBy: map[string]int64{}}
	for _, m := range all {
		if m.Connected == nil {
			return generatorError("it did not connect")
		}
		generator.MergeConnect(&sum, *m.Connected)
	}
	sum.Server, sum.Generator = spent(before.servers, after.servers), spent(before.generators, after.generators)
	t.result.Connect = sum
	t.reached = true
	return nil
}

// A usage is what servers and generators have used so far.
type usage struct{ servers, generators []cost.Usage }

func (t *trial) usage() (u usage, err error) {
	if u.servers, err = t.servers().usage(); err != nil {
		return u, err
	}
	u.generators, err = t.generators().usage()
	return u, err
}

// idle samples what clients cost that only wait.
func (t *trial) idle(ctx context.Context) (err error) {
	t.phase("idle")
	select {
	case <-time.After(time.Duration(t.scenario.Idle)):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for i, r := range t.replicas {
		if r.before, err = r.target.stats(ctx); err != nil {
			return err
		}
		if other := validity.Differences(t.replicas[0].before.settings, r.before.settings, nil); len(other) > 0 {
			return fmt.Errorf("server %d differs from the first: %s", i+1, strings.Join(other, "; "))
		}
		t.result.Cost.Server.Goroutines += r.before.Goroutines
	}
	maps.Copy(t.result.Settings, t.replicas[0].before.settings)
	if t.result.Cost.Server.MemoryIdle, err = t.servers().memory(cost.Memory); err != nil {
		return err
	}
	t.result.Cost.Generator.MemoryIdle, err = t.generators().memory(cost.Memory)
	return err
}

// window publishes through warm-up and window and waits for the drain.
func (t *trial) window(ctx context.Context) error {
	start := clock.Now().Add(leadIn)
	if err := t.order(func(int) generator.Order { return generator.Order{Start: &generator.Start{At: start}} }); err != nil {
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
	if err := t.follow(ctx); err != nil {
		return err
	}
	if measuring.Wait(); spanned != nil {
		return spanned
	}
	var found []*generator.Outcome
	for _, r := range t.replicas {
		found = append(found, r.done)
	}
	done, err := generator.MergeOutcomes(found, t.measured.Transport)
	if err != nil {
		return err
	}
	t.take(done)
	return nil
}

// follow passes on, second by second, what the generators say, until all are done.
func (t *trial) follow(ctx context.Context) error {
	stop := t.stop
	go func() {
		select {
		case <-stop:
			_ = t.order(func(int) generator.Order { return generator.Order{Stop: &generator.Stop{}} }) // a generator that is gone is noticed elsewhere
		case <-ctx.Done():
		}
	}()
	for {
		second, err := t.second(ctx)
		if err != nil || second == nil {
			return err
		}
		second.Block, second.Case, second.Again = t.block, t.measured.Name(), t.again
		t.evidence.Seconds = append(t.evidence.Seconds, *second)
		if err := t.interval(*second); err != nil {
			return err
		}
		t.phase(phaseAt(second.Start+second.Length, time.Duration(t.scenario.Window)))
	}
}

// second is the next interval, of all generators that have one: each tells the same ones,
// and is done when nothing more comes to its clients. It is nil when all are done.
func (t *trial) second(ctx context.Context) (sum *results.Interval, err error) {
	for _, r := range t.replicas {
		if r.done != nil {
			continue
		}
		i, err := r.follows(ctx)
		switch {
		case err != nil:
			return nil, err
		case i == nil:
		case sum == nil:
			sum = i
		default:
			results.Merge(sum, *i)
		}
	}
	return sum, nil
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
	var server, generator, link [2][]cost.Usage
	var throttled [2]int64
	var read [2]clock.Instant
	var stalls validity.Stalls // in the end: of the window
	for i, at := range []clock.Instant{opens, closes} {
		select {
		case <-time.After(at.Sub(clock.Now())):
		case <-t.stop:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		var errs [4]error
		read[i] = clock.Now()
		server[i], errs[0] = t.servers().usage()
		generator[i], errs[1] = t.generators().usage()
		stalls, errs[2] = t.rig.Monitor.Stalls()
		link[i], errs[3] = t.network.processes().usage()
		throttled[i], t.evidence.ThrottleShown = cost.Throttled()
		if err := errors.Join(errs[:]...); err != nil {
			return err
		}
		if i == 0 {
			t.watched(WindowOpened)
		}
	}
	t.evidence.Stalls, t.evidence.Throttled = stalls, throttled[1]-throttled[0]
	t.result.Events = stalls.Events(opens)
	t.evidence.Watched = read[1].Sub(read[0])
	spend(&t.result.Cost.Server, server[0], server[1])
	spend(&t.result.Cost.Generator, generator[0], generator[1])
	spend(&t.result.Cost.Link, link[0], link[1])
	return nil
}

// take puts the generator's part into the result.
func (t *trial) take(o *generator.Outcome) {
	t.result.Publishes, t.result.Ledger = o.Publishes, o.Ledger
	t.result.Latency, t.result.Ack, t.result.Freshness = o.Latency, o.Ack, o.Freshness
	t.result.Answers, t.result.Visits = o.Answers, o.Visits
	t.result.Cost.Span, t.result.Cost.Delivered, t.result.Cost.Wire = o.Span, o.Delivered, o.Wire
	t.result.Cost.Generator.Goroutines = o.Goroutines
	t.evidence.Total, t.evidence.Abandoned = o.Total, o.Abandoned
	maps.Copy(t.result.Settings, o.Settings)
	t.evidence.Flight, t.evidence.Window = o.Flight, time.Duration(t.scenario.Window)
	t.evidence.Margin = float64(t.scenario.Compare.Margin) / 100
	if hiccup := t.evidence.Stalls.Longest(); hiccup > max(validity.LongStall, o.Latency.Histogram.Quantile(0.99)/10) {
		t.result.Warnings = append(t.result.Warnings, fmt.Sprintf("a core stood still for %v: quantiles beyond p99, and the maximum, may be the machine's", clock.Round(hiccup)))
	}
	if len(o.Broken) > 0 {
		t.result.Warnings = append(t.result.Warnings, "connections lost: "+reasons(o.Broken))
	}
	if o.Cut {
		t.result.Status, t.result.Reason = results.Partial, "interrupted: only what was due by then was owed"
	}
}

// audit gathers what the gates need while the servers still live.
func (t *trial) audit(ctx context.Context) (err error) {
	var before, after serverStats
	for _, r := range t.replicas {
		if err := r.settle(ctx); err != nil {
			return err
		}
		results.Merge(&before, r.before)
		results.Merge(&after, r.after)
		t.evidence.Accepted -= r.dialled()
	}
	t.evidence.Least = nearestBy(t.scenario)
	t.evidence.Due = dueBySecond(schedule.New(t.scenario, t.block))
	if transports.Of(t.measured.Transport).Timed {
		t.evidence.Poll = time.Duration(t.scenario.ShortPoll.Interval)
	}
	t.hooked(after)
	t.evidence.Accepted += after.Accepted
	t.evidence.Served = after.load()
	tcp := t.result.Connect.Stages["tcp"]
	g := model.Measured{Delay: tcp.Quantile(0) / 2, Rearm: after.rearm(before)}
	if c := t.result.Cost; c.Delivered > 0 {
		g.Write = time.Duration(float64(c.Server.CPU) / float64(c.Delivered) * t.crowding())
	}
	t.result.Theory = model.Predict(t.scenario, t.measured.Transport, g)
	if t.result.Cost.Server.MemoryPeak, err = t.servers().memory(cost.PeakMemory); err != nil {
		return err
	}
	t.evidence.ServerAsked, t.evidence.GeneratorAsked = t.rig.ServerCores, t.rig.GeneratorCores
	t.evidence.ServerGot = t.servers().affinity(t.rig.ServerCores)
	t.evidence.GeneratorGot = t.generators().affinity(t.rig.GeneratorCores)
	t.result.Cost.Generator.MemoryPeak, err = t.generators().memory(cost.PeakMemory)
	t.watched(Drained)
	return err
}

// hooked keeps what became of what the server posted.
func (t *trial) hooked(s serverStats) {
	w := &t.result.Webhooks
	*w = s.Webhooks
	w.Rules = t.network.rules()
	if w.Failed > 0 {
		t.result.Warnings = append(t.result.Warnings, "webhooks failed: "+reasons(w.FailedBy))
	}
}

// crowding is how many servers share a core: each takes so much longer.
func (t *trial) crowding() float64 {
	cores := len(t.rig.ServerCores)
	if cores == 0 {
		cores = child.Available()
	}
	return max(1, float64(t.scenario.Servers)/float64(cores))
}

// acceptWait is how long a server may take to accept the connections that the kernel holds
// for it, and acceptPoll how often its counters are read meanwhile.
const (
	acceptWait = time.Second
	acceptPoll = 10 * time.Millisecond
)

// settle asks for the server's counters until it has accepted every connection that
// its clients report: one that was opened and closed just now can still lie in its
// queue, which hides nothing.
func (r *replica) settle(ctx context.Context) (err error) {
	deadline := clock.Now().Add(acceptWait)
	for {
		if r.after, err = r.target.stats(ctx); err != nil {
			return err
		}
		if r.after.Accepted-r.dialled() >= r.dials || clock.Now() >= deadline {
			return nil
		}
		if !clock.Wait(ctx, clock.Now().Add(acceptPoll)) {
			return context.Cause(ctx)
		}
	}
}

// shutDown ends all processes, the generators first.
func (t *trial) shutDown(grace time.Duration) (err error) {
	t.phase("stopping")
	for _, end := range []func(*replica, time.Duration) error{(*replica).endGenerator, (*replica).endServer} {
		ended := make([]error, len(t.replicas))
		var ending sync.WaitGroup
		for i, r := range t.replicas {
			ending.Go(func() { ended[i] = end(r, grace) })
		}
		ending.Wait()
		if err == nil {
			err = errors.Join(ended...)
		}
	}
	crossed, ended := t.network.end(grace)
	t.result.Link = crossed
	if err == nil {
		err = ended
	}
	return err
}

// judge settles what the trial is worth.
func (t *trial) judge(err error) {
	if err != nil {
		t.result.Status, t.result.Reason = results.Invalid, err.Error()
		return
	}
	t.evidence.Trial, t.evidence.Exact, t.evidence.Link = t.result, t.rig.Engine == engines.EventLoop, t.result.Link
	t.evidence.NeverTried = t.result.Publishes.DroppedBy[record.NeverTried]
	t.evidence.Ceiling, t.evidence.Offered = t.rig.ceiling, load(t.scenario)
	if t.pairs != nil {
		t.evidence.First, t.evidence.Before = t.pairs.first, t.pairs.before[t.measured.Name()]
		t.pairs.note(t.measured.Name(), t.result.Settings)
	}
	t.result.Warnings = append(t.result.Warnings, validity.NearCeiling(t.evidence)...)
	t.result.Gates = validity.Judge(t.evidence)
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
