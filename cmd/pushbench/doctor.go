package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pushbench/bench/host"
	"pushbench/cmd/internal/app"
	"pushbench/results/report"
)

func newDoctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check in 10 seconds whether this machine is suitable for benchmarking",
		Long: `Check whether this machine is suitable for benchmarking: limits, clocks, timers,
pinning, stalls of idle cores and other load. Each line gives the state, the finding and
the remedy. A property that the system does not expose is "unknown".
The exit code is 3 only if every measurement on this machine would be invalid; warnings
do not change it.

` + exitHelp,
		Example: "  pushbench doctor\n  pushbench doctor --json",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			found, err := app.Examine(c.Context())
			if err != nil {
				return err
			}
			unusable := host.Usable(found)
			if err := printDiagnoses(c.OutOrStdout(), app.Columns(c.OutOrStdout()), found, unusable == nil, asJSON); err != nil || unusable == nil {
				return err
			}
			return &app.Error{Code: app.Invalid, Err: unusable}
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// printDiagnoses prints a table, whose last column is broken between words to fit a number of columns; 0: any.
func printDiagnoses(out io.Writer, columns int, found []host.Diagnosis, usable, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Usable bool             `json:"usable"`
			Checks []host.Diagnosis `json:"checks"`
		}{usable, found})
	}
	warnings, first := 0, 0 // columns before the last one
	for _, f := range found {
		first = max(first, len("unknown")+len(f.Check)+4)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range found {
		text := f.Found
		if f.Advice != "" {
			text += ". " + f.Advice
		}
		if f.State == host.Warn {
			warnings++
		}
		if columns > 0 {
			text = strings.Join(report.Wrapped(text, max(20, columns-first)), "\n\t\t")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.State, f.Check, text)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "Result: %s.\n", suitability(usable, warnings))
	return err
}

// suitability is the conclusion from all diagnoses.
func suitability(usable bool, warnings int) string {
	switch {
	case !usable:
		return "not suitable"
	case warnings == 0:
		return "suitable"
	case warnings == 1:
		return "suitable, with 1 warning"
	default:
		return fmt.Sprintf("suitable, with %d warnings", warnings)
	}
}
