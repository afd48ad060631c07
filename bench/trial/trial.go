// Package trial runs one configuration against fresh servers, from fresh load generators, and
// collects the evidence for the checks of package validity.
//
// It contains everything from the start of the processes to a finished results.Trial, and the
// test setup that trials share. It must not depend on the run.
package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"pushbench/bench/agent"
	"pushbench/bench/child"
	"pushbench/bench/clock"
	"pushbench/bench/generator"
	"pushbench/bench/model"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
)

// startDelay is the time from the start command until the warm-up begins, for an agent in this process.
const startDelay = 150 * time.Millisecond

// A Setup is the test setup of a run: the agents that start its processes, and how the load generators measure.
type Setup struct {
	Servers     agent.Agent       // starts the servers
	Generators  []agent.Agent     // start the load generators in turn; Servers may be one of them
	Engine      string            // the clients' engine: see engines.Names
	Placement   []string          // conditions: what runs where, if not all in this process
	Facts       agent.Facts       // of the servers' machine, for the manifest
	Inject      string            // faults of the servers, in the grammar of serve --inject
	Lead        time.Duration     // from the start command until the warm-up begins; 0: startDelay, for agents in this process
	Quick       bool              // shorter preparation, for runs whose results are discarded: see Conditions
	IdleClients agent.IdleClients // of the memory probe before each trial; zero: there is none
	HostLimits  generator.Limits  // for a target on another host
	Ceiling     float64           // maximum rate of a load generator, per second; set by Begin
}

// agents are all agents, that of the servers first.
func (s *Setup) agents() []agent.Agent {
	all := []agent.Agent{s.Servers}
	for _, a := range s.Generators {
		if a != s.Servers {
			all = append(all, a)
		}
	}
	return all
}

// Together reports whether one agent has the servers and all load generators.
func (s *Setup) Together() bool { return len(s.agents()) == 1 }

// Begin prepares the machines for the trials of a run, and measures the ceiling: the maximum rate of the load generators with
// a no-op transport. Each agent has the same share of the load, so that the weakest one limits all of them. Agents measure one
// after the other, as they may share a machine.
func (s *Setup) Begin(ctx context.Context, hardest *scenarios.Scenario) (conditions []string, err error) {
	begun, err := onAll(ctx, s.agents(), agent.Agent.Begin)
	if err != nil {
		return nil, err
	}
	conditions = slices.Clone(s.Placement)
	for _, condition := range begun {
		if condition != "" && !slices.Contains(conditions, condition) {
			conditions = append(conditions, condition)
		}
	}
	if s.Quick {
		conditions = append(conditions, fmt.Sprintf("quick: stalls of idle cores were not measured before and after the run, nor the memory of idle clients; the load generator's maximum rate was measured for %d ms", s.ceilingTime().Milliseconds()))
	}
	s.Ceiling = math.Inf(1)
	for _, a := range s.Generators {
		one, err := a.Ceiling(ctx, hardest, s.ceilingTime())
		if err != nil {
			return nil, err
		}
		s.Ceiling = min(s.Ceiling, one*float64(len(s.Generators)))
	}
	return conditions, nil
}

// Finish ends what Begin began.
func (s *Setup) Finish() error {
	var failed error
	for _, a := range s.agents() {
		failed = errors.Join(failed, a.Finish())
	}
	return failed
}

// onAll performs a step on several agents at the same time. The first error ends the step on the others.
func onAll[T any](ctx context.Context, all []agent.Agent, step func(agent.Agent, context.Context) (T, error)) ([]T, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make([]T, len(all))
	var first error
	var once sync.Once
	var working sync.WaitGroup
	for i, a := range all {
		working.Go(func() {
			var err error
			if done[i], err = step(a, ctx); err != nil {
				once.Do(func() { first = err; cancel(err) })
			}
		})
	}
	working.Wait()
	return done, first
}

func (s *Setup) ceilingTime() time.Duration {
	if s.Quick {
		return generator.QuickCeilingTime
	}
	return generator.CeilingTime
}

// IdleStalls describes the stalls of the cores while nothing is measured. It is empty if Quick is set: no check depends on
// them.
func (s *Setup) IdleStalls(ctx context.Context) (string, error) {
	if s.Quick {
		return "", nil
	}
	all, err := onAll(ctx, s.agents(), agent.Agent.IdleStalls)
	return strings.Join(slices.DeleteFunc(all, func(one string) bool { return one == "" }), "; "), err
}

// A Trial is one configuration against fresh servers, from fresh load generators.
type Trial struct {
	Setup      *Setup
	Scenario   *scenarios.Scenario // for this configuration only
	Measured   scenarios.Configuration
	Side       results.Side // whose servers are measured
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

	result results.Trial

	// Additional input of the checks: see evidence.
	seconds   []results.Interval
	started   agent.Started
	connected map[agent.Agent][]results.Connect
	perAgent  map[agent.Agent]*agent.Measured
	window    windowReading // of all agents
	pauses    validity.Pauses
	outcome   *generator.Outcome // of all load generators
	audited   agent.Audit
}

// Measure runs the trial. The result contains everything measured before an error. An error is a
// failure of the test setup or an exit of the server, never slowness.
func (t *Trial) Measure(ctx context.Context) (results.Trial, error) {
	began := clock.Now()
	t.result = results.Trial{
		Repetition: t.Repetition, Attempt: t.Attempt, Started: time.Now().UTC(), Status: results.Complete,
		Transport: string(t.Measured.Transport), Configuration: t.Measured.Name(),
		Library: string(t.Measured.Library), BatchingDelay: time.Duration(t.Measured.BatchingDelay),
	}
	t.probeIdle(ctx)
	err := t.stages(ctx)
	t.phase("stopping")
	if ended := t.end(child.Grace(ctx)); err == nil {
		err = ended
	}
	t.result.Took = clock.Now().Sub(began)
	t.setStatus(err)
	return t.result, err
}

// end ends all processes, load generators first.
func (t *Trial) end(grace time.Duration) (err error) {
	all := t.Setup.agents()
	slices.Reverse(all)
	for _, a := range all {
		ended, failed := a.EndTrial(grace)
		if err == nil {
			err = failed
		}
		if ended.Link != nil {
			t.result.Link = ended.Link
		}
		t.pauses.Stopped = max(t.pauses.Stopped, ended.Pauses.Stopped)
		t.pauses.Suspended = max(t.pauses.Suspended, ended.Pauses.Suspended)
	}
	return err
}

// probeIdle measures the memory of idle clients before the trial. Its failure is no failure of the trial: the result has
// the reason instead.
func (t *Trial) probeIdle(ctx context.Context) {
	idle := &t.result.Cost.Idle
	switch {
	case t.Setup.IdleClients != (agent.IdleClients{}):
		t.phase("measuring idle clients")
		m, err := t.Setup.Servers.IdleMemory(ctx, t.job(), t.Setup.IdleClients)
		if err != nil {
			m = results.IdleMemory{NotMeasured: err.Error()}
		}
		*idle = m
	case t.Setup.Quick:
		idle.NotMeasured = "--quick leaves it out"
	}
}

// phase reports the start of a phase.
func (t *Trial) phase(name string) {
	if t.Phase != nil {
		t.Phase(name)
	}
}

// stages performs the steps of a trial in order. An error in a step ends the trial.
func (t *Trial) stages(ctx context.Context) error {
	for _, step := range []func(context.Context) error{t.startServers, t.startGenerators, t.connect, t.idle, t.measureWindow, t.audit} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// job is what the agents must know of the trial.
func (t *Trial) job() agent.Job {
	return agent.Job{Scenario: t.Scenario, Measured: t.Measured, Side: t.Side, Engine: t.Setup.Engine, HostLimits: t.Setup.HostLimits, Inject: t.Setup.Inject, Attempt: t.Attempt}
}

func (t *Trial) startServers(ctx context.Context) (err error) {
	t.phase("starting")
	if t.started, err = t.Setup.Servers.StartServers(ctx, t.job()); err != nil {
		return err
	}
	t.ServerSettings = t.started.Servers[0].Settings
	t.result.Settings, t.result.Cost.Server.MemoryBase = t.started.Settings, t.started.Memory
	return nil
}

// foreign reports whether the servers are those of a target.
func (t *Trial) foreign() bool { return t.Scenario.TargetOf(t.Measured) != nil }

// startGenerators starts a load generator for each server, on the agents in turn.
func (t *Trial) startGenerators(ctx context.Context) error {
	shares := map[agent.Agent][]generator.Prepare{}
	for i, server := range t.started.Servers {
		p := t.job().Prepare(server)
		p.Replica, p.Repetition, p.Run, p.Discard, p.BackendNamespace = i, t.Repetition, t.Run, t.Discard, t.started.Link
		a := t.Setup.Generators[i%len(t.Setup.Generators)]
		shares[a] = append(shares[a], p)
	}
	memory, err := onAll(ctx, t.Setup.Generators, func(a agent.Agent, ctx context.Context) (int64, error) {
		return a.StartGenerators(ctx, t.job(), shares[a])
	})
	for _, bytes := range memory {
		t.result.Cost.Generator.MemoryBase += bytes
	}
	return err
}

// lap returns what all processes have used since its previous call.
func (t *Trial) lap(ctx context.Context) (sum agent.Used, err error) {
	all, err := onAll(ctx, t.Setup.agents(), agent.Agent.Lap)
	for _, used := range all {
		sum.Add(used)
	}
	return sum, err
}

func (t *Trial) connect(ctx context.Context) error {
	t.phase("connecting")
	if _, err := t.lap(ctx); err != nil {
		return err
	}
	opening := time.Duration(float64(t.Scenario.Sessions()) / float64(t.Scenario.Clients.ConnectRate) * float64(time.Second))
	all, err := onAll(ctx, t.Setup.Generators, func(a agent.Agent, ctx context.Context) ([]results.Connect, error) { return a.Connect(ctx, opening) })
	if err != nil {
		return err
	}
	t.connected = map[agent.Agent][]results.Connect{}
	for i, a := range t.Setup.Generators {
		t.connected[a] = all[i]
	}
	used, err := t.lap(ctx)
	if err != nil {
		return err
	}
	sum := results.Connect{Stages: map[string]results.Histogram{}, FailedBy: map[string]int64{}, LostBy: map[string]int64{}}
	for _, c := range slices.Concat(all...) {
		generator.MergeConnect(&sum, c)
	}
	sum.Server, sum.Generator = cpuTime(used.Servers), cpuTime(used.Generators)
	t.result.Connect = sum
	t.Connected = true
	return nil
}

func cpuTime(p results.Process) results.CPUTime {
	return results.CPUTime{CPU: p.CPU, User: p.User, System: p.System}
}

// idle samples the cost of idle clients.
func (t *Trial) idle(ctx context.Context) error {
	t.phase("idle")
	all, err := onAll(ctx, t.Setup.agents(), func(a agent.Agent, ctx context.Context) (agent.Idle, error) {
		return a.Idle(ctx, time.Duration(t.Scenario.Idle))
	})
	if err != nil {
		return err
	}
	maps.Copy(t.result.Settings, all[0].Settings)
	cost := &t.result.Cost
	for _, idle := range all {
		cost.Server.Goroutines += idle.Goroutines
		cost.Server.MemoryIdle += idle.Servers
		cost.Generator.MemoryIdle += idle.Generators
	}
	return nil
}

// measureWindow publishes through warm-up and window and waits for the drain.
func (t *Trial) measureWindow(ctx context.Context) (err error) {
	start := clock.Now().Add(cmp.Or(t.Setup.Lead, startDelay))
	opens := start.Add(time.Duration(t.Scenario.Warmup))
	w := agent.Window{Start: start, Opens: opens, Closes: opens.Add(time.Duration(t.Scenario.Window))}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-t.Stop:
			for _, a := range t.Setup.agents() {
				a.Stop()
			}
		case <-ctx.Done():
		}
	}()
	t.phase("warm-up")
	all, err := t.measure(ctx, w)
	if err != nil {
		return err
	}
	t.perAgent = map[agent.Agent]*agent.Measured{}
	for i, a := range t.Setup.agents() {
		t.perAgent[a] = all[i]
		t.window.Add(all[i])
	}
	t.window.OtherUser, t.window.OtherCores = otherUser(all)
	for i, m := range all {
		if m.Control != nil {
			share, err := t.share(m, t.connected[t.Setup.agents()[i]])
			if err != nil {
				return err
			}
			t.result.Agents = append(t.result.Agents, share)
		}
	}
	t.result.Events = t.window.Stalls.Events(opens)
	agent.AddProcess(&t.result.Cost.Server, t.window.Used.Servers)
	agent.AddProcess(&t.result.Cost.Generator, t.window.Used.Generators)
	agent.AddProcess(&t.result.Cost.Link, t.window.Used.Link)
	if t.outcome, err = generator.MergeOutcomes(t.window.Outcomes, t.Measured.Transport); err == nil {
		t.addOutcome(t.outcome)
	}
	return err
}

// measure measures on all agents. A single one passes on its intervals as they end; those of several are merged at the end.
func (t *Trial) measure(ctx context.Context, w agent.Window) ([]*agent.Measured, error) {
	agents := t.Setup.agents()
	if len(agents) == 1 {
		m, err := agents[0].Measure(ctx, w, t.interval)
		return []*agent.Measured{m}, err
	}
	type part struct {
		measured  *agent.Measured
		intervals []results.Interval
	}
	parts, err := onAll(ctx, agents, func(a agent.Agent, ctx context.Context) (p part, err error) {
		p.measured, err = a.Measure(ctx, w, func(i results.Interval) error {
			p.intervals = append(p.intervals, i)
			return nil
		})
		return p, err
	})
	if err != nil {
		return nil, err
	}
	var all []*agent.Measured
	var merged []results.Interval
	for _, p := range parts {
		all = append(all, p.measured)
		for i, one := range p.intervals {
			if i == len(merged) {
				merged = append(merged, one)
			} else {
				results.Merge(&merged[i], one)
			}
		}
	}
	for _, i := range merged {
		if err := t.interval(i); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// share is what one agent measured.
func (t *Trial) share(m *agent.Measured, connected []results.Connect) (results.AgentShare, error) {
	s := results.AgentShare{
		Name: m.Control.Name, Machine: m.Machine, Server: m.Used.Servers.CPU, Generator: m.Used.Generators.CPU,
		Cores: m.GeneratorCores, Offset: m.Control.Offset, Bound: m.Control.Bound, Control: m.Control.Bytes,
	}
	for _, c := range connected {
		s.Clients += c.Clients
	}
	if len(m.Outcomes) == 0 {
		return s, nil
	}
	sum, err := generator.MergeOutcomes(m.Outcomes, t.Measured.Transport)
	if err == nil {
		s.Ledger, s.Latency = sum.Ledger, sum.Latency
	}
	return s, err
}

// A windowReading is what all agents measured in the window.
type windowReading struct {
	agent.Measured
	OtherUser  time.Duration // user time of other processes on the cores of servers and load generators
	OtherCores int           // number of these cores; 0: unknown
}

// otherUser is the user time of other processes, on the cores of all agents. Of several agents on one machine, one reads it.
func otherUser(all []*agent.Measured) (other time.Duration, cores int) {
	read := map[string]bool{}
	for _, m := range all {
		if len(m.Cores) > 0 {
			read[m.Machine] = true
			other += m.User
			cores += len(m.Cores)
		}
	}
	for _, m := range all {
		if !read[m.Machine] {
			return 0, 0
		}
		for _, role := range []results.Process{m.Used.Servers, m.Used.Generators, m.Used.Link, m.Used.Own} {
			other -= role.CPU - role.System // unlike role.User, with that of processes that ended
		}
	}
	return other, cores
}

// interval passes on an interval of the load generators.
func (t *Trial) interval(i results.Interval) error {
	i.Repetition, i.Configuration, i.Attempt = t.Repetition, t.Measured.Name(), t.Attempt
	t.seconds = append(t.seconds, i)
	if t.Interval != nil {
		if err := t.Interval(i); err != nil {
			return err
		}
	}
	t.phase(phaseAt(i.Start+i.Length, time.Duration(t.Scenario.Window)))
	return nil
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

// addOutcome copies the load generators' outcome into the result.
func (t *Trial) addOutcome(o *generator.Outcome) {
	t.result.Publishes, t.result.Ledger = o.Publishes, o.Ledger
	t.result.Latency, t.result.Ack, t.result.Age = o.Latency, o.Ack, o.Age
	t.result.Replies, t.result.ShortLived = o.Replies, o.ShortLived
	t.result.Cost.Span, t.result.Cost.Delivered, t.result.Cost.Wire = o.Span, o.Delivered, o.Wire
	t.result.Cost.Generator.Goroutines = o.Goroutines
	maps.Copy(t.result.Settings, o.Settings)
	if stall := t.window.Stalls.Longest(); stall > max(validity.LongStall, o.Latency.Histogram.Quantile(0.99)/10) {
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
func (t *Trial) audit(ctx context.Context) error {
	dials := make([]int64, len(t.started.Servers))
	for i, a := range t.Setup.Generators {
		for j, o := range t.perAgent[a].Outcomes {
			dials[i+j*len(t.Setup.Generators)] = o.Total.Dials
		}
	}
	all, err := onAll(ctx, t.Setup.agents(), func(a agent.Agent, ctx context.Context) (agent.Audit, error) { return a.Audit(ctx, dials) })
	if err != nil {
		return err
	}
	t.audited = all[0]
	for _, a := range all[1:] {
		t.audited.GeneratorMemory += a.GeneratorMemory
	}
	for i, a := range t.Setup.agents() { // of the first that has not the cores that it requested, or of the last
		if g := all[i].GeneratorCores; slices.Contains(t.Setup.Generators, a) {
			if t.audited.GeneratorCores = g; !validity.Granted(g.Requested, g.Got) {
				break
			}
		}
	}
	w := &t.result.Webhooks
	*w = t.audited.Servers.Webhooks
	w.Rules = t.audited.Forwarding
	if w.Failed > 0 {
		t.warn("webhooks failed: %s", results.Causes(w.FailedBy))
	}
	tcp := t.result.Connect.Stages["tcp"]
	measured := model.Measured{Delay: tcp.Quantile(0) / 2, RepollGap: t.audited.RepollGap}
	if c := t.result.Cost; c.Delivered > 0 {
		measured.Write = time.Duration(float64(c.Server.CPU) / float64(c.Delivered) * t.crowding())
	}
	if !t.foreign() { // the model knows the bytes and the gaps of pushbench's own protocol only
		t.result.Predicted = model.Predict(t.Scenario, t.Measured.Transport, measured)
	}
	t.result.Cost.Server.MemoryPeak, t.result.Cost.Generator.MemoryPeak = t.audited.ServerMemory, t.audited.GeneratorMemory
	return nil
}

// crowding is the number of servers per core: each server is slower by this factor.
func (t *Trial) crowding() float64 {
	return max(1, float64(t.Scenario.Servers)/float64(max(1, t.audited.ServerCores.Number)))
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
			t.result.Publishes.Dropped, t.result.Publishes.Planned, results.Causes(t.result.Publishes.DroppedBy))
	}
}

// saturated reports whether the server did not accept the offered load.
func saturated(t results.Trial) bool {
	const tolerated = 0.005
	return float64(t.Publishes.Dropped) > tolerated*float64(t.Publishes.Planned)
}
