package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pushbench/results/report"
)

// The forms in which a result goes to standard output.
const (
	tableFormat    = "table"
	jsonFormat     = "json"
	csvFormat      = "csv"
	benchFormat    = "bench"
	markdownFormat = "markdown"
)

var (
	runFormats        = []string{tableFormat, jsonFormat, csvFormat, benchFormat, markdownFormat}
	comparisonFormats = []string{tableFormat, jsonFormat, csvFormat, markdownFormat}
)

// formatFlag adds --format to a command.
func formatFlag(c *cobra.Command, format *string, allowed []string) {
	c.Flags().StringVar(format, "format", tableFormat, "of what goes to standard output: "+strings.Join(allowed, ", "))
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(allowed, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
}

func checkFormat(format string, allowed []string) error {
	if !slices.Contains(allowed, format) {
		return usageError("--format: %q is not one of %s", format, strings.Join(allowed, ", "))
	}
	return nil
}

// printRun prints a run: as a table with the sentences and where the page is, or for machines.
func printRun(c *cobra.Command, r *report.Report, format string) error {
	out := c.OutOrStdout()
	switch format {
	case jsonFormat:
		return r.JSON(out)
	case csvFormat:
		return r.CSV(out)
	case benchFormat:
		return r.Bench(out)
	case markdownFormat:
		return r.Markdown(out)
	}
	can := tableOptions(out)
	if err := r.Table(out, can); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, sentence := range r.Sentences() {
		fmt.Fprintln(out, can.Wrap(sentence))
	}
	fmt.Fprintln(out)
	_, err := fmt.Fprintln(out, filepath.Join(r.Run.Path, "report.html"))
	return err
}

// printComparison prints what changed between two runs.
func printComparison(out io.Writer, found *report.Comparison, format string) error {
	switch format {
	case jsonFormat:
		return found.JSON(out)
	case csvFormat:
		return found.CSV(out)
	case markdownFormat:
		return found.Markdown(out)
	default:
		return found.Table(out, tableOptions(out))
	}
}
