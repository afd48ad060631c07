package main

import (
	"errors"
	"fmt"
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
		Short: "The map of which transport is cheapest, by load and acceptable staleness",
		Long: `Measure a scenario at several loads, short polling with several intervals, and say for
each load and each staleness that an application can accept which transport that keeps
to it costs least. Given the folder of such a run, its map is printed again.

A transport keeps to a staleness when its p99 of latency is within it and nothing is
lost. The cost is CPU a message, server and generator together; where only the latest is
delivered, their CPU by wall-clock time.

` + exitHelp,
		Example: "  pushbench crossover chat\n  pushbench crossover chat --clients 10,100,1000 --staleness 100ms,1s,10s",
		Args:    exactly("a scenario's name or file, or a run's folder"),
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
	f.StringVar(&o.Rates, "rates", "", "the loads, as rates of publication such as 10/s,100/s (default: a sixteenth of the scenario's to sixteen times it)")
	f.StringVar(&o.Clients, "clients", "", "the loads, as numbers of clients such as 10,100,1000, in place of rates")
	f.StringSliceVar(&o.Staleness, "staleness", []string{"50ms", "200ms", "1s", "5s"}, "what an application can accept")
	f.IntVar(&o.Repetitions, "blocks", 1, "how often each case is run")
	measureFlags(c, &o.Options, "such as shortpoll,websocket", "the run's folder (default: "+app.RunsFolder+"/TIME-SCENARIO)")
	out.addTo(c, runFormats)
	return c
}

// printMap prints the map, where it is drawn, and what the run is worth.
func (o output) printMap(c *cobra.Command, r *report.Report) error {
	if o.format != tableFormat {
		return errors.Join(o.printRun(c, r), app.ExitError(r))
	}
	out := c.OutOrStdout()
	drawn := r.CrossoverTable(tableOptions(out))
	if drawn == "" && r.Run.Manifest.Status != results.Invalid {
		return app.Usagef("%s makes no map: it takes several poll intervals and two transports or more", r.Run.Path)
	}
	fmt.Fprintln(out, drawn)
	return errors.Join(printSentences(out, r, filepath.Join("charts", "crossover.svg")), app.ExitError(r))
}
