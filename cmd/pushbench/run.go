package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pushbench/bench"
	"pushbench/bench/client/engines"
	"pushbench/bench/lab"
	"pushbench/bench/trial"
	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/report"
	"pushbench/results/summary"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
	"pushbench/servers/faults"
)

// runsFolder is where runs go unless told otherwise.
const runsFolder = "results/runs"

type runOptions struct {
	blocks     int
	seed       uint64
	clients    int
	servers    int
	window     string
	warmup     string
	rtt        string
	link       string
	transports []string
	stack      []string
	flush      []string
	out        string
	beside     string
	format     string
	junit      string
	metrics    string
	sweep      []string
	noPin      bool
	letSleep   bool
	quick      bool
	engine     string
	lie        string
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
		RunE:    func(c *cobra.Command, args []string) error { return measure(c, args[0], o) },
	}
	f := c.Flags()
	f.IntVar(&o.blocks, "blocks", 0, "how often each case is run; 8 or more can support a verdict, 12 are better (default: the scenario's)")
	f.Uint64Var(&o.seed, "seed", 0, "where schedules, phases and orders come from (default: the scenario's)")
	f.IntVar(&o.clients, "clients", 0, "how many clients (default: the scenario's)")
	f.IntVar(&o.servers, "servers", 0, "how many servers share the clients, each with a generator of its own (default: the scenario's, or as many as open files ask for)")
	f.StringVar(&o.window, "window", "", `how long to measure, such as "20s" (default: the scenario's)`)
	f.StringVar(&o.warmup, "warmup", "", `how long to publish before, uncounted, such as "1s" (default: the scenario's)`)
	f.StringVar(&o.rtt, "rtt", "", `how far the clients are, as a round trip added to each connection, such as "20ms" (default: the scenario's)`)
	f.StringVar(&o.link, "link", "", "how the distance is made: stream (inside the generator) or packets (network namespaces, on Linux; default: the scenario's)")
	f.StringSliceVar(&o.transports, "transports", nil, "only these, such as sse,websocket (default: the scenario's)")
	f.StringSliceVar(&o.stack, "stack", nil, "which library the servers are built on: reference, nethttp or fasthttp; several are compared (default: the scenario's)")
	f.StringSliceVar(&o.flush, "flush", nil, `how long a server may hold messages to send several in one write, such as "5ms"; several are compared (default: the scenario's)`)
	f.StringArrayVar(&o.sweep, "sweep", nil, "compare several values of a field, such as rate=10/s,100/s; once for each field (default: the scenario's sweep)")
	f.StringVar(&o.out, "out", "", "the run's folder (default: "+runsFolder+"/TIME-SCENARIO)")
	f.StringVar(&o.beside, "beside", "", "another build of pushbench, whose servers are measured in turns with these; the second folder is the first's name and -beside. See pushbench compare")
	formatFlag(c, &o.format, runFormats)
	junitFlag(c, &o.junit)
	f.StringVar(&o.metrics, "metrics", "", "serve what is under way to Prometheus at /metrics of this address of this machine, such as 127.0.0.1:9464 (default: nowhere)")
	f.BoolVar(&o.noPin, "no-pin", false, "do not give server and generator cores of their own")
	f.BoolVar(&o.letSleep, "let-sleep", false, "do not keep the cores awake: waking one can take milliseconds, which both ends then pay")
	quickFlag(c, &o.quick)
	f.StringVar(&o.engine, "engine", "", "what the clients run on, to cross-check the instrument: "+strings.Join(engines.Names(), " or ")+" (default: the first, or with TLS or webhooks anywhere the last, which alone has them)")
	f.StringVar(&o.lie, "lie", "", "let the servers drop=N,double=N,… every N-th message, to test this instrument")
	return c
}

// measure reads, checks, runs, shows.
func measure(c *cobra.Command, name string, o runOptions) error {
	if err := checkFormat(o.format, runFormats); err != nil {
		return err
	}
	scenario, err := scenarios.Load(name)
	if err != nil {
		return err
	}
	claims := len(scenario.Claims)
	if err := o.apply(c, scenario); err != nil {
		return err
	}
	if err := preflight(scenario, c.Flags().Changed("servers"), c.ErrOrStderr()); err != nil {
		return err
	}
	if left := claims - len(scenario.Claims); left > 0 {
		fmt.Fprintf(c.ErrOrStderr(), "with these flags %d of the scenario's %d claims cannot be judged, and are left out\n", left, claims)
	}
	where, err := o.once(c, scenario)
	if len(where) == 0 {
		return err
	}
	err = errors.Join(err, o.show(c, where[0]))
	if len(where) > 1 && o.format == tableFormat {
		err = errors.Join(err, showBeside(c, where[1], where[0]))
	}
	return err
}

// once measures a scenario in a session of its own, which ends before its results are printed:
// a pager may take long to read them. It returns where the runs are: of what another process
// has done in our place, nowhere.
func (o runOptions) once(c *cobra.Command, scenario *scenarios.Scenario) (where []string, err error) {
	if done, err := elsewhere(c, scenario); done || err != nil {
		return nil, err
	}
	err = inSession(c, func(s *session) (err error) {
		where, err = o.perform(s, c, scenario)
		return err
	})
	return where, err
}

// perform measures a scenario that was checked and fits, and returns where its runs are: none
// where the first has no folder.
func (o runOptions) perform(s *session, c *cobra.Command, scenario *scenarios.Scenario) (where []string, err error) {
	rig, err := o.rig(scenario)
	if err != nil {
		return nil, err
	}
	progress := newProgress(c.ErrOrStderr())
	run := &bench.Run{
		Scenario: scenario,
		Rig:      rig,
		Command:  append([]string{"pushbench"}, os.Args[1:]...),
		Tool:     hashed(tool()),
		Stop:     s.drain.Done(),
		Progress: progress.show,
		Trouble:  progress.trouble,
	}
	if scenario.AbortOnFail {
		run.Enough = brokenSoFar
	}
	var m *metricsServer
	if o.metrics != "" {
		if m, err = startMetrics(o.metrics); err != nil {
			return nil, err
		}
		defer func() { _ = m.close() }() // what is shown of a run does not decide what it is worth
		run.Interval = func(i results.Interval) { m.interval("own", i) }
		run.Trouble = func(what string) { m.void.Inc(); progress.trouble(what) }
	}
	sides := []bench.Side{{Run: run, Path: o.path(scenario, time.Now())}}
	if o.beside != "" {
		other, err := o.besides(run, scenario)
		if err != nil {
			return nil, err
		}
		if m != nil {
			other.Interval = func(i results.Interval) { m.interval("beside", i) }
		}
		sides = append(sides, bench.Side{Run: other, Path: besidePath(sides[0].Path)})
	}
	where, err = bench.Interleave(s.abort, sides, o.derive)
	progress.end()
	switch {
	case where[0] != "":
		return where, err
	case errors.Is(err, fs.ErrExist):
		return nil, usageError("--out: %w", err)
	default:
		return nil, err
	}
}

// elsewhere does the whole command again in a user namespace of its own, where the scenario
// has a link that cannot be made here otherwise. The error is then what came of it.
func elsewhere(c *cobra.Command, s *scenarios.Scenario) (done bool, err error) {
	refused := canLink(s)
	if refused == nil {
		return false, nil
	}
	done, err, why := inUserNamespace(c)
	if !done {
		err = usageError("network.link: packets: %w (nor without root: %w)", refused, why)
	}
	return done, err
}

// sureFrom is from how many blocks on a broken claim is no accident: see compare.Claims.
const sureFrom = 4

// endedAs begins the reason of a run that a broken claim has ended.
const endedAs = "ended as"

// brokenSoFar names a claim of which the blocks so far are sure that it is broken. Equality
// takes one block.
func brokenSoFar(folder string) (why string, err error) {
	run, err := results.Open(folder)
	if err != nil {
		return "", err
	}
	for _, f := range compare.Claims(run.Manifest.Claims, summary.Of(run)) {
		if f.Outcome == compare.Broken && (f.Of >= sureFrom || f.Claim.Op == "==") {
			return fmt.Sprintf("%s %s is broken for %s", endedAs, f.Claim.Text, f.Case), nil
		}
	}
	return "", nil
}

// besides is the same run with the servers of another build.
func (o runOptions) besides(run *bench.Run, s *scenarios.Scenario) (*bench.Run, error) {
	executable, is, err := otherBuild(o.beside)
	if err != nil {
		return nil, err
	}
	rig, err := o.rig(s)
	if err != nil {
		return nil, err
	}
	own := rig.Serve
	rig.Serve = func(c scenarios.Case, host string) []string {
		argv := own(c, host)
		argv[0] = executable
		return argv
	}
	other := *run
	other.Rig, other.Served = rig, is
	return &other, nil
}

// showBeside prints what the other build's servers did otherwise. It is no error if
// nothing can be said: who wants to know by the exit code asks pushbench compare.
func showBeside(c *cobra.Command, before, after string) error {
	var runs [2]*results.Run
	for i, path := range []string{before, after} {
		var err error
		if runs[i], err = results.Open(path); err != nil {
			return err
		}
	}
	found, err := report.Compare(runs[0], runs[1])
	if err != nil {
		return err
	}
	fmt.Fprintln(c.OutOrStdout())
	return printComparison(c.OutOrStdout(), found, tableFormat)
}

// quickFlag is of commands that measure.
func quickFlag(c *cobra.Command, quick *bool) {
	c.Flags().BoolVar(quick, "quick", false, "to try a scenario out: do not watch idle cores before and after, measure the generator's ceiling for 100 ms, draw no charts (pushbench report FOLDER draws them)")
}

// derive writes what people look at into a run's folder.
func (o runOptions) derive(run *results.Run, dir string) error {
	if o.quick {
		return report.New(run).Write(dir)
	}
	return derive(run, dir)
}

// apply puts the command line's wishes into the scenario and checks it again.
func (o *runOptions) apply(c *cobra.Command, s *scenarios.Scenario) error {
	changed := c.Flags().Changed
	if changed("blocks") {
		s.Blocks = o.blocks
	}
	if changed("seed") {
		s.Seed = o.seed
	}
	if changed("clients") {
		s.Clients.Count = o.clients
	}
	if changed("servers") {
		s.Servers = o.servers
	}
	if changed("link") {
		s.Network.Link = scenarios.LinkKind(o.link)
	}
	o.choose(c, s)
	if changed("stack") {
		o.sweepStack(s)
	}
	if changed("flush") {
		if err := o.sweepFlush(s); err != nil {
			return err
		}
	}
	for _, text := range o.sweep {
		axis, values, ok := strings.Cut(text, "=")
		if !ok {
			return usageError("--sweep: %q is not a field and its values; wanted: something like rate=10/s,100/s", text)
		}
		if err := s.Vary(axis, values); err != nil {
			return usageError("--%w", err)
		}
	}
	for flag, field := range map[string]*scenarios.Duration{"window": &s.Window, "warmup": &s.Warmup, "rtt": &s.Network.RTT} {
		if !changed(flag) {
			continue
		}
		d, err := scenarios.ParseDuration(c.Flag(flag).Value.String())
		if err != nil {
			return usageError("--%s: %w", flag, err)
		}
		*field = d
	}
	s.Claims = o.claims(c, s)
	if err := s.Check(); err != nil {
		return usageError("with these flags: %w", err)
	}
	if err := o.checkEngine(s); err != nil {
		return err
	}
	if _, err := faults.Parse(o.lie); err != nil {
		return usageError("--lie: %w", err)
	}
	return nil
}

// choose puts the transports of --transports in place of the scenario's, if the flag is given.
func (o runOptions) choose(c *cobra.Command, s *scenarios.Scenario) {
	if !c.Flags().Changed("transports") {
		return
	}
	s.Transports = nil
	for _, t := range o.transports {
		s.Transports = append(s.Transports, scenarios.Transport(t))
	}
}

// checkEngine chooses the engine, unless it was chosen. All cases of a run have the same.
func (o *runOptions) checkEngine(s *scenarios.Scenario) error {
	name, err := engines.Choose(o.engine, s.Transports, s.Secured())
	if err != nil {
		return usageError("--engine: %v", err)
	}
	o.engine = name
	return nil
}

// claims are those that the flags leave something to judge by: a claim is about the
// workload as it is written, and about what is measured.
func (o runOptions) claims(c *cobra.Command, s *scenarios.Scenario) []metric.Assertion {
	for _, another := range []string{"clients", "rtt", "link", "stack", "flush", "servers", "sweep"} {
		if c.Flags().Changed(another) {
			return nil
		}
	}
	missing := s.Unmeasured(s.Cases())
	return slices.DeleteFunc(slices.Clone(s.Claims), func(a metric.Assertion) bool { return slices.Contains(missing, a) })
}

// sweepStack puts one stack, or a sweep of several, in place of the scenario's.
func (o runOptions) sweepStack(s *scenarios.Scenario) {
	s.Stack, s.Sweep.Stack = scenarios.Reference, nil
	if len(o.stack) == 1 {
		s.Stack = scenarios.Stack(o.stack[0])
		return
	}
	for _, name := range o.stack {
		s.Sweep.Stack = append(s.Sweep.Stack, scenarios.Stack(name))
	}
}

// sweepFlush puts one flush window, or a sweep of several, in place of the scenario's.
func (o runOptions) sweepFlush(s *scenarios.Scenario) error {
	var windows []scenarios.Duration
	for _, text := range o.flush {
		d, err := scenarios.ParseDuration(text)
		if err != nil {
			return usageError("--flush: %w", err)
		}
		windows = append(windows, d)
	}
	one := scenarios.Duration(0)
	if s.Sweep.Flush = windows; len(windows) == 1 {
		one, s.Sweep.Flush = windows[0], nil
	}
	s.LongPoll.Flush, s.SSE.Flush, s.WebSocket.Flush = one, one, one
	return nil
}

func (o runOptions) path(s *scenarios.Scenario, now time.Time) string {
	if o.out != "" {
		return o.out
	}
	return filepath.Join(runsFolder, now.UTC().Format("20060102T150405Z")+"-"+s.Name)
}

// rig starts servers and generators as children: this same executable in its other roles.
func (o runOptions) rig(s *scenarios.Scenario) (*trial.Rig, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	answer := s.Headers.Answer
	rig := &trial.Rig{
		Drive:  []string{self, "drive"},
		Engine: o.engine,
		Quick:  o.quick,
		Link:   []string{self, "link"},
		Serve: func(c scenarios.Case, host string) []string {
			argv := append([]string{self, "serve", string(c.Transport), "--control", "--listen", net.JoinHostPort(host, "0")}, c.ServeFlags()...)
			if host != "127.0.0.1" { // an address of a namespace that nobody else is in
				argv = append(argv, "--listen-anywhere")
			}
			if answer > 0 {
				argv = append(argv, "--answer-head", fmt.Sprint(int64(answer)))
			}
			if transports.Of(c.Transport).ServerDials || s.Answers.Size > 0 {
				argv = append(argv, "--webhooks-to", hooked(host))
			}
			if o.lie != "" {
				argv = append(argv, "--lie", o.lie)
			}
			return argv
		},
	}
	if !o.letSleep {
		rig.Idle = []string{self, "awake"}
	}
	if o.noPin {
		rig.Pinning.Note = "not asked for"
		return rig, nil
	}
	rig.Pin()
	return rig, nil
}

// hooked is where a server may post to: clients, and a backend beside it.
func hooked(host string) string {
	if host == "127.0.0.1" {
		return "127.0.0.0/8"
	}
	return lab.Outer().String()
}

// show prints what a run found, and returns the error that its status deserves.
func (o runOptions) show(c *cobra.Command, where string) error {
	run, err := results.Open(where)
	if err != nil {
		return err
	}
	r := report.New(run)
	return errors.Join(writeJUnit(o.junit, r.JUnit()), printRun(c, r, o.format), worth(r))
}

// worth is the error that a run's status and its claims deserve.
func worth(r *report.Report) error {
	run := r.Run
	switch run.Manifest.Status {
	case results.Invalid, results.Saturated:
		return &exitError{exitInvalid, fmt.Errorf("the run is %s: %s", run.Manifest.Status, run.Manifest.Reason)}
	case results.Partial:
		if strings.HasPrefix(run.Manifest.Reason, endedAs) {
			break
		}
		return &exitError{exitInterrupted, fmt.Errorf("the run is %s: %s", run.Manifest.Status, run.Manifest.Reason)}
	}
	switch r.Outcome() {
	case compare.Broken:
		return &exitError{exitBroken, errors.New("a claim of the scenario is broken: see above")}
	case compare.Undecided:
		return &exitError{exitInconclusive, errors.New("a claim of the scenario is undecided: see above; more blocks may decide it")}
	default:
		return nil
	}
}
