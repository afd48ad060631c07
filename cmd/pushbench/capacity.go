package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/results/report"
)

func newCapacityCommand() *cobra.Command {
	var o app.CapacityOptions
	var out output
	c := &cobra.Command{
		Use:   "capacity SCENARIO",
		Short: "Find the highest load at which each transport meets a requirement",
		Long: `Find the highest load at which each transport meets a requirement and loses no message.
The search doubles the load until the requirement fails, then bisects. It stops when the
lowest load that fails is at most 5 % above the highest load that passes. The result must
meet the requirement 3 more times.

--require uses the syntax of assertions, such as 'p(99)<200ms'. Each load tried is a run
with its own validity checks. If the load generator or the machine reaches its limit
first, the result is marked as a lower bound. If that happens at every load of a
transport, nothing is known of it, and the exit code is 3.

The search starts at the scenario's load, or at --from. Its lowest load is an eighth of
that.

The first Ctrl-C stops publishing, waits for messages in transit, ends the search and
prints the results so far (exit code 6). The second stops immediately. No other pushbench
can measure on this machine until the search ends.

` + exitHelp,
		Example: "  pushbench capacity chat --require 'p(99)<200ms'\n  pushbench capacity chat --require 'p(99)<2s' --over clients --transports shortpoll,websocket",
		Args:    exactly("a scenario's name or file"),

		ValidArgsFunction: firstArgument(completeScenarios),

		RunE: func(c *cobra.Command, args []string) error {
			found, err := env(c).Capacity(c.Context(), args[0], o)
			if found.Path == "" {
				return err
			}
			err = errors.Join(err, out.print(c, report.Capacity{Capacity: found}))
			if out.format == tableFormat {
				fmt.Fprintf(c.OutOrStdout(), "\n%s\n", results.Plain(filepath.Join(found.Path, "capacity.html")))
			}
			return err
		},
	}
	f := c.Flags()
	f.StringArrayVar(&o.Limit, "require", nil, "requirement to meet, such as 'p(99)<200ms', in addition to no lost messages; may be repeated")
	f.StringVar(&o.Axis, "over", "rate", "load to vary: rate (of publication) or clients")
	completeWord(c, "over", []string{"rate", "clients"})
	f.Float64Var(&o.From, "from", 0, "first load to try (default: the scenario's)")
	f.Float64Var(&o.Max, "max", 1e6, "highest load to try")
	f.StringVar(&o.Window, "window", "10s", "measurement time of each load")
	measureFlags(c, &o.Options, "such as sse,websocket", "folder for results and runs (default: "+app.RunsFolder+"/TIME-capacity-SCENARIO)")
	out.addTo(c, comparisonFormats)
	acceptDeprecated(c)
	return c
}
