//go:build !race

package app

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"pushbench/bench/child"
	"pushbench/bench/client/engines"
	"pushbench/bench/clock"
	"pushbench/bench/generator"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/report"
)

var update = flag.Bool("update", false, "write testdata/misbehaviour.golden")

// misbehavingFile is the target file of a misbehaving server.
const misbehavingFile = `version: 1
name: misbehaving
url: http://127.0.0.1:1
transports:
  sse: {path: "/events?id={topic}"}
  websocket: {path: /socket, steps: [{send: "join {topic}"}, {expect: ^joined}]}
publish: {post: "/publish?id={topic}", frame: "say {topic} {payload}", ack: ^said}
`

// misbehavingScenario has as few messages as possible. The formats are the transport, the publisher and the drain.
const misbehavingScenario = `version: 1
name: misbehaving
transports: [%s]
clients: {count: 2}
topics: {count: 2}
publish: {by: %s, rate: 100/s}
payload: {size: 64B}
idle: 0s
warmup: 100ms
window: 200ms
drain: %s
`

// healthy is how many publications of a topic a misbehaving server handles as it should, as it would those of a
// verification.
const healthy = 2

// A misbehaving server handles the first publications as it should, and each later one with its fault.
type misbehaving struct {
	fault  func(topic, text string) (to string, texts []string) // "": to the other topic
	status int                                                  // of the response to a publication with the fault
	closes bool                                                 // the first fault closes all connections
	silent bool                                                 // publications with the fault are not acknowledged

	mu           sync.Mutex
	publications map[string]int           // by topic
	clients      map[string][]chan string // by topic; closed with the connection
}

// publish passes on a publication and reports whether it was handled as it should.
func (s *misbehaving) publish(topic, text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.publications[topic]++
	to, texts, good := topic, []string{text}, s.publications[topic] <= healthy
	if !good && s.fault != nil {
		to, texts = s.fault(topic, text)
	}
	if s.closes && !good {
		s.closes = false
		for _, all := range s.clients {
			for _, c := range all {
				close(c)
			}
		}
		s.clients = map[string][]chan string{}
		return good
	}
	for of, all := range s.clients {
		for _, c := range all {
			for _, one := range texts {
				if of == to || to == "" && of != topic {
					c <- one
				}
			}
		}
	}
	return good
}

// subscribe returns the messages of a topic from now on.
func (s *misbehaving) subscribe(topic string) <-chan string {
	messages := make(chan string, 1000)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[topic] = append(s.clients[topic], messages)
	return messages
}

func (s *misbehaving) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch topic := r.FormValue("id"); r.URL.Path {
	case "/publish":
		text, _ := io.ReadAll(r.Body)
		if good := s.publish(topic, string(text)); !good && s.status != 0 {
			w.WriteHeader(s.status)
		}
	case "/events":
		w.Header().Set("Content-Type", "text/event-stream")
		messages := s.subscribe(topic)
		for {
			_ = http.NewResponseController(w).Flush()
			select {
			case one, open := <-messages:
				if !open {
					panic(http.ErrAbortHandler)
				}
				_, _ = fmt.Fprintf(w, "data: %s\n\n", one)
			case <-r.Context().Done():
				return
			}
		}
	default:
		s.socket(w, r)
	}
}

func (s *misbehaving) socket(w http.ResponseWriter, r *http.Request) {
	c, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	var writing sync.Mutex
	send := func(text string) {
		writing.Lock()
		defer writing.Unlock()
		_ = c.WriteMessage(websocket.TextMessage, []byte(text)) // the client may have ended
	}
	for {
		_, text, err := c.ReadMessage()
		if err != nil {
			return
		}
		command, rest, _ := strings.Cut(string(text), " ")
		topic, message, _ := strings.Cut(rest, " ")
		if command == "join" {
			messages := s.subscribe(topic)
			go func() {
				for {
					select {
					case one := <-messages:
						send(one)
					case <-r.Context().Done():
						return
					}
				}
			}()
			send("joined")
		} else if s.publish(topic, message) || !s.silent {
			send("said")
		}
	}
}

// outcomeOf is a measurement of a server by a load generator.
func outcomeOf(t *testing.T, s *misbehaving, transport, publisher, drain string) (o *generator.Outcome, err error) {
	s.publications, s.clients = map[string]int{}, map[string][]chan string{}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	in, input := io.Pipe()
	out, output := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- generator.Drive(in, output)
		output.Close()
	}()
	control := child.NewLineWriter(input)
	commands := []generator.Command{
		{Prepare: &generator.Prepare{
			Scenario: fmt.Sprintf(misbehavingScenario, transport, publisher, drain), Transport: transport, Target: strings.TrimPrefix(server.URL, "http://"),
			Protocol: misbehavingFile, Repetition: 1, Run: 7, Engine: engines.Names()[0],
		}},
		{Connect: &generator.Connect{}},
	}
	next := func() error {
		if len(commands) == 0 {
			commands = []generator.Command{{Start: &generator.Start{At: clock.Now()}}}
		}
		if err := control.Send(commands[0]); err != nil {
			return err
		}
		commands = commands[1:]
		return nil
	}
	if err := next(); err != nil {
		return nil, err
	}
	if err := child.ReadLines(out, func(m generator.Report) error {
		switch {
		case m.Failed != "":
			return fmt.Errorf("the load generator failed: %s", m.Failed)
		case m.Done != nil:
			o = m.Done
			return input.Close()
		case m.Prepared != nil, m.Connected != nil:
			return next()
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return o, <-ended
}

// A server that misbehaves only after it was verified: each row of testdata/misbehaviour.golden is what a valid run
// says about it, with its exit codes. Numbers, which depend on the machine, are written as N.
func TestAllTextAboutAServerUnderLoad(t *testing.T) {
	reference, err := results.Open("../../../results/reference/chat")
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]string{}
	rows := []struct {
		name                        string
		server                      *misbehaving
		transport, publisher, drain string // the drain is long if all messages arrive
	}{
		{"does what it should", &misbehaving{}, "sse", "backend", "20s"},
		{"sends twice", &misbehaving{fault: func(topic, text string) (string, []string) { return topic, []string{text, text} }}, "sse", "backend", "20s"},
		{"sends nothing", &misbehaving{fault: func(topic, _ string) (string, []string) { return topic, nil }}, "sse", "backend", "5s"},
		{"swaps topics", &misbehaving{fault: func(_, text string) (string, []string) { return "", []string{text} }}, "sse", "backend", "5s"},
		{"changes a byte", &misbehaving{fault: func(topic, text string) (string, []string) { return topic, []string{text[:30] + "!" + text[31:]} }}, "sse", "backend", "5s"},
		{"cuts", &misbehaving{fault: func(topic, text string) (string, []string) { return topic, []string{text[:40]} }}, "sse", "backend", "5s"},
		{"changes the identity", &misbehaving{fault: func(topic, text string) (string, []string) { return topic, []string{strings.ToUpper(text)} }}, "sse", "backend", "5s"},
		{"reorders", &misbehaving{fault: func(topic, text string) (string, []string) {
			last := held[topic]
			if held[topic] = text; last == "" {
				return topic, nil
			}
			held[topic] = ""
			return topic, []string{text, last}
		}}, "websocket", "clients", "5s"},
		{"refuses publications", &misbehaving{status: http.StatusServiceUnavailable}, "sse", "backend", "20s"},
		{"never acknowledges", &misbehaving{silent: true}, "websocket", "clients", "5s"},
		{"closes all connections and sends nothing", &misbehaving{closes: true, fault: func(topic, _ string) (string, []string) { return topic, nil }}, "sse", "backend", "5s"},
	}
	texts := make([]string, len(rows))
	outcomes := make([]*generator.Outcome, len(rows))
	var running sync.WaitGroup
	for i, row := range rows {
		running.Go(func() {
			var err error
			if outcomes[i], err = outcomeOf(t, row.server, row.transport, row.publisher, row.drain); err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
		})
	}
	if running.Wait(); t.Failed() {
		return
	}
	for i, row := range rows {
		texts[i] = row.name + "\n" + observed(t, *reference, row.transport, outcomes[i])
	}
	got := strings.Join(texts, "")
	const path = "testdata/misbehaviour.golden"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// counts matches counts of messages, and status codes.
var counts = regexp.MustCompile(`(status )?[0-9][0-9,]*`)

// observed is what a report says about a server that a valid trial measured with this outcome. The rest of the run is
// a repetition of the reference.
func observed(t *testing.T, run results.Run, transport string, o *generator.Outcome) string {
	t.Helper()
	run.Trials = slices.DeleteFunc(slices.Clone(run.Trials), func(one results.Trial) bool { return one.Repetition > 1 })
	for i := range run.Trials {
		if one := &run.Trials[i]; one.Transport == transport {
			one.Ledger, one.Publishes, one.Connect.LostBy = o.Ledger, o.Publishes, o.Broken
			for _, n := range o.Broken {
				one.Connect.Lost += n
			}
		}
	}
	run.Manifest.Assertions = nil
	r := report.New(&run)
	var b, table strings.Builder
	if err := r.Document().Terminal(&table, report.TableOptions{}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(table.String()) {
		if strings.HasPrefix(line, transport+": ") {
			b.WriteString("  " + counts.ReplaceAllStringFunc(line, func(n string) string {
				if strings.HasPrefix(n, "status") {
					return n
				}
				return "N"
			}))
		}
	}
	lost := "no"
	if o.Ledger.Lost > 0 {
		lost = "yes"
	}
	code := CodeOf(ExitError(r))
	run.Manifest.Assertions = []metric.Assertion{{Text: "lost == 0", Metric: "lost", Op: "=="}}
	fmt.Fprintf(&b, "  messages lost: %s; exit code %d, with the assertion lost == 0 %d\n", lost, code, CodeOf(ExitError(report.New(&run))))
	return b.String()
}
