package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/results/report"
	"pushbench/scenarios"
)

func newReportCommand() *cobra.Command {
	var out output
	var prices string
	c := &cobra.Command{
		Use:   "report FOLDER",
		Short: "Regenerate the table, page and charts of a run from its files",
		Args:  exactly("a run's folder"),

		ValidArgsFunction: firstArgument(completeFolders),

		RunE: func(c *cobra.Command, args []string) error {
			run, err := app.OpenRun(args[0])
			if err != nil {
				return err
			}
			if prices != "" {
				if run.Manifest.Prices, err = scenarios.LoadPrices(prices); err != nil {
					return err
				}
			}
			for _, warning := range run.Warnings {
				fmt.Fprintln(c.ErrOrStderr(), "pushbench: "+results.Plain(warning))
			}
			written := app.Draw(run)
			if err := results.Seal(run.Path); written == nil {
				written = err
			}
			r := report.New(run)
			other := errors.Join(out.writeJUnit(r.JUnit()), out.writeComment(r.Document()))
			if written != nil {
				return errors.Join(other, out.printReport(c, r), written) // without the names of files
			}
			return errors.Join(other, out.printRun(c, r))
		},
	}
	pricesFlag(c, &prices, "those of the run")
	out.addTo(c, runFormats)
	junitFlag(c, &out.junit)
	commentFlag(c, &out.comment)
	return c
}
