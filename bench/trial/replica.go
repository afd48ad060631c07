package trial

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/cost"
	"pushbench/bench/generator"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
)

// A replica is a server of a trial and the load generator with its clients. Most trials have
// one. Large trials need several, since the number of descriptors per process is limited. Every
// message is posted to each replica.
type replica struct {
	server    *child.Process
	generator *child.Process
	probe     *probe
	settings  string // of the server, in one line
	foreign   bool   // the server is a target, which reports nothing about itself

	certificate string // of the server; empty without TLS
	authority   string // that requests name; empty: the address

	reports chan generator.Report
	readErr error // why reports ended; set before reports is closed

	before serverStats // when all clients were connected
	after  serverStats
	done   *generator.Outcome // nil until the load generator is done
}

// preparation is how long the server of a target may take until it is ready; 0s for pushbench's own servers.
func preparation(s *scenarios.Scenario, c scenarios.Configuration) time.Duration {
	if t := s.TargetOf(c); t != nil {
		return time.Duration(t.Start.Within)
	}
	return 0
}

func (r *replica) startServer(ctx context.Context, argv []string, options child.Options) (err error) {
	server, g, err := child.StartServer(ctx, argv, options)
	if err != nil {
		return err
	}
	ctx, release := child.CancelOnExit(ctx, server)
	defer release()
	r.server, r.settings, r.certificate, r.foreign = server, g.Settings, g.Certificate, g.Target != ""
	r.authority = g.Authority
	r.probe = newProbe(g.Listening, g.TLS, options.Inside)
	if r.foreign {
		return nil
	}
	_, err = r.probe.get(ctx, "/v1/healthz")
	return child.Cause(ctx, err)
}

// stats reads the server's counters. A target has none.
func (r *replica) stats(ctx context.Context) (serverStats, error) {
	if r.foreign {
		return serverStats{}, nil
	}
	return r.probe.stats(ctx)
}

func (r *replica) startGenerator(argv []string, options child.Options) (err error) {
	if r.generator, err = child.Start(child.Generator, argv, options); err != nil {
		return err
	}
	r.reports = make(chan generator.Report, 16)
	go func() {
		defer close(r.reports)
		r.readErr = child.ReadLines(r.generator.Stdout, func(m generator.Report) error {
			r.reports <- m
			return nil
		})
	}()
	return nil
}

// prepareCommand is the command that gives a load generator the scenario and the server. A target of nil is a server of
// pushbench. The limits are for a target on another host.
func (r *replica) prepareCommand(s *scenarios.Scenario, c scenarios.Configuration, t *scenarios.Target, l generator.Limits) generator.Prepare {
	p := generator.Prepare{Scenario: string(s.YAML()), Transport: string(c.Transport), Target: r.probe.address, Authority: r.authority, Certificate: r.certificate}
	if t != nil {
		p.Protocol, p.ProtocolPath = string(t.Source), t.Path
		if t.Remote() {
			p.Limits = &l
		}
	}
	return p
}

// receive waits for the load generator's next report.
func (r *replica) receive(ctx context.Context, within time.Duration) (generator.Report, error) {
	select {
	case m, ok := <-r.reports:
		if !ok {
			return m, r.endReason()
		}
		if m.Failed != "" {
			return m, generatorError(m.Failed)
		}
		return m, nil
	case <-time.After(within):
		return generator.Report{}, fmt.Errorf("load generator did not respond within %v", within)
	case <-ctx.Done():
		return generator.Report{}, context.Cause(ctx)
	}
}

// endReason is why the load generator sends no more reports: a read error or its exit.
func (r *replica) endReason() error {
	if r.readErr != nil {
		return generatorError(r.readErr.Error())
	}
	select {
	case <-r.generator.Ended:
		return errors.New(r.generator.ExitReason())
	case <-time.After(child.ExitTimeout):
		return generatorError("output closed without an exit")
	}
}

// nextInterval receives the load generator's next interval, or nil when it is done.
func (r *replica) nextInterval(ctx context.Context) (*results.Interval, error) {
	m, err := r.receive(ctx, child.ResponseTimeout)
	if err != nil {
		return nil, err
	}
	switch {
	case m.Done != nil:
		r.done = m.Done
	case m.Interval == nil:
		return nil, generatorError("unexpected report, want an interval or the outcome")
	}
	return m.Interval, nil
}

// endGenerator ends the load generator, if it was started. An earlier exit is not an error here:
// CancelOnExit has reported it.
func (r *replica) endGenerator(grace time.Duration) error {
	if r.generator == nil {
		return nil
	}
	go func() { // discard remaining messages, so that the child and its reader can end
		for range r.reports {
		}
	}()
	return r.generator.EndQuietly(grace)
}

func (r *replica) endServer(grace time.Duration) error {
	if r.server == nil {
		return nil
	}
	r.probe.http.CloseIdleConnections()
	return r.server.EndQuietly(grace)
}

// processes are a trial's processes in one role.
type processes []*child.Process

func (t *Trial) servers() (all processes) {
	for _, r := range t.replicas {
		all = append(all, r.server)
	}
	return all
}

func (t *Trial) generators() (all processes) {
	for _, r := range t.replicas {
		all = append(all, r.generator)
	}
	return all
}

// memory is the sum of their memory, by one of the functions of package cost. A page reports the resident size only.
func (all processes) memory(read func(pid int) (int64, error)) (sum int64, err error) {
	for _, p := range all {
		if p.Page != nil {
			s, err := p.Page.Read()
			if err != nil {
				return 0, err
			}
			sum += s.Memory
			continue
		}
		pids, err := p.PIDs()
		if err != nil {
			return 0, err
		}
		for _, pid := range pids {
			bytes, err := read(pid)
			if hasEnded(p, err) {
				continue
			}
			if err != nil {
				return 0, err
			}
			if bytes == 0 { // not available on this operating system
				return 0, nil
			}
			sum += bytes
		}
	}
	return sum, nil
}

// hasEnded reports whether an error of reading one of the processes of a tree means that it has ended since it was
// listed.
func hasEnded(p *child.Process, err error) bool {
	return err != nil && (p.Tree || p.Root != 0) && !errors.Is(err, fs.ErrPermission)
}

// peak is the sum of their largest memory; 0 if pages report it, which have no such metric.
func (all processes) peak() (int64, error) {
	if slices.ContainsFunc(all, func(p *child.Process) bool { return p.Page != nil }) {
		return 0, nil
	}
	return all.memory(cost.PeakMemory)
}

// A reading is the resources that processes have used so far, by process.
type reading map[int]cost.Usage

func (all processes) usage() (reading, error) {
	used := reading{}
	for _, p := range all {
		if p.Page != nil {
			s, err := p.Page.Read()
			if err != nil {
				return nil, err
			}
			used[p.PID()] = cost.Usage{CPU: s.CPU}
			continue
		}
		pids, err := p.PIDs()
		if err != nil {
			return nil, err
		}
		for _, pid := range pids {
			u, err := cost.Read(pid)
			if hasEnded(p, err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			used[pid] = u
		}
	}
	return used, nil
}

// addUsage adds the resources used between two readings to a role's cost. A process that ended in between is
// part of what its parent has reaped since, from its start on: what it had used before is subtracted.
func addUsage(role *results.Process, from, to reading) {
	for pid, last := range to {
		if last.CPU > 0 {
			role.Processes++
		}
		u := last.Minus(from[pid])
		role.CPU += u.CPU + last.Reaped - from[pid].Reaped
		role.User += u.User
		role.System += u.System
		role.ContextSwitches += u.ContextSwitches
	}
	for pid, first := range from {
		if _, live := to[pid]; !live {
			role.CPU -= first.CPU
		}
	}
}

// cpuTime is the CPU time of all processes between two readings.
func cpuTime(from, to reading) results.CPUTime {
	var p results.Process
	addUsage(&p, from, to)
	return results.CPUTime{CPU: p.CPU, User: p.User, System: p.System}
}

// affinity returns the cores of the first process that does not run on the requested ones, or
// of the last process. It is empty if the operating system does not support pinning.
func (all processes) affinity(requested []int) (got []int) {
	for _, p := range all {
		got, _ = cost.Affinity(p.PID()) // of a supervisor, from which its descendants have it
		if !validity.Granted(requested, got) {
			break
		}
	}
	return got
}

// errGenerator wraps a failure of the load generator.
var errGenerator = errors.New("load generator failed")

func generatorError(reason string) error { return fmt.Errorf("%w: %s", errGenerator, reason) }
