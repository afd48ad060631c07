package generator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"pushbench/bench/child"
	"pushbench/bench/client/engines"
	"pushbench/bench/clock"
	"pushbench/bench/generator/generatortest"
	"pushbench/results"
)

// A generatorUnderTest is a load generator in this process, with the pipes to control it.
type generatorUnderTest struct {
	t       *testing.T
	server  *generatortest.PollServer
	input   *io.PipeWriter
	control *child.LineWriter
	reports chan Report
	ended   chan error
}

func startGenerator(t *testing.T, publisher string) *generatorUnderTest {
	t.Helper()
	return startGeneratorOf(t, fmt.Sprintf(generatortest.PollScenario, publisher))
}

func startGeneratorOf(t *testing.T, scenario string, change ...func(*Prepare)) *generatorUnderTest {
	t.Helper()
	in, input := io.Pipe()
	out, output := io.Pipe()
	g := &generatorUnderTest{
		t: t, server: &generatortest.PollServer{}, input: input, control: child.NewLineWriter(input),
		reports: make(chan Report, 64), ended: make(chan error, 1),
	}
	server := httptest.NewServer(g.server)
	t.Cleanup(server.Close)
	go func() {
		g.ended <- Drive(in, output)
		output.Close()
	}()
	go func() {
		defer close(g.reports)
		_ = child.ReadLines(out, func(m Report) error { g.reports <- m; return nil })
	}()
	prepare := Prepare{
		Scenario:   scenario,
		Transport:  "shortpoll",
		Target:     strings.TrimPrefix(server.URL, "http://"),
		Repetition: 1,
		Run:        7,
		Engine:     engines.Names()[0],
	}
	for _, c := range change {
		c(&prepare)
	}
	g.send(Command{Prepare: &prepare})
	if m := g.receive(); m.Prepared == nil {
		t.Fatalf("report on prepare: %+v", m)
	}
	return g
}

func (g *generatorUnderTest) send(c Command) {
	g.t.Helper()
	if err := g.control.Send(c); err != nil {
		g.t.Fatal(err)
	}
}

func (g *generatorUnderTest) receive() Report {
	g.t.Helper()
	m, ok := <-g.reports
	if !ok {
		g.t.Fatalf("the load generator ended: %v", <-g.ended)
	}
	if m.Failed != "" {
		g.t.Fatalf("the load generator failed: %s", m.Failed)
	}
	return m
}

func (g *generatorUnderTest) connect() results.Connect {
	g.t.Helper()
	g.send(Command{Connect: &Connect{}})
	m := g.receive()
	if m.Connected == nil {
		g.t.Fatalf("report on connect: %+v", m)
	}
	return *m.Connected
}

// outcome receives intervals until the trial is done.
func (g *generatorUnderTest) outcome() (Outcome, []results.Interval) {
	g.t.Helper()
	var intervals []results.Interval
	for {
		m := g.receive()
		if m.Done != nil {
			return *m.Done, intervals
		}
		intervals = append(intervals, *m.Interval)
	}
}

// end closes the load generator's input and waits until it has ended.
func (g *generatorUnderTest) end() {
	g.t.Helper()
	g.input.Close()
	for range g.reports {
	}
	if err := <-g.ended; err != nil {
		g.t.Errorf("the load generator ended with %v", err)
	}
}

func TestDriveDeliversAndAccountsForEverything(t *testing.T) {
	for _, publisher := range []string{"clients", "backend"} {
		t.Run(publisher, func(t *testing.T) {
			g := startGenerator(t, publisher)
			if c := g.connect(); c.Clients != 5 || c.Failed != 0 || c.RoundTrips != 2 {
				t.Errorf("connected %d, failed %d, %v round trips; want 5, 0, 2", c.Clients, c.Failed, c.RoundTrips)
			}
			g.send(Command{Start: &Start{At: clock.Now()}})
			o, intervals := g.outcome()
			g.end()
			checkOutcome(t, g.server, o, intervals)
		})
	}
}

func checkOutcome(t *testing.T, server *generatortest.PollServer, o Outcome, intervals []results.Interval) {
	t.Helper()
	trial := results.Trial{Ledger: o.Ledger, Publishes: o.Publishes, Latency: o.Latency, Ack: o.Ack}
	for _, identity := range trial.Identities() {
		if !identity.Holds() {
			t.Error(identity)
		}
	}
	if o.Publishes.Planned == 0 || o.Ledger.Lost != 0 || o.Ledger.Delivered != 5*o.Publishes.Planned || o.Ledger.Unexpected != 0 {
		t.Errorf("planned %d, %+v; want each message delivered to all five clients", o.Publishes.Planned, o.Ledger)
	}
	counted := int64(0)
	for _, i := range intervals {
		counted += i.Counted
	}
	if counted != o.Ledger.Delivered {
		t.Errorf("intervals count %d latencies, the ledger %d", counted, o.Ledger.Delivered)
	}
	server.Mu.Lock() // the server may still handle a poll of a closed client
	defer server.Mu.Unlock()
	if received := int64(server.Polls + server.Posts); o.Total.Requests < received {
		t.Errorf("%d requests reported, the server received %d", o.Total.Requests, received)
	}
	if u := o.Total.Up; u.Bytes != u.Payload+u.Envelope+u.Framing+u.Headers {
		t.Errorf("bytes up do not add up: %+v", u)
	}
}

// After a stop, only messages due before it are expected, and the outcome is marked as cut.
func TestStopLimitsExpectedMessages(t *testing.T) {
	g := startGenerator(t, "backend")
	g.connect()
	// Far enough ahead that nothing is due yet.
	g.send(Command{Start: &Start{At: clock.Now().Add(3600e9)}})
	g.send(Command{Stop: &Stop{}})
	g.send(Command{Stop: &Stop{}}) // a second stop has no effect
	o, _ := g.outcome()
	g.end()
	if !o.Cut || o.Publishes.Planned != 0 || o.Ledger.Expected != 0 {
		t.Errorf("cut %v, planned %d, expected %d; want true, 0, 0", o.Cut, o.Publishes.Planned, o.Ledger.Expected)
	}
}

// Drive ends when its input ends, in any phase, and leaves no goroutine running.
func TestDriveEndsWithItsInput(t *testing.T) {
	t.Run("prepared", func(t *testing.T) { startGenerator(t, "clients").end() })
	t.Run("connecting", func(t *testing.T) {
		g := startGenerator(t, "clients")
		g.send(Command{Connect: &Connect{}})
		g.end()
	})
	t.Run("connected", func(t *testing.T) {
		g := startGenerator(t, "clients")
		g.connect()
		g.end()
	})
	t.Run("measuring", func(t *testing.T) {
		g := startGenerator(t, "clients")
		g.connect()
		g.send(Command{Start: &Start{At: clock.Now()}})
		g.end()
	})
}

func TestDriveRefusesInvalidCommands(t *testing.T) {
	for _, c := range []struct{ input, want string }{
		{"{\n", "control message"},
		{`{"connect":{}}` + "\n", "prepare must be the first command"},
		{`{"prepare":{"scenario":"version: 9"}}` + "\n", "scenario:1"},
	} {
		var out strings.Builder
		err := Drive(strings.NewReader(c.input), &out)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.input, err, c.want)
		}
	}
}

func TestDriveRefusesCommandsOutOfOrder(t *testing.T) {
	connect, start, stop := Command{Connect: &Connect{}}, Command{Start: &Start{At: clock.Now().Add(3600e9)}}, Command{Stop: &Stop{}}
	for _, c := range []struct {
		name      string
		connected bool // before the commands
		commands  []Command
		want      string
	}{
		{"prepared twice", false, []Command{{Prepare: &Prepare{}}}, "duplicate command"},
		{"connected twice", true, []Command{connect}, "duplicate command"},
		{"started unconnected", false, []Command{start}, "start requires connected clients"},
		{"started while connecting", false, []Command{connect, start}, "start requires connected clients"},
		{"started partly connected", false, []Command{{Connect: &Connect{Clients: 1}}, start}, "start requires connected clients"},
		{"collected unconnected", false, []Command{{Collect: &Collect{}}}, "collect requires connected clients, before start"},
		{"collected after the start", true, []Command{start, {Collect: &Collect{}}}, "collect requires connected clients, before start"},
		{"started twice", true, []Command{start, start}, "duplicate command"},
		{"stopped unstarted", true, []Command{stop}, "stop requires start"},
		{"no field", true, []Command{{}}, "sets 0 fields"},
		{"two fields", true, []Command{{Start: start.Start, Stop: stop.Stop}}, "sets 2 fields"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := startGenerator(t, "clients")
			if c.name == "started while connecting" {
				g.server.Mu.Lock() // blocks the responses to polls, so that no client becomes ready
				defer g.server.Mu.Unlock()
			}
			if c.connected {
				g.connect()
			}
			for _, command := range c.commands {
				g.send(command)
			}
			failed := ""
			for m := range g.reports {
				failed = m.Failed
			}
			err := <-g.ended
			if err == nil || !strings.Contains(err.Error(), c.want) || failed != err.Error() {
				t.Errorf("ended with error %v and report %q, want %q", err, failed, c.want)
			}
		})
	}
}

// Groups of clients connect one after the other, and a trial of all of them is a trial as usual.
func TestClientsConnectInGroups(t *testing.T) {
	g := startGenerator(t, "backend")
	g.send(Command{Connect: &Connect{Clients: 2}})
	if m := g.receive(); m.Connected == nil || m.Connected.Clients != 2 || m.Connected.Failed != 0 {
		t.Fatalf("report on the first two: %+v", m.Connected)
	}
	g.send(Command{Collect: &Collect{}})
	if m := g.receive(); m.Collected == nil {
		t.Fatalf("report on collect: %+v", m)
	}
	if c := g.connect(); c.Clients != 5 || c.Failed != 0 {
		t.Fatalf("report on the rest: %+v", c)
	}
	g.send(Command{Start: &Start{At: clock.Now()}})
	o, intervals := g.outcome()
	g.end()
	checkOutcome(t, g.server, o, intervals)
}

// After a stop, all messages due before it are published and delivered, and no others are
// expected: the stop itself loses no message.
func TestStopLosesNoMessage(t *testing.T) {
	g := startGeneratorOf(t, strings.Replace(fmt.Sprintf(generatortest.PollScenario, "backend"), "window: 500ms", "window: 10m", 1))
	g.connect()
	start := clock.Now()
	g.send(Command{Start: &Start{At: start}})
	g.server.Await(t, 50)
	g.send(Command{Stop: &Stop{}})
	o, intervals := g.outcome()
	g.end()
	checkOutcome(t, g.server, o, intervals)
	if !o.Cut || o.Publishes.Dropped != 0 || o.Publishes.Acknowledged != o.Publishes.Planned {
		t.Errorf("cut %v, %+v; want all planned messages acknowledged", o.Cut, o.Publishes)
	}
	if o.Span <= 0 || o.Span > clock.Now().Sub(start) {
		t.Errorf("span %v, trial duration %v; want a span within the trial", o.Span, clock.Now().Sub(start))
	}
	for _, i := range intervals {
		if i.Length < 0 {
			t.Errorf("interval of length %v, want at least 0", i.Length)
		}
	}
}

// FuzzDrive sends arbitrary input that does not make the load generator dial. It must end, report
// the reason of a failure, and write only reports that a run can decode.
func FuzzDrive(f *testing.F) {
	prepare, err := json.Marshal(Command{Prepare: &Prepare{Scenario: fmt.Sprintf(generatortest.PollScenario, "clients"), Transport: "sse", Target: "127.0.0.1:1", Repetition: 1, Run: 1, Engine: engines.Names()[0]}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(prepare) + "\n")
	f.Add(string(prepare) + "\n" + `{"start":{"at":1}}` + "\n")
	f.Add(strings.Replace(string(prepare), `"sse"`, `"carrier pigeon"`, 1))
	f.Add(`{"prepare":{"scenario":"","transport":"sse","target":"","repetition":1,"run":1}}`)
	f.Add(`{"stop":{}}` + "\n" + `{"start":{"at":1}}`)
	f.Add("null\n[]\n")
	f.Fuzz(func(t *testing.T, input string) {
		if strings.Contains(strings.ToLower(input), "connect") || strings.Contains(input, `\u`) || len(input) > 4<<10 {
			return
		}
		var out strings.Builder
		err := Drive(strings.NewReader(input), &out)
		failed := ""
		if err := child.ReadLines(strings.NewReader(out.String()), func(m Report) error { failed = m.Failed; return nil }); err != nil {
			t.Fatalf("output cannot be decoded: %v", err)
		}
		if err == nil && failed != "" {
			t.Errorf("report %q, but no error", failed)
		}
	})
}
