package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"pushbench/results"
	"pushbench/results/report"
	"pushbench/scenarios"
)

func newCheckCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "check REFERENCE...",
		Short: "Measure what a committed run measured, and say which of its claims hold here",
		Long: `Measure the scenario of a committed run again, on this machine, and say which of
its claims hold here. Claims are about counts, orders and ratios; how fast the
reference's machine was decides nothing.

Of several references, each is measured in its turn. Each that does not pass is named
at the end, and the exit code is that of the worst: 4 for a broken claim before 3 for an
invalid measurement before 8 for an undecided claim.

Ctrl-C once drains the run under way, shows what it has and measures no other reference
(exit code 6); twice stops at once.

` + exitHelp,
		Example: "  pushbench check results/reference/chat",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError("%s takes at least 1 argument (a run's folder), was given none", c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkFormat(o.format, []string{tableFormat, markdownFormat}); err != nil {
				return err
			}
			var refs []reference
			for _, path := range args { // all are read before the first is measured
				ref, err := openReference(path)
				if err != nil {
					return err
				}
				refs = append(refs, ref)
			}
			for _, ref := range refs {
				if done, err := elsewhere(c, ref.scenario); done || err != nil {
					return err
				}
			}
			return checkEach(c, refs, func(s *session, ref reference) error {
				one := o
				if o.junit != "" && len(refs) > 1 {
					one.junit = filepath.Join(filepath.Dir(o.junit), filepath.Base(filepath.Clean(ref.run.Path))+"-"+filepath.Base(o.junit))
				}
				return one.check(s, c, ref)
			})
		},
	}
	c.Flags().StringVar(&o.out, "out", runsFolder, "the folder for what is measured, a run a reference")
	quickFlag(c, &o.quick)
	c.Flags().StringVar(&o.junit, "junit", "", "write what holds and what does not as JUnit files, NAME-FILE for each reference of several")
	c.Flags().StringVar(&o.format, "format", tableFormat, "of what goes to standard output: table or markdown")
	return c
}

// A reference is a committed run and the scenario that it measured.
type reference struct {
	run      *results.Run
	scenario *scenarios.Scenario
}

func openReference(path string) (reference, error) {
	run, err := openRun(path)
	if err != nil {
		return reference{}, err
	}
	s, err := scenarios.Load(filepath.Join(path, "scenario.yaml"))
	if err != nil {
		return reference{}, err
	}
	switch {
	case run.Manifest.Status != results.Complete:
		return reference{}, &exitError{exitInvalid, fmt.Errorf("%s is %s, and no reference", path, run.Manifest.Status)}
	case len(s.Claims) == 0:
		return reference{}, usageError("%s claims nothing, so that there is nothing to check", path)
	}
	return reference{run, s}, nil
}

// checkEach checks references one after the other until it is interrupted. Its error has a line
// for each that did not pass, those included that were not measured.
func checkEach(c *cobra.Command, refs []reference, check func(*session, reference) error) error {
	return inSession(c, func(s *session) error {
		var failed []error
		for _, ref := range refs {
			err := s.interrupted()
			if err == nil {
				err = check(s, ref)
			} else {
				err = fmt.Errorf("not measured: %w", err)
			}
			if err != nil {
				failed = append(failed, &failure{ref.run.Path, err})
			}
		}
		return errors.Join(failed...)
	})
}

// check measures one, and prints what holds.
func (o runOptions) check(s *session, c *cobra.Command, ref reference) error {
	if err := o.checkEngine(ref.scenario); err != nil {
		return err
	}
	if err := preflight(ref.scenario, false, c.ErrOrStderr()); err != nil {
		return err
	}
	name := ref.scenario.Name
	fmt.Fprintf(c.ErrOrStderr(), "%s: %d blocks\n", name, ref.scenario.Blocks)
	o.out = filepath.Join(o.out, time.Now().UTC().Format("20060102T150405Z")+"-check-"+name)
	where, err := o.perform(s, c, ref.scenario)
	if len(where) == 0 {
		return err
	}
	run, opened := results.Open(where[0])
	if opened != nil {
		return errors.Join(err, opened)
	}
	found := report.Check{Reference: report.New(ref.run), Here: report.New(run)}
	out := c.OutOrStdout()
	show := func() error { return found.Table(out, tableOptions(out)) }
	if o.format == markdownFormat {
		show = func() error { return found.Markdown(out) }
	}
	err = errors.Join(err, writeJUnit(o.junit, found.Here.JUnit()), show())
	fmt.Fprintf(out, "\n%s\n\n", filepath.Join(run.Path, "report.html"))
	return errors.Join(err, worth(found.Here))
}
