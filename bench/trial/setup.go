package trial

import (
	"context"
	"fmt"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/generator"
	"pushbench/bench/host"
	"pushbench/results"
	"pushbench/scenarios"
)

// A Rig is what a run measures with: how to start a server and a generator, and
// on which cores.
type Setup struct {
	Serve          func(measured scenarios.Configuration, host string) []string // argument vector of a server that listens on a port of the host's
	Drive          []string                                                     // argument vector of a generator
	Link           []string                                                     // argument vector of what carries packets: see lab.Carry
	Idle           []string                                                     // argument vector of a child that prevents idle states; none: they are allowed
	ServerCores    []int                                                        // none: any
	GeneratorCores []int
	Pinning        results.Pinning // what the manifest says of the cores
	Engine         string          // which engine the clients run on: see engines.Names
	Watch          func(Underway)  // optional callback at each Moment of a trial; it must return soon
	Quick          bool            // less time before and after the trials, for runs that are thrown away: see Conditions
	Monitor        *host.Monitor   // nil: idle states are allowed, and stalls are not seen
	Ceiling        float64         // see MeasureCeiling; 0: not measured
}

// Conditions are what a reader must know of the test setup. No check depends on what a Quick one
// leaves out: the ceiling is measured all the same, and the watch of idle cores is only shown.
func (r *Setup) Conditions() []string {
	all := []string{r.Monitor.Condition()}
	if r.Quick {
		all = append(all, fmt.Sprintf("quick: idle cores were not watched before and after the run; the generator's ceiling was measured for %d ms", r.gaugeTime().Milliseconds()))
	}
	return all
}

// Pin gives the server the first half of the cores and the generator the rest,
// where there are two or more.
func (r *Setup) Pin() {
	cores := child.OwnCores()
	if len(cores) < 2 {
		r.Pinning.Note = "server and generator share one core, or this system offers no pinning"
		return
	}
	half := len(cores) / 2
	r.ServerCores, r.GeneratorCores = cores[:half], cores[half:]
	r.Pinning = results.Pinning{Requested: true, Server: r.ServerCores, Generator: r.GeneratorCores}
}

// idleTime is how long the cores are watched before the first trial and after the last.
const idleTime = time.Second

// IdleStalls describes how the cores stall while nothing is measured: what the checks find of
// it in a trial is the machine's. It is empty where they do not, where nothing watches them, and of
// a Quick rig.
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

// MeasureCeiling has a generator, placed as those of the trials are, find its ceiling.
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
	if err := one.generator.Send(generator.Order{Gauge: &generator.Gauge{Scenario: string(s.YAML()), Time: r.gaugeTime()}}); err != nil {
		return err
	}
	m, err := one.answer(ctx, child.AnswerWait)
	if err != nil {
		return err
	}
	if m.Gauged == nil {
		return generatorError("it did not find its ceiling")
	}
	r.Ceiling = m.Gauged.PerSecond
	return nil
}

func (r *Setup) gaugeTime() time.Duration {
	if r.Quick {
		return generator.QuickGaugeTime
	}
	return generator.GaugeTime
}
