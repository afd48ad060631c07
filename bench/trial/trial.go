// Package trial runs one configuration against fresh servers, from fresh load generators, and
// collects the evidence for the checks of package validity.
//
// It contains everything from the start of the processes to a finished results.Trial, and the
// test setup that trials share. It must not depend on the run.
package trial

import (
	"context"
	"fmt"
	"maps"
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

// startDelay is the time from the start command until the warm-up begins.
const startDelay = 150 * time.Millisecond

// A Setup is the test setup of a run: the agent that starts its processes, and how the load generators measure.
type Setup struct {
	Agent       agent.Agent
	Engine      string            // the clients' engine: see engines.Names
	Pinning     results.Pinning   // for the manifest
	Quick       bool              // shorter preparation, for runs whose results are discarded: see Conditions
	IdleClients agent.IdleClients // of the memory probe before each trial; zero: there is none
	HostLimits  generator.Limits  // for a target on another host
	Ceiling     float64           // maximum rate of a load generator, per second; set by Begin
}

// Begin prepares the agent's machine for the trials of a run, and measures the ceiling: the maximum rate of a load generator
// with a no-op transport.
func (s *Setup) Begin(ctx context.Context, hardest *scenarios.Scenario) (conditions []string, err error) {
	condition, err := s.Agent.Begin(ctx)
	if err != nil {
		return nil, err
	}
	conditions = []string{condition}
	if s.Quick {
		conditions = append(conditions, fmt.Sprintf("quick: stalls of idle cores were not measured before and after the run, nor the memory of idle clients; the load generator's maximum rate was measured for %d ms", s.ceilingTime().Milliseconds()))
	}
	s.Ceiling, err = s.Agent.Ceiling(ctx, hardest, s.ceilingTime())
	return conditions, err
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
	return s.Agent.IdleStalls(ctx)
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
	seconds []results.Interval
	started agent.Started
	window  *agent.Measured
	pauses  validity.Pauses
	outcome *generator.Outcome // of all load generators
	audited agent.Audit
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
	ended, failed := t.Setup.Agent.EndTrial(child.Grace(ctx))
	if err == nil {
		err = failed
	}
	t.result.Link, t.pauses, t.result.Took = ended.Link, ended.Pauses, clock.Now().Sub(began)
	t.setStatus(err)
	return t.result, err
}

// probeIdle measures the memory of idle clients before the trial. Its failure is no failure of the trial: the result has
// the reason instead.
func (t *Trial) probeIdle(ctx context.Context) {
	idle := &t.result.Cost.Idle
	switch {
	case t.Setup.IdleClients != (agent.IdleClients{}):
		t.phase("measuring idle clients")
		m, err := t.Setup.Agent.IdleMemory(ctx, t.job(), t.Setup.IdleClients)
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
	return agent.Job{Scenario: t.Scenario, Measured: t.Measured, Side: t.Side, Engine: t.Setup.Engine, HostLimits: t.Setup.HostLimits, Attempt: t.Attempt}
}

func (t *Trial) startServers(ctx context.Context) (err error) {
	t.phase("starting")
	if t.started, err = t.Setup.Agent.StartServers(ctx, t.job()); err != nil {
		return err
	}
	t.ServerSettings = t.started.Servers[0].Settings
	t.result.Settings, t.result.Cost.Server.MemoryBase = t.started.Settings, t.started.Memory
	return nil
}

// foreign reports whether the servers are those of a target.
func (t *Trial) foreign() bool { return t.Scenario.TargetOf(t.Measured) != nil }

// startGenerators starts a load generator for each server.
func (t *Trial) startGenerators(ctx context.Context) (err error) {
	var all []generator.Prepare
	for i, server := range t.started.Servers {
		p := t.job().Prepare(server)
		p.Replica, p.Repetition, p.Run, p.Discard, p.BackendNamespace = i, t.Repetition, t.Run, t.Discard, t.started.Link
		all = append(all, p)
	}
	t.result.Cost.Generator.MemoryBase, err = t.Setup.Agent.StartGenerators(ctx, all)
	return err
}

func (t *Trial) connect(ctx context.Context) error {
	t.phase("connecting")
	if _, err := t.Setup.Agent.Lap(ctx); err != nil {
		return err
	}
	opening := time.Duration(float64(t.Scenario.Sessions()) / float64(t.Scenario.Clients.ConnectRate) * float64(time.Second))
	all, err := t.Setup.Agent.Connect(ctx, opening)
	if err != nil {
		return err
	}
	used, err := t.Setup.Agent.Lap(ctx)
	if err != nil {
		return err
	}
	sum := results.Connect{Stages: map[string]results.Histogram{}, FailedBy: map[string]int64{}, LostBy: map[string]int64{}}
	for _, c := range all {
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
	idle, err := t.Setup.Agent.Idle(ctx, time.Duration(t.Scenario.Idle))
	if err != nil {
		return err
	}
	maps.Copy(t.result.Settings, idle.Settings)
	cost := &t.result.Cost
	cost.Server.Goroutines, cost.Server.MemoryIdle, cost.Generator.MemoryIdle = idle.Goroutines, idle.Servers, idle.Generators
	return nil
}

// measureWindow publishes through warm-up and window and waits for the drain.
func (t *Trial) measureWindow(ctx context.Context) (err error) {
	start := clock.Now().Add(startDelay)
	opens := start.Add(time.Duration(t.Scenario.Warmup))
	w := agent.Window{Start: start, Opens: opens, Closes: opens.Add(time.Duration(t.Scenario.Window))}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-t.Stop:
			t.Setup.Agent.Stop()
		case <-ctx.Done():
		}
	}()
	t.phase("warm-up")
	if t.window, err = t.Setup.Agent.Measure(ctx, w, t.interval); err != nil {
		return err
	}
	t.result.Events = t.window.Stalls.Events(opens)
	addProcess(&t.result.Cost.Server, t.window.Used.Servers)
	addProcess(&t.result.Cost.Generator, t.window.Used.Generators)
	addProcess(&t.result.Cost.Link, t.window.Used.Link)
	if t.outcome, err = generator.MergeOutcomes(t.window.Outcomes, t.Measured.Transport); err == nil {
		t.addOutcome(t.outcome)
	}
	return err
}

// addProcess adds what processes used to a role's cost.
func addProcess(role *results.Process, used results.Process) {
	role.Processes += used.Processes
	role.CPU += used.CPU
	role.User += used.User
	role.System += used.System
	role.ContextSwitches += used.ContextSwitches
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
func (t *Trial) audit(ctx context.Context) (err error) {
	var dials []int64
	for _, o := range t.window.Outcomes {
		dials = append(dials, o.Total.Dials)
	}
	if t.audited, err = t.Setup.Agent.Audit(ctx, dials); err != nil {
		return err
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
	return max(1, float64(t.Scenario.Servers)/float64(t.audited.ServerCores.Number))
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
