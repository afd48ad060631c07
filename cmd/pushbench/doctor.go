package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pushbench/bench/host"
	"pushbench/cmd/internal/app"
)

func newDoctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "What this machine is worth as an instrument, in ten seconds",
		Long: `Look at this machine before measuring on it: limits, clocks, timers, pinning, how
long its idle cores stand still, who else is busy. Each line says what was found,
whether that is ok, and what to do about it. What the system does not show is
listed as such, never guessed. It ends with 3 only where a measurement would be
void for sure; warnings are allowed.

` + exitHelp,
		Example: "  pushbench doctor\n  pushbench doctor --json",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			found, err := app.Examine(c.Context())
			if err != nil {
				return err
			}
			unusable := host.Usable(found)
			if err := printFindings(c.OutOrStdout(), found, unusable == nil, asJSON); err != nil || unusable == nil {
				return err
			}
			return &app.Error{Code: app.Invalid, Err: unusable}
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object, for machines")
	return c
}

func printFindings(out io.Writer, found []host.Diagnosis, usable, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Usable bool             `json:"usable"`
			Checks []host.Diagnosis `json:"checks"`
		}{usable, found})
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range found {
		said := f.Found
		if f.Advice != "" {
			said += ". " + f.Advice
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.State, f.Check, said)
	}
	return w.Flush()
}
