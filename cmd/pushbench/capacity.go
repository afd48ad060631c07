package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pushbench/bench"
	"pushbench/bench/host"
	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/report"
	"pushbench/results/summary"
	"pushbench/scenarios"
)

// How near a search comes, and how often it asks again.
const (
	capacityWithin  = 0.05
	capacityConfirm = 3
	rigsEnd         = 3 // so often the rig must fail at a load before that is its end, and no disturbance
)

type capacityOptions struct {
	run    runOptions
	slo    []string
	axis   string
	most   float64
	window string
}

func newCapacityCommand() *cobra.Command {
	var o capacityOptions
	c := &cobra.Command{
		Use:   "capacity SCENARIO",
		Short: "The highest load at which each transport keeps to a limit",
		Long: `Find for each transport the highest load at which it keeps to a limit and loses
nothing: the load is doubled until it does not, what lies between is halved until the
two are within 5 %, and the highest must keep to the limit three times more.

A limit is a claim as scenarios have them. Every load tried is a run of its own, with
its gates; where the generator or the machine comes to its end first, what was found is
a lower bound and says so.

Ctrl-C once drains the run under way, ends the search and shows what was found so far
(exit code 6); twice stops at once. No other pushbench can measure until the search ends.

` + exitHelp,
		Example: "  pushbench capacity chat --slo 'p(99)<200ms'\n  pushbench capacity chat --slo 'p(99)<2s' --over clients --transports shortpoll,websocket",
		Args:    exactly("a scenario's name or file"),
		RunE:    func(c *cobra.Command, args []string) error { return o.do(c, args[0]) },
	}
	f := c.Flags()
	f.StringArrayVar(&o.slo, "slo", nil, "what must hold, such as 'p(99)<200ms'; nothing lost must hold as well")
	f.StringVar(&o.axis, "over", "rate", "what is varied: rate (of publication) or clients")
	f.Float64Var(&o.most, "most", 1e6, "the highest load to try")
	f.StringVar(&o.window, "window", "10s", "how long each load is measured")
	f.StringSliceVar(&o.run.transports, "transports", nil, "only these, such as sse,websocket (default: the scenario's)")
	f.StringVar(&o.run.out, "out", "", "the folder for the figures and the runs (default: "+runsFolder+"/TIME-capacity-SCENARIO)")
	quickFlag(c, &o.run.quick)
	formatFlag(c, &o.run.format, comparisonFormats)
	return c
}

func (o capacityOptions) do(c *cobra.Command, name string) error {
	if err := checkFormat(o.run.format, comparisonFormats); err != nil {
		return err
	}
	s, err := scenarios.Load(name)
	if err != nil {
		return err
	}
	if err := o.prepare(c, s); err != nil {
		return err
	}
	if done, err := elsewhere(c, s); done || err != nil {
		return err
	}
	began := time.Now()
	dir := cmp.Or(o.run.out, filepath.Join(runsFolder, began.UTC().Format("20060102T150405Z")+"-capacity-"+s.Name))
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return usageError("--out: %s exists already", dir)
	}
	found := results.Capacity{
		Schema: results.Schema, Started: began.UTC(), Command: append([]string{"pushbench"}, os.Args[1:]...),
		Scenario: s.Name, SHA256: s.Hash(), Axis: o.axis, Within: capacityWithin, Tool: hashed(tool()), Host: host.Facts(),
	}
	for _, claim := range s.Claims {
		found.Limit = append(found.Limit, claim.Text)
	}
	found.Found, err = o.search(c, s, func(sess *session, t scenarios.Transport, load float64, n int) (results.Probe, bool, error) {
		return o.try(sess, c, s, t, load, dir, n)
	})
	if !slices.ContainsFunc(found.Found, func(h results.Highest) bool { return len(h.Probes) > 0 }) {
		return err
	}
	return errors.Join(err, o.show(c, dir, found))
}

// A probing tries one transport at one load; n counts the probes of the transport from 1. rig
// says that it was the rig or the machine that could not.
type probing func(sess *session, t scenarios.Transport, load float64, n int) (p results.Probe, rig bool, err error)

// search searches all transports in one session. An error ends the search under way and those
// that follow; beside it is all that was found by then, with what is unfinished marked so.
func (o capacityOptions) search(c *cobra.Command, s *scenarios.Scenario, try probing) (all []results.Highest, err error) {
	err = inSession(c, func(sess *session) (err error) {
		for _, t := range s.Transports {
			h := results.Highest{Transport: string(t)}
			if err != nil {
				h.Unfinished = "an earlier search did not finish"
			} else if broke := o.highest(sess, c.ErrOrStderr(), o.base(s), &h, try); broke != nil {
				h.Unfinished = broke.Error()
				err = fmt.Errorf("the search of %s did not finish: %w", t, broke)
			}
			all = append(all, h)
		}
		return err
	})
	return all, err
}

// prepare makes a scenario one whose load can be varied, and whose claims are the limit.
func (o *capacityOptions) prepare(c *cobra.Command, s *scenarios.Scenario) error {
	if len(o.slo) == 0 {
		return usageError("--slo is missing; wanted: what must hold, such as --slo 'p(99)<200ms'")
	}
	if o.axis != "rate" && o.axis != "clients" {
		return usageError("--over: %q is not one of rate, clients", o.axis)
	}
	window, err := scenarios.ParseDuration(o.window)
	if err != nil {
		return usageError("--window: %w", err)
	}
	s.Window, s.Blocks = window, 1
	s.Sweep, s.Needs, s.Claims, s.Published = scenarios.Sweep{}, nil, nil, metric.Published{}
	o.run.choose(c, s)
	for _, claim := range append(o.slo, "lost == 0") {
		a, err := scenarios.ParseAssertion(claim)
		if err != nil {
			return usageError("--slo: %w", err)
		}
		s.Claims = append(s.Claims, a)
	}
	if !(o.most >= o.base(s)) {
		return usageError("--most: %v is less than the scenario's own %v", o.most, o.base(s))
	}
	if err := s.Check(); err != nil {
		return usageError("with this limit: %w", err)
	}
	return o.run.checkEngine(s)
}

// base is the scenario's own load.
func (o capacityOptions) base(s *scenarios.Scenario) float64 {
	if o.axis == "clients" {
		return float64(s.Clients.Count)
	}
	return float64(s.Publish.Rate)
}

// highest searches one transport from a load on.
func (o capacityOptions) highest(sess *session, stderr io.Writer, from float64, h *results.Highest, try probing) error {
	search := bench.Search{From: from, Most: o.most, Within: capacityWithin, Confirm: capacityConfirm, Whole: o.axis == "clients"}
	found, err := search.Do(func(load float64) (bench.Tried, error) {
		for again := 1; ; again++ {
			if err := sess.interrupted(); err != nil {
				return bench.Tried{}, err
			}
			p, rig, err := try(sess, scenarios.Transport(h.Transport), load, len(h.Probes)+1)
			if err == nil || p.Open {
				h.Probes = append(h.Probes, p)
			}
			if err != nil {
				return bench.Tried{}, err
			}
			fmt.Fprintf(stderr, "%s at %s: %s\n", h.Transport, metric.Number(load), map[bool]string{true: "kept", false: p.Why}[p.Held])
			if !rig || p.Folder == "" || again == rigsEnd {
				return bench.Tried{Held: p.Held, Rig: rig, Why: p.Why}, nil
			}
		}
	})
	if errors.Is(err, bench.ErrUnsteady) {
		err = &exitError{exitInconclusive, err}
	}
	h.Load, h.Beyond, h.Why, h.Rig, h.Confirmed = found.Load, found.Beyond, found.Why, found.Rig, found.Confirmed
	return err
}

// try measures one transport at one load, in a run of its own: see probing.
func (o capacityOptions) try(sess *session, c *cobra.Command, s *scenarios.Scenario, t scenarios.Transport, load float64, dir string, n int) (p results.Probe, rig bool, err error) {
	one := *s
	one.Transports = []scenarios.Transport{t}
	if o.axis == "clients" {
		one.Clients.Count = int(load)
	} else {
		one.Publish.Rate = scenarios.Rate(load)
	}
	p = results.Probe{Load: load, Deliveries: one.DeliveryRate()}
	if err := one.Check(); err != nil {
		p.Why = err.Error()
		return p, true, nil
	}
	if err := preflight(&one, false, c.ErrOrStderr()); err != nil {
		p.Why = err.Error()
		return p, true, nil
	}
	p.Folder = filepath.Join("probes", fmt.Sprintf("%s-%02d", t, n))
	own := o.run
	own.out = filepath.Join(dir, p.Folder)
	where, err := own.perform(sess, c, &one)
	if err != nil {
		return p, false, err
	}
	run, err := results.Open(where[0])
	if err != nil {
		return p, false, err
	}
	return keptTo(p, run)
}

// keptTo says whether a run kept to its claims, and what it had.
func keptTo(p results.Probe, run *results.Run) (results.Probe, bool, error) {
	m, sum := run.Manifest, summary.Of(run)
	row := sum.Rows[0]
	for name, field := range map[string]*float64{metric.P50: &p.P50, metric.P99: &p.P99, metric.CPUPerMessage: &p.CPU} {
		if v := row.Value(name); v.Known == summary.Shown {
			*field = v.X
		}
	}
	switch m.Status {
	case results.Partial:
		return p, false, errInterrupted
	case results.Invalid:
		p.Why = "INVALID: " + m.Reason
		return p, true, nil
	case results.Saturated:
		p.Why = "SATURATED: " + m.Reason
		return p, false, nil
	}
	var broken, open []string
	for _, f := range compare.Claims(m.Claims, sum) {
		switch f.Outcome {
		case compare.Broken:
			broken = append(broken, fmt.Sprintf("%s is broken by %s", f.Claim.Text, f.Measured))
		case compare.Undecided:
			open = append(open, fmt.Sprintf("whether %s holds is open: %s", f.Claim.Text, f.Why))
		}
	}
	if len(broken) == 0 && len(open) > 0 {
		p.Open, p.Why = true, strings.Join(open, "; ")
		return p, false, &exitError{exitInconclusive, fmt.Errorf("at %s, %s; a longer --window may decide it", metric.Number(p.Load), p.Why)}
	}
	p.Held, p.Why = len(broken) == 0, strings.Join(broken, "; ")
	return p, false, nil
}

// show writes what was found into its folder, and prints it.
func (o capacityOptions) show(c *cobra.Command, dir string, found results.Capacity) error {
	r := report.Capacity{Capacity: found}
	figure, err := chart.Capacity(found)
	if err != nil {
		return err
	}
	return errors.Join(found.Write(dir), r.Write(dir, figure), o.print(c.OutOrStdout(), r, dir))
}

func (o capacityOptions) print(out io.Writer, r report.Capacity, dir string) error {
	switch o.run.format {
	case jsonFormat:
		return r.JSON(out)
	case csvFormat:
		return r.CSV(out)
	case markdownFormat:
		return r.Markdown(out)
	}
	if err := r.Table(out, tableOptions(out)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s\n", filepath.Join(dir, "capacity.html"))
	return err
}
