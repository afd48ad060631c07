package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pushbench/bench/host"
	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/report"
	"pushbench/results/summary"
	"pushbench/scenarios"
)

// CapacityOptions are the options of a search for the highest load.
type CapacityOptions struct {
	Options
	Limit  []string // requirements, in addition to "lost == 0"
	Axis   string   // the load that is varied: "rate" (of publication) or "clients"
	From   float64  // the first load to try; 0: the scenario's own
	Max    float64  // the highest load to try
	Window string   // measurement time of each load
}

// Capacity searches for the highest load at which each transport meets the limit. It returns the
// results that it wrote, with an error those so far. The path is empty if no load was tried.
func (e Env) Capacity(ctx context.Context, name string, o CapacityOptions) (found results.Capacity, err error) {
	s, err := o.Prepare(name)
	if err != nil {
		return found, err
	}
	if err := e.reexecInUserNamespace(s); err != nil {
		return found, err
	}
	e.Warn(s)
	began := time.Now()
	if err := o.checkOut(); err != nil {
		return found, err
	}
	o.Out = o.path(began, "capacity-", s)
	all, err := o.search(ctx, e, s, func(sess *Session, c scenarios.Configuration) probing {
		return func(load float64, n int) (results.Probe, bool, error) { return o.try(sess, s, c, load, n) }
	})
	if !slices.ContainsFunc(all, func(h results.Highest) bool { return len(h.Probes) > 0 }) {
		return found, err
	}
	found = results.Capacity{
		Path: o.Out, Schema: results.Schema, Started: began.UTC(), Command: e.command(),
		Scenario: s.Name, SHA256: s.Hash(), Axis: o.Axis, Within: capacityWithin, Tool: e.Tool(), Host: host.Facts(), Found: all,
	}
	for _, a := range s.Assertions {
		found.Limit = append(found.Limit, a.Text)
	}
	err = errors.Join(err, unmeasured(all))
	return found, errors.Join(err, writeCapacity(found))
}

// unmeasured is the error of searches in which no load could be measured.
func unmeasured(all []results.Highest) error {
	var names []string
	for _, h := range all {
		if h.Unmeasured() {
			names = append(names, h.Configuration().Label())
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &Error{Invalid, fmt.Errorf("the test setup or the machine was the limit at every load of %s; try pushbench doctor", strings.Join(names, ", "))}
}

// writeCapacity writes the results into their folder.
func writeCapacity(found results.Capacity) error {
	drawn, err := chart.Capacity(found)
	if err != nil {
		return err
	}
	return errors.Join(found.Write(), report.Capacity{Capacity: found}.Write(found.Path, drawn))
}

// Prepare loads a scenario whose load can be varied and whose assertions are the limit.
func (o *CapacityOptions) Prepare(name string) (*scenarios.Scenario, error) {
	return o.Load(name, "this limit", func(s *scenarios.Scenario) (err error) {
		if len(o.Limit) == 0 {
			return Usagef("--require is missing; expected: a limit such as --require 'p(99)<200ms'")
		}
		if o.Axis != "rate" && o.Axis != "clients" {
			return Usagef("--over: %q is not one of rate, clients", o.Axis)
		}
		vary(s, 1)
		if s.Window, err = scenarios.ParseDuration(o.Window); err != nil {
			return Usagef("--window: %w", err)
		}
		for _, text := range append(o.Limit, "lost == 0") {
			a, err := scenarios.ParseAssertion(text)
			if err != nil {
				return Usagef("--require: %q is not an assertion such as p(99)<200ms: %w", text, err)
			}
			if !slices.ContainsFunc(s.Assertions, func(b metric.Assertion) bool { b.Text = a.Text; return a == b }) {
				s.Assertions = append(s.Assertions, a)
			}
			for _, word := range metric.Renamed(text) {
				s.Warnings = append(s.Warnings, fmt.Sprintf("--require: %q is deprecated: use %q", word[0], word[1]))
			}
		}
		if o.From != 0 && (!(o.From > 0) || o.From > o.Max || o.Axis == "clients" && o.From != math.Trunc(o.From)) {
			return Usagef("--from: %v is not allowed; allowed: a load above 0 and at most --max, which is %v; clients are whole", o.From, o.Max)
		}
		if o.From != 0 {
			o.set(s, o.From)
		}
		if !(o.Max >= o.base(s)) {
			return Usagef("--max: %v is less than the scenario's load %v; allowed: at least that, or with a lower --from", o.Max, o.base(s))
		}
		return nil
	})
}

// set changes a scenario's load.
func (o CapacityOptions) set(s *scenarios.Scenario, load float64) {
	if o.Axis == "clients" {
		s.Clients.Count = int(load)
	} else {
		s.Publish.Rate = scenarios.Rate(load)
	}
}

// base is the scenario's own load.
func (o CapacityOptions) base(s *scenarios.Scenario) float64 {
	if o.Axis == "clients" {
		return float64(s.Clients.Count)
	}
	return float64(s.Publish.Rate)
}

// search searches all transports of all servers in one session. An error ends the current search and skips the
// rest. The results so far are returned with it; unfinished ones are marked.
func (o CapacityOptions) search(ctx context.Context, e Env, s *scenarios.Scenario, try func(*Session, scenarios.Configuration) probing) (all []results.Highest, err error) {
	err = e.InSession(ctx, func(sess *Session) (err error) {
		if err := sess.admitTargets(s, nil); err != nil {
			return err
		}
		for _, c := range s.Configurations() {
			h := results.Highest{Transport: string(c.Transport), Target: string(c.Target)}
			if err != nil {
				h.Unfinished = "an earlier search did not finish"
			} else if failed := o.highest(sess, s, &h, try(sess, c)); failed != nil {
				h.Unfinished = failed.Error()
				err = fmt.Errorf("the search for %s did not finish: %w", h.Configuration().Label(), failed)
			}
			all = append(all, h)
		}
		return err
	})
	return all, err
}

// highest searches one configuration, starting at the scenario's own load.
func (o CapacityOptions) highest(sess *Session, s *scenarios.Scenario, h *results.Highest, try probing) error {
	one := search{Highest: h, from: o.base(s), most: o.Max, whole: o.Axis == "clients", try: func(load float64, n int) (p results.Probe, setup bool, err error) {
		if err := sess.Interrupted(); err != nil {
			return p, false, err
		}
		if p, setup, err = try(load, n); err == nil {
			fmt.Fprintf(sess.Err, "%s at %s: %s\n", h.Configuration().Label(), metric.Number(load), map[bool]string{true: "met", false: p.Why}[p.Held])
		}
		return p, setup, err
	}}
	return one.run()
}

// try measures one configuration at one load, in a separate run: see probing.
func (o CapacityOptions) try(sess *Session, s *scenarios.Scenario, c scenarios.Configuration, load float64, n int) (p results.Probe, setup bool, err error) {
	one := *s
	one.Transports = []scenarios.Transport{c.Transport}
	if c.Target != "" {
		one.Sweep.Target = []scenarios.TargetName{c.Target}
	}
	o.set(&one, load)
	p = results.Probe{Load: load, Deliveries: one.DeliveryRate()}
	err = one.Check()
	if err == nil {
		err = sess.preflight(&one, false)
	}
	if err != nil {
		p.Why = err.Error()
		return p, true, nil
	}
	p.Folder = filepath.Join("probes", fmt.Sprintf("%s-%02d", results.Configuration{Name: c.Name()}.FileName(), n))
	options := o.Options
	options.Out = filepath.Join(o.Out, p.Folder)
	runs, err := sess.measure(&one, options)
	if err != nil {
		return p, false, err
	}
	return decide(p, runs[0])
}

// decide adds to a probe whether its run met the limit, and its measured values.
func decide(p results.Probe, run *results.Run) (results.Probe, bool, error) {
	m, sum := run.Manifest, summary.Of(run)
	row := sum.Rows[0]
	for metric, field := range map[string]*float64{metric.P50: &p.P50, metric.P99: &p.P99, metric.CPUPerMessage: &p.CPU} {
		if v := row.Value(metric); v.Known == summary.Shown {
			*field = v.X
		}
	}
	if v := row.Value(metric.Max); p.P99 == 0 && v.Known == summary.Shown {
		p.Max = v.X
	}
	switch m.Status {
	case results.Partial:
		return p, false, errInterrupted
	case results.Invalid, results.Saturated:
		p.Why = report.New(run).Badge() + ": " + report.Cause(run)
		return p, m.Status == results.Invalid, nil
	}
	var failed, undecided []string
	for _, f := range compare.Assertions(m.Assertions, sum) {
		switch f.Outcome {
		case compare.Failed:
			failed = append(failed, fmt.Sprintf("%s failed: measured %s", f.Assertion.Text, report.Measured(f)))
		case compare.Undecided:
			undecided = append(undecided, fmt.Sprintf("%s is undecided: %s", f.Assertion.Text, f.Why))
		}
	}
	if len(failed) == 0 && len(undecided) > 0 {
		p.Open, p.Why = true, strings.Join(undecided, "; ")
		return p, false, &Error{Inconclusive, fmt.Errorf("at %s, %s; try a longer --window", metric.Number(p.Load), p.Why)}
	}
	p.Held, p.Why = len(failed) == 0, strings.Join(failed, "; ")
	return p, false, nil
}
