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

// A generatorUnderTest is a generator in this process and the pipes that speak to it.
type generatorUnderTest struct {
	t      *testing.T
	server *generatortest.PollServer
	orders *io.PipeWriter
	say    *child.LineWriter
	heard  chan Message
	ended  chan error
}

func startGenerator(t *testing.T, publisher string) *generatorUnderTest {
	t.Helper()
	return startGeneratorOf(t, fmt.Sprintf(generatortest.PollScenario, publisher))
}

func startGeneratorOf(t *testing.T, scenario string, change ...func(*Prepare)) *generatorUnderTest {
	t.Helper()
	in, orders := io.Pipe()
	out, reports := io.Pipe()
	g := &generatorUnderTest{
		t: t, server: &generatortest.PollServer{}, orders: orders, say: child.NewLineWriter(orders),
		heard: make(chan Message, 64), ended: make(chan error, 1),
	}
	server := httptest.NewServer(g.server)
	t.Cleanup(server.Close)
	go func() {
		g.ended <- Drive(in, reports)
		reports.Close()
	}()
	go func() {
		defer close(g.heard)
		_ = child.ReadLines(out, func(m Message) error { g.heard <- m; return nil })
	}()
	order := Prepare{
		Scenario:   scenario,
		Transport:  "shortpoll",
		Target:     strings.TrimPrefix(server.URL, "http://"),
		Repetition: 1,
		Run:        7,
		Engine:     engines.Names()[0],
	}
	for _, c := range change {
		c(&order)
	}
	g.order(Order{Prepare: &order})
	if m := g.hear(); m.Prepared == nil {
		t.Fatalf("prepare answered by %+v", m)
	}
	return g
}

func (g *generatorUnderTest) order(o Order) {
	g.t.Helper()
	if err := g.say.Send(o); err != nil {
		g.t.Fatal(err)
	}
}

func (g *generatorUnderTest) hear() Message {
	g.t.Helper()
	m, ok := <-g.heard
	if !ok {
		g.t.Fatalf("the generator ended: %v", <-g.ended)
	}
	if m.Failed != "" {
		g.t.Fatalf("the generator failed: %s", m.Failed)
	}
	return m
}

func (g *generatorUnderTest) connect() results.Connect {
	g.t.Helper()
	g.order(Order{Connect: &Connect{}})
	m := g.hear()
	if m.Connected == nil {
		g.t.Fatalf("connect answered by %+v", m)
	}
	return *m.Connected
}

// outcome hears intervals until the trial is done.
func (g *generatorUnderTest) outcome() (Outcome, []results.Interval) {
	g.t.Helper()
	var intervals []results.Interval
	for {
		m := g.hear()
		if m.Done != nil {
			return *m.Done, intervals
		}
		intervals = append(intervals, *m.Interval)
	}
}

// end closes the generator's input and waits for it.
func (g *generatorUnderTest) end() {
	g.t.Helper()
	g.orders.Close()
	for range g.heard {
	}
	if err := <-g.ended; err != nil {
		g.t.Errorf("the generator ended with %v", err)
	}
}

func TestDriveDeliversAndAccountsForEverything(t *testing.T) {
	for _, publisher := range []string{"clients", "backend"} {
		t.Run(publisher, func(t *testing.T) {
			g := startGenerator(t, publisher)
			if c := g.connect(); c.Clients != 5 || c.Failed != 0 || c.RoundTrips != 2 {
				t.Errorf("connected %d, failed %d, %v round trips; want 5, 0, 2", c.Clients, c.Failed, c.RoundTrips)
			}
			g.order(Order{Start: &Start{At: clock.Now()}})
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
	if o.Publishes.Planned == 0 || o.Ledger.Lost != 0 || o.Ledger.Unique != 5*o.Publishes.Planned || o.Ledger.Unexpected != 0 {
		t.Errorf("planned %d, %+v; want each delivered to all five", o.Publishes.Planned, o.Ledger)
	}
	counted := int64(0)
	for _, i := range intervals {
		counted += i.Counted
	}
	if counted != o.Ledger.Unique {
		t.Errorf("intervals hold %d latencies, the ledger %d", counted, o.Ledger.Unique)
	}
	server.Mu.Lock() // a poll may still be at it whose client is gone
	defer server.Mu.Unlock()
	if asked := int64(server.Polls + server.Posts); o.Total.Requests < asked {
		t.Errorf("%d requests reported, the server had %d", o.Total.Requests, asked)
	}
	if u := o.Total.Up; u.Bytes != u.Payload+u.Envelope+u.Framing+u.Headers {
		t.Errorf("bytes up do not add up: %+v", u)
	}
}

// Stopped in the middle, it owes only what was due, and says that it was cut.
func TestDriveStops(t *testing.T) {
	g := startGenerator(t, "backend")
	g.connect()
	// Far enough ahead that nothing is due yet.
	g.order(Order{Start: &Start{At: clock.Now().Add(3600e9)}})
	g.order(Order{Stop: &Stop{}})
	g.order(Order{Stop: &Stop{}}) // twice is once
	o, _ := g.outcome()
	g.end()
	if !o.Cut || o.Publishes.Planned != 0 || o.Ledger.Expected != 0 {
		t.Errorf("cut %v, planned %d, owed %d; want true, 0, 0", o.Cut, o.Publishes.Planned, o.Ledger.Expected)
	}
}

// Whenever its input ends, it ends, and none of its goroutines stays.
func TestDriveEndsWithItsInput(t *testing.T) {
	t.Run("prepared", func(t *testing.T) { startGenerator(t, "clients").end() })
	t.Run("connecting", func(t *testing.T) {
		g := startGenerator(t, "clients")
		g.order(Order{Connect: &Connect{}})
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
		g.order(Order{Start: &Start{At: clock.Now()}})
		g.end()
	})
}

func TestDriveRefusesNonsense(t *testing.T) {
	for _, c := range []struct{ said, want string }{
		{"{\n", "control message"},
		{`{"connect":{}}` + "\n", "prepare comes first"},
		{`{"prepare":{"scenario":"version: 9"}}` + "\n", "scenario:1"},
	} {
		var out strings.Builder
		err := Drive(strings.NewReader(c.said), &out)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q answered by %v, want %q", c.said, err, c.want)
		}
	}
}

func TestDriveTakesOrdersOnlyInOrder(t *testing.T) {
	connect, start, stop := Order{Connect: &Connect{}}, Order{Start: &Start{At: clock.Now().Add(3600e9)}}, Order{Stop: &Stop{}}
	for _, c := range []struct {
		name      string
		connected bool // before the orders
		orders    []Order
		want      string
	}{
		{"prepared twice", false, []Order{{Prepare: &Prepare{}}}, "it came before"},
		{"connected twice", true, []Order{connect}, "it came before"},
		{"started unconnected", false, []Order{start}, "start comes after the clients are connected"},
		{"started while connecting", false, []Order{connect, start}, "start comes after the clients are connected"},
		{"started twice", true, []Order{start, start}, "it came before"},
		{"stopped unstarted", true, []Order{stop}, "stop comes after start"},
		{"nothing", true, []Order{{}}, "says 0 things"},
		{"two things", true, []Order{{Start: start.Start, Stop: stop.Stop}}, "says 2 things"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := startGenerator(t, "clients")
			if c.name == "started while connecting" {
				g.server.Mu.Lock() // no client is ready before its poll is answered
				defer g.server.Mu.Unlock()
			}
			if c.connected {
				g.connect()
			}
			for _, o := range c.orders {
				g.order(o)
			}
			told := ""
			for m := range g.heard {
				told = m.Failed
			}
			err := <-g.ended
			if err == nil || !strings.Contains(err.Error(), c.want) || told != err.Error() {
				t.Errorf("ended with %v and told %q, want %q", err, told, c.want)
			}
		})
	}
}

// Stopped in the middle, all that was due before was published and is delivered,
// and nothing else was ever owed: no message is lost to the stop itself.
func TestDriveStopsBetweenTwoMessages(t *testing.T) {
	g := startGeneratorOf(t, strings.Replace(fmt.Sprintf(generatortest.PollScenario, "backend"), "window: 500ms", "window: 10m", 1))
	g.connect()
	start := clock.Now()
	g.order(Order{Start: &Start{At: start}})
	g.server.Await(t, 50)
	g.order(Order{Stop: &Stop{}})
	o, intervals := g.outcome()
	g.end()
	checkOutcome(t, g.server, o, intervals)
	if !o.Cut || o.Publishes.Dropped != 0 || o.Publishes.Acknowledged != o.Publishes.Planned {
		t.Errorf("cut %v, %+v; want all that was planned acknowledged", o.Cut, o.Publishes)
	}
	if o.Span <= 0 || o.Span > clock.Now().Sub(start) {
		t.Errorf("span %v of a trial that took %v", o.Span, clock.Now().Sub(start))
	}
	for _, i := range intervals {
		if i.Length < 0 {
			t.Errorf("an interval of %v", i.Length)
		}
	}
}

// FuzzDrive says anything to a generator, but nothing that makes it dial. It must
// end, say why in words if it fails, and say nothing that a run cannot read.
func FuzzDrive(f *testing.F) {
	prepare, err := json.Marshal(Order{Prepare: &Prepare{Scenario: fmt.Sprintf(generatortest.PollScenario, "clients"), Transport: "sse", Target: "127.0.0.1:1", Repetition: 1, Run: 1, Engine: engines.Names()[0]}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(prepare) + "\n")
	f.Add(string(prepare) + "\n" + `{"start":{"at":1}}` + "\n")
	f.Add(strings.Replace(string(prepare), `"sse"`, `"carrier pigeon"`, 1))
	f.Add(`{"prepare":{"scenario":"","transport":"sse","target":"","block":1,"run":1}}`)
	f.Add(`{"stop":{}}` + "\n" + `{"start":{"at":1}}`)
	f.Add("null\n[]\n")
	f.Fuzz(func(t *testing.T, said string) {
		if strings.Contains(strings.ToLower(said), "connect") || strings.Contains(said, `\u`) || len(said) > 4<<10 {
			return
		}
		var out strings.Builder
		failed := Drive(strings.NewReader(said), &out)
		told := ""
		if err := child.ReadLines(strings.NewReader(out.String()), func(m Message) error { told = m.Failed; return nil }); err != nil {
			t.Fatalf("what it says cannot be read: %v", err)
		}
		if failed == nil && told != "" {
			t.Errorf("told %q, and no error", told)
		}
	})
}
