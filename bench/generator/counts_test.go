package generator

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"pushbench/bench/client/engines"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/results"
)

// countedFile is a target file of a streams server.
const countedFile = `version: 1
name: counted
url: http://127.0.0.1:1
transports:
  sse: {path: "/events?id={topic}"}
publish: {post: "/publish?id={topic}"}
`

// countedScenario has two clients with a topic each, and as few messages as possible.
const countedScenario = `version: 1
name: counted
transports: [sse]
clients: {count: 2}
topics: {count: 2}
publish: {by: backend, rate: 100/s}
payload: {size: 64B}
idle: 0s
warmup: 50ms
window: 200ms
drain: %s
`

// A streams server sends each message to the clients of a topic, as a change of it says.
type streams struct {
	change func(topic, text string) (to string, texts []string) // "": the other topic
	status int                                                  // of the response to a publication; 0: none before the client ends

	mu      sync.Mutex
	clients map[string][]chan string // by topic
}

func (s *streams) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	topic := r.FormValue("id")
	if r.Method == http.MethodPost {
		text, _ := io.ReadAll(r.Body)
		to, texts := s.change(topic, string(text))
		s.mu.Lock()
		for of, clients := range s.clients {
			for _, c := range clients {
				for _, one := range texts {
					if of == to || to == "" && of != topic {
						c <- one
					}
				}
			}
		}
		s.mu.Unlock()
		if s.status == 0 {
			<-r.Context().Done()
			return
		}
		w.WriteHeader(s.status)
		return
	}
	events := make(chan string, 100)
	s.mu.Lock()
	s.clients[topic] = append(s.clients[topic], events)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		_ = http.NewResponseController(w).Flush()
		select {
		case one := <-events:
			_, _ = fmt.Fprintf(w, "data: %s\n\n", one)
		case <-r.Context().Done():
			return
		}
	}
}

// What a server does to messages is a result, which both engines count alike.
func TestWhatAServerDoesToMessagesIsCounted(t *testing.T) {
	same := func(topic string, texts ...string) (string, []string) { return topic, texts }
	for _, c := range []struct {
		name   string
		change func(topic, text string) (string, []string)
		status int
		drain  string                                                    // long if all messages must arrive
		check  func(n int64, l results.Ledger, p results.Publishes) bool // n messages are planned
	}{
		{"nothing", func(topic, text string) (string, []string) { return same(topic, text) }, 200, "20s", func(n int64, l results.Ledger, p results.Publishes) bool {
			return l.Delivered == n && l.Lost == 0 && l.Unexpected == 0 && l.Duplicates == 0 && p.Acknowledged == n
		}},
		{"sends twice", func(topic, text string) (string, []string) { return same(topic, text, text) }, 200, "20s", func(n int64, l results.Ledger, _ results.Publishes) bool {
			return l.Delivered == n && l.Duplicates == n && l.Lost == 0
		}},
		{"swaps topics", func(_, text string) (string, []string) {
			return "", []string{text}
		}, 200, "500ms", func(n int64, l results.Ledger, _ results.Publishes) bool {
			return l.Delivered == 0 && l.Lost == n && l.Unexpected > 0 && l.Corrupt == 0
		}},
		{"changes a byte", func(topic, text string) (string, []string) { return same(topic, text[:30]+"!"+text[31:]) }, 200, "500ms", func(n int64, l results.Ledger, _ results.Publishes) bool {
			return l.Delivered == 0 && l.Lost == n && l.Corrupt > 0 && l.Corrupt == l.Received
		}},
		{"cuts", func(topic, text string) (string, []string) { return same(topic, text[:40]) }, 200, "500ms", func(n int64, l results.Ledger, _ results.Publishes) bool {
			return l.Delivered == 0 && l.Lost == n && l.Corrupt > 0 && l.Corrupt == l.Received
		}},
		{"writes in upper case", func(topic, text string) (string, []string) { return same(topic, strings.ToUpper(text)) }, 200, "500ms", func(n int64, l results.Ledger, _ results.Publishes) bool {
			return l.Delivered == 0 && l.Lost == n
		}},
		{"sends nothing", func(topic, _ string) (string, []string) { return same(topic) }, 200, "500ms", func(n int64, l results.Ledger, p results.Publishes) bool {
			return l.Lost == n && p.Acknowledged > 0
		}},
		{"stands still for 200 ms", func(topic, text string) (string, []string) {
			if _, index, err := payload.Parse([]byte(text)); err == nil && index == 10 {
				time.Sleep(200 * time.Millisecond)
			}
			return same(topic, text)
		}, 200, "20s", func(n int64, l results.Ledger, p results.Publishes) bool {
			return l.Delivered == n && l.Lost == 0 && p.Acknowledged == n && p.HeldUp.Max() >= 100*time.Millisecond
		}},
		{"refuses", func(topic, text string) (string, []string) { return same(topic, text) }, 403, "20s", func(n int64, l results.Ledger, p results.Publishes) bool {
			return l.Delivered == n && p.Acknowledged == 0 && p.FailedBy["publish returned status 403"] == n
		}},
		{"never acknowledges", func(topic, text string) (string, []string) { return same(topic, text) }, 0, "500ms", func(n int64, l results.Ledger, p results.Publishes) bool {
			return l.Delivered+l.Lost == n && p.Acknowledged == 0 && p.Unknown+p.Dropped == n
		}},
	} {
		for _, engine := range engines.Names() {
			t.Run(c.name+" "+engine, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(&streams{change: c.change, status: c.status, clients: map[string][]chan string{}})
				t.Cleanup(func() {
					server.CloseClientConnections()
					server.Close()
				})
				g := startGeneratorOf(t, fmt.Sprintf(countedScenario, c.drain), func(p *Prepare) {
					p.Transport, p.Protocol, p.Engine = "sse", countedFile, engine
					p.Target = strings.TrimPrefix(server.URL, "http://")
				})
				g.connect()
				g.send(Command{Start: &Start{At: clock.Now()}})
				o, _ := g.outcome()
				g.end()
				for _, identity := range (&results.Trial{Ledger: o.Ledger, Publishes: o.Publishes, Latency: o.Latency, Ack: o.Ack}).Identities() {
					if !identity.Holds() {
						t.Error(identity)
					}
				}
				if o.Publishes.Planned == 0 || !c.check(o.Publishes.Planned, o.Ledger, o.Publishes) {
					t.Errorf("%+v\n%+v", o.Ledger, o.Publishes)
				}
			})
		}
	}
}
