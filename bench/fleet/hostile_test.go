package fleet

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"pushbench/bench/agent"
	"pushbench/bench/generator"
	"pushbench/results"
	"pushbench/scenarios"
)

// stranger returns a user key that no broker knows.
func stranger(t *testing.T) string {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	return string(seed)
}

// An agent that has another key, or finds another certificate, ends with the reason instead of trying until its time is over.
func TestAgentOfAnotherBrokerEnds(t *testing.T) {
	t.Parallel()
	_, b := newRun(t)
	for name, c := range map[string]struct {
		change func(*Join)
		want   string
	}{
		"key":         {func(j *Join) { j.key = stranger(t) }, "does not take this connection"},
		"certificate": {func(j *Join) { j.certificate = strings.Repeat("00", 32) }, "another certificate"},
	} {
		j := b.Join()
		c.change(&j)
		if err := <-startAgent(t, t.Context(), j, "box").done; err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

// Who speaks no TLS, or nothing, receives nothing and is disconnected.
func TestStrangersLearnNothingFromTheBroker(t *testing.T) {
	t.Parallel()
	_, b := newRun(t)
	address := strings.TrimPrefix(b.Join().Broker, "tls://")
	for name, sent := range map[string]string{"HTTP": "GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\n\r\n", "NATS without TLS": "CONNECT {}\r\nPING\r\n", "nothing": "", "half of a handshake": "\x16\x03\x01"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, sent)
			if got, _ := io.ReadAll(c); len(got) > 7 || strings.ContainsAny(string(got), "INFO{") { // an alert of TLS at most
				t.Errorf("%s: received %q", name, got)
			}
			_ = c.Close()
		})
	}
	for name, sent := range map[string]string{"HTTP in TLS": "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "nothing in TLS": "", "no key": "CONNECT {\"verbose\":true}\r\nPING\r\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // a stranger
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, sent)
			if got, _ := io.ReadAll(c); strings.Contains(string(got), b.join.Run) || strings.Contains(string(got), "PONG") {
				t.Errorf("%s: received %q", name, got)
			}
			_ = c.Close()
		})
	}
}

// Connections that say nothing take no place of an agent for long: their number and their time are bounded.
func TestSilentConnectionsDoNotKeepAgentsOut(t *testing.T) {
	t.Parallel()
	key, b := newRun(t)
	j := b.Join()
	b.End()
	b.connections = 4
	address := strings.TrimPrefix(j.Broker, "tls://")
	if err := b.listen(address); err != nil {
		t.Fatal(err)
	}
	c, err := b.connect()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		one, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = one.Close() }()
	}
	one := startAgent(t, t.Context(), j, "box")
	f, err := gather(t.Context(), c, key, Options{Agents: 1, Within: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	<-one.done
}

// Steps out of order, and requests beyond what an agent allows, are refused with a sentence, and the run goes on.
func TestAgentRefusesWhatItDoesNotAllow(t *testing.T) {
	t.Parallel()
	key, b := newRun(t)
	one := startAgent(t, t.Context(), b.Join(), "box")
	r := gathered(t, key, b, 1).Agents[0]
	large := testJob(t)
	many := *large.Scenario
	many.Clients.Count = 1_000_000
	large.Scenario = &many
	backward := inAnHour()
	backward.Opens--
	other := large
	other.Measured.Transport = "smoke"
	begin := func() error { _, err := r.Begin(t.Context()); return err }
	measure := func(w agent.Window) func() error {
		return func() error { _, err := r.Measure(t.Context(), w, nil); return err }
	}
	call := func(step string, q request) func() error {
		return func() error { _, err := r.call(t.Context(), step, q); return err }
	}
	for _, c := range []struct {
		do   func() error
		want string // empty: allowed
	}{
		{measure(inAnHour()), "Measure is not allowed before Begin"},
		{begin, ""},
		{begin, "Begin is not allowed twice"},
		{call("Audit", request{}), "Audit is not allowed between two trials; allowed: after Measure"},
		{measure(inAnHour()), "Measure is not allowed between two trials; allowed: after Idle"},
		{call("Lap", request{}), "Lap is not allowed between two trials"},
		{call("Fly", request{}), `unknown step "Fly"`},
		{call("StartServers", request{}), "the request has no job"},
		{call("StartServers", request{Job: encodeJob(other)}), `does not have the transport "smoke"`},
		{call("StartServers", request{Job: encodeJob(large)}), "allowed: its limit of 1000 open files"},
		{call("StartServers", request{Job: encodeJob(testJob(t)), Duration: time.Hour * 24 * 365}), "a time of 8760h0m0s is not allowed"},
		{call("IdleMemory", request{Job: encodeJob(testJob(t)), Clients: agent.IdleClients{First: -1}}), "allowed: 1 or more"},
		{call("StartServers", request{Job: encodeJob(testJob(t))}), ""},
		{call("StartServers", request{Job: encodeJob(testJob(t))}), "StartServers is not allowed in a trial, after StartServers"},
		{call("StartGenerators", request{Job: encodeJob(testJob(t)), Prepare: slices.Repeat(prepared(t, "127.0.0.1:80"), 2)}), "2 load generators for 1 servers"},
		{call("StartGenerators", request{Job: encodeJob(testJob(t)), Prepare: []generator.Prepare{{Target: "127.0.0.1:80"}}}), "has another scenario"},
		{call("StartGenerators", request{Job: encodeJob(testJob(t)), Prepare: prepared(t, "192.0.2.1:80")}), "is not allowed by this agent"},
		{call("StartGenerators", request{Job: encodeJob(testJob(t)), Prepare: prepared(t, "127.0.0.1:80")}), ""},
		{call("Idle", request{}), "Idle is not allowed after StartGenerators"},
		{call("Connect", request{Duration: -1}), "a time of -1ns is not allowed"},
		{call("Connect", request{}), ""},
		{call("Idle", request{}), ""},
		{measure(backward), "a window from -1ns"},
		{measure(agent.Window{Start: inAnHour().Start, Opens: inAnHour().Start, Closes: inAnHour().Start.Add(2 * mostTime)}), "and an end within 3h0m0s"},
		{call("EndTrial", request{}), ""},
		{call("Finish", request{}), ""},
	} {
		err := c.do()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), "agent box: ") || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	if _, err := (&Agent{}).do(t.Context(), "Begin", []byte(`{"path":"/etc/passwd"}`)); err == nil || !strings.Contains(err.Error(), `unknown field "path"`) {
		t.Errorf("an unknown field: %v", err)
	}
	if err := r.fleet.Close(); err != nil {
		t.Error(err)
	}
	<-one.done
}

// A message of another coordinator, or one that was sent before, is ignored, and so is one that is not signed.
func TestForeignAndRepeatedMessagesAreIgnored(t *testing.T) {
	t.Parallel()
	key, b := newRun(t)
	other, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	one := startAgent(t, t.Context(), b.Join(), "box")
	f := gathered(t, key, b, 1)
	r := f.Agents[0]
	subject := toSubject(key.Public, r.id+"."+stepLeave)
	foreign, err := other.signed(subject, 1<<40, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	beginning := make(chan *nats.Msg, 1)
	if _, err := f.conn.ChanSubscribe(toSubject(key.Public, r.id+".Begin"), beginning); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	repeated := <-beginning
	unsigned := nats.NewMsg(subject)
	for name, m := range map[string]*nats.Msg{"foreign": foreign, "repeated": {Subject: repeated.Subject, Header: repeated.Header, Data: repeated.Data}, "unsigned": unsigned} {
		if err := f.conn.PublishMsg(m); err != nil {
			t.Fatal(name, err)
		}
	}
	if _, err := r.Describe(t.Context()); err != nil {
		t.Error(err)
	}
	if what := <-one.said; !strings.Contains(what, "was ignored") || len(one.said) > 0 {
		t.Errorf("the agent said %q and %d more", what, len(one.said))
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	<-one.done
}

// An agent of a run cannot send work to another one.
func TestAgentsCannotCommand(t *testing.T) {
	t.Parallel()
	key, b := newRun(t)
	denied := make(chan error, 1)
	c, err := b.Join().connect("box", func(string) {}, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err }))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Publish(toSubject(key.Public, "X.Leave"), nil); err != nil {
		t.Fatal(err)
	}
	if err := <-denied; !errors.Is(err, nats.ErrPermissionViolation) {
		t.Errorf("got %v", err)
	}
}

// Agents have different names, of plain text.
func TestNamesOfAgents(t *testing.T) {
	t.Parallel()
	f := &Fleet{known: map[string]*Remote{}, gathered: make(chan struct{})}
	o := Options{Agents: 9}
	for name, want := range map[string]string{
		"": "is not allowed", "<b>box</b>": "is not allowed", "\x1b[31mbox": "is not allowed", "box\nbox": "is not allowed", strings.Repeat("x", 1<<16): "is not allowed", "box.example-1_a": "",
	} {
		err := f.join(hello{Agent: "A" + name, Name: name}, o)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || !printable(err) || len(err.Error()) > 1000) {
			t.Errorf("%.20q: %v", name, err)
		}
	}
	if err := f.join(hello{Agent: "B", Name: "box.example-1_a"}, o); err == nil || !strings.Contains(err.Error(), "another agent has the name") {
		t.Errorf("the same name: %v", err)
	}
}

// Data that cannot be true ends the step and names the agent.
func TestImpossibleDataNamesTheAgent(t *testing.T) {
	t.Parallel()
	r := &Remote{Name: "box", started: 1}
	for want, got := range map[string]response{
		"bytes is negative":                   {Bytes: -1},
		"sent = acknowledged":                 {Measured: &agent.Measured{Outcomes: []*generator.Outcome{{Publishes: results.Publishes{Acknowledged: 2, Sent: 1}}}}},
		"expected is negative":                {Measured: &agent.Measured{Outcomes: []*generator.Outcome{{Ledger: results.Ledger{Expected: -1}}}}},
		"a load generator without an outcome": {Measured: &agent.Measured{Outcomes: []*generator.Outcome{nil}}},
		"0 latencies, 1 counted":              {Intervals: []results.Interval{{Counted: 1}}},
	} {
		if err := r.believe(&got); !errors.Is(err, errImpossible) || !strings.HasPrefix(err.Error(), "agent box: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err := r.complete(0); !errors.Is(err, errImpossible) {
		t.Errorf("no outcome: %v", err)
	}
	if _, err := new(assembly).add(&nats.Msg{Header: nats.Header{pieceHeader: {"0"}, piecesHeader: {"1"}}, Data: []byte(`{"number":1e999}`)}); err == nil {
		t.Error("an infinite number was read")
	}
}

// A run fails with the agent's name if it measured nothing, or has no server.
func TestMissingOutcomesAndServersNameTheAgent(t *testing.T) {
	t.Parallel()
	key, b := newRun(t)
	one := startAgent(t, t.Context(), b.Join(), "box")
	r := gathered(t, key, b, 1).Agents[0]
	toMeasure(t, r)
	one.steps.measure = func(context.Context, <-chan struct{}, func(results.Interval) error) (*agent.Measured, error) {
		return &agent.Measured{}, nil
	}
	if _, err := r.Measure(t.Context(), inAnHour(), nil); err == nil || err.Error() != "agent box: impossible data: results of 0 load generators, want 1" {
		t.Errorf("got %v", err)
	}
	if _, err := r.EndTrial(0); err != nil {
		t.Error(err)
	}
	two := testJob(t)
	s := *two.Scenario
	s.Publish.By, s.Servers, two.Scenario = scenarios.ByBackend, 2, &s
	if _, err := r.StartServers(t.Context(), two); err == nil || err.Error() != "agent box: impossible data: 1 servers, want 2" {
		t.Errorf("got %v", err)
	}
	if err := r.fleet.Close(); err != nil {
		t.Error(err)
	}
	<-one.done
}

// No field of a request names a file of the agent's machine, except those of a target, which it refuses.
func TestRequestsNameNoFile(t *testing.T) {
	t.Parallel()
	var texts []string
	var visit func(reflect.Type, string)
	visit = func(of reflect.Type, name string) {
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice:
			visit(of.Elem(), name)
		case reflect.Struct:
			for i := range of.NumField() {
				visit(of.Field(i).Type, name+"."+of.Field(i).Name)
			}
		case reflect.String:
			texts = append(texts, name)
		}
	}
	visit(reflect.TypeFor[request](), "")
	want := []string{
		".Job.Scenario", ".Job.Measured.Transport", ".Job.Measured.Library", ".Job.Measured.Target", ".Job.Engine", ".Job.Inject",
		".Prepare.Certificate", ".Prepare.Scenario", ".Prepare.Transport", ".Prepare.Target", ".Prepare.Authority", ".Prepare.Protocol", ".Prepare.ProtocolPath", ".Prepare.Engine",
	}
	if !slices.Equal(texts, want) {
		t.Errorf("texts of a request: %q, want %q", texts, want)
	}
	a := &Agent{servers: []string{"127.0.0.1:80"}}
	if err := a.allowed([]generator.Prepare{{Target: "127.0.0.1:80", Protocol: "url: x", ProtocolPath: "/etc/passwd"}}); err == nil {
		t.Error("the file of a target was allowed")
	}
}

// Two runs that share a NATS server have their own agents.
func TestRunsOnOneServerDoNotMeet(t *testing.T) {
	t.Parallel()
	shared, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	shared.Start()
	t.Cleanup(shared.Shutdown)
	if !shared.ReadyForConnections(brokerStart) {
		t.Fatal("the server did not start")
	}
	var runs []*Fleet
	var agents []*joined
	for _, name := range []string{"first", "second"} {
		key, err := NewKey()
		if err != nil {
			t.Fatal(err)
		}
		j := Join{Broker: shared.ClientURL(), Run: key.Public}
		agents = append(agents, startAgent(t, t.Context(), j, name))
		f, err := Gather(t.Context(), j, key, Options{Agents: 1, Within: time.Minute})
		if err != nil || f.Agents[0].Name != name {
			t.Fatalf("%s: %v", name, err)
		}
		runs = append(runs, f)
	}
	for i, f := range runs {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if err := <-agents[i].done; err != nil {
			t.Error(err)
		}
		if later := agents[i+1:]; len(later) > 0 && len(later[0].done) > 0 {
			t.Error("the end of one run ended the agent of another")
		}
	}
}
