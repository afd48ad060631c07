package trial

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/client/engines"
	"pushbench/bench/generator"
	"pushbench/bench/generator/generatortest"
	"pushbench/bench/validity"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// roles are the roles of the test's executable as a child, selected by its only argument.
var roles = map[string]func(){
	"server":                  func() { serveAsChild(nil) },
	"server-extra-connection": func() { serveAsChild(func(s *statsServer) { s.accepted.Add(1) }) },
	"server-extra-requests":   func() { serveAsChild(func(s *statsServer) { s.hidden = 1 << 20 }) },
	"server-exits-on-publish": func() { serveAsChild(func(s *statsServer) { s.exits = true }) },
	"server-exits-at-start":   func() { fmt.Fprintln(os.Stderr, "cannot listen"); os.Exit(1) },
	"server-known-memory":     func() { serveKnownMemory(`"settings":"small"`, `{"collected":true}`) },
	"target-known-memory":     serveTargetMemory,
	"target-used-memory":      serveUsedMemory,
	"server-no-collect":       func() { serveKnownMemory(`"settings":"small"`, `{}`) },
	"generator":               func() { _ = generator.Drive(os.Stdin, os.Stdout) },
	"generator-invalid-json":  func() { fmt.Println("rubbish"); untilEnd() },
	"generator-fails":         func() { fmt.Println(`{"failed":"cannot prepare"}`); untilEnd() },
	"generator-early":         func() { fmt.Println(`{"connected":{}}`); untilEnd() },
	"generator-exits":         func() { fmt.Fprintln(os.Stderr, "out of memory"); os.Exit(4) },
	"generator-floods":        func() { flood(); untilEnd() },
	"generator-repeats":       func() { replyWith(`{"prepared":{}}`, `{"connected":{}}`, `{"prepared":{}}`) },
	"generator-skips-connect": func() { replyWith(`{"prepared":{}}`, `{"done":{}}`) },
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

// A statsServer is a PollServer with the additional endpoints that a run requires.
type statsServer struct {
	generatortest.PollServer
	accepted atomic.Int64
	hidden   int64 // requests that no client sent
	exits    bool  // on the first publish
	created  sync.Map
}

func (s *statsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/v1/healthz":
		fmt.Fprint(w, `{"status":"ok"}`)
	case r.URL.Path == "/v1/stats":
		s.Mu.Lock()
		defer s.Mu.Unlock()
		fmt.Fprintf(w, `{"accepted":%d,"requests":{"poll":%d,"publish":%d,"stats":9,"healthz":9,"total":99},"goroutines":7}`,
			s.accepted.Load(), int64(s.Polls)+s.hidden, s.Posts)
	case r.Method == http.MethodPut:
		if _, twice := s.created.LoadOrStore(r.URL.Path, true); twice {
			w.WriteHeader(http.StatusConflict)
		}
	case s.exits && r.Method == http.MethodPost:
		fmt.Fprintln(os.Stderr, "out of memory")
		os.Exit(3)
	default:
		s.PollServer.ServeHTTP(w, r)
	}
}

// serveAsChild is a minimal `serve --control`.
func serveAsChild(change func(*statsServer)) {
	s := &statsServer{}
	if change != nil {
		change(s)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := s.server(func() {})
	go func() { _ = server.Serve(ln) }()
	fmt.Printf(`{"listening":%q,"settings":"small"}`+"\n", ln.Addr())
	untilEnd()
	server.Close()
}

// server counts connections and calls accepted with each.
func (s *statsServer) server(accepted func()) *http.Server {
	return &http.Server{Handler: s, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.accepted.Add(1)
			accepted()
		}
	}}
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
	t.Setenv("GORACE", "atexit_sleep_ms=0") // else the race detector delays the exit of each child by 1 s
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Read("test", strings.NewReader(scenario))
	if err != nil {
		t.Fatal(err)
	}
	p := &outcome{}
	p.trial = &Trial{
		Setup: &Setup{
			Serve: func(scenarios.Configuration, string) []string { return []string{self, server} },
			Drive: []string{self, generator}, Engine: engines.Names()[0], Ceiling: 1e9,
		},
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
	for _, r := range p.trial.replicas {
		for name, child := range map[string]*child.Process{"server": r.server, "generator": r.generator} {
			if child != nil && !child.Exited() {
				t.Errorf("the %s still runs after the trial", name)
			}
		}
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

func TestServerStats(t *testing.T) {
	var earlier serverStats
	stats := `{"accepted":5,"requests":{"total":100,"poll":40,"publish":2,"upgrade":1,"sse":0,"other":3,"stats":7,"healthz":9},"repoll_gaps":{"count":30,"sum_ns":9000},"new":{"field":1}}`
	s, err := readStats([]byte(stats))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.clientRequests(); got != 46 {
		t.Errorf("%d requests from clients, want 46: without the probe's own and the total", got)
	}
	earlier.RepollGap.Count, earlier.RepollGap.Sum = 20, 4000
	if got := s.repollGap(earlier); got != 500*time.Nanosecond {
		t.Errorf("re-poll gap %v, want 500ns: the mean of the ten since the earlier reading", got)
	}
	if got := s.repollGap(s); got != 0 {
		t.Errorf("re-poll gap %v without polls, want 0", got)
	}
}

// A baseline may be a build whose /v1/stats has the former names.
func TestStatsOfAnEarlierBuild(t *testing.T) {
	const now = `{"library":"nethttp","repoll_gaps":{"count":3,"sum_ns":9},"batching_delay_ns":5,"limits":{"max_poll_timeout_ns":7,"response_header_bytes":300}}`
	const former = `{"stack":"nethttp","rearm":{"count":3,"sum_ns":9},"flush_ns":5,"limits":{"hold_ns":7,"answer_head_bytes":300},"lies":{},"parked":1,"empty_answers":2}`
	want, err := readStats([]byte(now))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readStats([]byte(former))
	if err != nil || !reflect.DeepEqual(got, want) || got.Library != "nethttp" || got.RepollGap.Sum != 9 || len(got.settings) != 4 {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := readStats([]byte(`{"stack":"nethttp","library":"nethttp"}`)); err == nil {
		t.Error("a server with both names of a field is accepted")
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
