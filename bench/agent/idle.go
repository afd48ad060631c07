package agent

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/clock"
	"pushbench/bench/cost"
	"pushbench/bench/generator"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// IdleClients is the number of idle clients that a memory probe connects, in two groups. What a process allocates once (code
// paged in, pools, structures of the runtime) is part of the first group's memory, so only the second group counts.
type IdleClients struct {
	First int
	Added int
}

// DefaultIdleClients are the groups of a run. TestIdleMemoryIsASlope shows that 1,000 clients have the slope of 2,000.
var DefaultIdleClients = IdleClients{First: 1000, Added: 1000}

// idleConnectRate is the rate of dials of a memory probe, per second. The kernel's listen queue carries it.
const idleConnectRate = 10_000

// idleStep is the number of clients between two garbage collections. Otherwise the garbage of thousands of handshakes lies
// between what lives, and the gaps that it leaves hold some of the clients of the next group.
const idleStep = 100

// idleInterval is the minimum interval of short polling in a memory probe: a poll in progress is not idle.
const idleInterval = scenarios.Duration(10 * time.Second)

// spareFiles is the number of open files of a process in addition to its clients' sockets.
const spareFiles = 100

// IdleMemory measures the memory of idle clients on a server and a load generator of their own, which end before it
// returns. It reads the resident sizes after the first group of clients and after the second. Before each reading
// both processes collect garbage: otherwise the reading depends on the time since the last collection. Only the anonymous
// part, heap and stacks, enters the slope: a page of code that a client happens to be the first to use belongs to no client.
//
// A target collects no garbage on command and reports no requests: its processes are read when they use little CPU time.
func (l *Local) IdleMemory(ctx context.Context, j Job, clients IdleClients) (m results.IdleMemory, err error) {
	target := j.target()
	if err := errors.Join(billed(target), fits(clients)); err != nil {
		return m, err
	}
	p := idleProbe{new(server), new(driven)}
	defer func() {
		grace := child.Grace(ctx)
		if ended := errors.Join(p.generator.end(grace), p.server.end(grace)); err == nil {
			err = ended
		}
	}()
	if err := p.server.start(ctx, l.Serve(j, loopback), child.Options{Cores: l.ServerCores, Preparation: preparation(j.Scenario, j.Measured)}); err != nil {
		return m, err
	}
	if err := p.generator.start(l.Drive, child.Options{Cores: l.GeneratorCores}); err != nil {
		return m, err
	}
	running, release := child.CancelOnExit(ctx, p.server.process, p.generator.process)
	defer release()
	idle := idleScenario(j.Scenario, clients)
	if target != nil {
		idle.Clients.ConnectRate = min(idle.Clients.ConnectRate, j.Scenario.Clients.ConnectRate)
	}
	j.Scenario = idle
	prepare := j.Prepare(p.server.info)
	prepare.Repetition = 1
	m, err = p.measure(running, prepare, clients)
	return m, child.Cause(running, err)
}

// An idleProbe is the server and the load generator that measure the memory of idle clients.
type idleProbe struct {
	server    *server
	generator *driven
}

// billed returns an error if no process of a target's server can be read. A target of nil is a server of pushbench.
func billed(t *scenarios.Target) error {
	switch {
	case t == nil || !t.Running() || t.Cost.PID != 0:
		return nil
	case t.Cost.Prometheus != "":
		return errors.New("cost.prometheus has no memory without that of the program's code; start or cost.pid has")
	default:
		return errors.New("the target file has neither start nor cost.pid, so no process can be read")
	}
}

func (p idleProbe) measure(ctx context.Context, prepare generator.Prepare, clients IdleClients) (m results.IdleMemory, err error) {
	largest, err := p.largest()
	if err != nil {
		return m, err
	}
	if _, err := p.generator.request(ctx, generator.Command{Prepare: &prepare}, func(m generator.Report) bool { return m.Prepared != nil }); err != nil {
		return m, err
	}
	requests := 1 // per idle client
	if transports.Of(scenarios.Transport(prepare.Transport)).Holds {
		requests = 2 // the second one waits
	}
	m = results.IdleMemory{Probes: 1, First: int64(clients.First), Added: int64(clients.Added)}
	if err := p.addIdle(ctx, 0, clients.First, requests); err != nil {
		return m, err
	}
	if m.Server.Resident, m.Server.First, err = sizes(p.server.process); err != nil {
		return m, err
	}
	if m.Server.Resident < largest {
		return m, errReused
	}
	if m.Generator.Resident, m.Generator.First, err = sizes(p.generator.process); err != nil {
		return m, err
	}
	if err := p.addIdle(ctx, clients.First, clients.First+clients.Added, requests); err != nil {
		return m, err
	}
	if _, m.Server.All, err = sizes(p.server.process); err != nil {
		return m, err
	}
	_, m.Generator.All, err = sizes(p.generator.process)
	return m, err
}

// errReused is the error of a running server whose memory does not grow with its clients.
var errReused = errors.New("the running server has memory left over from earlier clients, which new clients use first; restart it before the run, or give start instead of url")

// largest is the largest resident size of a server that was running already; 0 for one that was started for the probe. Below
// that size, new clients take memory that is resident already.
func (p idleProbe) largest() (int64, error) {
	if p.server.process.Root == 0 {
		return 0, nil
	}
	largest, err := processes{p.server.process}.peak()
	if err == nil && largest == 0 {
		err = errors.New("this operating system does not report the largest memory of a running server")
	}
	return largest, err
}

// sizes are the resident size of a child and its anonymous part, in bytes.
func sizes(p *child.Process) (resident, anonymous int64, err error) {
	if resident, err = (processes{p}).memory(cost.Memory); err == nil {
		anonymous, err = processes{p}.memory(cost.AnonymousMemory)
	}
	return resident, anonymous, err
}

// addIdle connects clients until there are all of them, in steps, and waits until a target has served them.
func (p idleProbe) addIdle(ctx context.Context, connected, all, requests int) error {
	for connected < all {
		step := min(idleStep, all-connected)
		connected += step
		if err := p.connectIdle(ctx, step, connected, requests); err != nil {
			return err
		}
	}
	if p.server.foreign {
		return p.awaitQuiet(ctx)
	}
	return nil
}

// A server is quiet if its processes use less than quietShare of a core for quietTime.
const (
	quietTime  = 100 * time.Millisecond
	quietShare = 0.1
)

// awaitQuiet waits until a server is quiet.
func (p idleProbe) awaitQuiet(ctx context.Context) error {
	deadline := clock.Now().Add(generator.ConnectGrace)
	for {
		from, at, err := p.used()
		if err != nil {
			return err
		}
		if !clock.Wait(ctx, at.Add(quietTime)) {
			return context.Cause(ctx)
		}
		to, now, err := p.used()
		switch {
		case err != nil:
			return err
		case float64(cpuTime(from, to)) < quietShare*float64(now.Sub(at)):
			return nil
		case now >= deadline:
			return fmt.Errorf("the server was still busy %v after its idle clients had connected", generator.ConnectGrace)
		}
	}
}

// used is what the processes of a server have used so far, and when that was read.
func (p idleProbe) used() (reading, clock.Instant, error) {
	used, err := processes{p.server.process}.usage()
	return used, clock.Now(), err
}

// connectIdle connects n more clients, all in total, waits until they are idle, and makes both processes collect garbage.
func (p idleProbe) connectIdle(ctx context.Context, n, all, requests int) error {
	report, err := p.generator.request(ctx, generator.Command{Connect: &generator.Connect{Clients: n}}, func(m generator.Report) bool { return m.Connected != nil })
	if err != nil {
		return err
	}
	if c := report.Connected; c.Failed > 0 || c.Clients != int64(all) {
		return fmt.Errorf("%d of %d clients did not connect (%s)", int64(all)-c.Clients, all, results.Causes(c.FailedBy))
	}
	if !p.server.foreign {
		if err := p.awaitRequests(ctx, int64(all*requests)); err != nil {
			return err
		}
	}
	if _, err := p.generator.request(ctx, generator.Command{Collect: &generator.Collect{}}, func(m generator.Report) bool { return m.Collected != nil }); err != nil || p.server.foreign {
		return err
	}
	return p.server.process.Collect(ctx)
}

// awaitRequests waits until the server has received some number of requests from clients.
func (p idleProbe) awaitRequests(ctx context.Context, want int64) error {
	deadline := clock.Now().Add(generator.ConnectGrace)
	for {
		s, err := p.server.stats(ctx)
		if err != nil || s.ClientRequests() >= want {
			return err
		}
		if clock.Now() >= deadline {
			return fmt.Errorf("the server received %d of %d requests within %v", s.ClientRequests(), want, generator.ConnectGrace)
		}
		if !clock.Wait(ctx, clock.Now().Add(acceptPoll)) {
			return context.Cause(ctx)
		}
	}
}

// idleScenario returns a scenario whose clients subscribe as those of s and receive nothing: with as many topics per
// client, and as many clients per topic. The memory depends on no network, so that there is none.
func idleScenario(s *scenarios.Scenario, clients IdleClients) *scenarios.Scenario {
	idle, n := *s, clients.First+clients.Added
	idle.Topics.Count = max(s.Topics.PerClient, int(float64(s.Topics.Count)*float64(n)/float64(s.Clients.Count)))
	idle.Clients.Count, idle.Clients.ConnectRate, idle.Servers = n, idleConnectRate, 1
	idle.Publish.By, idle.Publish.Rate, idle.Publish.Arrivals = scenarios.ByBackend, 1, scenarios.Periodic
	idle.ShortPoll.Interval = max(idle.ShortPoll.Interval, idleInterval)
	// No message is published, but the scenario must be valid.
	idle.Warmup, idle.Window, idle.Drain = 0, scenarios.Duration(10*time.Second), max(s.Drain, idle.ShortPoll.Interval)
	idle.Upstream, idle.Replies, idle.ShortLived = scenarios.Upstream{}, scenarios.Replies{}, scenarios.ShortLived{}
	idle.Network = scenarios.Network{Link: scenarios.StreamLink, TLS: s.Network.TLS}
	return &idle
}

// fits returns an error if a process may not open the sockets of the clients.
func fits(clients IdleClients) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the open-file limit: %w", err)
	}
	if need := uint64(clients.First + clients.Added + spareFiles); uint64(limit.Cur) < need {
		return fmt.Errorf("%d idle clients need %d open files, and a process may have %d (ulimit -n)", clients.First+clients.Added, need, limit.Cur)
	}
	return nil
}
