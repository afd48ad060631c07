package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pushbench/bench"
	"pushbench/bench/agent"
	"pushbench/bench/client/engines"
	"pushbench/bench/fleet"
	"pushbench/bench/generator"
	"pushbench/bench/trial"
	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/report"
	"pushbench/results/summary"
	"pushbench/scenarios"
)

// RunsFolder is the default folder of runs.
const RunsFolder = "results/runs"

// Options say how a scenario is measured. The zero value measures servers of this executable on
// separate cores without idle states, into a new folder of RunsFolder.
type Options struct {
	Transports   []string  // only these; nil: the scenario's
	Targets      []string  // servers under test: see loadTargets; nil: those of this executable
	ServersGiven bool      // the number of servers is given and is not changed to fit this machine
	Out          string    // the folder; default: RunsFolder/TIME-NAME
	Baseline     *Baseline // whose servers are measured in turns with these; nil: none
	Metrics      string    // address for Prometheus to scrape the current run, such as 127.0.0.1:9464; empty: none
	Engine       string    // client implementation; default: the first that supports the scenario
	Inject       string    // the faults of the servers, in the grammar of serve --inject
	NoPin        bool
	AllowIdle    bool
	Quick        bool
	Watch        func(agent.Running) // optional callback that tests the benchmark itself: see agent.Machine
	Agents       Agents              // that measure instead of this process
	Notice       string              // printed before the first measurement; empty: none
}

// Load reads a scenario, prepares it for a measurement and checks the result. change applies the
// changes of one command; with names them in an error.
func (o *Options) Load(name, with string, change func(*scenarios.Scenario) error) (*scenarios.Scenario, error) {
	s, err := scenarios.Load(name)
	if err != nil {
		return nil, err
	}
	if o.Transports != nil {
		s.Transports = nil
	}
	for _, t := range o.Transports {
		s.Transports = append(s.Transports, scenarios.Transport(t))
	}
	if err := change(s); err != nil {
		return nil, err
	}
	if err := o.loadTargets(s); err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, Usagef("with %s: %w", with, err)
	}
	return s, o.chooseEngine(s)
}

// vary prepares a scenario for other loads than its own: it removes all that applies only to its
// own load.
func vary(s *scenarios.Scenario, repetitions int) {
	s.Repetitions, s.Sweep, s.Requirements, s.Assertions, s.Published = repetitions, scenarios.Sweep{}, nil, nil, metric.Published{}
}

// chooseEngine sets the engine if none is given. All configurations of a run have the same.
func (o *Options) chooseEngine(s *scenarios.Scenario) error {
	name, err := engines.Choose(o.Engine, s.Transports, s.Secured() || s.AnyTarget((*scenarios.Target).Secured))
	if err != nil {
		return Usagef("--engine: %v", err)
	}
	o.Engine = name
	return nil
}

// path is the folder of the results; kind distinguishes it from other runs of the scenario.
func (o Options) path(began time.Time, kind string, s *scenarios.Scenario) string {
	if o.Out != "" {
		return o.Out
	}
	return filepath.Join(RunsFolder, stamp(began)+"-"+kind+s.Name)
}

// checkOut refuses a folder that exists already, before anything is built or measured.
func (o Options) checkOut() error {
	if o.Out == "" {
		return nil
	}
	paths := []string{o.Out}
	if o.Baseline != nil {
		paths = append(paths, baselinePath(o.Out))
	}
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil {
			return Usagef("--out: %s already exists; give the path of a new folder", path)
		}
		unfinished := results.Unfinished(path)
		if left, err := os.ReadDir(unfinished); err == nil && len(left) > 0 {
			return Usagef("--out: %s is what an interrupted run left; give the path of another folder, or remove it", unfinished)
		}
	}
	return nil
}

// baselinePath is the folder of the baseline's run beside that of the run.
func baselinePath(path string) string { return filepath.Clean(path) + "-baseline" }

func stamp(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// Measure measures a scenario in one session, which ends before its results are printed: a pager
// may delay that. It returns the run and after it the baseline's run, with an error those written
// so far.
func (e Env) Measure(ctx context.Context, s *scenarios.Scenario, o Options) (runs []*results.Run, err error) {
	if err := o.checkOut(); err != nil {
		return nil, err
	}
	if err := o.Agents.check(s, o); err != nil {
		return nil, err
	}
	lock := lockMachine
	if o.Agents.Count > 0 {
		lock = noLock
	} else if err := e.preflight(s, o.ServersGiven); err != nil {
		return nil, err
	} else if err := e.reexecInUserNamespace(s); err != nil {
		return nil, err
	}
	e.Warn(s)
	err = e.inSession(ctx, lock, func(session *Session) (err error) {
		if err := session.admitTargets(s, o.Baseline); err != nil {
			return err
		}
		runs, err = session.measure(s, o)
		return err
	})
	return runs, err
}

// setup is the test setup: this process, or agents.
func (s *Session) setup(scenario *scenarios.Scenario, o Options) (*trial.Setup, error) {
	if o.Agents.Count > 0 {
		return s.gather(scenario, o)
	}
	return o.Setup(s.abort)
}

// measure measures a scenario that has passed the preflight checks.
func (s *Session) measure(scenario *scenarios.Scenario, o Options) (runs []*results.Run, err error) {
	setup, err := s.setup(scenario, o)
	if err != nil {
		return nil, err
	}
	setup.HostLimits = generator.Limits{Requests: s.Hosts.Limits.MessageRate, Connects: s.Hosts.Limits.ConnectRate}
	if setup.Facts.Pinning.Note == results.OneCore {
		s.warn(results.OneCore + " and disturb each other: use two or more cores")
	}
	if !o.Quick {
		setup.IdleClients = agent.DefaultIdleClients
	}
	progress := newProgress(s.Err)
	run := &bench.Run{
		Scenario:       scenario,
		Setup:          setup,
		Command:        s.command(),
		Tool:           s.Tool(),
		Stop:           s.Drain.Done(),
		Started:        func() { progress.notice(o.Notice) },
		Progress:       progress.show,
		OnInvalidTrial: progress.trouble,
	}
	if scenario.AbortOnFail {
		run.StopEarly = failedSoFar
	}
	sides := []bench.Side{{Run: run, Path: o.path(time.Now(), "", scenario)}}
	if o.Baseline != nil {
		run.Served, run.Side = o.Baseline.head, results.HeadSide
		sides = append(sides, bench.Side{Run: o.Baseline.run(run), Path: baselinePath(sides[0].Path)})
	}
	if o.Metrics != "" {
		m, err := startMetrics(o.Metrics, scenario.Name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = m.close() }() // an error here does not affect the run
		for i, servers := range []string{report.OwnServers, report.BaselineServers}[:len(sides)] {
			sides[i].Run.Interval = func(i results.Interval) { m.interval(servers, i) }
			invalid := m.invalid.WithLabelValues(scenario.Name, servers)
			sides[i].Run.OnInvalidTrial = func(what string) { invalid.Inc(); progress.trouble(what) }
		}
	}
	runs, err = bench.Interleave(s.abort, sides, o.derive)
	progress.end()
	switch {
	case runs[0] != nil:
		return runs, err
	case errors.Is(err, fs.ErrExist):
		return nil, Usagef("--out: %w", err)
	default:
		return nil, err
	}
}

// Warn prints the warnings about the scenario's file.
func (e Env) Warn(s *scenarios.Scenario) {
	for _, warning := range s.Warnings {
		e.warn(warning)
	}
}

func (e Env) warn(text string) { fmt.Fprintln(e.Err, "pushbench: warning: "+results.Plain(text)) }

// command is the command line that results record.
func (e Env) command() []string {
	command := append([]string{"pushbench"}, e.Args...)
	for i, arg := range command {
		if urls, ok := strings.CutPrefix(arg, "--nats="); ok {
			command[i] = "--nats=" + fleet.Join{Broker: urls}.Servers()
		} else if i > 0 && command[i-1] == "--nats" {
			command[i] = fleet.Join{Broker: arg}.Servers()
		}
	}
	return command
}

// abortFrom is the number of repetitions from which a failed assertion is significant: see
// compare.Assertions.
const abortFrom = 4

// endedAs is the prefix of the reason of a run that a failed assertion has ended.
const endedAs = "ended as"

// failedSoFar names an assertion that the repetitions so far prove to fail. For equality one
// repetition is enough.
func failedSoFar(run *results.Run) string {
	for _, f := range compare.Assertions(run.Manifest.Assertions, summary.Of(run)) {
		if f.Outcome == compare.Failed && (f.Repetitions >= abortFrom || f.Assertion.Op == "==") {
			return fmt.Sprintf("%s %s failed for %s", endedAs, f.Assertion.Text, f.Configuration)
		}
	}
	return ""
}

// derive writes the report of a run into its folder.
func (o Options) derive(run *results.Run) error {
	if o.Quick {
		return report.New(run).Write(run.Path)
	}
	return Draw(run)
}

// Draw writes the report of a run into its folder, charts included.
func Draw(run *results.Run) error {
	r := report.New(run)
	charts, err := chart.Draw(run, r.Summary, r.Badge())
	if err != nil {
		return err
	}
	return r.Write(run.Path, charts...)
}

// ExitError is the error of a run's status and assertions.
func ExitError(r *report.Report) error {
	m := r.Run.Manifest
	switch {
	case m.Status == results.Invalid, m.Status == results.Saturated:
		return &Error{Invalid, fmt.Errorf("the run is %s: %s", r.Badge(), report.Cause(r.Run))}
	case m.Status == results.Partial && !strings.HasPrefix(m.Reason, endedAs):
		return &Error{Interrupted, fmt.Errorf("the run is %s: %s", r.Badge(), m.BriefReason())}
	}
	switch r.Outcome() {
	case compare.Failed:
		return &Error{Failed, errors.New("an assertion of the scenario failed: see above")}
	case compare.Undecided:
		return &Error{Inconclusive, errors.New("an assertion of the scenario is undecided: see above; try more repetitions")}
	default:
		return nil
	}
}
