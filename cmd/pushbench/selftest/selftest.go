// Package selftest holds the instrument to truths that it cannot know: arithmetic,
// servers that are wrong by a known amount, processes that stand still for a known
// time, wires that somebody else has read.
//
// It owns the proofs and what is printed of them. It must never measure otherwise
// than a run does, nor accept a tolerance that it does not print.
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

// Options say which proofs to run, and on what.
type Options struct {
	Executable string   // this program, which plays servers and generators
	Engine     string   // what the clients run on: see engines.Names
	Long       bool     // the slow proofs as well
	Only       []string // proofs by name; none: all
	Out        io.Writer
}

// A Row is one thing that was checked: what theory says, what was measured, and how
// far apart they may be.
type Result struct {
	What     string
	Expected string
	Measured string
	Allowed  string // tolerance; empty: exactly as theory says
	Passed   bool
}

// A claim of the instrument, and its proof.
type claim struct {
	name string
	says string // the claim
	slow bool   // only with Options.Long
	on   string // the only system that shows what the proof looks at; empty: any
	run  func(*lab) ([]Result, error)
}

// system is what this is running on; tests pretend.
var system = runtime.GOOS

// proofs, from arithmetic to whole trials.
var proofs = slices.Concat(arithmetic, judgements, wires, costs, honesty, laws, distances, visits)

// Names lists the proofs that there are, with what each says.
func Names() []string {
	var names []string
	for _, p := range proofs {
		names = append(names, p.name)
	}
	return names
}

// ErrUnknown says that Options.Only names a proof that does not exist.
var ErrUnknown = errors.New("no such proof")

// Check refuses options that name no proof.
func (o Options) Check() error {
	for _, name := range o.Only {
		if !slices.Contains(Names(), name) {
			return fmt.Errorf("%w: %q; allowed: %s", ErrUnknown, name, strings.Join(Names(), ", "))
		}
	}
	return nil
}

func (o Options) chosen() (list []claim) {
	for _, p := range proofs {
		if len(o.Only) > 0 && slices.Contains(o.Only, p.name) || len(o.Only) == 0 && (o.Long || !p.slow) {
			list = append(list, p)
		}
	}
	return list
}

// A Verdict is how a self-test came out.
type Outcome struct {
	Rows   int
	Failed []string // what did not hold, each as proof: what
	Hidden []string // proofs that cannot be made on this system, which is no fault of the instrument
}

// Run runs the proofs one after the other and prints each row as soon as it is
// known. An error says that the self-test itself could not go on.
func Run(ctx context.Context, o Options) (v Outcome, err error) {
	if err := o.Check(); err != nil {
		return v, err
	}
	folder, err := os.MkdirTemp("", "pushbench-selftest-")
	if err != nil {
		return v, fmt.Errorf("self-test: %w", err)
	}
	defer os.RemoveAll(folder)
	l := &lab{ctx: ctx, options: o, folder: folder}
	began := time.Now()
	for _, p := range o.chosen() {
		fmt.Fprintf(o.Out, "\n%s: %s\n", p.name, p.says)
		if p.on != "" && p.on != system {
			v.Hidden = append(v.Hidden, p.name)
			fmt.Fprintf(o.Out, "  not shown here: it takes %s\n", p.on)
			continue
		}
		start := time.Now()
		rows, err := p.run(l)
		if ctx.Err() != nil {
			return v, context.Cause(ctx)
		}
		if err != nil {
			rows = append(rows, Result{What: "the proof", Expected: "can be made", Measured: err.Error()})
		}
		v.take(p.name, rows, o.Out)
		fmt.Fprintf(o.Out, "  took %.1f s\n", time.Since(start).Seconds())
	}
	v.conclude(o.Out, time.Since(began))
	return v, nil
}

func (v *Outcome) take(name string, rows []Result, out io.Writer) {
	for _, r := range rows {
		v.Rows++
		mark := "pass"
		if !r.Passed {
			mark = "FAIL"
			v.Failed = append(v.Failed, name+": "+r.What)
		}
		fmt.Fprintf(out, "  %s  %-46s  theory %-14s measured %-14s", mark, r.What, r.Expected, r.Measured)
		if r.Allowed != "" {
			fmt.Fprintf(out, " %s", r.Allowed)
		}
		fmt.Fprintln(out)
	}
}

func (v *Outcome) conclude(out io.Writer, took time.Duration) {
	fmt.Fprintf(out, "\n%d of %d hold, in %v.\n", v.Rows-len(v.Failed), v.Rows, took.Round(time.Second))
	if len(v.Hidden) > 0 {
		fmt.Fprintf(out, "not shown on this system, so neither proved nor refuted here: %s\n", strings.Join(v.Hidden, ", "))
	}
	for _, failed := range v.Failed {
		fmt.Fprintf(out, "does not hold: %s\n", failed)
	}
}
