package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"pushbench/bench/fleet"
	"pushbench/bench/host"
	"pushbench/results"
	"pushbench/scenarios"
)

// A Surveyed agent is one whose suitability for a run was checked.
type Surveyed struct {
	Name     string           `json:"name"`
	Tool     results.Tool     `json:"tool"`
	Host     results.Host     `json:"host"`
	BootID   string           `json:"boot_id"` // the same for two agents that share a kernel
	Offset   time.Duration    `json:"clock_offset_ns"`
	Bound    time.Duration    `json:"clock_bound_ns"`
	Ceiling  float64          `json:"ceiling_per_second"` // maximum rate of the load generator
	Checks   []host.Diagnosis `json:"checks"`
	Unusable string           `json:"unusable,omitempty"` // why it cannot take part in a run
}

// candidate is what a survey uses of an agent.
type candidate interface {
	Clock(ctx context.Context) (fleet.Offset, error)
	Examine(ctx context.Context) ([]host.Diagnosis, error)
	Begin(ctx context.Context) (string, error)
	Ceiling(ctx context.Context, s *scenarios.Scenario, during time.Duration) (float64, error)
	Finish() error
}

// surveyScenario is the scenario whose load generators have to be fast: many small messages.
const surveyScenario = "chat"

// surveyTime is how long the maximum rate is measured.
const surveyTime = time.Second

// Survey gathers agents and checks each. The error names those that are not usable.
func (e Env) Survey(ctx context.Context, a Agents) (all []Surveyed, err error) {
	switch {
	case a.Count < 1:
		return nil, Usagef("%d agents are not allowed; allowed: 1 or more", a.Count)
	case !a.complete():
		return nil, errWithoutNATS
	}
	s, err := scenarios.Load(surveyScenario)
	if err != nil {
		return nil, err
	}
	err = e.inSession(ctx, noLock, func(session *Session) error {
		f, err := session.await(a.Count, a)
		if err != nil {
			return err
		}
		var agents []candidate
		for _, r := range f.Agents {
			all = append(all, Surveyed{Name: r.Name, Tool: r.Tool, Host: r.Facts.Host, BootID: r.Facts.BootID})
			agents = append(agents, r)
		}
		survey(session.Drain, s, all, agents)
		return session.Interrupted()
	})
	if err != nil {
		return nil, err
	}
	return all, unusable(all)
}

// survey checks agents: those of one machine one after the other, because each takes its lock and its cores. Machines without
// a boot ID could be the same.
func survey(ctx context.Context, s *scenarios.Scenario, all []Surveyed, agents []candidate) {
	machines := map[string][]int{}
	for i, one := range all {
		machines[one.BootID] = append(machines[one.BootID], i)
	}
	var checking sync.WaitGroup
	for _, indexes := range machines {
		checking.Go(func() {
			for _, i := range indexes {
				if err := all[i].check(ctx, s, agents[i]); err != nil {
					all[i].Unusable = strings.TrimPrefix(err.Error(), "agent "+all[i].Name+": ") // it is named with it
				}
			}
		})
	}
	checking.Wait()
}

// check checks one agent.
func (one *Surveyed) check(ctx context.Context, s *scenarios.Scenario, c candidate) (err error) {
	offset, err := c.Clock(ctx)
	if err != nil {
		return err
	}
	one.Offset, one.Bound = offset.Value, offset.Bound
	if one.Checks, err = c.Examine(ctx); err != nil {
		return err
	}
	if err := host.Usable(one.Checks); err != nil {
		return err
	}
	if _, err := c.Begin(ctx); err != nil {
		return errors.Join(err, c.Finish())
	}
	one.Ceiling, err = c.Ceiling(ctx, s, surveyTime)
	return errors.Join(err, c.Finish())
}

// unusable returns an error that names the agents that cannot take part in a run.
func unusable(all []Surveyed) error {
	var failed error
	for _, one := range all {
		if one.Unusable != "" {
			failed = errors.Join(failed, &failure{"agent " + one.Name + " is not usable", errors.New(one.Unusable)})
		}
	}
	if failed == nil {
		return nil
	}
	return &Error{Invalid, failed}
}

// Build names the build of an agent.
func (one Surveyed) Build() string { return buildOf(one.Tool) }

// Clock is the offset of the agent's clock with its largest error.
func (one Surveyed) Clock() string {
	round := func(d time.Duration) time.Duration {
		if d.Abs() < time.Second {
			return d.Round(time.Microsecond)
		}
		return d.Round(time.Millisecond)
	}
	return fmt.Sprintf("%v ± %v", round(one.Offset), round(one.Bound))
}
