package engines

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/bench/payload"
	"pushbench/bench/target"
	"pushbench/scenarios"
)

// standInFile is the target file of standIn. Its long polls carry their position as nchan's do, its short polls
// as an offset in the body.
const standInFile = `
version: 1
name: stand-in
url: http://127.0.0.1:1
transports:
  shortpoll: {path: "/list?id={topic}&after={offset}", next: [{body: '"next":(?<offset>[0-9]+)'}]}
  longpoll:
    path: /wait?id={topic}
    headers: ["If-None-Match: {etag}"]
    next: [{header: Etag, as: etag}]
  sse: {path: "/events?id={topic}", ready: '^hello'}
  httpstream: {path: "/lines?id={topic}"}
  websocket:
    path: /socket
    subprotocol: v1.say
    steps:
    - expect: '^0\{"sid":"(?<sid>[^"]+)"'
    - send: '40["{sid}"]'
    - expect: '^40'
    - send: '420["sub","{topic}"]'
    - expect: '^430'
    heartbeat: {when: '^2$', send: '3'}
    split: "\x1e"
publish:
  post: /publish/{topic}?id={id}
  body: '{"data":"{payload}"}'
  ok: [202]
  expect: '^accepted$'
  frame: '42{id}["say","{topic}","{payload}"]'
  ack: '^43[1-9]'
`

// A standIn is a server with a protocol of its own: topics with all their messages.
type standIn struct {
	mu       sync.Mutex
	messages map[string][]string
	changed  chan struct{} // closed and replaced with each message
	beats    chan string   // heartbeats received
	held     chan string   // topics of polls, when their position is known
}

func newStandIn(t *testing.T) (*standIn, string) {
	s := &standIn{messages: map[string][]string{}, changed: make(chan struct{}), beats: make(chan string, 100), held: make(chan string, 1000)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /publish/{topic}", func(w http.ResponseWriter, r *http.Request) {
		var m struct{ Data string }
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		if r.FormValue("id") == "9" {
			_, _ = io.WriteString(w, `{"error":"no room"}`)
			return
		}
		s.publish(r.PathValue("topic"), m.Data)
		_, _ = io.WriteString(w, "accepted")
	})
	mux.HandleFunc("GET /list", func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.FormValue("after"))
		all, _ := s.since(r.FormValue("id"), from)
		_ = json.NewEncoder(w).Encode(map[string]any{"messages": all, "next": from + len(all)})
	})
	mux.HandleFunc("GET /wait", func(w http.ResponseWriter, r *http.Request) {
		from, err := strconv.Atoi(r.Header.Get("If-None-Match"))
		if err != nil {
			all, _ := s.since(r.FormValue("id"), 0)
			from = len(all)
		}
		s.held <- r.FormValue("id")
		s.follow(r, r.FormValue("id"), from, func(all []string) bool {
			w.Header().Set("Etag", strconv.Itoa(from+1))
			_, _ = io.WriteString(w, all[0])
			return false
		})
	})
	stream := func(format, first string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			from, _ := strconv.Atoi(r.Header.Get("Last-Event-ID"))
			if first != "" {
				w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			}
			_, _ = io.WriteString(w, first)
			_ = http.NewResponseController(w).Flush()
			s.follow(r, r.FormValue("id"), from, func(all []string) bool {
				for _, m := range all {
					from++
					_, _ = fmt.Fprintf(w, strings.ReplaceAll(format, "ID", strconv.Itoa(from)), m)
				}
				_ = http.NewResponseController(w).Flush()
				return true
			})
		}
	}
	mux.HandleFunc("GET /events", stream("id: ID\nevent: message\ndata: {\"d\":%q}\n\n", ": hi\n\ndata: hello\n\n"))
	mux.HandleFunc("GET /lines", stream("[ID, %q]\n", ""))
	mux.HandleFunc("GET /socket", s.socket)
	return s, serveHTTP(t, mux)
}

func (s *standIn) publish(topic, data string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages[topic] = append(s.messages[topic], data)
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *standIn) since(topic string, from int) ([]string, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.messages[topic][min(from, len(s.messages[topic])):]...), s.changed
}

// follow passes on new messages until the request ends or write returns false.
func (s *standIn) follow(r *http.Request, topic string, from int, write func([]string) bool) {
	for {
		all, changed := s.since(topic, from)
		if len(all) > 0 {
			from += len(all)
			if !write(all) {
				return
			}
			continue
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

// socket speaks a protocol like that of Socket.IO: a record per separator, numbered acknowledgements and a
// heartbeat that the client must return.
func (s *standIn) socket(w http.ResponseWriter, r *http.Request) {
	c, err := (&websocket.Upgrader{Subprotocols: []string{"v1.say"}}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	var writing sync.Mutex
	send := func(text string) {
		writing.Lock()
		defer writing.Unlock()
		_ = c.WriteMessage(websocket.TextMessage, []byte(text))
	}
	send(`0{"sid":"S1"}` + "\x1e2")
	for {
		_, text, err := c.ReadMessage()
		if err != nil {
			return
		}
		var words []string
		packet := string(text)
		if at := strings.IndexByte(packet, '['); at >= 0 {
			_ = json.Unmarshal(text[at:], &words)
			packet = packet[:at]
		}
		switch {
		case packet == "3":
			s.beats <- packet
		case packet == "40" && words[0] == "S1":
			send("40{}")
		case words[0] == "sub":
			all, _ := s.since(words[1], 0)
			go s.follow(r, words[1], len(all), func(all []string) bool {
				for i, m := range all {
					all[i] = fmt.Sprintf("42[%q]", m)
				}
				send(strings.Join(all, "\x1e"))
				return true
			})
			send("430[]")
		case words[0] == "say":
			s.publish(words[1], words[2])
			send("43" + strings.TrimPrefix(packet, "42") + "[]\x1e")
		}
	}
}

const foreignRun = 0xdeadbeef

// openForeign opens a client of a stand-in on a topic; none: a backend.
func openForeign(t *testing.T, start starter, address string, transport scenarios.Transport, traffic *client.Traffic) func(c int, topics ...string) (client.Session, *clienttest.Observer) {
	file, err := scenarios.ReadTarget("stand-in.yaml", strings.NewReader(standInFile))
	if err != nil {
		t.Fatal(err)
	}
	dialect, err := target.Compile(file, transport, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	engine := startForeign(start, address, dialect, traffic)
	return func(c int, topics ...string) (client.Session, *clienttest.Observer) {
		o := clienttest.NewObserver()
		s := engine.Open(client.Subscription{Client: c, Topics: topics, Delivery: "every", Publishes: len(topics) > 0}, o)
		o.Await(t, "a connection", func(calls []clienttest.Call) bool {
			return len(clienttest.Events(calls, c, client.Connected)) > 0
		})
		return s, o
	}
}

func TestForeignProtocol(t *testing.T) { onEachEngine(t, foreignProtocol) }

func foreignProtocol(t *testing.T, start starter) {
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) {
			server, address := newStandIn(t)
			var traffic client.Traffic
			open := openForeign(t, start, address, transport, &traffic)
			one, oneSaw := open(0, "a")
			two, twoSaw := open(1, "b b")
			backend, backendSaw := open(-1)
			messages := func(calls []clienttest.Call, c int) (found []string) {
				for _, m := range clienttest.Messages(calls, c) {
					_, index, err := payload.Parse(m.Data)
					found = append(found, fmt.Sprint(index, err))
				}
				return found
			}
			if transport == "longpoll" { // a poll that is not held yet would miss them
				<-server.held
				<-server.held
			}
			for i := range uint32(3) {
				backend.Publish(i, "a", payload.Append(nil, foreignRun, i, 64))
				two.Publish(10+i, "b b", payload.Append(nil, foreignRun, 10+i, 64))
			}
			for _, c := range []struct {
				client int
				saw    *clienttest.Observer
				want   string
			}{{0, oneSaw, "[0 <nil> 1 <nil> 2 <nil>]"}, {1, twoSaw, "[10 <nil> 11 <nil> 12 <nil>]"}} {
				c.saw.Await(t, "three messages", func(calls []clienttest.Call) bool { return len(messages(calls, c.client)) >= 3 })
				if got := fmt.Sprint(messages(c.saw.All(), c.client)); got != c.want {
					t.Errorf("client %d received %s, want %s", c.client, got, c.want)
				}
			}
			for c, saw := range map[int]*clienttest.Observer{-1: backendSaw, 1: twoSaw} {
				saw.Await(t, "three outcomes", func(calls []clienttest.Call) bool { return len(clienttest.Events(calls, c, client.Acked)) == 3 })
			}
			backend.Publish(9, "a", payload.Append(nil, foreignRun, 9, 64))
			backendSaw.Await(t, "a refusal", func(calls []clienttest.Call) bool {
				failed := clienttest.Events(calls, -1, client.Failed)
				return len(failed) == 1 && failed[0].ID == 9 && failed[0].Cause == "publish: the response does not match ^accepted$"
			})
			if transport == "websocket" {
				<-server.beats
			}
			for _, s := range []client.Session{one, two, backend} {
				s.Close()
			}
			checkParts(t, &traffic)
		})
	}
}
