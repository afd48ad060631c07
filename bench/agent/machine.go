package agent

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/cost"
	"pushbench/bench/generator"
	"pushbench/bench/host"
	"pushbench/results"
	"pushbench/scenarios"
)

// A Machine says how an agent starts servers and load generators on its machine, and on which cores.
type Machine struct {
	Serve          func(j Job, host string) []string // argument vector of a server that listens on a port of the host
	Drive          []string                          // argument vector of a load generator
	Link           []string                          // argument vector of the process that forwards packets: see lab.Carry
	Idle           []string                          // argument vector of a child that prevents idle states; nil: they are allowed
	Host           string                            // address on which servers listen; empty: loopback
	ServerCores    []int                             // nil: any
	GeneratorCores []int
	Pinning        results.Pinning // for the manifest
	Watch          func(Running)   // optional callback at each Phase of a trial; must not block
}

// Pin assigns the first half of the cores to the server and the rest to the load generator, if
// there are at least two.
func (m *Machine) Pin() {
	cores := child.OwnCores()
	switch len(cores) {
	case 0:
		m.Pinning.Note = "the operating system does not support pinning"
		return
	case 1:
		m.Pinning.Note = results.OneCore
		return
	}
	half := len(cores) / 2
	m.ServerCores, m.GeneratorCores = cores[:half], cores[half:]
	m.Pinning = results.Pinning{Requested: true, Server: m.ServerCores, Generator: m.GeneratorCores}
}

// Describe describes this machine.
func (l *Local) Describe(context.Context) (Facts, error) {
	h := host.Facts()
	return Facts{Host: h, NotShown: host.NotShown(h), Pinning: l.Pinning, BootID: host.BootID()}, nil
}

// ownUsage is the resources that this process and the monitor have used so far.
func (l *Local) ownUsage() (reading, error) {
	used := reading{}
	if l.monitor != nil {
		var err error
		if used, err = (processes{l.monitor.Process}).usage(); err != nil {
			return nil, err
		}
	}
	own, err := cost.Read(os.Getpid())
	used[os.Getpid()] = own
	return used, err
}

// sharedCores are the cores of servers and load generators, if the user time of other processes on them can be known: the
// cores are monitored, and all processes of the server are billed. A target of nil is a server of pushbench.
func (l *Local) sharedCores(target *scenarios.Target) []int {
	switch {
	case l.monitor == nil || target != nil && (billed(target) != nil || target.Cost.Prometheus != ""):
		return nil
	case len(l.ServerCores) == 0:
		return child.OwnCores()
	}
	return append(slices.Clone(l.ServerCores), l.GeneratorCores...)
}

// idleTime is how long the idle cores are monitored.
const idleTime = time.Second

// IdleStalls describes the stalls of the cores while nothing is measured: similar stalls in a trial are caused by the
// machine.
func (l *Local) IdleStalls(ctx context.Context) (string, error) {
	if l.monitor == nil {
		return "", nil
	}
	stalls, err := l.monitor.Watch(ctx, idleTime)
	if ctx.Err() != nil || len(stalls) == 0 {
		return "", err
	}
	return fmt.Sprintf("in %v: %v", idleTime, stalls), err
}

// Ceiling measures the maximum rate of a load generator that is pinned like those of the trials.
func (l *Local) Ceiling(ctx context.Context, s *scenarios.Scenario, during time.Duration) (perSecond float64, err error) {
	one := &driven{}
	defer func() {
		if ended := one.end(child.Grace(ctx)); err == nil {
			err = ended
		}
	}()
	if err := one.start(l.Drive, child.Options{Cores: l.GeneratorCores}); err != nil {
		return 0, err
	}
	measure := generator.MeasureCeiling{Scenario: string(s.YAML()), Time: during}
	m, err := one.request(ctx, generator.Command{MeasureCeiling: &measure}, func(m generator.Report) bool { return m.Ceiling != nil })
	if err != nil {
		return 0, err
	}
	return m.Ceiling.PerSecond, nil
}
