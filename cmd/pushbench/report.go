package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/report"
)

func newReportCommand() *cobra.Command {
	var format, junit string
	c := &cobra.Command{
		Use:   "report FOLDER",
		Short: "Draw a run again, table and page and charts, from its files alone",
		Args:  exactly("a run's folder"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkFormat(format, runFormats); err != nil {
				return err
			}
			run, err := openRun(args[0])
			if err != nil {
				return err
			}
			for _, warning := range run.Warnings {
				fmt.Fprintln(c.ErrOrStderr(), "pushbench: "+warning)
			}
			if err := derive(run, run.Path); err != nil {
				return err
			}
			if err := results.Seal(run.Path); err != nil {
				return err
			}
			r := report.New(run)
			if err := writeJUnit(junit, r.JUnit()); err != nil {
				return err
			}
			return printRun(c, r, format)
		},
	}
	formatFlag(c, &format, runFormats)
	junitFlag(c, &junit)
	return c
}

// openRun tells a wrong path, which is the person's, from a folder that is damaged.
func openRun(path string) (*results.Run, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return nil, usageError("open run: %s is not a folder", path)
	}
	run, err := results.Open(path)
	var corrupt *results.CorruptError
	if errors.Is(err, fs.ErrNotExist) && !errors.As(err, &corrupt) {
		return nil, usageError("%w", err)
	}
	return run, err
}

// derive writes what is drawn from a run into its folder.
func derive(run *results.Run, dir string) error {
	r := report.New(run)
	figures, err := chart.Draw(run, r.Summary, r.Worth())
	if err != nil {
		return err
	}
	return r.Write(dir, figures...)
}

// tableOptions are what a terminal, or what stands in its place, can show.
// NO_COLOR is as https://no-color.org says: any value but the empty one.
func tableOptions(out io.Writer) report.TableOptions {
	return report.TableOptions{Color: isTerminal(out) && os.Getenv("NO_COLOR") == "", Width: columns(out)}
}
