package trial

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
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

// cast are the parts that the test's executable plays as a child, by its only argument.
var cast = map[string]func(){
	"server":                 func() { serveAsChild(nil) },
	"server-miscounting":     func() { serveAsChild(func(s *statsServer) { s.accepted.Add(1) }) },
	"server-retried":         func() { serveAsChild(func(s *statsServer) { s.hidden = 1 << 20 }) },
	"server-dying":           func() { serveAsChild(func(s *statsServer) { s.dies = true }) },
	"server-stillborn":       func() { fmt.Fprintln(os.Stderr, "no such luck"); os.Exit(1) },
	"generator":              func() { _ = generator.Drive(os.Stdin, os.Stdout) },
	"generator-talking":      func() { fmt.Println("rubbish"); untilEnd() },
	"generator-refusing":     func() { fmt.Println(`{"failed":"I would rather not"}`); untilEnd() },
	"generator-ahead":        func() { fmt.Println(`{"connected":{}}`); untilEnd() },
	"generator-leaving":      func() { fmt.Fprintln(os.Stderr, "had enough"); os.Exit(4) },
	"generator-talkative":    func() { talk(); untilEnd() },
	"generator-out-of-turn":  func() { perform(`{"prepared":{}}`, `{"connected":{}}`, `{"prepared":{}}`) },
	"generator-disconnected": func() { perform(`{"prepared":{}}`, `{"done":{}}`) },
}

func untilEnd() { _, _ = io.Copy(io.Discard, os.Stdin) }

// talk says more than any pipe and channel holds, before anybody asks.
func talk() {
	fmt.Println(`{"failed":"listen"}`)
	for range 20_000 {
		fmt.Println(`{"interval":{}}`)
	}
}

// perform answers each order with the next line.
func perform(lines ...string) {
	orders := bufio.NewScanner(os.Stdin)
	orders.Buffer(nil, child.MaxControlLine)
	for _, line := range lines {
		orders.Scan()
		fmt.Println(line)
	}
	untilEnd()
}

// A statsServer is a PollServer with what a run asks of a server.
type statsServer struct {
	generatortest.PollServer
	accepted atomic.Int64
	hidden   int64 // requests that no client sent
	dies     bool  // with the first publish
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
	case s.dies && r.Method == http.MethodPost:
		fmt.Fprintln(os.Stderr, "out of ink")
		os.Exit(3)
	default:
		s.PollServer.ServeHTTP(w, r)
	}
}

// serveAsChild is `serve --control`, small.
func serveAsChild(change func(*statsServer)) {
	s := &statsServer{}
	if change != nil {
		change(s)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := &http.Server{Handler: s, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.accepted.Add(1)
		}
	}}
	go func() { _ = server.Serve(ln) }()
	fmt.Printf(`{"listening":%q,"settings":"small"}`+"\n", ln.Addr())
	untilEnd()
	server.Close()
}

// A played trial, and what it told meanwhile.
type played struct {
	trial     *Trial
	result    results.Trial
	err       error
	intervals []results.Interval
	phases    []string
}

// play plays a trial with two parts of the cast. during is called with each phase.
func play(t *testing.T, ctx context.Context, server, generator string, stop <-chan struct{}, during func(phase string)) *played {
	t.Helper()
	return playOf(t, ctx, fmt.Sprintf(generatortest.PollScenario, "clients"), server, generator, stop, during)
}

// playOf plays a trial of a scenario of short polls.
func playOf(t *testing.T, ctx context.Context, scenario, server, generator string, stop <-chan struct{}, during func(phase string)) *played {
	t.Helper()
	t.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector's farewell is a second a child
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Read("test", strings.NewReader(scenario))
	if err != nil {
		t.Fatal(err)
	}
	p := &played{}
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
			if child != nil && !child.Gone() {
				t.Errorf("the %s outlives its trial", name)
			}
		}
	}
	return p
}

func nothing(string) {}

// Several servers share the clients, and what is published is posted to each: everybody is
// owed what one server would owe, the sums hold, and nothing is counted twice.
func TestTrialOfSeveralServers(t *testing.T) {
	text := fmt.Sprintf(generatortest.PollScenario, "backend")
	one := playOf(t, t.Context(), text, "server", "generator", nil, nothing)
	many := playOf(t, t.Context(), text+"servers: 3\n", "server", "generator", nil, nothing)
	if err := errors.Join(one.err, many.err); err != nil {
		t.Fatal(err)
	}
	for _, g := range many.result.Checks {
		if !g.Passed && !validity.CanBeDisturbed(g.Name) {
			t.Errorf("%s: %s", g.Name, g.Detail)
		}
	}
	a, b := one.result, many.result
	if a.Ledger.Expected == 0 || b.Ledger.Expected != a.Ledger.Expected || b.Ledger.Unique != b.Ledger.Expected || b.Ledger.Received != b.Ledger.Expected {
		t.Errorf("one server owed %+v, three %+v", a.Ledger, b.Ledger)
	}
	if b.Publishes.Planned != 3*a.Publishes.Planned || b.Publishes.Acknowledged != b.Publishes.Planned {
		t.Errorf("one server was posted %+v, three %+v; want each message three times", a.Publishes, b.Publishes)
	}
	if b.Ack.Independent != a.Ack.Independent {
		t.Errorf("%d independent publishes, with three servers %d", a.Ack.Independent, b.Ack.Independent)
	}
	if a.Connect.Clients != b.Connect.Clients || b.Connect.Failed != 0 || b.Cost.Server.Processes != 3 || b.Cost.Generator.Processes != 3 {
		t.Errorf("connected %+v and %+v; %d servers, %d generators", a.Connect.Clients, b.Connect, b.Cost.Server.Processes, b.Cost.Generator.Processes)
	}
	if b.Cost.Server.Goroutines != 3*a.Cost.Server.Goroutines || b.Cost.Server.MemoryBase <= 2*a.Cost.Server.MemoryBase {
		t.Errorf("of three servers %+v, of one %+v", b.Cost.Server, a.Cost.Server)
	}
	counted := int64(0)
	for _, i := range many.intervals {
		counted += i.Counted
	}
	if counted != b.Ledger.Unique {
		t.Errorf("intervals count %d, the ledger %d", counted, b.Ledger.Unique)
	}
	if most := int(a.Took/time.Second) + 2; len(many.intervals) > most {
		t.Errorf("%d intervals, one for each generator rather than of all", len(many.intervals))
	}
}

func TestTrial(t *testing.T) {
	p := play(t, t.Context(), "server", "generator", nil, nothing)
	if p.err != nil {
		t.Fatal(p.err)
	}
	for _, g := range p.result.Checks {
		// What disturbs a machine is its own business, not the test's.
		if !g.Passed && !validity.CanBeDisturbed(g.Name) {
			t.Errorf("%s: %s", g.Name, g.Detail)
		}
	}
	l, c := p.result.Ledger, p.result.Cost
	if l.Expected == 0 || l.Unique != l.Expected || p.result.Repetition != 3 {
		t.Errorf("block %d, %+v; want all of it delivered in block 3", p.result.Repetition, l)
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
			t.Errorf("an interval of block %d, %s", i.Repetition, i.Transport)
		}
	}
}

// What the server counted is held against what the clients report.
func TestTrialSeesWhatTheServerCounted(t *testing.T) {
	for server, gate := range map[string]string{"server-miscounting": validity.NoHiddenDials, "server-retried": validity.NoHiddenRetries} {
		p := play(t, t.Context(), server, "generator", nil, nothing)
		if p.err != nil {
			t.Fatal(p.err)
		}
		failed := slices.ContainsFunc(p.result.Checks, func(g results.ValidityCheck) bool { return g.Name == gate && !g.Passed })
		if !failed || p.result.Status != results.Invalid {
			t.Errorf("%s: status %s, gates %+v; want %q failed", server, p.result.Status, p.result.Checks, gate)
		}
	}
}

// However the trial breaks off, it says why, is void, and nobody is left.
func TestTrialBreaksOff(t *testing.T) {
	for _, c := range []struct{ server, generator, want string }{
		{"server-stillborn", "generator", "server ended: exit status 1: no such luck"},
		{"server-dying", "generator", "server ended: exit status 3: out of ink"},
		{"server", "generator-talking", "generator failed: control message: invalid character 'r' looking for beginning of value"},
		{"server", "generator-refusing", "generator failed: I would rather not"},
		{"server", "generator-talkative", "generator failed: listen"},
		{"server", "generator-ahead", "generator failed: it did not prepare"},
		{"server", "generator-disconnected", "generator failed: it did not connect"},
		{"server", "generator-out-of-turn", "generator failed: it spoke out of turn"},
		{"server", "generator-leaving", "generator ended: exit status 4: had enough"},
	} {
		t.Run(c.server+" and "+c.generator, func(t *testing.T) {
			p := play(t, t.Context(), c.server, c.generator, nil, nothing)
			if p.err == nil || p.err.Error() != c.want {
				t.Errorf("broke off with %q, want %q", p.err, c.want)
			}
			if p.result.Status != results.Invalid || p.result.Reason != c.want {
				t.Errorf("status %s, reason %q; want INVALID and the same", p.result.Status, p.result.Reason)
			}
		})
	}
}

// Interrupted once, whenever, it keeps what was due by then and says that it is partial.
func TestTrialIsInterrupted(t *testing.T) {
	for _, phase := range []string{"connecting", "warm-up"} {
		t.Run(phase, func(t *testing.T) {
			stop := make(chan struct{})
			var once sync.Once
			p := play(t, t.Context(), "server", "generator", stop, func(now string) {
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
				t.Errorf("status %s (%s), want PARTIAL", p.result.Status, p.result.Reason)
			}
			for _, i := range p.intervals {
				if i.Length < 0 {
					t.Errorf("an interval of %v", i.Length)
				}
			}
		})
	}
}

// Cancelled, it ends its children at once.
func TestTrialIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := play(t, ctx, "server", "generator", nil, func(now string) {
		if now == "warm-up" {
			cancel()
		}
	})
	if !errors.Is(p.err, context.Canceled) {
		t.Errorf("ended with %v, want %v", p.err, context.Canceled)
	}
}

func TestStatsOfAServer(t *testing.T) {
	var s, earlier serverStats
	said := `{"accepted":5,"requests":{"total":100,"poll":40,"publish":2,"upgrade":1,"sse":0,"other":3,"stats":7,"healthz":9},"rearm":{"count":30,"sum_ns":9000},"new":{"field":1}}`
	if err := json.Unmarshal([]byte(said), &s); err != nil {
		t.Fatal(err)
	}
	if got := s.load(); got != 46 {
		t.Errorf("%d requests from clients, want 46: neither our own nor the total", got)
	}
	earlier.RepollGap.Count, earlier.RepollGap.Sum = 20, 4000
	if got := s.rearm(earlier); got != 500*time.Nanosecond {
		t.Errorf("re-arm gap %v, want 500ns: of the ten since", got)
	}
	if got := s.rearm(s); got != 0 {
		t.Errorf("re-arm gap %v of no polls, want 0", got)
	}
}

func TestSaturated(t *testing.T) {
	trial := results.Trial{Publishes: results.Publishes{Planned: 1000, Dropped: 5}}
	if saturated(trial) {
		t.Error("5 of 1000 dropped is saturated, want not yet")
	}
	trial.Publishes.Dropped++
	if !saturated(trial) {
		t.Error("6 of 1000 dropped is not saturated")
	}
}
