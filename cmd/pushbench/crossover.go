package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/results/report"
)

func newCrossoverCommand() *cobra.Command {
	var o app.CrossoverOptions
	var out output
	c := &cobra.Command{
		Use:   "crossover SCENARIO|RUN",
		Short: "Show the cheapest transport for each load and acceptable staleness",
		Long: `Show the cheapest transport for each load and acceptable staleness. The command measures
a scenario at several loads, and short polling at several intervals. Given the folder of
such a run, it prints the map again.

A transport qualifies for a staleness if its p99 latency is within that staleness and it
loses no message. The cost is CPU time per message of server and load generator together.
With delivery: latest the cost is their CPU time per second, and with --cost price it is
the price per 1,000 clients and month.

` + exitHelp,
		Example: "  pushbench crossover chat\n  pushbench crossover chat --clients 10,100,1000 --staleness 100ms,1s,10s",
		Args:    exactly("a scenario's name or file, or a run's folder"),

		ValidArgsFunction: firstArgument(completeScenarios),

		RunE: func(c *cobra.Command, args []string) error {
			var run *results.Run
			var err error
			if info, stat := os.Stat(args[0]); stat == nil && info.IsDir() {
				run, err = app.OpenRun(args[0])
			} else {
				run, err = env(c).Crossover(c.Context(), args[0], o)
			}
			if run == nil || err != nil {
				return err
			}
			return out.printMap(c, report.New(run))
		},
	}
	f := c.Flags()
	f.StringVar(&o.Rates, "rates", "", "loads as publication rates, such as 10/s,100/s (default: from 1/16 of the scenario's rate to 16 times it)")
	f.StringVar(&o.Clients, "clients", "", "loads as numbers of clients, such as 10,100,1000; cannot be combined with --rates (default: none)")
	f.StringSliceVar(&o.Staleness, "staleness", []string{"50ms", "200ms", "1s", "5s"}, "values of staleness that an application can accept")
	f.IntVarP(&o.Repetitions, "repetitions", "n", 1, "number of trials of each configuration")
	costFlag(c, &o.Cost)
	measureFlags(c, &o.Options, "such as shortpoll,websocket", "folder for the run (default: "+app.RunsFolder+"/TIME-SCENARIO)")
	out.addTo(c, runFormats)
	acceptDeprecated(c)
	return c
}

// printMap prints the map with its chart, and refuses a run without one.
func (o output) printMap(c *cobra.Command, r *report.Report) error {
	if o.format != tableFormat {
		return errors.Join(o.printRun(c, r), app.ExitError(r))
	}
	if !r.Mapped() && r.Run.Manifest.Status != results.Invalid {
		return app.Usagef("%s: no map can be drawn from this run; required: several poll intervals and at least 2 transports", r.Run.Path)
	}
	return errors.Join(o.printRun(c, r, filepath.Join("charts", "crossover.svg")), app.ExitError(r))
}
