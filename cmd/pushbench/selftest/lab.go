package selftest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"pushbench/bench"
	"pushbench/bench/agent"
	"pushbench/bench/child"
	"pushbench/bench/validity"
	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
	"pushbench/servers/wire"
)

// A lab runs the experiments of checks.
type lab struct {
	ctx     context.Context
	options Options
	folder  string // temporary
	runs    int

	disturbed int // trials that the machine made invalid

	// planned replaces the measurement of an experiment, to see what a self-test consists of; nil: measure.
	planned func(experiment) *results.Run
}

// An experiment is a run of one transport with a known result.
type experiment struct {
	transport string // default websocket
	clients   int    // default 1
	publish   string // by a backend, such as "rate: 5/s"
	settings  string // additional complete lines of the scenario
	window    time.Duration

	// With a rate, every client has a separate topic, so that all messages are independent.
	rate        float64       // λ, messages per second that one client expects; 0: see publish
	rtt         time.Duration // of the link; 0: no link
	link        string        // additional link settings, such as ", jitter: 1ms"
	pollTimeout time.Duration // of a long poll; 0: so long that no poll ends without a message

	rows func(results.Trial) []Result // checks the last attempt of its trial

	inject    string              // faults of its servers, as for serve --inject
	watch     func(agent.Running) // disturbs its trials, or reads the counters of their servers
	expects   results.Status      // of every trial that is not repeated; empty: COMPLETE
	disturbed bool                // its first attempt is invalid on purpose
	untimed   bool                // disturbances of a trial are too small to change the measured value
	counts    bool                // if all attempts were disturbed, use the last: its rows compare counts
}

func (e experiment) read(name string) (*scenarios.Scenario, error) {
	return scenarios.Read(name, strings.NewReader("version: 1\nname: "+name+"\n"+e.yaml()))
}

// yaml returns the scenario after its version and name. Keys that the settings omit have
// the values of most experiments.
func (e experiment) yaml() string {
	clients, warmup := max(1, e.clients), 300*time.Millisecond
	all := fmt.Sprintf("transports: [%s]\nidle: 0s\nwindow: %s\nrepetitions: 1\n%s", cmp.Or(e.transport, transports.WebSocket), e.window, e.settings)
	if e.rate > 0 {
		e.publish = fmt.Sprintf("rate: %g/s", e.rate*float64(clients))
		all += fmt.Sprintf("topics: {count: %d}\n", clients)
	}
	if e.rtt > 0 {
		warmup = 500 * time.Millisecond
		all += fmt.Sprintf("network: {rtt: %s%s}\n", e.rtt, e.link)
	}
	if e.pollTimeout > 0 {
		all += fmt.Sprintf("longpoll: {timeout: %s}\n", e.pollTimeout)
	}
	for _, line := range []string{
		fmt.Sprintf("clients: {count: %d}", clients), fmt.Sprintf("publish: {by: backend, %s}", e.publish), "payload: {size: 64B}", "shortpoll: {interval: 50ms}",
		fmt.Sprintf("warmup: %s", warmup), fmt.Sprintf("drain: %ds", drained),
	} {
		if key, _, _ := strings.Cut(line, ":"); !strings.Contains(all, "\n"+key+":") {
			all += line + "\n"
		}
	}
	return all
}

// drained is how long most experiments wait for outstanding messages, in seconds.
const drained = 2

// over returns the experiment once per transport.
func (e experiment) over(transports ...string) (all []experiment) {
	for _, e.transport = range transports {
		all = append(all, e)
	}
	return all
}

// rows runs experiments one after the other, and joins the rows of their trials.
func (l *lab) rows(all ...experiment) (rows []Result, err error) {
	for _, e := range all {
		t, err := l.trial(e)
		if err != nil {
			return rows, err
		}
		rows = append(rows, e.rows(t)...)
	}
	return rows, nil
}

// each joins the rows for each of several values.
func each[T any](all []T, rowsOf func(T) ([]Result, error)) (rows []Result, err error) {
	for _, one := range all {
		more, err := rowsOf(one)
		rows = append(rows, more...)
		if err != nil {
			return rows, fmt.Errorf("%v: %w", one, err)
		}
	}
	return rows, nil
}

// prefixed puts a prefix before what each row checks.
func prefixed(prefix string, rows ...Result) []Result {
	for i := range rows {
		rows[i].What = prefix + " " + rows[i].What
	}
	return rows
}

// trial runs an experiment and returns the last attempt of its trial.
func (l *lab) trial(e experiment) (results.Trial, error) {
	run, err := l.measure(e)
	if err != nil {
		return results.Trial{}, err
	}
	return run.Trials[len(run.Trials)-1], nil
}

// attempts is how often an experiment runs if a busy machine invalidated its trials: an
// invalid trial shows neither that pushbench is right nor that it is wrong.
const attempts = 3

// measure runs an experiment exactly as `pushbench run` would.
func (l *lab) measure(e experiment) (run *results.Run, err error) {
	if l.planned != nil {
		return l.planned(e), nil
	}
	for range attempts {
		if run, err = l.once(e); err != nil {
			return nil, err
		}
		retry := false
		if retry, err = e.verify(run); !retry || l.ctx.Err() != nil {
			return run, err
		}
	}
	if e.counts && validity.RetryableTrial(run.Trials[len(run.Trials)-1]) {
		return run, nil
	}
	return nil, err
}

// verify reports whether the trial has the status that the experiment expects, and otherwise
// whether to retry: only if the machine can be the cause. A validity check that finds a
// defect occasionally has found a defect.
func (e experiment) verify(run *results.Run) (retry bool, err error) {
	want := cmp.Or(e.expects, results.Complete)
	if len(run.Trials) == 0 {
		return false, fmt.Errorf("no trial: %s", run.Manifest.Reason)
	}
	t := run.Trials[len(run.Trials)-1] // an experiment has one configuration
	if t.Status == want || e.untimed && validity.RetryableTrial(t) {
		return false, nil
	}
	return validity.RetryableTrial(t) || t.Status == results.Saturated,
		fmt.Errorf("%s: status %s, want %s: %s", t.Transport, t.Status, want, reasons(t))
}

// reasons lists every failed validity check; Trial.Reason names only the first.
func reasons(t results.Trial) string {
	if len(t.FailedChecks()) < 2 {
		return t.Reason
	}
	var all []string
	for _, g := range t.FailedChecks() {
		all = append(all, g.Name+": "+g.Detail)
	}
	return strings.Join(all, "; ")
}

func (l *lab) once(e experiment) (*results.Run, error) {
	l.runs++
	name := fmt.Sprintf("experiment-%d", l.runs)
	scenario, err := e.read(name)
	if err != nil {
		return nil, err
	}
	setup, err := app.Options{Engine: l.options.Engine, Quick: true, Inject: e.inject, Watch: e.watch}.Setup(l.ctx) // the result folders are deleted
	if err != nil {
		return nil, err
	}
	run := &bench.Run{Scenario: scenario, Setup: setup, Command: []string{"pushbench", "selftest"}, Stop: l.ctx.Done()}
	measured, err := run.Do(l.ctx, filepath.Join(l.folder, name), func(*results.Run) error { return nil })
	if err != nil {
		return nil, err
	}
	for _, t := range measured.Trials { // repeated ones included
		if !t.Valid() {
			what := "invalid trial"
			if e.disturbed && t.Attempt == 0 {
				what = "expected invalid trial"
			} else if validity.RetryableTrial(t) {
				l.disturbed++
			}
			fmt.Fprintf(l.options.Out, "  %s: %s: %s\n", what, t.Configuration, reasons(t))
		}
	}
	return measured, nil
}

// serve starts a server without a trial.
func (l *lab) serve(transport string) (server *child.Process, address string, err error) {
	argv := []string{l.options.Executable, "serve", transport, "--control", "--listen", "127.0.0.1:0", "--webhooks-to", "127.0.0.0/8"}
	server, greeting, err := child.StartServer(l.ctx, argv, child.Options{})
	return server, greeting.Listening, err
}

// freeze stops a process for a time and returns the actual time.
func freeze(pid int, d time.Duration) (time.Duration, error) {
	began := time.Now()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return 0, fmt.Errorf("freeze: %w", err)
	}
	time.Sleep(d)
	err := syscall.Kill(pid, syscall.SIGCONT)
	return time.Since(began), err
}

// stats reads the counters of a server.
func stats(address string) (s wire.Stats, err error) {
	c := http.Client{Timeout: 5 * time.Second}
	defer c.CloseIdleConnections()
	response, err := c.Get("http://" + address + "/v1/stats")
	if err != nil {
		return s, err
	}
	defer response.Body.Close()
	return s, json.NewDecoder(response.Body).Decode(&s)
}

// readStats reads the counters of a trial's server after the last delivery. Without a
// response they are zero, and the rows fail.
func readStats(s *wire.Stats) func(agent.Running) {
	return func(u agent.Running) {
		if u.Phase == agent.Drained {
			*s, _ = stats(u.Address)
		}
	}
}
