package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"pushbench/cmd/internal/app"
	"pushbench/results/report"
)

func newCapacityCommand() *cobra.Command {
	var o app.CapacityOptions
	var out output
	c := &cobra.Command{
		Use:   "capacity SCENARIO",
		Short: "The highest load at which each transport keeps to a limit",
		Long: `Find for each transport the highest load at which it keeps to a limit and loses
nothing: the load is doubled until it does not, what lies between is halved until the
two are within 5 %, and the highest must keep to the limit three times more.

A limit is a claim as scenarios have them. Every load tried is a run of its own, with
its gates; where the generator or the machine comes to its end first, what was found is
a lower bound and says so.

Ctrl-C once drains the run under way, ends the search and shows what was found so far
(exit code 6); twice stops at once. No other pushbench can measure until the search ends.

` + exitHelp,
		Example: "  pushbench capacity chat --slo 'p(99)<200ms'\n  pushbench capacity chat --slo 'p(99)<2s' --over clients --transports shortpoll,websocket",
		Args:    exactly("a scenario's name or file"),
		RunE: func(c *cobra.Command, args []string) error {
			found, err := env(c).Capacity(c.Context(), args[0], o)
			if found.Path == "" {
				return err
			}
			err = errors.Join(err, out.print(c, report.Capacity{Capacity: found}))
			if out.format == tableFormat {
				fmt.Fprintf(c.OutOrStdout(), "\n%s\n", filepath.Join(found.Path, "capacity.html"))
			}
			return err
		},
	}
	f := c.Flags()
	f.StringArrayVar(&o.Limit, "slo", nil, "what must hold, such as 'p(99)<200ms'; nothing lost must hold as well")
	f.StringVar(&o.Axis, "over", "rate", "what is varied: rate (of publication) or clients")
	f.Float64Var(&o.Most, "most", 1e6, "the highest load to try")
	f.StringVar(&o.Window, "window", "10s", "how long each load is measured")
	measureFlags(c, &o.Options, "such as sse,websocket", "the folder for the figures and the runs (default: "+app.RunsFolder+"/TIME-capacity-SCENARIO)")
	out.addTo(c, comparisonFormats)
	return c
}
