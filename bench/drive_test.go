package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pushbench/bench/clock"
	"pushbench/results"
)

// A pollServer is the smallest server that polls can be measured against: one topic,
// no gaps, no waiting. It is written from the contract alone.
type pollServer struct {
	mu       sync.Mutex
	messages []string
	polls    int
	posts    int
}

func (l *pollServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Method == http.MethodPost {
		l.publish(w, r)
		return
	}
	l.polls++
	after := r.URL.Query().Get("after")
	if after == "" {
		fmt.Fprintf(w, `{"cursor":"%d","messages":[],"heads":{"t0":%d}}`, len(l.messages), len(l.messages))
		return
	}
	from, _ := strconv.Atoi(after)
	if from == len(l.messages) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	fmt.Fprintf(w, `{"cursor":"%d","messages":[%s]}`, len(l.messages), strings.Join(l.messages[from:], ","))
}

func (l *pollServer) publish(w http.ResponseWriter, r *http.Request) {
	l.posts++
	body, _ := io.ReadAll(r.Body)
	topic := strings.TrimPrefix(r.URL.Path, "/v1/topics/")
	quoted, _ := json.Marshal(string(body))
	seq := len(l.messages) + 1
	l.messages = append(l.messages, fmt.Sprintf(`{"topic":%q,"seq":%d,"data":%s}`, topic, seq, quoted))
	fmt.Fprintf(w, `{"topic":%q,"seq":%d}`, topic, seq)
}

// A generatorUnderTest is a generator in this process and the pipes that speak to it.
type generatorUnderTest struct {
	t      *testing.T
	server *pollServer
	orders *io.PipeWriter
	say    *lineWriter
	heard  chan Message
	ended  chan error
}

const pollScenario = `version: 1
name: test
transports: [shortpoll]
clients: {count: 5}
publish: {by: %s, rate: 200/s}
payload: {size: 64B}
shortpoll: {interval: 20ms}
idle: 0s
warmup: 100ms
window: 500ms
`

func startGenerator(t *testing.T, publisher string) *generatorUnderTest {
	t.Helper()
	in, orders := io.Pipe()
	out, reports := io.Pipe()
	g := &generatorUnderTest{
		t: t, server: &pollServer{}, orders: orders, say: &lineWriter{w: orders},
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
		_ = lines(out, func(m Message) error { g.heard <- m; return nil })
	}()
	g.order(Order{Prepare: &Prepare{
		Scenario:  fmt.Sprintf(pollScenario, publisher),
		Transport: "shortpoll",
		Target:    strings.TrimPrefix(server.URL, "http://"),
		Block:     1,
		Run:       7,
	}})
	if m := g.hear(); m.Prepared == nil {
		t.Fatalf("prepare answered by %+v", m)
	}
	return g
}

func (g *generatorUnderTest) order(o Order) {
	g.t.Helper()
	if err := g.say.send(o); err != nil {
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

func checkOutcome(t *testing.T, server *pollServer, o Outcome, intervals []results.Interval) {
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
	server.mu.Lock() // a poll may still be at it whose client is gone
	defer server.mu.Unlock()
	if asked := int64(server.polls + server.posts); o.Total.Requests < asked {
		t.Errorf("%d requests reported, the server had %d", o.Total.Requests, asked)
	}
	if up := unexplained(o.Total.Up); up != 0 {
		t.Errorf("%d bytes up are in no part", up)
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
	if !o.Cut || o.Publishes.Planned != 0 || o.Ledger.Owed != 0 {
		t.Errorf("cut %v, planned %d, owed %d; want true, 0, 0", o.Cut, o.Publishes.Planned, o.Ledger.Owed)
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

func FuzzOrders(f *testing.F) {
	f.Add(`{"prepare":{"scenario":"","transport":"sse","target":"","block":1,"run":1}}`)
	f.Add(`{"stop":{}}` + "\n" + `{"start":{"at":1}}`)
	f.Fuzz(func(t *testing.T, said string) {
		orders := 0
		err := lines(strings.NewReader(said), func(Order) error { orders++; return nil })
		if most := strings.Count(said, "\n") + 1; err == nil && orders > most {
			t.Errorf("%d orders in %d lines", orders, most)
		}
	})
}
