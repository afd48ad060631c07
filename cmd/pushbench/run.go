package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pushbench/bench/client/engines"
	"pushbench/cmd/internal/app"
	"pushbench/results/metric"
	"pushbench/results/report"
	"pushbench/scenarios"
	"pushbench/servers/faults"
)

// runOptions are the flags of run. Those that change the workload are applied to the scenario.
type runOptions struct {
	app.Options
	output
	given                         scenarios.Scenario // the fields that flags set directly
	window, warmup, rtt           string
	library, batchingDelay, sweep []string
	baseline, prices              string
	dryRun, requireVerdict        bool
}

func newRunCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Measure a scenario and compare its transports",
		Long: `Measure a scenario and compare its transports. SCENARIO is the name of a built-in
scenario (see pushbench list) or the path of a YAML file.

A trial measures one configuration once, with a fresh server and a fresh load generator.
A repetition contains one trial of each configuration, in balanced random order. A
configuration is a transport with one value of each swept field, such as the library.

The first Ctrl-C stops publishing, waits for messages in transit and writes the results
so far. The second stops immediately.

The table is written to standard output, progress to standard error.

With --baseline, the exit code is also that of pushbench compare: 4 if a declared metric
is worse than the baseline's, 8 if a declared comparison is undecided.

` + exitHelp,
		Example: "  pushbench run chat\n  pushbench run crowd --transports sse,websocket\n  pushbench run chat --transports sse,websocket --batching-delay 0s,5ms\n  pushbench run ./mine.yaml --repetitions 12 --out results/runs/mine",
		Args:    exactly("a scenario's name or file"),
		RunE:    func(c *cobra.Command, args []string) error { return o.measure(c, args[0]) },

		ValidArgsFunction: firstArgument(completeScenarios),
	}
	f := c.Flags()
	f.IntVarP(&o.given.Repetitions, "repetitions", "n", 0, "number of trials of each configuration; 8 or more can support a verdict, 12 are recommended (default: the scenario's)")
	f.Uint64Var(&o.given.Seed, "seed", 0, "seed of publish schedules, client phases and trial order (default: the scenario's)")
	f.IntVar(&o.given.Clients.Count, "clients", 0, "number of clients (default: the scenario's)")
	f.IntVar(&o.given.Servers, "servers", 0, "number of servers that share the clients, each with its own load generator (default: the scenario's, or as many as the open-file limit requires)")
	f.StringVar(&o.window, "window", "", `measurement time of each trial, such as "20s" (default: the scenario's)`)
	f.StringVar(&o.warmup, "warmup", "", `publishing time before the measurement, not counted, such as "1s" (default: the scenario's)`)
	f.StringVar(&o.rtt, "rtt", "", `round-trip time added to each connection, such as "20ms" (default: the scenario's)`)
	f.StringVar((*string)(&o.given.Network.Link), "link", "", "network emulation: stream (inside the load generator) or packets (network namespaces, Linux only; default: the scenario's)")
	f.StringSliceVar(&o.library, "library", nil, "server library: reference, nethttp or fasthttp; several are compared (default: the scenario's)")
	f.StringSliceVar(&o.batchingDelay, "batching-delay", nil, `longest time a server may delay messages to send several in one write, such as "5ms"; several are compared (default: the scenario's)`)
	f.StringArrayVar(&o.sweep, "sweep", nil, "compare several values of a field, such as rate=10/s,100/s; repeat the flag for other fields (default: the scenario's sweep)")
	f.StringVar(&o.baseline, "baseline", "", "another version of the servers, measured in turns with them: the executable of another pushbench build, or with --target another target file; its run folder ends in -baseline (see pushbench compare; default: none)")
	f.BoolVar(&o.dryRun, "dry-run", false, "print how long the run takes and what its repetitions can decide; measure nothing")
	f.BoolVar(&o.requireVerdict, "require-verdict", false, "refuse to start with too few repetitions to decide any declared comparison (exit code 2)")
	pricesFlag(c, &o.prices, "the scenario's")
	costFlag(c, &o.given.Cost)
	measureFlags(c, &o.Options, "such as sse,websocket", "folder for the run (default: "+app.RunsFolder+"/TIME-SCENARIO)")
	o.addTo(c, runFormats)
	agentsFlags(c, &o.Agents)
	junitFlag(c, &o.junit)
	commentFlag(c, &o.comment)
	f.StringVar(&o.Metrics, "metrics", "", "loopback address where Prometheus can scrape the current run at /metrics, such as 127.0.0.1:9464 (default: none)")
	f.BoolVar(&o.NoPin, "no-pin", false, "do not pin server and load generator to separate cores")
	f.BoolVar(&o.AllowIdle, "allow-idle", false, "allow CPU idle states: waking a core can take milliseconds, which adds to the latencies of server and load generator")
	f.StringVar(&o.Engine, "engine", "", "client implementation: "+strings.Join(engines.Names(), " or ")+engineDefault(engines.Names()))
	f.StringVar(&o.Inject, "inject", "", "inject server faults to test the measurement: drop=N,double=N,… affects every N-th message, nagle every write (see pushbench help serve; default: none)")
	completeWord(c, "link", []string{string(scenarios.StreamLink), string(scenarios.PacketLink)})
	completeList(c, "library", libraries)
	completeWord(c, "engine", engines.Names())
	acceptDeprecated(c)
	return c
}

// engineDefault states the default of --engine. Only the last engine supports TLS and webhooks.
func engineDefault(names []string) string {
	text := " (default: " + names[0]
	if last := names[len(names)-1]; last != names[0] {
		text += "; " + last + " with TLS or webhooks"
	}
	return text + ")"
}

// measureFlags adds the flags of all commands that measure a scenario.
func measureFlags(c *cobra.Command, o *app.Options, transports, out string) {
	c.Flags().StringSliceVar(&o.Transports, "transports", nil, "transports to measure, "+transports+" (default: the scenario's)")
	completeList(c, "transports", completeTransports(nil))
	c.Flags().StringSliceVar(&o.Targets, "target", nil, "servers to measure, by their target files or the names of those in "+app.TargetsFolder+"; reference: those of pushbench; several are compared (default: reference)")
	register(c, "target", completeTargetList)
	c.Flags().StringVar(&o.Out, "out", "", out)
	hostFlags(c)
	quickFlag(c, &o.Quick)
}

func quickFlag(c *cobra.Command, quick *bool) {
	c.Flags().BoolVar(quick, "quick", false, "quick test run: skips the monitoring of idle cores, measures the generator's maximum rate for 100 ms, draws no charts (pushbench report FOLDER draws them)")
}

// measure loads the scenario, measures it and prints the results.
func (o runOptions) measure(c *cobra.Command, name string) error {
	declared := 0
	s, err := o.Load(name, "these flags", func(s *scenarios.Scenario) error {
		declared = len(s.Assertions)
		return o.apply(c, s)
	})
	if err != nil {
		return err
	}
	plan, err := env(c).Plan(s, o.Options)
	if err != nil {
		return err
	}
	if o.requireVerdict {
		if err := plan.Undecidable(); err != nil {
			return err
		}
	}
	lines := plan.Lines()
	if skipped := declared - len(s.Assertions); skipped > 0 {
		are := map[bool]string{true: "is", false: "are"}[skipped == 1]
		lines = append(lines, fmt.Sprintf("These flags change the workload: %d of the scenario's %d assertions %s skipped.", skipped, declared, are))
	}
	if slices.Contains(s.Sweep.Library, scenarios.Reference) {
		lines = append(lines, "The library reference is nethttp with WebSocket and fasthttp with the other transports. Each program is measured once.")
	}
	o.Notice = strings.Join(lines, "\n")
	if o.dryRun {
		fmt.Fprintln(c.OutOrStdout(), app.Fitted(o.Notice, app.Columns(c.OutOrStdout())))
		return nil
	}
	runs, err := env(c).Measure(c.Context(), s, o.Options)
	if len(runs) == 0 {
		return err
	}
	r := report.New(runs[0])
	err = errors.Join(err, o.writeJUnit(r.JUnit()), o.writeComment(r.Document()), o.printRun(c, r), app.ExitError(r))
	if len(runs) < 2 {
		return err
	}
	found, refused, verdict := app.CompareMeasured(runs)
	if refused == nil && o.format == tableFormat {
		fmt.Fprintln(c.OutOrStdout())
		refused = o.print(c, found)
	}
	return errors.Join(err, refused, verdict)
}

// apply sets the fields of the scenario that flags give.
func (o *runOptions) apply(c *cobra.Command, s *scenarios.Scenario) (err error) {
	o.ServersGiven = c.Flags().Changed("servers")
	for _, flag := range []struct {
		name string
		put  func() error
	}{
		{"repetitions", func() error { s.Repetitions = o.given.Repetitions; return nil }},
		{"seed", func() error { s.Seed = o.given.Seed; return nil }},
		{"clients", func() error { s.Clients.Count = o.given.Clients.Count; return nil }},
		{"servers", func() error { s.Servers = o.given.Servers; return nil }},
		{"link", func() error { s.Network.Link = o.given.Network.Link; return nil }},
		{"library", func() (err error) {
			s.Library, s.Sweep.Library, err = oneOrSweep(o.library, scenarios.Reference, func(name string) (scenarios.Library, error) { return scenarios.Library(name), nil })
			return err
		}},
		{"batching-delay", func() error {
			one, sweep, err := oneOrSweep(o.batchingDelay, 0, func(text string) (scenarios.Duration, error) { return duration("batching-delay", text) })
			s.SetBatchingDelay(one)
			s.Sweep.BatchingDelay = sweep
			return err
		}},
		{"window", func() (err error) { s.Window, err = duration("window", o.window); return err }},
		{"warmup", func() (err error) { s.Warmup, err = duration("warmup", o.warmup); return err }},
		{"rtt", func() (err error) { s.Network.RTT, err = duration("rtt", o.rtt); return err }},
		{"cost", func() error { s.Cost = o.given.Cost; return nil }},
		{"prices", func() (err error) { s.Prices, err = scenarios.LoadPrices(o.prices); return err }},
	} {
		if c.Flags().Changed(flag.name) {
			if err := flag.put(); err != nil {
				return err
			}
		}
	}
	if err := o.vary(c, s); err != nil {
		return err
	}
	s.Assertions = applicable(c, s)
	servers, err := o.Servers()
	if err != nil {
		return err
	}
	if len(servers) > 0 && !slices.Equal(servers, s.Sweep.Target) {
		s.Assertions = nil // they are about the servers that the scenario names, by default pushbench's
	}
	if _, err := faults.Parse(o.Inject); err != nil {
		return app.Usagef("--inject: %w", err)
	}
	switch {
	case o.baseline == "":
	case o.HasTarget():
		o.Baseline, err = app.TargetBaseline(o.baseline)
	default:
		o.Baseline, err = otherBuild(o.baseline)
	}
	return err
}

// vary applies --sweep. A field has one source: another flag for a field that is swept, also by the
// scenario, would have no effect.
func (o *runOptions) vary(c *cobra.Command, s *scenarios.Scenario) error {
	given := map[string]bool{}
	for _, text := range o.sweep {
		axis, values, ok := strings.Cut(text, "=")
		if !ok || axis == "" {
			return app.Usagef("--sweep: %q is not a field and its values; expected: FIELD=VALUE,VALUE such as rate=10/s,100/s", text)
		}
		if err := s.Vary(axis, values); err != nil {
			return app.Usagef("--%w", err)
		}
		field := scenarios.SweepField(axis)
		if given[field] {
			return app.Usagef("--sweep: %s is given twice; allowed: once, with all its values", field)
		}
		given[field] = true
	}
	for _, field := range []struct {
		flag, axis string
		swept      bool
	}{
		{"clients", "clients", len(s.Sweep.Clients) > 0},
		{"rtt", "rtt", len(s.Sweep.RTT) > 0},
		{"library", "library", given["library"]}, // the flag replaces the scenario's sweep
		{"batching-delay", "batching_delay", given["batching_delay"]},
	} {
		if field.swept && c.Flags().Changed(field.flag) {
			return app.Usagef("--%s: has no effect, as %s is swept; allowed: only --sweep %s=VALUE,VALUE", field.flag, field.axis, field.axis)
		}
	}
	return nil
}

// duration parses the value of a flag.
func duration(flag, text string) (scenarios.Duration, error) {
	d, err := scenarios.ParseDuration(text)
	if err != nil {
		err = app.Usagef("--%s: %w", flag, err)
	}
	return d, err
}

// applicable returns the assertions that can be checked with the given flags: an assertion is
// about the unchanged workload and about metrics that are measured.
func applicable(c *cobra.Command, s *scenarios.Scenario) []metric.Assertion {
	if slices.ContainsFunc([]string{"clients", "rtt", "link", "library", "batching-delay", "servers", "sweep"}, c.Flags().Changed) {
		return nil
	}
	missing := s.Unmeasured(s.Configurations())
	otherTimes := slices.ContainsFunc([]string{"window", "warmup"}, c.Flags().Changed)
	return slices.DeleteFunc(slices.Clone(s.Assertions), func(a metric.Assertion) bool {
		return slices.Contains(missing, a) || otherTimes && dependsOnTimes(s, a)
	})
}

// dependsOnTimes reports whether an assertion is about the scenario's own window and warm-up: about a number of
// messages other than none, or with a router that forgets connections in the gaps between the messages.
func dependsOnTimes(s *scenarios.Scenario, a metric.Assertion) bool {
	m, _ := metric.Find(a.Metric)
	return s.Network.IdleTimeout > 0 || a.OtherConfiguration == "" && a.Bound != 0 && m.Counted()
}

// oneOrSweep parses the values of a flag: one replaces the scenario's value, several are swept.
func oneOrSweep[T any](texts []string, without T, parse func(string) (T, error)) (one T, sweep []T, err error) {
	for _, text := range texts {
		value, err := parse(text)
		if err != nil {
			return without, nil, err
		}
		sweep = append(sweep, value)
	}
	if len(sweep) == 1 {
		return sweep[0], nil, nil
	}
	return without, sweep, nil
}

// otherBuild checks and identifies the executable of a baseline.
func otherBuild(path string) (*app.Baseline, error) {
	executable, err := filepath.Abs(path)
	if err != nil {
		return nil, app.Usagef("--baseline: %w", err)
	}
	info, err := os.Stat(executable)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, app.Usagef("--baseline: no such file: %s; expected: the executable of another pushbench build", executable)
	case err != nil:
		return nil, app.Usagef("--baseline: %w", err)
	case info.IsDir() || info.Mode()&0o111 == 0:
		return nil, app.Usagef("--baseline: %s is not executable; expected: the executable of another pushbench build, or with --target a target file", executable)
	}
	build, err := toolOf(executable)
	if err != nil {
		return nil, app.Usagef("--baseline: %s cannot be identified as a pushbench build: %w", executable, err)
	}
	return &app.Baseline{Executable: executable, Served: build, Flags: oldServeFlags}, nil
}
