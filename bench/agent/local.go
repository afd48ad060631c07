package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/clock"
	"pushbench/bench/cost"
	"pushbench/bench/generator"
	"pushbench/bench/host"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
)

// Local is the agent of this process: it starts children on this machine.
type Local struct {
	Machine

	monitor *host.Monitor        // nil: idle states are allowed, and stalls are not detected
	part    *part                // of the current trial
	current atomic.Pointer[part] // the same, for Stop
}

// A part is what a trial has on this machine.
type part struct {
	job     Job
	network *network

	servers    []*server
	generators []*driven

	pauses    func() validity.Pauses
	overflows int64         // of listen queues before the trial: see host.ListenOverflows
	lap       usage         // at the last Lap
	stopped   chan struct{} // closed by Stop
	stop      sync.Once
}

// Begin starts the stall monitor.
func (l *Local) Begin(context.Context) (condition string, err error) {
	l.monitor, err = host.StartMonitor(l.Machine.Idle)
	return l.monitor.Condition(), err
}

// Finish ends the stall monitor.
func (l *Local) Finish() error {
	m := l.monitor
	l.monitor = nil
	return m.End()
}

// processes are the children whose exit ends a trial.
func (p *part) processes() processes {
	return slices.Concat(serverProcesses(p.servers), generatorProcesses(p.generators), p.network.processes())
}

// step performs a step of the trial, which the exit of a process ends.
func (p *part) step(ctx context.Context, do func(context.Context) error) error {
	ctx, release := child.CancelOnExit(ctx, p.processes()...)
	defer release()
	return child.Cause(ctx, do(ctx))
}

// newPart begins this machine's part of a trial. Without servers here, clients reach them as any program does.
func (l *Local) newPart(j Job) *part {
	l.part = &part{job: j, network: &network{far: child.Options{Cores: l.GeneratorCores}}, pauses: watchPauses(), stopped: make(chan struct{})}
	l.current.Store(l.part)
	return l.part
}

// StartServers starts the servers of a trial, and the network between them and their clients.
func (l *Local) StartServers(ctx context.Context, j Job) (s Started, err error) {
	p := l.newPart(j)
	if p.network, err = newNetwork(ctx, &l.Machine, j.Scenario); err != nil {
		return s, err
	}
	near := p.network.near
	near.Preparation = preparation(j.Scenario, j.Measured)
	for range j.Scenario.Servers {
		one := &server{}
		p.servers = append(p.servers, one)
		if err := one.start(ctx, l.Serve(j, p.network.host), near); err != nil {
			return s, err
		}
		s.Servers = append(s.Servers, one.info)
	}
	p.overflows = host.ListenOverflows(p.servers[0].process.PID())
	if s.Settings, err = l.settings(p.servers[0].process.Cmd.Args); err != nil {
		return s, err
	}
	s.Link = p.network.backendFD
	s.Memory, err = serverProcesses(p.servers).memory(cost.Memory)
	return s, err
}

// StartGenerators starts load generators and prepares them.
func (l *Local) StartGenerators(ctx context.Context, j Job, all []generator.Prepare) (memory int64, err error) {
	p := l.part
	if p == nil {
		p = l.newPart(j)
	}
	for range all {
		one := &driven{}
		p.generators = append(p.generators, one)
		if err := one.start(l.Drive, p.network.far); err != nil {
			return 0, err
		}
	}
	err = p.step(ctx, func(ctx context.Context) error {
		for i, one := range p.generators {
			if err := one.process.Send(generator.Command{Prepare: &all[i]}); err != nil {
				return err
			}
		}
		if _, err := p.receive(ctx, child.ResponseTimeout, func(m generator.Report) bool { return m.Prepared != nil }, "unexpected report, want prepared"); err != nil {
			return err
		}
		memory, err = generatorProcesses(p.generators).memory(cost.Memory)
		return err
	})
	return memory, err
}

// send sends the same command to every load generator.
func (p *part) send(c generator.Command) error {
	for _, one := range p.generators {
		if err := one.process.Send(c); err != nil {
			return err
		}
	}
	return nil
}

// receive waits for the next report of every load generator, which must be of the expected kind.
func (p *part) receive(ctx context.Context, within time.Duration, expected func(generator.Report) bool, otherwise string) (all []generator.Report, err error) {
	for _, one := range p.generators {
		m, err := one.receive(ctx, within)
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

// A usage is the resources that the processes of each role have used so far.
type usage struct{ servers, generators, link, own reading }

func (l *Local) usage() (u usage, err error) {
	var errs [4]error
	u.servers, errs[0] = serverProcesses(l.part.servers).usage()
	u.generators, errs[1] = generatorProcesses(l.part.generators).usage()
	u.link, errs[2] = l.part.network.processes().usage()
	u.own, errs[3] = l.ownUsage()
	return u, errors.Join(errs[:]...)
}

// between is what the processes used between two readings.
func between(from, to usage) (u Used) {
	addUsage(&u.Servers, from.servers, to.servers)
	addUsage(&u.Generators, from.generators, to.generators)
	addUsage(&u.Link, from.link, to.link)
	addUsage(&u.Own, from.own, to.own)
	return u
}

// Lap reads what the processes have used.
func (l *Local) Lap(ctx context.Context) (used Used, err error) {
	err = l.part.step(ctx, func(context.Context) error {
		now, err := l.usage()
		if err == nil {
			used, l.part.lap = between(l.part.lap, now), now
		}
		return err
	})
	return used, err
}

// Connect connects all clients.
func (l *Local) Connect(ctx context.Context, within time.Duration) (connected []results.Connect, err error) {
	p := l.part
	err = p.step(ctx, func(ctx context.Context) error {
		if err := p.send(generator.Command{Connect: &generator.Connect{}}); err != nil {
			return err
		}
		all, err := p.receive(ctx, within+generator.ConnectGrace+child.ResponseTimeout, func(m generator.Report) bool { return m.Connected != nil }, "unexpected report, want connected")
		for _, m := range all {
			connected = append(connected, *m.Connected)
		}
		return err
	})
	return connected, err
}

// Idle reads what idle clients cost.
func (l *Local) Idle(ctx context.Context, during time.Duration) (r Idle, err error) {
	err = l.part.step(ctx, func(ctx context.Context) error {
		select {
		case <-time.After(during):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		r, err = l.part.idle(ctx)
		return err
	})
	return r, err
}

func (p *part) idle(ctx context.Context) (r Idle, err error) {
	for i, s := range p.servers {
		if s.before, err = s.stats(ctx); err != nil {
			return r, err
		}
		if differences := validity.Differences(p.servers[0].before.settings, s.before.settings, nil); len(differences) > 0 {
			return r, fmt.Errorf("server %d differs from the first: %s", i+1, strings.Join(differences, "; "))
		}
		r.Settings = p.servers[0].before.settings
		r.Goroutines += s.before.Goroutines
	}
	if r.Servers, err = serverProcesses(p.servers).memory(cost.Memory); err != nil {
		return r, err
	}
	r.Generators, err = generatorProcesses(p.generators).memory(cost.Memory)
	return r, err
}

// Measure publishes and reads what the processes use in the window.
func (l *Local) Measure(ctx context.Context, w Window, each func(results.Interval) error) (*Measured, error) {
	p, m := l.part, &Measured{}
	err := p.step(ctx, func(ctx context.Context) error {
		if err := p.send(generator.Command{Start: &generator.Start{At: w.Start}}); err != nil {
			return err
		}
		ctx, cancel := context.WithCancelCause(ctx)
		var measuring sync.WaitGroup
		defer measuring.Wait()
		defer cancel(nil)
		var read error
		measuring.Go(func() { read = l.readWindow(ctx, w, m) })
		if err := p.follow(ctx, each); err != nil {
			return err
		}
		measuring.Wait()
		return read
	})
	for _, one := range p.generators {
		m.Outcomes = append(m.Outcomes, one.done)
	}
	return m, err
}

// Stop ends the publishing. Between two trials, it does nothing.
func (l *Local) Stop() {
	if p := l.current.Load(); p != nil {
		p.stop.Do(func() { close(p.stopped) })
	}
}

// follow passes on the load generators' intervals, one per second, until all are done.
func (p *part) follow(ctx context.Context, each func(results.Interval) error) error {
	go func() {
		select {
		case <-p.stopped:
			_ = p.send(generator.Command{Stop: &generator.Stop{}}) // an exit of a load generator is detected elsewhere
		case <-ctx.Done():
		}
	}()
	for {
		interval, err := p.nextInterval(ctx)
		if err != nil || interval == nil {
			return err
		}
		if err := each(*interval); err != nil {
			return err
		}
	}
}

// nextInterval returns the next interval, merged from all load generators that are not done. All
// report the same intervals; a load generator is done when its clients have received everything.
// nextInterval returns nil when all are done.
func (p *part) nextInterval(ctx context.Context) (sum *results.Interval, err error) {
	for _, one := range p.generators {
		if one.done != nil {
			continue
		}
		i, err := one.nextInterval(ctx)
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

// readWindow reads the processes' CPU time when the window opens and when it closes.
func (l *Local) readWindow(ctx context.Context, w Window, m *Measured) (err error) {
	var used [2]usage
	var throttled [2]int64
	var user [2]time.Duration
	var read [2]clock.Instant
	cores := l.sharedCores(l.part.job.target())
	for i, at := range []clock.Instant{w.Opens, w.Closes} {
		select {
		case <-time.After(at.Sub(clock.Now())):
		case <-l.part.stopped:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		read[i] = clock.Now()
		if used[i], err = l.usage(); err != nil {
			return err
		}
		if m.Stalls, err = l.monitor.Stalls(); err != nil { // the second reading: the stalls of the window
			return err
		}
		throttled[i], m.ThrottledShown = cost.Throttled()
		if user[i], err = cost.UserTime(cores); err != nil {
			cores = nil // the system does not report it
		}
		if i == 0 {
			l.notify(WindowOpened)
		}
	}
	m.Used = between(used[0], used[1])
	m.Throttled, m.Took = throttled[1]-throttled[0], read[1].Sub(read[0])
	m.User, m.Cores, m.Machine = user[1]-user[0], cores, host.BootID()
	m.GeneratorCores = cmp.Or(len(l.GeneratorCores), child.Available())
	return nil
}

// Audit reads the processes' counters.
func (l *Local) Audit(ctx context.Context, dials []int64) (a Audit, err error) {
	err = l.part.step(ctx, func(ctx context.Context) error { a, err = l.audit(ctx, dials); return err })
	return a, err
}

func (l *Local) audit(ctx context.Context, dials []int64) (a Audit, err error) {
	p := l.part
	if len(dials) < len(p.servers) {
		return a, fmt.Errorf("the dials of %d servers are known, want %d", len(dials), len(p.servers))
	}
	var before ServerStats
	for i, s := range p.servers {
		after, err := s.settled(ctx, dials[i])
		if err != nil {
			return a, err
		}
		results.Merge(&before, s.before)
		results.Merge(&a.Servers, after)
		a.Probes += s.probe.dials.Load()
	}
	a.RepollGap = a.Servers.repollGap(before)
	servers, generators := serverProcesses(p.servers), generatorProcesses(p.generators)
	if len(servers) > 0 {
		a.Overflows = host.ListenOverflows(servers[0].PID()) - p.overflows
	}
	a.Forwarding = p.network.rules()
	if a.ServerMemory, err = servers.peak(); err != nil {
		return a, err
	}
	a.ServerCores, a.GeneratorCores = servers.assignment(l.ServerCores), generators.assignment(l.GeneratorCores)
	a.GeneratorMemory, err = generators.memory(cost.PeakMemory)
	l.notify(Drained)
	return a, err
}

// EndTrial ends all processes of the trial.
func (l *Local) EndTrial(grace time.Duration) (e Ended, err error) {
	p := l.part
	if p == nil {
		return e, nil
	}
	l.part = nil
	l.current.Store(nil)
	err = errors.Join(endAll(p.generators, grace), endAll(p.servers, grace))
	report, ended := p.network.end(grace)
	if err == nil {
		err = ended
	}
	return Ended{report, p.pauses()}, err
}

// endAll ends children at the same time.
func endAll[T interface {
	end(grace time.Duration) error
}](all []T, grace time.Duration) error {
	ended := make([]error, len(all))
	var ending sync.WaitGroup
	for i, one := range all {
		ending.Go(func() { ended[i] = one.end(grace) })
	}
	ending.Wait()
	return errors.Join(ended...)
}

// Prepare is the command that gives a load generator the scenario and a server.
func (j Job) Prepare(s ServerInfo) generator.Prepare {
	p := generator.Prepare{
		Scenario: string(j.Scenario.YAML()), Transport: string(j.Measured.Transport), Engine: j.Engine,
		Target: s.Address, Authority: s.Authority, Certificate: s.Certificate,
	}
	if t := j.target(); t != nil {
		p.Protocol, p.ProtocolPath = string(t.Source), t.Path
		if t.Remote() {
			p.Limits = &j.HostLimits
		}
	}
	return p
}

// target is the target whose server the trial measures; nil: it is pushbench's own.
func (j Job) target() *scenarios.Target { return j.Scenario.TargetOf(j.Measured) }
