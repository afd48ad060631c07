package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"
	"github.com/spf13/cobra"

	"pushbench/cmd/internal/app"
	"pushbench/results"
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

// An output says where a result goes beside its folder.
type output struct {
	format string
	junit  string // a file; empty: none
}

// addTo adds --format to a command, which refuses any other form before it begins.
func (o *output) addTo(c *cobra.Command, allowed []string) {
	c.Flags().StringVar(&o.format, "format", tableFormat, "of what goes to standard output: "+strings.Join(allowed, ", "))
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(allowed, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	c.PreRunE = func(*cobra.Command, []string) error {
		if !slices.Contains(allowed, o.format) {
			return app.Usagef("--format: %q is not one of %s", o.format, strings.Join(allowed, ", "))
		}
		return nil
	}
}

// A printable result has every form but benchFormat, which only runs have.
type printable interface {
	Table(io.Writer, report.TableOptions) error
	JSON(io.Writer) error
	CSV(io.Writer) error
	Markdown(io.Writer) error
}

// print prints a result in the form that was asked for.
func (o output) print(c *cobra.Command, r printable) error {
	out := c.OutOrStdout()
	return map[string]func(io.Writer) error{
		tableFormat:    func(out io.Writer) error { return r.Table(out, tableOptions(out)) },
		jsonFormat:     r.JSON,
		csvFormat:      r.CSV,
		markdownFormat: r.Markdown,
	}[o.format](out)
}

// printRun prints a run: as a table with the sentences and where the page is, or for machines.
func (o output) printRun(c *cobra.Command, r *report.Report) error {
	out := c.OutOrStdout()
	if o.format == benchFormat {
		return r.Bench(out)
	}
	if err := o.print(c, r); err != nil || o.format != tableFormat {
		return err
	}
	fmt.Fprintln(out)
	return printSentences(out, r)
}

// printSentences prints what a run found, and the files to look at.
func printSentences(out io.Writer, r *report.Report, charts ...string) error {
	for _, sentence := range r.Sentences() {
		fmt.Fprintln(out, tableOptions(out).Wrap(sentence))
	}
	fmt.Fprintln(out)
	for _, file := range append(charts, "report.html") {
		fmt.Fprintln(out, filepath.Join(r.Run.Path, file))
	}
	return nil
}

// tableOptions are what a terminal, or what stands in its place, can show.
// NO_COLOR is as https://no-color.org says: any value but the empty one.
func tableOptions(out io.Writer) report.TableOptions {
	return report.TableOptions{Color: app.IsTerminal(out) && os.Getenv("NO_COLOR") == "", Width: app.Columns(out)}
}

// junitFlag adds --junit to a command.
func junitFlag(c *cobra.Command, path *string) {
	c.Flags().StringVar(path, "junit", "", "write what holds and what does not as a JUnit file, for CI systems")
}

// writeJUnit writes the file, if one was asked for.
func (o output) writeJUnit(suites junit.Testsuites) error {
	if o.junit == "" {
		return nil
	}
	data, err := xml.MarshalIndent(suites, "", "  ")
	if err != nil {
		return err
	}
	if err := results.WriteFile(o.junit, append([]byte(xml.Header), append(data, '\n')...)); err != nil {
		return app.Usagef("--junit: %w", err)
	}
	return nil
}
