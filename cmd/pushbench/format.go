package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/results/report"
)

// Formats of a result on standard output.
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

// An output is where a result is written in addition to its folder.
type output struct {
	format  string
	wide    bool
	junit   string // a file; empty: none
	comment string // a file; empty: none
}

// addTo adds --format to a command, which refuses any other format before it starts.
func (o *output) addTo(c *cobra.Command, allowed []string) {
	c.Flags().StringVar(&o.format, "format", tableFormat, "format of standard output: "+strings.Join(allowed, ", "))
	completeWord(c, "format", allowed)
	if slices.Contains(allowed, benchFormat) {
		c.Flags().BoolVar(&o.wide, "wide", false, "print all columns of the table, and the sections behind the answer")
	}
	c.PreRunE = func(*cobra.Command, []string) error {
		if !slices.Contains(allowed, o.format) {
			return app.Usagef("--format: %q is not one of %s", o.format, strings.Join(allowed, ", "))
		}
		return nil
	}
}

// A printable result has every format except benchFormat, which only runs have.
type printable interface {
	Document() report.Document
	JSON(io.Writer) error
	CSV(io.Writer) error
}

// print prints a result in the requested format.
func (o output) print(c *cobra.Command, r printable) error {
	switch out := c.OutOrStdout(); o.format {
	case jsonFormat:
		return r.JSON(out)
	case csvFormat:
		return r.CSV(out)
	default:
		return o.printDocument(out, r.Document())
	}
}

// printDocument prints a document in one of the formats for people.
func (o output) printDocument(out io.Writer, d report.Document) error {
	if o.format == markdownFormat {
		return d.Markdown(out)
	}
	opts := report.TableOptions{Color: app.IsTerminal(out) && noColorUnset(), Width: app.Columns(out), Wide: o.wide}
	return d.Terminal(out, opts)
}

// printReport prints a run.
func (o output) printReport(c *cobra.Command, r *report.Report) error {
	if o.format == benchFormat {
		return r.Bench(c.OutOrStdout())
	}
	return o.print(c, r)
}

// printRun prints a run. The table is followed by the paths of its files.
func (o output) printRun(c *cobra.Command, r *report.Report, charts ...string) error {
	out := c.OutOrStdout()
	if err := o.printReport(c, r); err != nil || o.format != tableFormat {
		return err
	}
	fmt.Fprintln(out)
	for _, file := range append(charts, "report.html") {
		path := filepath.Join(r.Run.Path, file)
		if _, err := os.Stat(path); err == nil { // a full disk may have prevented it
			fmt.Fprintln(out, results.Plain(path))
		}
	}
	return nil
}

// noColorUnset reports whether color is allowed: any value of NO_COLOR except the empty one turns it off
// (https://no-color.org).
func noColorUnset() bool { return os.Getenv("NO_COLOR") == "" }

// junitFlag adds --junit to a command.
func junitFlag(c *cobra.Command, path *string) {
	c.Flags().StringVar(path, "junit", "", "JUnit file for the outcomes, for CI systems (default: none)")
}

// checkPaths refuses paths that can only be wrong, before a measurement whose results they are for.
func checkPaths(c *cobra.Command) error {
	for _, name := range []string{"out", "junit", "comment"} {
		flag := c.Flags().Lookup(name)
		if flag == nil || !flag.Changed || flag.Value.String() == "" {
			continue
		}
		path := flag.Value.String()
		if strings.HasPrefix(path, "~") {
			return app.Usagef("--%s: %q begins with a ~ that the shell did not expand; allowed: --%s %s with a space, or ./%s for a folder of that name", name, path, name, path, path)
		}
		if name == "out" && c.Name() != "new" { // target new writes a file
			if err := results.CheckFolder(path); err != nil {
				return app.Usagef("--out: %w", err)
			}
			if c.Name() == "compare" && results.IsRun(path) { // which has a comparisons.csv of its own
				return app.Usagef("--out: %s is the folder of a run; allowed: another folder, or a new one", path)
			}
			continue
		}
		if err := results.CheckFile(path); err != nil {
			return app.Usagef("--%s: %w", name, err)
		}
		if input := inputAt(c, path); input != "" {
			return app.Usagef("--%s: %s is a file that the command reads; allowed: another file", name, input)
		}
	}
	return sameFile(c, "junit", "comment")
}

// inputAt returns the argument, or the value of a flag that names files to read, that is the regular file at a path.
func inputAt(c *cobra.Command, path string) string {
	inputs := c.Flags().Args()
	for _, name := range []string{"target", "prices", "baseline"} {
		if flag := c.Flags().Lookup(name); flag != nil {
			if several, ok := flag.Value.(pflag.SliceValue); ok {
				inputs = append(inputs, several.GetSlice()...)
			} else {
				inputs = append(inputs, flag.Value.String())
			}
		}
	}
	output, err := os.Stat(path)
	for _, input := range inputs {
		info, missing := os.Stat(input)
		if err == nil && missing == nil && info.Mode().IsRegular() && os.SameFile(info, output) {
			return input
		}
	}
	return ""
}

// sameFile refuses two flags with the path of one file, of which only the second would be left.
func sameFile(c *cobra.Command, a, b string) error {
	one, other := c.Flags().Lookup(a), c.Flags().Lookup(b)
	if one == nil || other == nil || one.Value.String() == "" || filepath.Clean(one.Value.String()) != filepath.Clean(other.Value.String()) {
		return nil
	}
	if info, err := os.Stat(other.Value.String()); err == nil && !info.Mode().IsRegular() { // such as /dev/null
		return nil
	}
	return app.Usagef("--%s: %s is the file of --%s; allowed: another file", b, other.Value, a)
}

// commentFlag adds --comment to a command.
func commentFlag(c *cobra.Command, path *string) {
	c.Flags().StringVar(path, "comment", "", "Markdown file for a short comment on a pull request (default: none)")
}

// writeComment writes the file of --comment, if given.
func (o output) writeComment(d report.Document) error {
	if o.comment == "" {
		return nil
	}
	var b bytes.Buffer
	if err := d.Comment(&b); err != nil {
		return err
	}
	if err := results.WriteFile(o.comment, b.Bytes()); err != nil {
		return fmt.Errorf("--comment: %w", err)
	}
	return nil
}

// writeJUnit writes the file of --junit, if given.
func (o output) writeJUnit(suites junit.Testsuites) error {
	if o.junit == "" {
		return nil
	}
	data, err := xml.MarshalIndent(suites, "", "  ")
	if err != nil {
		return err
	}
	if err := results.WriteFile(o.junit, append([]byte(xml.Header), append(data, '\n')...)); err != nil {
		return fmt.Errorf("--junit: %w", err)
	}
	return nil
}
