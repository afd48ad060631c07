package main

import (
	"errors"
	"fmt"
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

// imageFormats are the file formats of charts.
var imageFormats = []string{"svg", "png"}

func newPlotCommand() *cobra.Command {
	var charts, formats []string
	var out string
	c := &cobra.Command{
		Use:   "plot RUN...",
		Short: "Write the charts of one or several runs as files",
		Long: `Write the charts of a run as SVG and PNG files, for a paper or a README. With several
runs, each chart shows the configurations of all of them.

Without --chart, all charts that the runs have data for are written. The names of the
files are printed to standard output.

` + exitHelp,
		Example: "  pushbench plot results/runs/mine --chart latency --out charts\n  pushbench plot results/runs/monday results/runs/tuesday --chart cost --format svg",
		Args:    atLeastOne("a run's folder"),

		ValidArgsFunction: completeFolders,

		RunE: func(c *cobra.Command, args []string) error {
			for _, f := range formats {
				if !slices.Contains(imageFormats, f) {
					return app.Usagef("--format: %q is not one of %s", f, strings.Join(imageFormats, ", "))
				}
			}
			drawn, err := draw(c, args, charts)
			var unknown *chart.UnknownError
			switch {
			case errors.As(err, &unknown) && len(unknown.Has) > 0:
				return app.Usagef("--chart: %w", err)
			case err == nil && len(drawn) == 0, unknown != nil:
				return &app.Error{Code: app.Invalid, Err: errors.New("no chart can be drawn: no trial is valid")}
			case err != nil:
				return err
			}
			return writeImages(c, out, drawn, formats)
		},
	}
	c.Flags().StringSliceVar(&charts, "chart", nil, "charts to draw, such as latency,cost (default: all)")
	c.Flags().StringSliceVar(&formats, "format", imageFormats, "file formats: svg, png or both")
	c.Flags().StringVar(&out, "out", ".", "folder for the files")
	completeList(c, "chart", chart.Names())
	completeList(c, "format", imageFormats)
	return c
}

// draw draws the named charts of the runs, or all.
func draw(c *cobra.Command, paths, only []string) ([]chart.Chart, error) {
	runs, err := app.OpenRuns(c.ErrOrStderr(), paths...)
	if err != nil {
		return nil, err
	}
	var badges []string
	for _, run := range runs {
		badges = append(badges, report.New(run).Badge())
	}
	if len(runs) == 1 {
		return chart.Draw(runs[0], summary.Of(runs[0]), badges[0], only...)
	}
	return chart.Several(runs, badges, only...)
}

func writeImages(c *cobra.Command, dir string, charts []chart.Chart, formats []string) error {
	folder, err := results.OpenDir(dir)
	if err != nil {
		return app.Usagef("--out: %w", err)
	}
	defer folder.Close()
	for _, f := range charts {
		for _, format := range formats {
			data := f.SVG
			if format == "png" {
				data = f.PNG
			}
			name := f.Name + "." + format
			if err := folder.Write(name, data); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), results.Plain(filepath.Join(dir, name)))
		}
	}
	return nil
}
