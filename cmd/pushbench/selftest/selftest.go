// Package selftest checks pushbench against known values: closed-form results, servers with
// injected faults, processes frozen for a known time, and bytes that a relay has read.
//
// It owns the checks and their output. It must not measure differently from a run, or apply
// a tolerance that it does not print.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Options select the checks, and the programs that they run.
type Options struct {
	Executable string   // this program, which plays servers and generators
	Engine     string   // the engine of the clients: see engines.Names
	Long       bool     // include the slow checks
	Only       []string // checks by name; none: all
	Out        io.Writer
}

// A Result compares one measured value with its expected value.
type Result struct {
	What     string
	Expected string
	Measured string
	Allowed  string // allowed difference; empty: none
	Passed   bool
}

// A check compares measurements with known values.
type check struct {
	name  string
	title string // the statement that it verifies
	slow  bool   // only with Options.Long
	on    string // the only system that supports the check; empty: any
	run   func(*lab) ([]Result, error)
}

// system is the operating system; tests replace it.
var system = runtime.GOOS

// checks are ordered from arithmetic to complete trials.
var checks = slices.Concat(arithmetic, statisticsChecks, wireChecks, costChecks, faults, models, linkChecks, clientChecks)

// Names lists the names of all checks.
func Names() []string {
	var names []string
	for _, c := range checks {
		names = append(names, c.name)
	}
	return names
}

// renamed maps the deprecated names of checks to the current ones.
var renamed = map[string]string{
	"answers":          "replies",
	"freeze":           "server-stall",
	"gates":            "checks",
	"generator-freeze": "generator-stall",
	"hiccups":          "stalls",
	"lies":             "faults",
	"service":          "small-difference",
	"step":             "longpoll-periodic",
	"survivors":        "lost-messages",
	"visitors":         "short-lived",
}

// ErrUnknown reports that Options.Only names a check that does not exist.
var ErrUnknown = errors.New("no such check")

// Resolve replaces deprecated names in Only and returns a warning that lists them, or "". It
// fails if a name is unknown.
func (o *Options) Resolve() (warning string, err error) {
	resolved := make([]string, len(o.Only))
	var deprecated []string
	for i, name := range o.Only {
		current, old := renamed[name]
		if old {
			deprecated = append(deprecated, name+" is now "+current)
			name = current
		}
		if !slices.Contains(Names(), name) {
			return "", fmt.Errorf("%w: %q; allowed: %s", ErrUnknown, name, strings.Join(Names(), ", "))
		}
		resolved[i] = name
	}
	o.Only = resolved
	if len(deprecated) > 0 {
		warning = "deprecated: --only " + strings.Join(deprecated, ", ")
	}
	return warning, nil
}

func (o Options) chosen() (list []check) {
	for _, c := range checks {
		if len(o.Only) > 0 && slices.Contains(o.Only, c.name) || len(o.Only) == 0 && (o.Long || !c.slow) {
			list = append(list, c)
		}
	}
	return list
}

// An Outcome summarizes a self-test.
type Outcome struct {
	Rows   int
	Failed []string // the failed rows, each as "check: what"
	Hidden []string // checks that this system does not support

	Disturbed int // trials that the machine made invalid, in addition to those that a check disturbs on purpose
}

// Run runs the checks one after the other and prints the rows of each as soon as it ends. An
// error means that the self-test could not continue.
func Run(ctx context.Context, o Options) (v Outcome, err error) {
	if _, err := o.Resolve(); err != nil {
		return v, err
	}
	folder, err := os.MkdirTemp("", "pushbench-selftest-")
	if err != nil {
		return v, fmt.Errorf("self-test: create a temporary folder (TMPDIR): %w", err)
	}
	defer os.RemoveAll(folder)
	l := &lab{ctx: ctx, options: o, folder: folder}
	began := time.Now()
	for _, c := range o.chosen() {
		fmt.Fprintf(o.Out, "\n%s: %s\n", c.name, c.title)
		if c.on != "" && c.on != system {
			v.Hidden = append(v.Hidden, c.name)
			fmt.Fprintf(o.Out, "  skipped: requires %s\n", c.on)
			continue
		}
		start := time.Now()
		rows, err := c.run(l)
		if ctx.Err() != nil {
			return v, context.Cause(ctx)
		}
		if err != nil {
			rows = append(rows, Result{What: "the check", Expected: "completes", Measured: err.Error()})
		}
		v.take(c.name, rows, o.Out)
		fmt.Fprintf(o.Out, "  took %.1f s\n", time.Since(start).Seconds())
	}
	v.Disturbed = l.disturbed
	v.conclude(o.Out, time.Since(began))
	return v, nil
}

// Err is the error of a self-test with failed comparisons. Disturbed trials can be their cause.
func (v Outcome) Err() error {
	switch {
	case len(v.Failed) == 0:
		return nil
	case v.Disturbed > 0:
		return fmt.Errorf("%d of %d comparisons failed, and other load disturbed %s: stop other programs (pushbench doctor names them), and repeat the self-test", len(v.Failed), v.Rows, trials(v.Disturbed))
	default:
		return fmt.Errorf("%d of %d comparisons failed: do not trust measurements on this machine", len(v.Failed), v.Rows)
	}
}

func trials(n int) string {
	if n == 1 {
		return "1 trial"
	}
	return fmt.Sprintf("%d trials", n)
}

func (v *Outcome) take(name string, rows []Result, out io.Writer) {
	line := func(mark, what, expected, measured, allowed string) {
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("  %-4s  %-50s  %-16s  %-14s  %s", mark, what, expected, measured, allowed), " "))
	}
	if len(rows) > 0 {
		line("", "", "expected", "measured", "allowed difference")
	}
	for _, r := range rows {
		v.Rows++
		mark := "pass"
		if !r.Passed {
			mark = "FAIL"
			v.Failed = append(v.Failed, name+": "+r.What)
		}
		line(mark, r.What, r.Expected, r.Measured, r.Allowed)
	}
}

func (v *Outcome) conclude(out io.Writer, took time.Duration) {
	fmt.Fprintf(out, "\n%d of %d comparisons passed in %v.\n", v.Rows-len(v.Failed), v.Rows, took.Round(time.Second))
	if len(v.Hidden) > 0 {
		fmt.Fprintf(out, "skipped on this system: %s\n", strings.Join(v.Hidden, ", "))
	}
	for _, failed := range v.Failed {
		fmt.Fprintf(out, "failed: %s\n", failed)
	}
}
