package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"pushbench/cmd/internal/app"
	"pushbench/results/report"
)

func newCheckCommand() *cobra.Command {
	var o app.Options
	var out output
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
		Args:    atLeastOne("a run's folder"),
		RunE: func(c *cobra.Command, args []string) error {
			return env(c).Check(c.Context(), args, o, func(found report.Check) error {
				own := out
				if out.junit != "" && len(args) > 1 {
					own.junit = filepath.Join(filepath.Dir(out.junit), filepath.Base(filepath.Clean(found.Reference.Run.Path))+"-"+filepath.Base(out.junit))
				}
				return own.printCheck(c, found)
			})
		},
	}
	c.Flags().StringVar(&o.Out, "out", app.RunsFolder, "the folder for what is measured, a run a reference")
	quickFlag(c, &o.Quick)
	c.Flags().StringVar(&out.junit, "junit", "", "write what holds and what does not as JUnit files, NAME-FILE for each reference of several")
	out.addTo(c, []string{tableFormat, markdownFormat})
	return c
}

// printCheck prints what holds.
func (o output) printCheck(c *cobra.Command, found report.Check) error {
	out := c.OutOrStdout()
	show := func() error { return found.Table(out, tableOptions(out)) }
	if o.format == markdownFormat {
		show = func() error { return found.Markdown(out) }
	}
	err := errors.Join(o.writeJUnit(found.Here.JUnit()), show())
	fmt.Fprintf(out, "\n%s\n\n", filepath.Join(found.Here.Run.Path, "report.html"))
	return err
}
