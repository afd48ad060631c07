// Package trial runs one configuration against fresh servers, from fresh load generators, and
// collects the evidence by which the checks of package validity judge it.
//
// It owns the path from starting the processes to a finished results.Trial, and the rig that
// trials share. It must not know the run that it is part of.
package trial

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
	"pushbench/bench/clock"
	"pushbench/bench/cost"
	"pushbench/bench/generator"
	"pushbench/bench/model"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
)

// leadIn is the time from the order to start until the warm-up begins.
const leadIn = 150 * time.Millisecond

// A Trial is one configuration against fresh servers, from fresh load generators.
type Trial struct {
	Setup      *Setup
	Scenario   *scenarios.Scenario // of the configuration alone
	Measured   scenarios.Configuration
	Repetition int
	Attempt    int               // attempts before this one
	Run        uint32            // stamped into every payload
	Discard    bool              // the generator keeps no record of what is received
	First      map[string]string // settings of the run's first trial; none: this is it
	Before     map[string]string // of its first trial of the same configuration
	Stop       <-chan struct{}   // closed: end the publishing, drain, and report what there is

	Interval func(results.Interval) error // optional callback for each second; must return soon
	Phase    func(string)                 // optional callback for each phase; must return soon

	ServerSettings string // in one line, as the first server reported them
	Connected      bool   // all clients were: the trial measured something

	network  *network
	replicas []*replica
	result   results.Trial

	// What the checks need to know beside the result: see evidence.
	seconds []results.Interval
	window  windowReading
	found   *generator.Outcome // of all generators
	after   serverStats        // of all servers, when all was drained
	dialled int64              // connections to them that are not the clients'
	cores   struct{ server, generator []int }
}

// Measure runs the trial. The result is as complete as it got, whatever the error. An error
// is the test setup's or an exit of the server, never slowness.
func (t *Trial) Measure(ctx context.Context) (results.Trial, error) {
	began := clock.Now()
	t.result = results.Trial{
		Repetition: t.Repetition, Attempt: t.Attempt, Started: time.Now().UTC(), Status: results.Complete,
		Transport: string(t.Measured.Transport), Configuration: t.Measured.Name(),
		Library: string(t.Measured.Library), BatchingDelay: time.Duration(t.Measured.BatchingDelay),
	}
	err := t.stages(ctx)
	if ended := t.shutDown(child.Grace(ctx)); err == nil {
		err = ended
	}
	t.result.Took = clock.Now().Sub(began)
	t.judge(err)
	return t.result, err
}

// phase reports the phase that begins.
func (t *Trial) phase(name string) {
	if t.Phase != nil {
		t.Phase(name)
	}
}

// stages are the steps of a trial, in order. Each may end it.
func (t *Trial) stages(ctx context.Context) error {
	if err := t.startServers(ctx); err != nil {
		return err
	}
	for _, r := range t.replicas {
		if err := r.startGenerator(t.Setup.Drive, t.network.far); err != nil {
			return err
		}
	}
	ctx, release := child.EndsWith(ctx, slices.Concat(t.servers(), t.generators(), t.network.processes())...)
	defer release()
	for _, step := range []func(context.Context) error{t.prepare, t.connect, t.idle, t.measureWindow, t.audit} {
		if err := step(ctx); err != nil {
			return child.Cause(ctx, err)
		}
	}
	return nil
}

func (t *Trial) startServers(ctx context.Context) (err error) {
	t.phase("starting")
	if t.network, err = newNetwork(ctx, t.Setup, t.Scenario); err != nil {
		return err
	}
	for range t.Scenario.Servers {
		r := &replica{}
		t.replicas = append(t.replicas, r)
		if err := r.startServer(ctx, t.Setup.Serve(t.Measured, t.network.host), t.network.near); err != nil {
			return err
		}
	}
	t.ServerSettings = t.replicas[0].settings
	if t.result.Settings, err = t.settings(); err != nil {
		return err
	}
	t.result.Cost.Server.MemoryBase, err = t.servers().memory(cost.Memory)
	return err
}

// order sends every generator the same order.
func (t *Trial) order(o generator.Order) error {
	for _, r := range t.replicas {
		if err := r.generator.Send(o); err != nil {
			return err
		}
	}
	return nil
}

// answers waits for what every generator reports next, which must be of one kind.
func (t *Trial) answers(ctx context.Context, within time.Duration, expected func(generator.Message) bool, otherwise string) (all []generator.Message, err error) {
	for _, r := range t.replicas {
		m, err := r.answer(ctx, within)
		if err != nil {
			return nil, err
		}
		if !expected(m) {
			return nil, generatorError(otherwise)
		}
		all = append(all, m)
	}
	return all, nil
}

func (t *Trial) prepare(ctx context.Context) (err error) {
	text := string(t.Scenario.YAML())
	for i, r := range t.replicas {
		if err := r.generator.Send(generator.Order{Prepare: &generator.Prepare{
			Scenario:  text,
			Transport: string(t.Measured.Transport),
			Target:    r.probe.address,

			Certificate:      r.known,
			Replica:          i,
			Repetition:       t.Repetition,
			Run:              t.Run,
			Engine:           t.Setup.Engine,
			Discard:          t.Discard,
			BackendNamespace: t.network.beside,
		}}); err != nil {
			return err
		}
	}
	if _, err := t.answers(ctx, child.AnswerWait, func(m generator.Message) bool { return m.Prepared != nil }, "it did not prepare"); err != nil {
		return err
	}
	t.result.Cost.Generator.MemoryBase, err = t.generators().memory(cost.Memory)
	return err
}

func (t *Trial) connect(ctx context.Context) error {
	t.phase("connecting")
	if err := t.order(generator.Order{Connect: &generator.Connect{}}); err != nil {
		return err
	}
	before, err := t.usage()
	if err != nil {
		return err
	}
	opening := time.Duration(float64(t.Scenario.Sessions()) / float64(t.Scenario.Clients.ConnectRate) * float64(time.Second))
	all, err := t.answers(ctx, opening+generator.ConnectGrace+child.AnswerWait, func(m generator.Message) bool { return m.Connected != nil }, "it did not connect")
	if err != nil {
		return err
	}
	after, err := t.usage()
	if err != nil {
		return err
	}
	sum := results.Connect{Stages: map[string]results.Histogram{}, FailedBy: map[string]int64{}}
	for _, m := range all {
		generator.MergeConnect(&sum, *m.Connected)
	}
	sum.Server, sum.Generator = spent(before.servers, after.servers), spent(before.generators, after.generators)
	t.result.Connect = sum
	t.Connected = true
	return nil
}

// A usage is what the processes of each role have used so far.
type usage struct{ servers, generators, link []cost.Usage }

func (t *Trial) usage() (u usage, err error) {
	var errs [3]error
	u.servers, errs[0] = t.servers().usage()
	u.generators, errs[1] = t.generators().usage()
	u.link, errs[2] = t.network.processes().usage()
	return u, errors.Join(errs[:]...)
}

// idle samples what clients cost that only wait.
func (t *Trial) idle(ctx context.Context) (err error) {
	t.phase("idle")
	select {
	case <-time.After(time.Duration(t.Scenario.Idle)):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for i, r := range t.replicas {
		if r.before, err = r.probe.stats(ctx); err != nil {
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

// measureWindow publishes through warm-up and window and waits for the drain.
func (t *Trial) measureWindow(ctx context.Context) (err error) {
	start := clock.Now().Add(leadIn)
	if err := t.order(generator.Order{Start: &generator.Start{At: start}}); err != nil {
		return err
	}
	opens := start.Add(time.Duration(t.Scenario.Warmup))
	closes := opens.Add(time.Duration(t.Scenario.Window))
	ctx, cancel := context.WithCancelCause(ctx)
	var measuring sync.WaitGroup
	defer measuring.Wait()
	defer cancel(nil)
	var read error
	measuring.Go(func() { read = t.readWindow(ctx, opens, closes) })
	t.phase("warm-up")
	if err := t.follow(ctx); err != nil {
		return err
	}
	if measuring.Wait(); read != nil {
		return read
	}
	var found []*generator.Outcome
	for _, r := range t.replicas {
		found = append(found, r.done)
	}
	if t.found, err = generator.MergeOutcomes(found, t.Measured.Transport); err == nil {
		t.take(t.found)
	}
	return err
}

// follow passes on, second by second, what the generators say, until all are done.
func (t *Trial) follow(ctx context.Context) error {
	stop := t.Stop
	go func() {
		select {
		case <-stop:
			_ = t.order(generator.Order{Stop: &generator.Stop{}}) // a generator that is gone is noticed elsewhere
		case <-ctx.Done():
		}
	}()
	for {
		second, err := t.second(ctx)
		if err != nil || second == nil {
			return err
		}
		second.Repetition, second.Configuration, second.Attempt = t.Repetition, t.Measured.Name(), t.Attempt
		t.seconds = append(t.seconds, *second)
		if t.Interval != nil {
			if err := t.Interval(*second); err != nil {
				return err
			}
		}
		t.phase(phaseAt(second.Start+second.Length, time.Duration(t.Scenario.Window)))
	}
}

// second is the next interval, of all generators that have one: each tells the same ones,
// and is done when nothing more comes to its clients. It is nil when all are done.
func (t *Trial) second(ctx context.Context) (sum *results.Interval, err error) {
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

// A windowReading is what the machine did while the window was open.
type windowReading struct {
	stalls         validity.Stalls
	throttled      int64 // times that the quota of our control group ran out
	throttledShown bool
	took           time.Duration // from the first reading of the processes' clocks to the last
}

// readWindow reads the processes' clocks when the window opens and when it closes.
func (t *Trial) readWindow(ctx context.Context, opens, closes clock.Instant) (err error) {
	var used [2]usage
	var throttled [2]int64
	var read [2]clock.Instant
	w := &t.window
	for i, at := range []clock.Instant{opens, closes} {
		select {
		case <-time.After(at.Sub(clock.Now())):
		case <-t.Stop:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		read[i] = clock.Now()
		if used[i], err = t.usage(); err != nil {
			return err
		}
		if w.stalls, err = t.Setup.Monitor.Stalls(); err != nil { // in the end: those of the window
			return err
		}
		throttled[i], w.throttledShown = cost.Throttled()
		if i == 0 {
			t.watched(WindowOpened)
		}
	}
	w.throttled, w.took = throttled[1]-throttled[0], read[1].Sub(read[0])
	t.result.Events = w.stalls.Events(opens)
	spend(&t.result.Cost.Server, used[0].servers, used[1].servers)
	spend(&t.result.Cost.Generator, used[0].generators, used[1].generators)
	spend(&t.result.Cost.Link, used[0].link, used[1].link)
	return nil
}

// take puts what the generators found into the result.
func (t *Trial) take(o *generator.Outcome) {
	t.result.Publishes, t.result.Ledger = o.Publishes, o.Ledger
	t.result.Latency, t.result.Ack, t.result.Age = o.Latency, o.Ack, o.Age
	t.result.Replies, t.result.Visits = o.Replies, o.Visits
	t.result.Cost.Span, t.result.Cost.Delivered, t.result.Cost.Wire = o.Span, o.Delivered, o.Wire
	t.result.Cost.Generator.Goroutines = o.Goroutines
	maps.Copy(t.result.Settings, o.Settings)
	if stall := t.window.stalls.Longest(); stall > max(validity.LongStall, o.Latency.Histogram.Quantile(0.99)/10) {
		t.warn("a core stood still for %v: quantiles beyond p99, and the maximum, may be the machine's", clock.Round(stall))
	}
	if len(o.Broken) > 0 {
		t.warn("connections lost: %s", causes(o.Broken))
	}
	if o.Cut {
		t.result.Status, t.result.Reason = results.Partial, "interrupted: only what was due by then was owed"
	}
}

func (t *Trial) warn(format string, values ...any) {
	t.result.Warnings = append(t.result.Warnings, fmt.Sprintf(format, values...))
}

// audit reads what the processes counted, while they still live.
func (t *Trial) audit(ctx context.Context) (err error) {
	var before serverStats
	for _, r := range t.replicas {
		if err := r.settle(ctx); err != nil {
			return err
		}
		results.Merge(&before, r.before)
		results.Merge(&t.after, r.after)
		t.dialled += r.probe.dials.Load()
	}
	w := &t.result.Webhooks
	*w = t.after.Webhooks
	w.Rules = t.network.rules()
	if w.Failed > 0 {
		t.warn("webhooks failed: %s", causes(w.FailedBy))
	}
	tcp := t.result.Connect.Stages["tcp"]
	known := model.Measured{Delay: tcp.Quantile(0) / 2, RepollGap: t.after.rearm(before)}
	if c := t.result.Cost; c.Delivered > 0 {
		known.Write = time.Duration(float64(c.Server.CPU) / float64(c.Delivered) * t.crowding())
	}
	t.result.Predicted = model.Predict(t.Scenario, t.Measured.Transport, known)
	if t.result.Cost.Server.MemoryPeak, err = t.servers().memory(cost.PeakMemory); err != nil {
		return err
	}
	t.cores.server = t.servers().affinity(t.Setup.ServerCores)
	t.cores.generator = t.generators().affinity(t.Setup.GeneratorCores)
	t.result.Cost.Generator.MemoryPeak, err = t.generators().memory(cost.PeakMemory)
	t.watched(Drained)
	return err
}

// crowding is how many servers share a core: each takes that many times longer.
func (t *Trial) crowding() float64 {
	cores := len(t.Setup.ServerCores)
	if cores == 0 {
		cores = child.Available()
	}
	return max(1, float64(t.Scenario.Servers)/float64(cores))
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
		if r.after, err = r.probe.stats(ctx); err != nil {
			return err
		}
		if r.after.Accepted-r.probe.dials.Load() >= r.done.Total.Dials || clock.Now() >= deadline {
			return nil
		}
		if !clock.Wait(ctx, clock.Now().Add(acceptPoll)) {
			return context.Cause(ctx)
		}
	}
}

// shutDown ends all processes, the generators first.
func (t *Trial) shutDown(grace time.Duration) (err error) {
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

// judge sets the status of the trial.
func (t *Trial) judge(err error) {
	if err != nil {
		t.result.Status, t.result.Reason = results.Invalid, err.Error()
		return
	}
	evidence := t.evidence()
	t.result.Warnings = append(t.result.Warnings, validity.NearCeiling(evidence)...)
	t.result.Checks = validity.Check(evidence)
	if failed := t.result.FailedChecks(); len(failed) > 0 {
		t.result.Status, t.result.Reason = results.Invalid, failed[0].Name+": "+failed[0].Detail
		return
	}
	if t.result.Status == results.Complete && saturated(t.result) {
		t.result.Status = results.Saturated
		t.result.Reason = fmt.Sprintf("%d of %d publishes were dropped: %s",
			t.result.Publishes.Dropped, t.result.Publishes.Planned, causes(t.result.Publishes.DroppedBy))
	}
}

// causes lists counted causes.
func causes(by map[string]int64) string {
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
