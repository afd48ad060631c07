package trial

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pushbench/bench/agent"
	"pushbench/bench/child"
	"pushbench/bench/client/engines"
	"pushbench/bench/cost"
	"pushbench/bench/generator"
	"pushbench/bench/generator/generatortest"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// roles are the roles of the test's executable as a child, selected by its only argument.
var roles = map[string]func(){
	"server":                  func() { serve(new(generatortest.StatsServer), `{"collected":true}`) },
	"server-no-collect":       func() { serve(new(generatortest.StatsServer), `{}`) },
	"server-extra-connection": func() { s := new(generatortest.StatsServer); s.Accepted.Add(1); serve(s, "") },
	"server-extra-requests":   func() { serve(&generatortest.StatsServer{Hidden: 1 << 20}, "") },
	"server-exits-on-publish": func() { serve(&generatortest.StatsServer{Exits: true}, "") },
	"server-exits-at-start":   func() { fmt.Fprintln(os.Stderr, "cannot listen"); os.Exit(1) },
	"generator":               func() { _ = generator.Drive(os.Stdin, os.Stdout) },
	"generator-invalid-json":  func() { fmt.Println("rubbish"); untilEnd() },
	"generator-fails":         func() { fmt.Println(`{"failed":"cannot prepare"}`); untilEnd() },
	"generator-early":         func() { fmt.Println(`{"connected":{}}`); untilEnd() },
	"generator-exits":         func() { fmt.Fprintln(os.Stderr, "out of memory"); os.Exit(4) },
	"generator-floods":        func() { flood(); untilEnd() },
	"generator-repeats":       func() { replyWith(`{"prepared":{}}`, `{"connected":{}}`, `{"prepared":{}}`) },
	"generator-skips-connect": func() { replyWith(`{"prepared":{}}`, `{"done":{}}`) },
}

func serve(s *generatortest.StatsServer, reply string) {
	s.Serve(`"settings":"small"`, func() {}, reply)
}

// localAgent starts a server and a load generator, each one of the roles.
func localAgent(server, generator string) *agent.Local {
	self := os.Args[0]
	return &agent.Local{Machine: agent.Machine{Serve: func(agent.Job, string) []string { return []string{self, server} }, Drive: []string{self, generator}}}
}

// children lists the processes that this one has started.
func children(t *testing.T) []int {
	t.Helper()
	pids, err := cost.Descendants(os.Getpid())
	if err != nil && runtime.GOOS == "linux" {
		t.Error(err)
	}
	return pids
}

func untilEnd() { _, _ = io.Copy(io.Discard, os.Stdin) }

// flood writes more than the pipe and the channel can buffer, without waiting for a command.
func flood() {
	fmt.Println(`{"failed":"flood"}`)
	for range 20_000 {
		fmt.Println(`{"interval":{}}`)
	}
}

// replyWith replies to each command with the next line.
func replyWith(lines ...string) {
	commands := bufio.NewScanner(os.Stdin)
	commands.Buffer(nil, child.MaxControlLine)
	for _, line := range lines {
		commands.Scan()
		fmt.Println(line)
	}
	untilEnd()
}

// An outcome is a trial with its result and everything it reported.
type outcome struct {
	trial     *Trial
	result    results.Trial
	err       error
	intervals []results.Interval
	phases    []string
}

// runTrial runs a trial with two of the roles. during is called with each phase.
func runTrial(t *testing.T, ctx context.Context, server, generator string, stop <-chan struct{}, during func(phase string)) *outcome {
	t.Helper()
	return runScenario(t, ctx, fmt.Sprintf(generatortest.PollScenario, "clients"), server, generator, stop, during)
}

// runScenario runs a trial of a short-polling scenario.
func runScenario(t *testing.T, ctx context.Context, scenario, server, generator string, stop <-chan struct{}, during func(phase string)) *outcome {
	t.Helper()
	one := localAgent(server, generator)
	return runSetup(t, ctx, &Setup{Servers: one, Generators: []agent.Agent{one}}, scenario, stop, during)
}

// runSetup runs a trial with a test setup.
func runSetup(t *testing.T, ctx context.Context, setup *Setup, scenario string, stop <-chan struct{}, during func(phase string)) *outcome {
	t.Helper()
	t.Setenv("GORACE", "atexit_sleep_ms=0") // else the race detector delays the exit of each child by 1 s
	s, err := scenarios.Read("test", strings.NewReader(scenario))
	if err != nil {
		t.Fatal(err)
	}
	setup.Engine, setup.Ceiling = engines.Names()[0], 1e9
	p := &outcome{}
	p.trial = &Trial{
		Setup:    setup,
		Scenario: s, Measured: scenarios.Configuration{Transport: transports.ShortPoll}, Repetition: 3, Run: 7, Stop: stop,
		Interval: func(i results.Interval) error {
			p.intervals = append(p.intervals, i)
			return nil
		},
		Phase: func(name string) {
			p.phases = append(p.phases, name)
			during(name)
		},
	}
	p.result, p.err = p.trial.Measure(ctx)
	for _, pid := range children(t) {
		t.Errorf("process %d still runs after the trial", pid)
	}
	return p
}

func ignorePhase(string) {}

// Several servers share the clients, and every message is posted to each server: clients expect
// the same messages as from one server, the sums are exact, and no message is counted twice.
func TestTrialWithSeveralServers(t *testing.T) {
	text := fmt.Sprintf(generatortest.PollScenario, "backend")
	one := runScenario(t, t.Context(), text, "server", "generator", nil, ignorePhase)
	many := runScenario(t, t.Context(), text+"servers: 3\n", "server", "generator", nil, ignorePhase)
	if err := errors.Join(one.err, many.err); err != nil {
		t.Fatal(err)
	}
	for _, c := range many.result.Checks {
		if !c.Passed && !validity.Retryable(c.Name) {
			t.Errorf("%s: %s", c.Name, c.Detail)
		}
	}
	a, b := one.result, many.result
	if a.Ledger.Expected == 0 || b.Ledger.Expected != a.Ledger.Expected || b.Ledger.Delivered != b.Ledger.Expected || b.Ledger.Received != b.Ledger.Expected {
		t.Errorf("ledger with one server %+v, with three %+v", a.Ledger, b.Ledger)
	}
	if b.Publishes.Planned != 3*a.Publishes.Planned || b.Publishes.Acknowledged != b.Publishes.Planned {
		t.Errorf("publishes with one server %+v, with three %+v; want each message three times", a.Publishes, b.Publishes)
	}
	if b.Ack.Independent != a.Ack.Independent {
		t.Errorf("%d independent publishes, with three servers %d", a.Ack.Independent, b.Ack.Independent)
	}
	if a.Connect.Clients != b.Connect.Clients || b.Connect.Failed != 0 || b.Cost.Server.Processes != 3 || b.Cost.Generator.Processes != 3 {
		t.Errorf("connected %+v and %+v; %d servers, %d generators", a.Connect.Clients, b.Connect, b.Cost.Server.Processes, b.Cost.Generator.Processes)
	}
	if b.Cost.Server.Goroutines != 3*a.Cost.Server.Goroutines || b.Cost.Server.MemoryBase <= 2*a.Cost.Server.MemoryBase {
		t.Errorf("cost of three servers %+v, of one %+v", b.Cost.Server, a.Cost.Server)
	}
	counted := int64(0)
	for _, i := range many.intervals {
		counted += i.Counted
	}
	if counted != b.Ledger.Delivered {
		t.Errorf("intervals count %d messages, the ledger %d", counted, b.Ledger.Delivered)
	}
	if most := int(a.Took/time.Second) + 2; len(many.intervals) > most {
		t.Errorf("%d intervals, want at most %d: intervals are merged over the load generators", len(many.intervals), most)
	}
}

func TestTrial(t *testing.T) {
	p := runTrial(t, t.Context(), "server", "generator", nil, ignorePhase)
	if p.err != nil {
		t.Fatal(p.err)
	}
	for _, check := range p.result.Checks {
		// A disturbance of the machine does not fail this test.
		if !check.Passed && !validity.Retryable(check.Name) {
			t.Errorf("%s: %s", check.Name, check.Detail)
		}
	}
	l, c := p.result.Ledger, p.result.Cost
	if l.Expected == 0 || l.Delivered != l.Expected || p.result.Repetition != 3 {
		t.Errorf("repetition %d, %+v; want everything delivered in repetition 3", p.result.Repetition, l)
	}
	if c.Server.CPU <= 0 || c.Generator.CPU <= 0 || c.Server.MemoryIdle <= 0 || c.Span <= 0 || c.Wire.Polls == 0 || c.Server.Goroutines != 7 {
		t.Errorf("costs are missing: %+v", c)
	}
	if p.trial.ServerSettings != "small" {
		t.Errorf("settings %q, want those of the greeting", p.trial.ServerSettings)
	}
	if got := slices.Compact(slices.Clone(p.phases)); got[0] != "starting" || !slices.Contains(got, "connecting") || got[len(got)-1] != "stopping" {
		t.Errorf("phases %q", got)
	}
	for _, i := range p.intervals {
		if i.Repetition != 3 || i.Transport != "shortpoll" {
			t.Errorf("interval of repetition %d, %s; want repetition 3, shortpoll", i.Repetition, i.Transport)
		}
	}
}

// The server's counters are compared with the clients' reports.
func TestServerCountersAreChecked(t *testing.T) {
	for server, check := range map[string]string{"server-extra-connection": validity.NoHiddenConnections, "server-extra-requests": validity.NoHiddenRetries} {
		p := runTrial(t, t.Context(), server, "generator", nil, ignorePhase)
		if p.err != nil {
			t.Fatal(p.err)
		}
		failed := slices.ContainsFunc(p.result.Checks, func(c results.ValidityCheck) bool { return c.Name == check && !c.Passed })
		if !failed || p.result.Status != results.Invalid {
			t.Errorf("%s: status %s, checks %+v; want %q failed", server, p.result.Status, p.result.Checks, check)
		}
	}
}

// A trial that aborts is invalid, reports the reason, and leaves no process running.
func TestAbortedTrialIsInvalidWithReason(t *testing.T) {
	for _, c := range []struct{ server, generator, want string }{
		{"server-exits-at-start", "generator", "server ended: exit status 1: cannot listen"},
		{"server-exits-on-publish", "generator", "server ended: exit status 3: out of memory"},
		{"server", "generator-invalid-json", "load generator failed: control message: invalid character 'r' looking for beginning of value"},
		{"server", "generator-fails", "load generator failed: cannot prepare"},
		{"server", "generator-floods", "load generator failed: flood"},
		{"server", "generator-early", "load generator failed: unexpected report, want prepared"},
		{"server", "generator-skips-connect", "load generator failed: unexpected report, want connected"},
		{"server", "generator-repeats", "load generator failed: unexpected report, want an interval or the outcome"},
		{"server", "generator-exits", "generator ended: exit status 4: out of memory"},
	} {
		t.Run(c.server+" and "+c.generator, func(t *testing.T) {
			p := runTrial(t, t.Context(), c.server, c.generator, nil, ignorePhase)
			if p.err == nil || p.err.Error() != c.want {
				t.Errorf("error %q, want %q", p.err, c.want)
			}
			if p.result.Status != results.Invalid || p.result.Reason != c.want {
				t.Errorf("status %s, reason %q; want INVALID and the same", p.result.Status, p.result.Reason)
			}
		})
	}
}

// A trial that is interrupted, in any phase, contains the messages due until then and is partial.
func TestInterruptedTrialIsPartial(t *testing.T) {
	for _, phase := range []string{"connecting", "warm-up"} {
		t.Run(phase, func(t *testing.T) {
			stop := make(chan struct{})
			var once sync.Once
			p := runTrial(t, t.Context(), "server", "generator", stop, func(now string) {
				if now == phase {
					once.Do(func() { close(stop) })
				}
			})
			if p.err != nil {
				t.Fatal(p.err)
			}
			for _, identity := range p.result.Identities() {
				if !identity.Holds() {
					t.Error(identity)
				}
			}
			late := p.result.Status == results.Invalid && strings.HasPrefix(p.result.Reason, validity.GeneratorOnTime)
			if p.result.Status != results.Partial && !late {
				t.Errorf("status %s (%s), want INTERRUPTED", p.result.Status, p.result.Reason)
			}
			for _, i := range p.intervals {
				if i.Length < 0 {
					t.Errorf("interval of length %v, want at least 0", i.Length)
				}
			}
		})
	}
}

// A cancelled trial ends its children immediately.
func TestCancelledTrialEndsItsChildren(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := runTrial(t, ctx, "server", "generator", nil, func(now string) {
		if now == "warm-up" {
			cancel()
		}
	})
	if !errors.Is(p.err, context.Canceled) {
		t.Errorf("ended with %v, want %v", p.err, context.Canceled)
	}
}

func TestSaturated(t *testing.T) {
	trial := results.Trial{Publishes: results.Publishes{Planned: 1000, Dropped: 5}}
	if saturated(trial) {
		t.Error("5 of 1000 dropped is saturated, want saturation above 0.5 % only")
	}
	trial.Publishes.Dropped++
	if !saturated(trial) {
		t.Error("6 of 1000 dropped is not saturated")
	}
}

// A trial that was paused is repeated, whatever else failed: its error is that of a timeout.
func TestPausedTrialIsRepeated(t *testing.T) {
	for _, c := range []struct {
		pauses validity.Pauses
		reason string
		repeat bool
	}{
		{validity.Pauses{}, "load generator did not respond", false},
		{validity.Pauses{Stopped: 30 * time.Second}, "never paused: pushbench did not run for 30s (Ctrl-Z, or another signal to stop it): load generator did not respond", true},
		{validity.Pauses{Suspended: 3 * time.Second}, "never paused: the machine was suspended for 3s: load generator did not respond", true},
	} {
		one := &Trial{pauses: c.pauses}
		one.setStatus(errors.New("load generator did not respond"))
		if r := one.result; r.Status != results.Invalid || !strings.Contains(r.Reason, "did not respond") || validity.RetryableTrial(r) != c.repeat {
			t.Errorf("%+v: %s, %q, repeated %v; want %q, %v", c.pauses, r.Status, r.Reason, validity.RetryableTrial(r), c.reason, c.repeat)
		}
	}
}
