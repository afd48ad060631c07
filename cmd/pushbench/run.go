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

// runOptions are the flags of run; those that say what is measured go to the scenario.
type runOptions struct {
	app.Options
	output
	given               scenarios.Scenario // the fields that flags set as they are
	window, warmup, rtt string
	stack, flush, sweep []string
	baseline            string
}

func newRunCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Measure a scenario and draw the comparison",
		Long: `Measure a scenario: one that comes with pushbench (see pushbench list) or any file.

Each block runs every transport once, in a balanced random order, each against a
fresh server from a fresh generator. Where several stacks or flush windows are
listed, a block runs every transport with each of them.

Ctrl-C once ends the publishing, waits for what is on its way and writes what
there is; twice stops at once.

The table goes to standard output, progress to standard error.

` + exitHelp,
		Example: "  pushbench run chat\n  pushbench run crowd --transports sse,websocket\n  pushbench run chat --transports sse,websocket --flush 0s,5ms\n  pushbench run ./mine.yaml --blocks 12 --out results/runs/mine",
		Args:    exactly("a scenario's name or file"),
		RunE:    func(c *cobra.Command, args []string) error { return o.measure(c, args[0]) },
	}
	f := c.Flags()
	f.IntVar(&o.given.Repetitions, "blocks", 0, "how often each case is run; 8 or more can support a verdict, 12 are better (default: the scenario's)")
	f.Uint64Var(&o.given.Seed, "seed", 0, "where schedules, phases and orders come from (default: the scenario's)")
	f.IntVar(&o.given.Clients.Count, "clients", 0, "how many clients (default: the scenario's)")
	f.IntVar(&o.given.Servers, "servers", 0, "how many servers share the clients, each with a generator of its own (default: the scenario's, or as many as open files ask for)")
	f.StringVar(&o.window, "window", "", `how long to measure, such as "20s" (default: the scenario's)`)
	f.StringVar(&o.warmup, "warmup", "", `how long to publish before, uncounted, such as "1s" (default: the scenario's)`)
	f.StringVar(&o.rtt, "rtt", "", `how far the clients are, as a round trip added to each connection, such as "20ms" (default: the scenario's)`)
	f.StringVar((*string)(&o.given.Network.Link), "link", "", "how the distance is made: stream (inside the generator) or packets (network namespaces, on Linux; default: the scenario's)")
	f.StringSliceVar(&o.stack, "stack", nil, "which library the servers are built on: reference, nethttp or fasthttp; several are compared (default: the scenario's)")
	f.StringSliceVar(&o.flush, "flush", nil, `how long a server may hold messages to send several in one write, such as "5ms"; several are compared (default: the scenario's)`)
	f.StringArrayVar(&o.sweep, "sweep", nil, "compare several values of a field, such as rate=10/s,100/s; once for each field (default: the scenario's sweep)")
	f.StringVar(&o.baseline, "beside", "", "another build of pushbench, whose servers are measured in turns with these; the second folder is the first's name and -beside. See pushbench compare")
	measureFlags(c, &o.Options, "such as sse,websocket", "the run's folder (default: "+app.RunsFolder+"/TIME-SCENARIO)")
	o.addTo(c, runFormats)
	junitFlag(c, &o.junit)
	f.StringVar(&o.Metrics, "metrics", "", "serve what is under way to Prometheus at /metrics of this address of this machine, such as 127.0.0.1:9464 (default: nowhere)")
	f.BoolVar(&o.NoPin, "no-pin", false, "do not give server and generator cores of their own")
	f.BoolVar(&o.LetSleep, "let-sleep", false, "do not keep the cores awake: waking one can take milliseconds, which both ends then pay")
	f.StringVar(&o.Engine, "engine", "", "what the clients run on, to cross-check the instrument: "+strings.Join(engines.Names(), " or ")+" (default: the first, or with TLS or webhooks anywhere the last, which alone has them)")
	f.StringVar(&o.Inject, "lie", "", "let the servers drop=N,double=N,… every N-th message, to test this instrument")
	return c
}

// measureFlags are of the commands that measure a scenario.
func measureFlags(c *cobra.Command, o *app.Options, transports, out string) {
	c.Flags().StringSliceVar(&o.Transports, "transports", nil, "only these, "+transports+" (default: the scenario's)")
	c.Flags().StringVar(&o.Out, "out", "", out)
	quickFlag(c, &o.Quick)
}

func quickFlag(c *cobra.Command, quick *bool) {
	c.Flags().BoolVar(quick, "quick", false, "to try a scenario out: do not watch idle cores before and after, measure the generator's ceiling for 100 ms, draw no charts (pushbench report FOLDER draws them)")
}

// measure loads, measures and prints.
func (o runOptions) measure(c *cobra.Command, name string) error {
	claims := 0
	s, err := o.Load(name, "these flags", func(s *scenarios.Scenario) error {
		claims = len(s.Assertions)
		return o.apply(c, s)
	})
	if err != nil {
		return err
	}
	if left := claims - len(s.Assertions); left > 0 {
		o.Notice = fmt.Sprintf("with these flags %d of the scenario's %d claims cannot be judged, and are left out", left, claims)
	}
	runs, err := env(c).Measure(c.Context(), s, o.Options)
	if len(runs) == 0 {
		return err
	}
	r := report.New(runs[0])
	err = errors.Join(err, o.writeJUnit(r.JUnit()), o.printRun(c, r), app.ExitError(r))
	if len(runs) < 2 || o.format != tableFormat {
		return err
	}
	// The difference to the baseline. It is no error if nothing can be concluded: pushbench
	// compare has an exit code for that.
	found, refused := report.Compare(runs[1], runs[0])
	if refused != nil {
		return errors.Join(err, refused)
	}
	fmt.Fprintln(c.OutOrStdout())
	return errors.Join(err, o.print(c, found))
}

// apply puts the flags that were given into the scenario.
func (o *runOptions) apply(c *cobra.Command, s *scenarios.Scenario) (err error) {
	o.ServersGiven = c.Flags().Changed("servers")
	for _, flag := range []struct {
		name string
		put  func() error
	}{
		{"blocks", func() error { s.Repetitions = o.given.Repetitions; return nil }},
		{"seed", func() error { s.Seed = o.given.Seed; return nil }},
		{"clients", func() error { s.Clients.Count = o.given.Clients.Count; return nil }},
		{"servers", func() error { s.Servers = o.given.Servers; return nil }},
		{"link", func() error { s.Network.Link = o.given.Network.Link; return nil }},
		{"stack", func() (err error) {
			s.Library, s.Sweep.Library, err = oneOrSweep(o.stack, scenarios.Reference, func(name string) (scenarios.Library, error) { return scenarios.Library(name), nil })
			return err
		}},
		{"flush", func() error {
			one, sweep, err := oneOrSweep(o.flush, 0, func(text string) (scenarios.Duration, error) { return duration("flush", text) })
			s.SetBatchingDelay(one)
			s.Sweep.BatchingDelay = sweep
			return err
		}},
		{"window", func() (err error) { s.Window, err = duration("window", o.window); return err }},
		{"warmup", func() (err error) { s.Warmup, err = duration("warmup", o.warmup); return err }},
		{"rtt", func() (err error) { s.Network.RTT, err = duration("rtt", o.rtt); return err }},
	} {
		if c.Flags().Changed(flag.name) {
			if err := flag.put(); err != nil {
				return err
			}
		}
	}
	for _, text := range o.sweep {
		axis, values, ok := strings.Cut(text, "=")
		if !ok {
			return app.Usagef("--sweep: %q is not a field and its values; wanted: something like rate=10/s,100/s", text)
		}
		if err := s.Vary(axis, values); err != nil {
			return app.Usagef("--%w", err)
		}
	}
	s.Assertions = claims(c, s)
	if _, err := faults.Parse(o.Inject); err != nil {
		return app.Usagef("--lie: %w", err)
	}
	if o.baseline != "" {
		o.Baseline, err = otherBuild(o.baseline)
	}
	return err
}

// duration reads the value of a flag.
func duration(flag, text string) (scenarios.Duration, error) {
	d, err := scenarios.ParseDuration(text)
	if err != nil {
		err = app.Usagef("--%s: %w", flag, err)
	}
	return d, err
}

// claims are those that the flags leave something to judge by: a claim is about the
// workload as it is written, and about what is measured.
func claims(c *cobra.Command, s *scenarios.Scenario) []metric.Assertion {
	if slices.ContainsFunc([]string{"clients", "rtt", "link", "stack", "flush", "servers", "sweep"}, c.Flags().Changed) {
		return nil
	}
	missing := s.Unmeasured(s.Configurations())
	return slices.DeleteFunc(slices.Clone(s.Assertions), func(a metric.Assertion) bool { return slices.Contains(missing, a) })
}

// oneOrSweep reads the values of a flag: one takes the place of the scenario's own, several are swept.
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

// otherBuild checks the executable whose servers are measured beside ours, and identifies it.
func otherBuild(path string) (*app.Build, error) {
	executable, err := filepath.Abs(path)
	if err != nil {
		return nil, app.Usagef("--beside: %w", err)
	}
	info, err := os.Stat(executable)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, app.Usagef("--beside: there is no file %s; wanted: another build of pushbench", executable)
	case err != nil:
		return nil, app.Usagef("--beside: %w", err)
	case info.IsDir() || info.Mode()&0o111 == 0:
		return nil, app.Usagef("--beside: %s cannot be executed; wanted: another build of pushbench", executable)
	}
	is, err := toolOf(executable)
	if err != nil {
		return nil, app.Usagef("--beside: %s does not say which pushbench it is: %w", executable, err)
	}
	return &app.Build{Executable: executable, Tool: is}, nil
}
