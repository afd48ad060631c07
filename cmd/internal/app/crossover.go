package app

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// CrossoverOptions are the loads and values of staleness of a map.
type CrossoverOptions struct {
	Options
	Rates, Clients string   // the loads, of one of the two; default: rates from 1/16 of the scenario's to 16 times it
	Staleness      []string // values that an application can accept
	Repetitions    int
	Cost           scenarios.Cost // by what a transport is the cheapest; default: the scenario's
}

// loads are the default loads as multiples of the scenario's rate.
var loads = []float64{1.0 / 16, 1.0 / 4, 1, 4, 16}

// Crossover measures a scenario at several loads, and short polling at several intervals. The run
// is nil if none was written.
func (e Env) Crossover(ctx context.Context, name string, o CrossoverOptions) (*results.Run, error) {
	s, err := o.Prepare(name)
	if err != nil {
		return nil, err
	}
	runs, err := e.Measure(ctx, s, o.Options)
	if len(runs) == 0 {
		return nil, err
	}
	return runs[0], err
}

// Prepare loads a scenario and prepares it for a map.
func (o *CrossoverOptions) Prepare(name string) (*scenarios.Scenario, error) {
	if len(o.Targets) > 1 {
		return nil, Usagef("--target: a map shows one server, got %d; compare several with pushbench run", len(o.Targets))
	}
	s, err := o.Load(name, "these loads", o.vary)
	if err != nil {
		return nil, err
	}
	for _, t := range s.Targets {
		if !t.Offers(transports.ShortPoll) || len(t.Offered()) < 2 {
			return nil, Usagef("--target: %s cannot have a map: it needs short polling and another transport, and its file has %v", t.Name, t.Offered())
		}
	}
	return s, nil
}

// vary prepares a scenario for a map.
func (o CrossoverOptions) vary(s *scenarios.Scenario) error {
	vary(s, o.Repetitions)
	s.Cost = cmp.Or(o.Cost, s.Cost)
	var intervals []string
	longest := time.Duration(0)
	for _, text := range o.Staleness {
		d, err := scenarios.ParseDuration(text)
		if err != nil {
			return Usagef("--staleness: %w", err)
		}
		interval := scenarios.Duration(compare.PollShare * float64(d))
		intervals = append(intervals, interval.String())
		longest = max(longest, time.Duration(interval))
	}
	if len(intervals) < 2 {
		return Usagef("--staleness: a map needs at least 2 values, got %d", len(intervals))
	}
	axis, values := "rate", o.Rates
	switch {
	case o.Clients != "" && o.Rates != "":
		return Usagef("--rates and --clients cannot be combined: a map varies one load; give one of the two")
	case o.Clients != "":
		axis, values = "clients", o.Clients
	case values == "":
		var all []string
		for _, times := range loads {
			all = append(all, scenarios.Rate(times*float64(s.Publish.Rate)).String())
		}
		values = strings.Join(all, ",")
	}
	if err := errors.Join(s.Vary("interval", strings.Join(intervals, ",")), s.Vary(axis, values)); err != nil {
		return Usagef("%w", err)
	}
	s.Transports = slices.DeleteFunc(s.Transports, func(t scenarios.Transport) bool { return t == transports.Webhook })
	s.Drain = max(s.Drain, scenarios.Duration(longest+time.Second))                               // the last polls
	s.Window = max(s.Window, scenarios.Duration((3*longest + time.Second).Truncate(time.Second))) // each client polls three times
	return nil
}
