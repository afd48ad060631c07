package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/report"
)

func newReportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "report FOLDER",
		Short: "Draw a run again, table and page and charts, from its files alone",
		Args:  exactly("a run's folder"),
		RunE: func(c *cobra.Command, args []string) error {
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
			return printRun(c, report.New(run))
		},
	}
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

// printRun prints the table, the sentences and where the page is.
func printRun(c *cobra.Command, r *report.Report) error {
	out := c.OutOrStdout()
	_, noColor := os.LookupEnv("NO_COLOR")
	if err := r.Table(out, report.TableOptions{Color: isTerminal(out) && !noColor}); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, sentence := range r.Sentences() {
		fmt.Fprintln(out, sentence)
	}
	fmt.Fprintln(out)
	_, err := fmt.Fprintln(out, filepath.Join(r.Run.Path, "report.html"))
	return err
}
