package trial

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

// A Setup is the test setup of a run: how to start servers and load generators, and on which
// cores.
type Setup struct {
	Serve          func(measured scenarios.Configuration, host string) []string // argument vector of a server that listens on a port of the host
	Drive          []string                                                     // argument vector of a load generator
	Link           []string                                                     // argument vector of the process that forwards packets: see lab.Carry
	Idle           []string                                                     // argument vector of a child that prevents idle states; nil: they are allowed
	ServerCores    []int                                                        // nil: any
	GeneratorCores []int
	Pinning        results.Pinning // for the manifest
	Engine         string          // the clients' engine: see engines.Names
	Watch          func(Running)   // optional callback at each Phase of a trial; must not block
	Quick          bool            // shorter preparation, for runs whose results are discarded: see Conditions
	IdleClients    IdleClients     // of the memory probe before each trial; zero: there is none
	Monitor        *host.Monitor   // nil: idle states are allowed, and stalls are not detected
	Ceiling        float64         // see MeasureCeiling; 0: not measured
	HostLimits     generator.Limits
}

// Conditions describe the test setup for the reader of a report. No check depends on what Quick
// leaves out: the ceiling is measured anyway, and the stalls of idle cores are only displayed.
func (r *Setup) Conditions() []string {
	all := []string{r.Monitor.Condition()}
	if r.Quick {
		all = append(all, fmt.Sprintf("quick: stalls of idle cores were not measured before and after the run, nor the memory of idle clients; the load generator's maximum rate was measured for %d ms", r.ceilingTime().Milliseconds()))
	}
	return all
}

// Pin assigns the first half of the cores to the server and the rest to the load generator, if
// there are at least two.
func (r *Setup) Pin() {
	cores := child.OwnCores()
	switch len(cores) {
	case 0:
		r.Pinning.Note = "the operating system does not support pinning"
		return
	case 1:
		r.Pinning.Note = results.OneCore
		return
	}
	half := len(cores) / 2
	r.ServerCores, r.GeneratorCores = cores[:half], cores[half:]
	r.Pinning = results.Pinning{Requested: true, Server: r.ServerCores, Generator: r.GeneratorCores}
}

// usage is the resources that this process and the monitor have used so far.
func (r *Setup) usage() (reading, error) {
	if r.Monitor == nil {
		return nil, nil
	}
	used, err := processes{r.Monitor.Process}.usage()
	if err == nil {
		used[os.Getpid()], err = cost.Read(os.Getpid())
	}
	return used, err
}

// sharedCores are the cores of servers and load generators, if the user time of other processes on them can be known: the
// cores are monitored, and all processes of the server are billed. A target of nil is a server of pushbench.
func (r *Setup) sharedCores(target *scenarios.Target) []int {
	switch {
	case r.Monitor == nil || target != nil && (billed(target) != nil || target.Cost.Prometheus != ""):
		return nil
	case len(r.ServerCores) == 0:
		return child.OwnCores()
	}
	return append(slices.Clone(r.ServerCores), r.GeneratorCores...)
}

// idleTime is how long the idle cores are monitored before the first trial and after the last.
const idleTime = time.Second

// IdleStalls describes the stalls of the cores while nothing is measured: similar stalls in a
// trial are caused by the machine. It is empty without stalls, without a monitor, and if Quick is
// set.
func (r *Setup) IdleStalls(ctx context.Context) (string, error) {
	if r.Monitor == nil || r.Quick {
		return "", nil
	}
	stalls, err := r.Monitor.Watch(ctx, idleTime)
	if ctx.Err() != nil || len(stalls) == 0 {
		return "", err
	}
	return fmt.Sprintf("in %v: %v", idleTime, stalls), err
}

// MeasureCeiling measures the maximum rate of a load generator, pinned like those of the trials,
// with a no-op transport.
func (r *Setup) MeasureCeiling(ctx context.Context, s *scenarios.Scenario) (err error) {
	one := &replica{}
	defer func() {
		if ended := one.endGenerator(child.Grace(ctx)); err == nil {
			err = ended
		}
	}()
	if err := one.startGenerator(r.Drive, child.Options{Cores: r.GeneratorCores}); err != nil {
		return err
	}
	if err := one.generator.Send(generator.Command{MeasureCeiling: &generator.MeasureCeiling{Scenario: string(s.YAML()), Time: r.ceilingTime()}}); err != nil {
		return err
	}
	m, err := one.receive(ctx, child.ResponseTimeout)
	if err != nil {
		return err
	}
	if m.Ceiling == nil {
		return generatorError("unexpected report, want ceiling")
	}
	r.Ceiling = m.Ceiling.PerSecond
	return nil
}

func (r *Setup) ceilingTime() time.Duration {
	if r.Quick {
		return generator.QuickCeilingTime
	}
	return generator.CeilingTime
}
