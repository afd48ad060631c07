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

// A campaign measures rows one after the other. It writes one table and one file with all
// measurements.
type campaign struct {
	rows  []row
	pairs int
	about about
	out   string // the folder of perf.md and perf.txt; empty: none

	// preventIdle prevents idle states until stop is called, which returns an error if they
	// were not prevented the whole time.
	preventIdle func(context.Context) (stop func() error, err error)

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
		if err := c.save(found); err != nil { // saved again at the end, which determines the exit code
			fmt.Fprintf(c.stderr, "  %v\n", err)
		}
	}
	code := exitCode(found)
	if code == exitInterrupted {
		fmt.Fprintln(c.stderr, "perf: interrupted: writing the results so far (Ctrl-C again to stop immediately)")
	}
	saved := c.save(found) // before printing: a closed pipe as stdout ends the process
	_, printed := io.WriteString(c.stdout, table(c.about, found))
	if err := errors.Join(saved, printed); err != nil {
		return report(c.stderr, exitFailed, err)
	}
	return code
}

// exitCode returns the exit code for the findings. A peer without a value is not a failure:
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

// save replaces each file atomically.
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
	stop, err := c.preventIdle(ctx)
	if err != nil {
		fmt.Fprintf(c.stderr, "  %v\n", err)
		if ctx.Err() != nil {
			return pending(r, c.pairs, interrupted)
		}
		return pending(r, c.pairs, "idle states cannot be prevented: "+err.Error())
	}
	f := r.measure(ctx, c.pairs, c.stderr)
	if err := stop(); err != nil && ctx.Err() == nil { // otherwise the context has ended it
		fmt.Fprintf(c.stderr, "  %v\n", err)
		f.ended = "idle states were not prevented: " + err.Error()
	}
	return f
}

// preventIdle starts the pushbench process that prevents idle states.
func preventIdle(command string) func(context.Context) (func() error, error) {
	return func(ctx context.Context) (func() error, error) {
		p, err := start(ctx, anyCore, command, "prevent-idle")
		if err != nil {
			return nil, err
		}
		return func() error {
			hasExited := p.hasExited()
			p.end()
			if hasExited {
				return p.exitReason()
			}
			return nil
		}, nil
	}
}
