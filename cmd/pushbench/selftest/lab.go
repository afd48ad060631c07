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
	"pushbench/bench/child"
	"pushbench/bench/trial"
	"pushbench/bench/validity"
	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
	"pushbench/servers/wire"
)

// A lab is where proofs are made.
type lab struct {
	ctx     context.Context
	options Options
	folder  string // temporary
	runs    int
}

// An experiment is a run of one transport with a known truth in it.
type experiment struct {
	transport string // default websocket
	clients   int    // default 1
	publish   string // by a backend, such as "rate: 5/s"
	settings  string // more of the scenario, whole lines
	window    time.Duration

	// With a rate every client has a topic of its own, so that all messages are independent.
	rate float64       // λ, messages per second that one client expects; 0: as publish says
	rtt  time.Duration // of the link; 0: none
	link string        // more of the link, such as ", jitter: 1ms"
	hold time.Duration // of a long poll; 0: so long that none ends without a message

	rows func(results.Trial) []Result // of its trial that counts: the last of its attempts

	lie     string               // what its servers do wrong, in the words of serve --lie
	watch   func(trial.Underway) // disturbs its trials, or reads the counters of their servers
	expects results.Status       // of every trial that is not repeated; empty: COMPLETE
	untimed bool                 // what disturbs a trial is too little to change what is looked at
	counts  bool                 // if all attempts were disturbed, the last is taken: its rows judge it by counts
}

func (e experiment) read(name string) (*scenarios.Scenario, error) {
	return scenarios.Read(name, strings.NewReader("version: 1\nname: "+name+"\n"+e.yaml()))
}

// yaml is the scenario after its version and name. What the settings do not say is as most
// experiments have it.
func (e experiment) yaml() string {
	clients, warmup := max(1, e.clients), 300*time.Millisecond
	all := fmt.Sprintf("transports: [%s]\nidle: 0s\nwindow: %s\nblocks: 1\n%s", cmp.Or(e.transport, transports.WebSocket), e.window, e.settings)
	if e.rate > 0 {
		e.publish = fmt.Sprintf("rate: %g/s", e.rate*float64(clients))
		all += fmt.Sprintf("topics: {count: %d}\n", clients)
	}
	if e.rtt > 0 {
		warmup = 500 * time.Millisecond
		all += fmt.Sprintf("network: {rtt: %s%s}\n", e.rtt, e.link)
	}
	if e.hold > 0 {
		all += fmt.Sprintf("longpoll: {hold: %s}\n", e.hold)
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

// drained is how long most experiments wait for messages on their way, in seconds.
const drained = 2

// over is the experiment over each of several transports.
func (e experiment) over(transports ...string) (all []experiment) {
	for _, e.transport = range transports {
		all = append(all, e)
	}
	return all
}

// rows makes experiments one after the other, and joins the rows of their trials.
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

// each joins the rows of several things that differ in one.
func each[T any](all []T, of func(T) ([]Result, error)) (rows []Result, err error) {
	for _, one := range all {
		more, err := of(one)
		rows = append(rows, more...)
		if err != nil {
			return rows, fmt.Errorf("%v: %w", one, err)
		}
	}
	return rows, nil
}

// of names what rows are about.
func of(what string, rows ...Result) []Result {
	for i := range rows {
		rows[i].What = what + " " + rows[i].What
	}
	return rows
}

// trial makes an experiment and returns its trial that counts.
func (l *lab) trial(e experiment) (results.Trial, error) {
	run, err := l.measure(e)
	if err != nil {
		return results.Trial{}, err
	}
	return run.Trials[len(run.Trials)-1], nil
}

// attempts is how often an experiment is made whose trials a busy machine has voided:
// what a gate refuses proves nothing, neither for the instrument nor against it.
const attempts = 3

// measure makes an experiment just as `pushbench run` would.
func (l *lab) measure(e experiment) (run *results.Run, err error) {
	for range attempts {
		if run, err = l.once(e); err != nil {
			return nil, err
		}
		again := false
		if again, err = e.spoilt(run); !again || l.ctx.Err() != nil {
			return run, err
		}
	}
	if e.counts && validity.Disturbed(run.Trials[len(run.Trials)-1]) {
		return run, nil
	}
	return nil, err
}

// spoilt says which trial is not worth what the experiment expects, and whether it
// may be measured again: only what the machine can have done. A gate that finds a
// defect now and then has found it.
func (e experiment) spoilt(run *results.Run) (again bool, err error) {
	want := cmp.Or(e.expects, results.Complete)
	if len(run.Trials) == 0 {
		return false, fmt.Errorf("no trial: %s", run.Manifest.Reason)
	}
	t := run.Trials[len(run.Trials)-1] // an experiment has one case
	if t.Status == want || e.untimed && validity.Disturbed(t) {
		return false, nil
	}
	return validity.Disturbed(t) || t.Status == results.Saturated,
		fmt.Errorf("%s is %s rather than %s: %s", t.Transport, t.Status, want, reasons(t))
}

// reasons are all that voids a trial: its own names the first.
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
	name := fmt.Sprintf("proof-%d", l.runs)
	scenario, err := e.read(name)
	if err != nil {
		return nil, err
	}
	rig, err := app.Options{Engine: l.options.Engine, Quick: true, Inject: e.lie}.Setup(scenario) // the folders are thrown away
	if err != nil {
		return nil, err
	}
	rig.Watch = e.watch
	run := &bench.Run{Scenario: scenario, Setup: rig, Command: []string{"pushbench", "selftest"}, Stop: l.ctx.Done()}
	measured, err := run.Do(l.ctx, filepath.Join(l.folder, name), func(*results.Run) error { return nil })
	if err != nil {
		return nil, err
	}
	for _, t := range measured.Trials { // those that are measured again are part of the account
		if !t.Valid() {
			fmt.Fprintf(l.options.Out, "  void  %s: %s\n", t.Configuration, reasons(t))
		}
	}
	return measured, nil
}

// serve starts a server by itself.
func (l *lab) serve(transport string) (server *child.Process, address string, err error) {
	argv := []string{l.options.Executable, "serve", transport, "--control", "--listen", "127.0.0.1:0", "--webhooks-to", "127.0.0.0/8"}
	server, greeting, err := child.StartServer(l.ctx, argv, child.Options{})
	return server, greeting.Listening, err
}

// freeze stops a process for a while and says how long it really was.
func freeze(pid int, d time.Duration) (time.Duration, error) {
	began := time.Now()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return 0, fmt.Errorf("freeze: %w", err)
	}
	time.Sleep(d)
	err := syscall.Kill(pid, syscall.SIGCONT)
	return time.Since(began), err
}

// stats asks a server for its counters.
func stats(address string) (s wire.Stats, err error) {
	asker := http.Client{Timeout: 5 * time.Second}
	defer asker.CloseIdleConnections()
	answer, err := asker.Get("http://" + address + "/v1/stats")
	if err != nil {
		return s, err
	}
	defer answer.Body.Close()
	return s, json.NewDecoder(answer.Body).Decode(&s)
}

// asking asks a trial's server for its counters when everything was delivered. Where it does
// not answer they are zero, which no row takes.
func asking(s *wire.Stats) func(trial.Underway) {
	return func(u trial.Underway) {
		if u.Phase == trial.Drained {
			*s, _ = stats(u.Address)
		}
	}
}
