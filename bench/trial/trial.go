// Package trial runs one configuration against fresh servers, from fresh load generators, and
// collects the evidence for the checks of package validity.
//
// It contains everything from the start of the processes to a finished results.Trial, and the
// test setup that trials share. It must not depend on the run.
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
	"pushbench/bench/host"
	"pushbench/bench/model"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
)

// startDelay is the time from the start command until the warm-up begins.
const startDelay = 150 * time.Millisecond

// A Trial is one configuration against fresh servers, from fresh load generators.
type Trial struct {
	Setup      *Setup
	Scenario   *scenarios.Scenario // for this configuration only
	Measured   scenarios.Configuration
	Repetition int
	Attempt    int               // attempts before this one
	Run        uint32            // run ID, part of every payload
	Discard    bool              // the load generator does not record received messages
	First      map[string]string // settings of the run's first trial; nil: this is the first
	Before     map[string]string // settings of the run's first trial of the same configuration
	Stop       <-chan struct{}   // closed: stop publishing, drain, and report the partial result

	Interval func(results.Interval) error // optional callback for each second; must not block
	Phase    func(string)                 // optional callback for each phase; must not block

	ServerSettings string // in one line, as the first server reported them
	Connected      bool   // all clients were connected: the trial measured something

	network  *network
	replicas []*replica
	result   results.Trial

	// Additional input of the checks: see evidence.
	seconds    []results.Interval
	window     windowReading
	pauses     validity.Pauses
	overflows  int64              // of listen queues: see host.ListenOverflows
	outcome    *generator.Outcome // of all load generators
	after      serverStats        // of all servers, after the drain
	probeDials int64              // connections of the probes
	cores      struct{ server, generator []int }
}

// Measure runs the trial. The result contains everything measured before an error. An error is a
// failure of the test setup or an exit of the server, never slowness.
func (t *Trial) Measure(ctx context.Context) (results.Trial, error) {
	began, pauses := clock.Now(), watchPauses()
	t.result = results.Trial{
		Repetition: t.Repetition, Attempt: t.Attempt, Started: time.Now().UTC(), Status: results.Complete,
		Transport: string(t.Measured.Transport), Configuration: t.Measured.Name(),
		Library: string(t.Measured.Library), BatchingDelay: time.Duration(t.Measured.BatchingDelay),
	}
	t.probeIdle(ctx)
	err := t.stages(ctx)
	if ended := t.shutDown(child.Grace(ctx)); err == nil {
		err = ended
	}
	t.result.Took, t.pauses = clock.Now().Sub(began), pauses()
	t.setStatus(err)
	return t.result, err
}

// phase reports the start of a phase.
func (t *Trial) phase(name string) {
	if t.Phase != nil {
		t.Phase(name)
	}
}

// stages performs the steps of a trial in order. An error in a step ends the trial.
func (t *Trial) stages(ctx context.Context) error {
	if err := t.startServers(ctx); err != nil {
		return err
	}
	for _, r := range t.replicas {
		if err := r.startGenerator(t.Setup.Drive, t.network.far); err != nil {
			return err
		}
	}
	ctx, release := child.CancelOnExit(ctx, slices.Concat(t.servers(), t.generators(), t.network.processes())...)
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
	near := t.network.near
	near.Preparation = preparation(t.Scenario, t.Measured)
	for range t.Scenario.Servers {
		r := &replica{}
		t.replicas = append(t.replicas, r)
		if err := r.startServer(ctx, t.Setup.Serve(t.Measured, t.network.host), near); err != nil {
			return err
		}
	}
	t.ServerSettings = t.replicas[0].settings
	t.overflows = -host.ListenOverflows(t.replicas[0].server.PID())
	if t.result.Settings, err = t.settings(); err != nil {
		return err
	}
	t.result.Cost.Server.MemoryBase, err = t.servers().memory(cost.Memory)
	return err
}

// foreign reports whether the servers are those of a target.
func (t *Trial) foreign() bool { return t.Scenario.TargetOf(t.Measured) != nil }

// send sends the same command to every load generator.
func (t *Trial) send(c generator.Command) error {
	for _, r := range t.replicas {
		if err := r.generator.Send(c); err != nil {
			return err
		}
	}
	return nil
}

// receive waits for the next report of every load generator, which must be of the expected kind.
func (t *Trial) receive(ctx context.Context, within time.Duration, expected func(generator.Report) bool, otherwise string) (all []generator.Report, err error) {
	for _, r := range t.replicas {
		m, err := r.receive(ctx, within)
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
	for i, r := range t.replicas {
		p := r.prepareCommand(t.Scenario, t.Measured, t.Scenario.TargetOf(t.Measured), t.Setup.HostLimits)
		p.Replica, p.Repetition, p.Run = i, t.Repetition, t.Run
		p.Engine, p.Discard, p.BackendNamespace = t.Setup.Engine, t.Discard, t.network.backendFD
		if err := r.generator.Send(generator.Command{Prepare: &p}); err != nil {
			return err
		}
	}
	if _, err := t.receive(ctx, child.ResponseTimeout, func(m generator.Report) bool { return m.Prepared != nil }, "unexpected report, want prepared"); err != nil {
		return err
	}
	t.result.Cost.Generator.MemoryBase, err = t.generators().memory(cost.Memory)
	return err
}

func (t *Trial) connect(ctx context.Context) error {
	t.phase("connecting")
	if err := t.send(generator.Command{Connect: &generator.Connect{}}); err != nil {
		return err
	}
	before, err := t.usage()
	if err != nil {
		return err
	}
	opening := time.Duration(float64(t.Scenario.Sessions()) / float64(t.Scenario.Clients.ConnectRate) * float64(time.Second))
	all, err := t.receive(ctx, opening+generator.ConnectGrace+child.ResponseTimeout, func(m generator.Report) bool { return m.Connected != nil }, "unexpected report, want connected")
	if err != nil {
		return err
	}
	after, err := t.usage()
	if err != nil {
		return err
	}
	sum := results.Connect{Stages: map[string]results.Histogram{}, FailedBy: map[string]int64{}, LostBy: map[string]int64{}}
	for _, m := range all {
		generator.MergeConnect(&sum, *m.Connected)
	}
	sum.Server, sum.Generator = cpuTime(before.servers, after.servers), cpuTime(before.generators, after.generators)
	t.result.Connect = sum
	t.Connected = true
	return nil
}

// A usage is the resources that the processes of each role have used so far.
type usage struct{ servers, generators, link, coordinator reading }

func (t *Trial) usage() (u usage, err error) {
	var errs [4]error
	u.servers, errs[0] = t.servers().usage()
	u.generators, errs[1] = t.generators().usage()
	u.link, errs[2] = t.network.processes().usage()
	u.coordinator, errs[3] = t.Setup.usage()
	return u, errors.Join(errs[:]...)
}

// idle samples the cost of idle clients.
func (t *Trial) idle(ctx context.Context) (err error) {
	t.phase("idle")
	select {
	case <-time.After(time.Duration(t.Scenario.Idle)):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for i, r := range t.replicas {
		if r.before, err = r.stats(ctx); err != nil {
			return err
		}
		if differences := validity.Differences(t.replicas[0].before.settings, r.before.settings, nil); len(differences) > 0 {
			return fmt.Errorf("server %d differs from the first: %s", i+1, strings.Join(differences, "; "))
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
	start := clock.Now().Add(startDelay)
	if err := t.send(generator.Command{Start: &generator.Start{At: start}}); err != nil {
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
	var outcomes []*generator.Outcome
	for _, r := range t.replicas {
		outcomes = append(outcomes, r.done)
	}
	if t.outcome, err = generator.MergeOutcomes(outcomes, t.Measured.Transport); err == nil {
		t.addOutcome(t.outcome)
	}
	return err
}

// follow passes on the load generators' intervals, one per second, until all are done.
func (t *Trial) follow(ctx context.Context) error {
	stop := t.Stop
	go func() {
		select {
		case <-stop:
			_ = t.send(generator.Command{Stop: &generator.Stop{}}) // an exit of a load generator is detected elsewhere
		case <-ctx.Done():
		}
	}()
	for {
		interval, err := t.nextInterval(ctx)
		if err != nil || interval == nil {
			return err
		}
		interval.Repetition, interval.Configuration, interval.Attempt = t.Repetition, t.Measured.Name(), t.Attempt
		t.seconds = append(t.seconds, *interval)
		if t.Interval != nil {
			if err := t.Interval(*interval); err != nil {
				return err
			}
		}
		t.phase(phaseAt(interval.Start+interval.Length, time.Duration(t.Scenario.Window)))
	}
}

// nextInterval returns the next interval, merged from all load generators that are not done. All
// report the same intervals; a load generator is done when its clients have received everything.
// nextInterval returns nil when all are done.
func (t *Trial) nextInterval(ctx context.Context) (sum *results.Interval, err error) {
	for _, r := range t.replicas {
		if r.done != nil {
			continue
		}
		i, err := r.nextInterval(ctx)
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

// A windowReading describes the state of the machine during the window.
type windowReading struct {
	stalls         validity.Stalls
	throttled      int64 // times that the cgroup's CPU quota was exhausted
	throttledShown bool
	otherUser      time.Duration // user time of other processes on the cores of server and load generator
	otherCores     int           // number of these cores; 0: unknown
	took           time.Duration // from the first reading of the processes' CPU time to the last
}

// readWindow reads the processes' CPU time when the window opens and when it closes.
func (t *Trial) readWindow(ctx context.Context, opens, closes clock.Instant) (err error) {
	var used [2]usage
	var throttled [2]int64
	var user [2]time.Duration
	cores := t.Setup.sharedCores(t.Scenario.TargetOf(t.Measured))
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
		if w.stalls, err = t.Setup.Monitor.Stalls(); err != nil { // the second reading: the stalls of the window
			return err
		}
		throttled[i], w.throttledShown = cost.Throttled()
		if user[i], err = cost.UserTime(cores); err != nil {
			cores = nil // the system does not report it
		}
		if i == 0 {
			t.notify(WindowOpened)
		}
	}
	w.throttled, w.took = throttled[1]-throttled[0], read[1].Sub(read[0])
	t.result.Events = w.stalls.Events(opens)
	addUsage(&t.result.Cost.Server, used[0].servers, used[1].servers)
	addUsage(&t.result.Cost.Generator, used[0].generators, used[1].generators)
	addUsage(&t.result.Cost.Link, used[0].link, used[1].link)
	var coordinator results.Process
	addUsage(&coordinator, used[0].coordinator, used[1].coordinator)
	w.otherUser, w.otherCores = user[1]-user[0], len(cores)
	for _, role := range []results.Process{t.result.Cost.Server, t.result.Cost.Generator, t.result.Cost.Link, coordinator} {
		w.otherUser -= role.CPU - role.System // unlike role.User, with that of processes that ended
	}
	return nil
}

// addOutcome copies the load generators' outcome into the result.
func (t *Trial) addOutcome(o *generator.Outcome) {
	t.result.Publishes, t.result.Ledger = o.Publishes, o.Ledger
	t.result.Latency, t.result.Ack, t.result.Age = o.Latency, o.Ack, o.Age
	t.result.Replies, t.result.ShortLived = o.Replies, o.ShortLived
	t.result.Cost.Span, t.result.Cost.Delivered, t.result.Cost.Wire = o.Span, o.Delivered, o.Wire
	t.result.Cost.Generator.Goroutines = o.Goroutines
	maps.Copy(t.result.Settings, o.Settings)
	if stall := t.window.stalls.Longest(); stall > max(validity.LongStall, o.Latency.Histogram.Quantile(0.99)/10) {
		t.warn("a core stalled for %v: the maximum and quantiles beyond p99 may be caused by the machine", clock.Round(stall))
	}
	for cause, n := range o.Broken {
		t.result.Connect.Lost += n
		t.result.Connect.LostBy[cause] += n
	}
	if o.Cut {
		t.result.Status, t.result.Reason = results.Partial, "interrupted: only messages due before the interruption were expected"
	}
}

func (t *Trial) warn(format string, values ...any) {
	t.result.Warnings = append(t.result.Warnings, fmt.Sprintf(format, values...))
}

// audit reads the processes' counters before they end.
func (t *Trial) audit(ctx context.Context) (err error) {
	var before serverStats
	for _, r := range t.replicas {
		if err := r.settle(ctx); err != nil {
			return err
		}
		results.Merge(&before, r.before)
		results.Merge(&t.after, r.after)
		t.probeDials += r.probe.dials.Load()
	}
	t.overflows += host.ListenOverflows(t.replicas[0].server.PID())
	w := &t.result.Webhooks
	*w = t.after.Webhooks
	w.Rules = t.network.rules()
	if w.Failed > 0 {
		t.warn("webhooks failed: %s", causes(w.FailedBy))
	}
	tcp := t.result.Connect.Stages["tcp"]
	measured := model.Measured{Delay: tcp.Quantile(0) / 2, RepollGap: t.after.repollGap(before)}
	if c := t.result.Cost; c.Delivered > 0 {
		measured.Write = time.Duration(float64(c.Server.CPU) / float64(c.Delivered) * t.crowding())
	}
	if !t.foreign() { // the model knows the bytes and the gaps of pushbench's own protocol only
		t.result.Predicted = model.Predict(t.Scenario, t.Measured.Transport, measured)
	}
	if t.result.Cost.Server.MemoryPeak, err = t.servers().peak(); err != nil {
		return err
	}
	t.cores.server = t.servers().affinity(t.Setup.ServerCores)
	t.cores.generator = t.generators().affinity(t.Setup.GeneratorCores)
	t.result.Cost.Generator.MemoryPeak, err = t.generators().memory(cost.PeakMemory)
	t.notify(Drained)
	return err
}

// crowding is the number of servers per core: each server is slower by this factor.
func (t *Trial) crowding() float64 {
	cores := len(t.Setup.ServerCores)
	if cores == 0 {
		cores = child.Available()
	}
	return max(1, float64(t.Scenario.Servers)/float64(cores))
}

// acceptWait is the maximum time until a server has accepted the connections in its listen queue.
// acceptPoll is the interval at which its counters are read meanwhile.
const (
	acceptWait = time.Second
	acceptPoll = 10 * time.Millisecond
)

// settle reads the server's counters until it has accepted every connection that its clients
// reported. A connection that was opened and closed just now can still be in the server's listen
// queue; it is not a hidden one.
func (r *replica) settle(ctx context.Context) (err error) {
	if r.foreign {
		return nil
	}
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

// shutDown ends all processes, load generators first.
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
	report, ended := t.network.end(grace)
	t.result.Link = report
	if err == nil {
		err = ended
	}
	return err
}

// setStatus runs the checks and sets the status of the trial.
func (t *Trial) setStatus(err error) {
	if err != nil {
		t.result.Status, t.result.Reason = results.Invalid, results.Reason(err)
		if t.result.Checks = validity.Paused(t.pauses); t.result.Checks != nil {
			t.result.Reason = t.result.Checks[0].Name + ": " + t.result.Checks[0].Detail + ": " + t.result.Reason
		}
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

// causes lists causes with their counts.
func causes(by map[string]int64) string {
	var list []string
	for _, cause := range slices.Sorted(maps.Keys(by)) {
		list = append(list, fmt.Sprintf("%s (%d)", cause, by[cause]))
	}
	return strings.Join(list, ", ")
}

// saturated reports whether the server did not accept the offered load.
func saturated(t results.Trial) bool {
	const tolerated = 0.005
	return float64(t.Publishes.Dropped) > tolerated*float64(t.Publishes.Planned)
}
