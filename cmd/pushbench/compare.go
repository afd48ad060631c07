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
		Use:   "compare A B [A-AGAIN B-AGAIN]",
		Short: "What changed between two runs of one workload",
		Long: `Compare two runs of one workload, case by case: each ratio is B over A.

Runs that were measured in turns (pushbench run --beside) are judged by the metrics
that they declared before the first trial. Of others there are ratios and
intervals but no verdict: what the machine did between them is in every ratio, and
no number of blocks tells that from a change.

Of two builds that are the same, one family of comparisons in twenty finds a
difference. Given a second pair of runs of the same two builds, only what is worse in
both is taken for worse; what the second cannot decide stays open.

Exit code 4: something declared is different, and worse. 8: of something declared
nothing can be said yet.

` + exitHelp,
		Example: "  pushbench run chat --beside ../main/bin/pushbench --blocks 12 --out results/runs/mine\n  pushbench compare results/runs/mine-beside results/runs/mine",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 4 {
				return nil
			}
			return exactly("the run from before", "the run that is asked about")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			found, err := env(c).Compare(args, allowInvalid)
			if err != nil {
				return err
			}
			if err := errors.Join(out.writeJUnit(found.JUnit()), out.print(c, found)); err != nil {
				return err
			}
			if folder != "" {
				if err := app.WriteComparison(folder, found); err != nil {
					return err
				}
			}
			return app.Changed(found.Judgement)
		},
	}
	c.Flags().StringVar(&folder, "out", "", "a folder for the comparison as compare.html, compare.md, comparisons.csv and a chart")
	out.addTo(c, comparisonFormats)
	junitFlag(c, &out.junit)
	c.Flags().BoolVar(&allowInvalid, "allow-invalid", false, "take a run that is INVALID or PARTIAL too; nothing is judged then")
	return c
}
