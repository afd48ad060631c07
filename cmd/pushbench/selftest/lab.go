package selftest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"pushbench/bench"
	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/bench/trial"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/servers/wire"
)

// A lab is where proofs are made.
type lab struct {
	ctx     context.Context
	options Options
	folder  string // temporary
	runs    int
}

// An experiment is a run with a known truth in it.
type experiment struct {
	scenario string               // YAML after version and name
	lie      string               // what its servers do wrong, in the words of serve --lie
	watch    func(trial.Underway) // who disturbs its trials, or asks their servers
	expects  results.Status       // of every trial that is not repeated; empty: COMPLETE
	untimed  bool                 // what disturbs a trial is too little to change what is looked at
	counts   bool                 // if all attempts were disturbed, the last is taken: its rows judge it by counts
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
	want := e.expects
	if want == "" {
		want = results.Complete
	}
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
	if len(t.FailedGates()) < 2 {
		return t.Reason
	}
	var all []string
	for _, g := range t.FailedGates() {
		all = append(all, g.Name+": "+g.Detail)
	}
	return strings.Join(all, "; ")
}

func (l *lab) once(e experiment) (*results.Run, error) {
	l.runs++
	name := fmt.Sprintf("proof-%d", l.runs)
	scenario, err := scenarios.Read(name, strings.NewReader("version: 1\nname: "+name+"\n"+e.scenario))
	if err != nil {
		return nil, err
	}
	run := &bench.Run{Scenario: scenario, Rig: l.rig(e), Command: []string{"pushbench", "selftest"}, Stop: l.ctx.Done()}
	path, err := run.Do(l.ctx, filepath.Join(l.folder, name), func(*results.Run, string) error { return nil })
	if err != nil {
		return nil, err
	}
	measured, err := results.Open(path)
	if err == nil {
		l.tell(measured)
	}
	return measured, err
}

// tell names the trials that were void: those that are measured again are part of the account.
func (l *lab) tell(run *results.Run) {
	for _, t := range run.Trials {
		if !t.Valid() {
			fmt.Fprintf(l.options.Out, "  void  %s: %s\n", t.Case, reasons(t))
		}
	}
}

func (l *lab) rig(e experiment) *trial.Rig {
	self := l.options.Executable
	rig := &trial.Rig{
		Drive:  []string{self, "drive"},
		Idle:   []string{self, "awake"},
		Engine: l.options.Engine,
		Quick:  true, // the folders are thrown away
		Watch:  e.watch,
		Serve:  func(c scenarios.Case, _ string) []string { return l.serving(string(c.Transport), e.lie) },
	}
	rig.Pin()
	return rig
}

func (l *lab) serving(transport, lie string) []string {
	argv := []string{l.options.Executable, "serve", transport, "--control", "--listen", "127.0.0.1:0", "--webhooks-to", "127.0.0.0/8"}
	if lie != "" {
		argv = append(argv, "--lie", lie)
	}
	return argv
}

// A server is a child that serves without a run.
type server struct {
	address string
	child   *exec.Cmd
	stdin   io.Closer
}

// serve starts a server by itself.
func (l *lab) serve(transport, lie string) (*server, error) {
	argv := l.serving(transport, lie)
	s := &server{child: exec.CommandContext(l.ctx, argv[0], argv[1:]...)}
	stdin, err := s.child.StdinPipe()
	if err != nil {
		return nil, err
	}
	s.stdin = stdin
	stdout, err := s.child.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.child.Start(); err != nil {
		return nil, err
	}
	line, err := readLine(bufio.NewReader(stdout), s.child)
	var greeting struct{ Listening string }
	if err = errors.Join(err, json.Unmarshal(line, &greeting)); err != nil {
		return nil, errors.Join(fmt.Errorf("server's greeting: %w", err), s.stop())
	}
	s.address = greeting.Listening
	return s, nil
}

// readLine reads a line that a child must write before patience ends: then the child is ended.
func readLine(from *bufio.Reader, child *exec.Cmd) ([]byte, error) {
	silent := time.AfterFunc(patience, func() { _ = child.Process.Kill() })
	defer silent.Stop()
	line, err := from.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("%s said nothing in %v, or has ended: %w", filepath.Base(child.Path), patience, err)
	}
	return line, nil
}

func (s *server) stop() error { return errors.Join(s.stdin.Close(), s.child.Wait()) }

// engine returns an engine whose sessions count into traffic.
func (l *lab) engine(c client.Config) (client.Engine, error) {
	return engines.New(l.options.Engine, c)
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

// lastTrial is a run's trial of a transport that counts: the last of its attempts.
func lastTrial(run *results.Run, transport string) (last results.Trial) {
	for _, t := range run.Trials {
		if t.Transport == transport {
			last = t
		}
	}
	return last
}

var errPatience = errors.New("waited in vain for an answer")
