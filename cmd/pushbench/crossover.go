package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/report"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

type crossoverOptions struct {
	run       runOptions
	rates     string
	clients   string
	staleness []string
}

func newCrossoverCommand() *cobra.Command {
	var o crossoverOptions
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
		RunE:    func(c *cobra.Command, args []string) error { return o.do(c, args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.rates, "rates", "", "the loads, as rates of publication such as 10/s,100/s (default: a sixteenth of the scenario's to sixteen times it)")
	f.StringVar(&o.clients, "clients", "", "the loads, as numbers of clients such as 10,100,1000, in place of rates")
	f.StringSliceVar(&o.staleness, "staleness", []string{"50ms", "200ms", "1s", "5s"}, "what an application can accept")
	f.IntVar(&o.run.blocks, "blocks", 1, "how often each case is run")
	f.StringSliceVar(&o.run.transports, "transports", nil, "only these, such as shortpoll,websocket (default: the scenario's)")
	f.StringVar(&o.run.out, "out", "", "the run's folder (default: "+runsFolder+"/TIME-SCENARIO)")
	quickFlag(c, &o.run.quick)
	formatFlag(c, &o.run.format, runFormats)
	return c
}

func (o crossoverOptions) do(c *cobra.Command, name string) error {
	if err := checkFormat(o.run.format, runFormats); err != nil {
		return err
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		run, err := openRun(name)
		if err != nil {
			return err
		}
		return o.show(c, run)
	}
	s, err := scenarios.Load(name)
	if err != nil {
		return err
	}
	if err := o.vary(c, s); err != nil {
		return err
	}
	if err := preflight(s, false, c.ErrOrStderr()); err != nil {
		return err
	}
	where, err := o.run.once(c, s)
	if len(where) == 0 {
		return err
	}
	run, opened := results.Open(where[0])
	if err := errors.Join(err, opened); err != nil {
		return err
	}
	return o.show(c, run)
}

// loads are how many times a scenario's own rate the loads are, unless they are given.
var loads = []float64{1.0 / 16, 1.0 / 4, 1, 4, 16}

// vary makes a scenario one that maps.
func (o *crossoverOptions) vary(c *cobra.Command, s *scenarios.Scenario) error {
	s.Sweep, s.Claims, s.Needs, s.Published = scenarios.Sweep{}, nil, nil, metric.Published{}
	s.Blocks = o.run.blocks
	var intervals []string
	longest := time.Duration(0)
	for _, text := range o.staleness {
		d, err := scenarios.ParseDuration(text)
		if err != nil {
			return usageError("--staleness: %w", err)
		}
		interval := scenarios.Duration(compare.PollShare * float64(d))
		intervals = append(intervals, interval.String())
		longest = max(longest, time.Duration(interval))
	}
	if len(intervals) < 2 {
		return usageError("--staleness: %d value makes no map; allowed: 2 or more", len(intervals))
	}
	axis, values := "rate", o.rates
	switch {
	case o.clients != "" && o.rates != "":
		return usageError("--rates is not allowed beside --clients; allowed: one of the two, as a map has one load")
	case o.clients != "":
		axis, values = "clients", o.clients
	case values == "":
		var all []string
		for _, times := range loads {
			all = append(all, scenarios.Rate(times*float64(s.Publish.Rate)).String())
		}
		values = strings.Join(all, ",")
	}
	if err := errors.Join(s.Vary("interval", strings.Join(intervals, ",")), s.Vary(axis, values)); err != nil {
		return usageError("%w", err)
	}
	o.run.choose(c, s)
	s.Transports = slices.DeleteFunc(s.Transports, func(t scenarios.Transport) bool { return transports.Of(t).ServerDials })
	s.Window = max(s.Window, scenarios.Duration((3*longest + time.Second).Truncate(time.Second))) // each client polls three times
	if err := s.Check(); err != nil {
		return usageError("with these loads: %w", err)
	}
	return o.run.checkEngine(s)
}

// show prints the map, where it is drawn, and what the run is worth.
func (o crossoverOptions) show(c *cobra.Command, run *results.Run) error {
	r := report.New(run)
	out := c.OutOrStdout()
	if o.run.format != tableFormat {
		return errors.Join(printRun(c, r, o.run.format), worth(r))
	}
	can := tableOptions(out)
	drawn := r.CrossoverTable(can)
	if drawn == "" && run.Manifest.Status != results.Invalid {
		return usageError("%s makes no map: it takes several poll intervals and two transports or more", run.Path)
	}
	fmt.Fprintln(out, drawn)
	for _, sentence := range r.Sentences() {
		fmt.Fprintln(out, can.Wrap(sentence))
	}
	fmt.Fprintf(out, "\n%s\n%s\n", filepath.Join(run.Path, "charts", "crossover.svg"), filepath.Join(run.Path, "report.html"))
	return worth(r)
}
