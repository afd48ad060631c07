//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"pushbench/results"
)

// A campaign measures rows one after another and writes one table of all of them, and one
// file of their measurements.
type campaign struct {
	rows  []row
	pairs int
	about about
	out   string // the folder of perf.md and perf.txt; empty: none

	// keepAwake prevents idle states until stop is called, which returns an error if they
	// were not prevented all the time.
	keepAwake func(context.Context) (stop func() error, err error)

	stdout, stderr io.Writer
}

// run measures every row and returns the exit code.
func (c *campaign) run(ctx context.Context) int {
	found := make([]finding, len(c.rows))
	for i, r := range c.rows {
		found[i] = pending(r, c.pairs, "not started")
	}
	for i, r := range c.rows {
		if ctx.Err() != nil {
			found[i].ended = interrupted
			continue
		}
		fmt.Fprintf(c.stderr, "%s row %d of %d: %s\n", time.Now().Format(time.TimeOnly), i+1, len(c.rows), r.name)
		found[i] = c.measure(ctx, r)
		if err := c.save(found); err != nil { // the end tries again, and decides the exit code
			fmt.Fprintf(c.stderr, "  %v\n", err)
		}
	}
	code := exitCode(found)
	if code == exitInterrupted {
		fmt.Fprintln(c.stderr, "perf: interrupted: writing what was measured (Ctrl-C again to stop immediately)")
	}
	saved := c.save(found) // first: a closed pipe as stdout ends the process
	_, printed := io.WriteString(c.stdout, table(c.about, found))
	if err := errors.Join(saved, printed); err != nil {
		return report(c.stderr, exitFailed, err)
	}
	return code
}

// exitCode is what the findings mean to the caller. A peer without a figure is no failure:
// it may not be installed on this machine.
func exitCode(found []finding) int {
	switch {
	case slices.ContainsFunc(found, func(f finding) bool { return f.ended == interrupted }):
		return exitInterrupted
	case slices.ContainsFunc(found, func(f finding) bool { return !f.measured() }):
		return exitFailed
	default:
		return exitOK
	}
}

// save replaces the files, each whole or not at all.
func (c *campaign) save(found []finding) error {
	if c.out == "" {
		return nil
	}
	return errors.Join(
		results.WriteFile(filepath.Join(c.out, "perf.md"), []byte(table(c.about, found))),
		results.WriteFile(filepath.Join(c.out, "perf.txt"), []byte(benchmarks(c.about, found))))
}

// measure measures one row while idle states are prevented.
func (c *campaign) measure(ctx context.Context, r row) finding {
	stop, err := c.keepAwake(ctx)
	if err != nil {
		fmt.Fprintf(c.stderr, "  %v\n", err)
		if ctx.Err() != nil {
			return pending(r, c.pairs, interrupted)
		}
		return pending(r, c.pairs, "idle states cannot be prevented: "+err.Error())
	}
	f := r.measure(ctx, c.pairs, c.stderr)
	if err := stop(); err != nil && ctx.Err() == nil { // else the context has ended it
		fmt.Fprintf(c.stderr, "  %v\n", err)
		f.ended = "idle states were not prevented: " + err.Error()
	}
	return f
}

// keepAwake starts pushbench's own process for it.
func keepAwake(command string) func(context.Context) (func() error, error) {
	return func(ctx context.Context) (func() error, error) {
		p, err := start(ctx, anyCore, command, "prevent-idle")
		if err != nil {
			return nil, err
		}
		return func() error {
			gone := p.gone()
			p.end()
			if gone {
				return p.exitReason()
			}
			return nil
		}, nil
	}
}
