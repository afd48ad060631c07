package main

import (
	"errors"

	"github.com/spf13/cobra"

	"pushbench/cmd/internal/app"
)

func newCompareCommand() *cobra.Command {
	var folder string
	var out output
	var allowInvalid bool
	c := &cobra.Command{
		Use:   "compare A B [A2 B2]",
		Short: "Compare two runs of one workload",
		Long: `Compare two runs of one workload, configuration by configuration. Each ratio is B / A.

A verdict requires runs that were measured in turns (pushbench run --baseline). It covers
only the metrics that the scenario declares (compare.primary). Other runs get no verdict.
Their ratios mix changes of the machine with changes of the code, and more repetitions do
not help.

For identical builds, 1 family of comparisons in 20 is significant by chance. To confirm
a regression, give a second pair of runs of the same two builds. A metric then counts as
worse only if it is worse in both pairs. If the second pair is inconclusive, so is the
result.

Exit code 4: a declared metric is worse. Exit code 8: a declared comparison is
inconclusive.

` + exitHelp,
		Example:           "  pushbench run chat --baseline ../main/bin/pushbench --repetitions 12 --out results/runs/mine\n  pushbench compare results/runs/mine-baseline results/runs/mine",
		ValidArgsFunction: completeFolders,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 2 || len(args) == 4 {
				return nil
			}
			return app.Usagef("%s takes 2 arguments (the baseline run, the run to compare with it), or 4 with a second pair of both builds, got %d", c.CommandPath(), len(args))
		},
		RunE: func(c *cobra.Command, args []string) error {
			found, err := env(c).Compare(args, allowInvalid)
			if err != nil {
				return err
			}
			if folder != "" { // before the table, whose reader may end this process
				err = app.WriteComparison(folder, found)
			}
			return errors.Join(err, out.writeJUnit(found.JUnit()), out.writeComment(found.Document()), out.print(c, found), app.Changed(found.Analysis))
		},
	}
	c.Flags().StringVar(&folder, "out", "", "folder for the comparison: compare.html, compare.md, comparisons.csv and a chart (default: none)")
	out.addTo(c, comparisonFormats)
	junitFlag(c, &out.junit)
	commentFlag(c, &out.comment)
	c.Flags().BoolVar(&allowInvalid, "allow-invalid", false, "also accept runs that are INVALID, OVERLOADED or INTERRUPTED; no verdict is given then")
	return c
}
