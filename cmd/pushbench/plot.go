package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/report"
	"pushbench/results/summary"
)

// imageFormats are those that a chart can be had in.
var imageFormats = []string{"svg", "png"}

func newPlotCommand() *cobra.Command {
	var charts, formats []string
	var out string
	c := &cobra.Command{
		Use:   "plot RUN...",
		Short: "Draw the charts of a run, or of several runs on one chart each",
		Long: `Draw the charts of a run as SVG and PNG files, fit for a paper or a README. Of
several runs, each chart shows the cases of all of them.

Without --chart all that the runs have figures for are drawn. The names of the files
that were written go to standard output.

` + exitHelp,
		Example: "  pushbench plot results/runs/mine --chart latency --out figures\n  pushbench plot results/runs/monday results/runs/tuesday --chart cost --format svg",
		Args:    atLeastOne("a run's folder"),
		RunE: func(c *cobra.Command, args []string) error {
			for _, f := range formats {
				if !slices.Contains(imageFormats, f) {
					return app.Usagef("--format: %q is not one of %s", f, strings.Join(imageFormats, ", "))
				}
			}
			figures, err := drawn(c, args, charts)
			var unknown *chart.UnknownError
			switch {
			case errors.As(err, &unknown) && len(unknown.Has) > 0:
				return app.Usagef("--chart: %w", err)
			case err == nil && len(figures) == 0, unknown != nil:
				return &app.Error{Code: app.Invalid, Err: errors.New("there is nothing to draw: no trial is valid")}
			case err != nil:
				return err
			}
			return writeImages(c, out, figures, formats)
		},
	}
	c.Flags().StringSliceVar(&charts, "chart", nil, "only these, such as latency,cost (default: all there are)")
	c.Flags().StringSliceVar(&formats, "format", imageFormats, "svg, png or both")
	c.Flags().StringVar(&out, "out", ".", "the folder for the files")
	return c
}

// drawn are the charts of the runs that were asked for, or all.
func drawn(c *cobra.Command, paths, only []string) ([]chart.Chart, error) {
	runs, err := app.OpenRuns(c.ErrOrStderr(), paths...)
	if err != nil {
		return nil, err
	}
	var worths []string
	for _, run := range runs {
		worths = append(worths, report.New(run).Badge())
	}
	if len(runs) == 1 {
		return chart.Draw(runs[0], summary.Of(runs[0]), worths[0], only...)
	}
	return chart.Several(runs, worths, only...)
}

func writeImages(c *cobra.Command, dir string, figures []chart.Chart, formats []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return app.Usagef("--out: %w", err)
	}
	for _, f := range figures {
		for _, format := range formats {
			data := f.SVG
			if format == "png" {
				data = f.PNG
			}
			path := filepath.Join(dir, f.Name+"."+format)
			if err := results.WriteFile(path, data); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), path)
		}
	}
	return nil
}
