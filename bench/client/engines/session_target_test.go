package engines

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/bench/payload"
	"pushbench/bench/target"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// shipped compiles the target file of a server that pushbench ships a target for.
func shipped(t *testing.T, name string, transport scenarios.Transport) *target.Dialect {
	file, err := scenarios.LoadTarget(filepath.Join("..", "..", "..", "servers", "foreign", name, "target.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dialect, err := target.Compile(file, transport, func(string) (string, bool) { return foreignSecret, true })
	if err != nil {
		t.Fatal(err)
	}
	return dialect
}

// foreignSecret is the value of each environment variable that a shipped target file names.
const foreignSecret = "app-secret"

// startForeign starts an engine whose clients speak a dialect.
func startForeign(start starter, address string, d *target.Dialect, traffic *client.Traffic) client.Engine {
	return start(client.Config{
		Target: address, Transport: d.Transport, Traffic: traffic, Workers: 1, Interval: 20e6, Dialect: d,
		Payloads: payload.NewScanner(foreignRun, func(uint32) int { return 64 }),
	})
}

// indexes lists the payloads that a client received.
func indexes(calls []clienttest.Call, c int) (all []uint32) {
	for _, m := range clienttest.Messages(calls, c) {
		if _, index, err := payload.Parse(m.Data); err == nil {
			all = append(all, index)
		}
	}
	return all
}

// serveHTTP serves a handler until the test ends.
func serveHTTP(t *testing.T, h http.Handler) (address string) {
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return strings.TrimPrefix(server.URL, "http://")
}

// An engineIO is a stand-in for Socket.IO over HTTP polling.
type engineIO struct {
	mu       sync.Mutex
	sessions map[string]*pollSession
	beats    chan struct{} // replies to pings
	overlaps chan string   // requests that arrived before the one before them was answered
}

type pollSession struct {
	topics []string
	queue  []string
	more   chan struct{} // has an item if the queue has
	get    sync.Mutex    // locked during a GET
	post   sync.Mutex    // locked during a POST
}

func (e *engineIO) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sid := r.FormValue("sid")
	e.mu.Lock()
	s := e.sessions[sid]
	if s == nil && sid == "" && r.Method == http.MethodGet {
		sid = "S" + strconv.Itoa(len(e.sessions))
		e.sessions[sid] = &pollSession{more: make(chan struct{}, 1)}
		e.mu.Unlock()
		_, _ = fmt.Fprintf(w, `0{"sid":%q,"upgrades":[]}`, sid)
		return
	}
	e.mu.Unlock()
	if s == nil {
		http.Error(w, "unknown sid", http.StatusBadRequest)
		return
	}
	during := &s.get
	if r.Method == http.MethodPost {
		during = &s.post
	}
	if !during.TryLock() {
		e.overlaps <- r.Method
		http.Error(w, "overlap", http.StatusBadRequest)
		return
	}
	defer during.Unlock()
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(r.Body)
		e.receive(s, string(body))
		_, _ = io.WriteString(w, "ok")
		return
	}
	select {
	case <-s.more:
		e.mu.Lock()
		text := strings.Join(s.queue, "\x1e")
		s.queue = nil
		e.mu.Unlock()
		_, _ = io.WriteString(w, text)
	case <-r.Context().Done():
	}
}

func (e *engineIO) receive(s *pollSession, packet string) {
	switch {
	case packet == "3":
		e.beats <- struct{}{}
	case packet == "40":
		e.send(s, `40{"sid":"x"}`, "2")
	case strings.HasPrefix(packet, `420["join","`):
		topic := strings.TrimSuffix(strings.TrimPrefix(packet, `420["join","`), `"]`)
		e.mu.Lock()
		s.topics = append(s.topics, topic)
		e.mu.Unlock()
		e.send(s, "430[]")
	}
}

func (e *engineIO) send(s *pollSession, packets ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s.queue = append(s.queue, packets...)
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (e *engineIO) publish(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var members []*pollSession
	e.mu.Lock()
	for _, s := range e.sessions {
		if slices.Contains(s.topics, r.FormValue("topic")) {
			members = append(members, s)
		}
	}
	e.mu.Unlock()
	for _, s := range members {
		e.send(s, fmt.Sprintf(`42["message",%q]`, body))
	}
}

// Socket.IO over HTTP polling: a session by requests, two topics, a ping, two messages in a response, and never two
// requests of a kind at once.
func TestSocketIOPolling(t *testing.T) {
	onEachEngine(t, func(t *testing.T, start starter) {
		e := &engineIO{sessions: map[string]*pollSession{}, beats: make(chan struct{}, 10), overlaps: make(chan string, 100)}
		mux := http.NewServeMux()
		mux.Handle("/socket.io/", e)
		mux.HandleFunc("POST /publish", e.publish)
		var traffic client.Traffic
		engine := startForeign(start, serveHTTP(t, mux), shipped(t, "socketio", "longpoll"), &traffic)
		saw := clienttest.NewObserver()
		one := engine.Open(client.Subscription{Client: 0, Topics: []string{"a", "b"}, Delivery: "every"}, saw)
		saw.Await(t, "a connection", func(calls []clienttest.Call) bool { return len(clienttest.Events(calls, 0, client.Connected)) > 0 })
		backend := engine.Open(client.Subscription{Client: -1}, saw)
		for i, topic := range []string{"a", "b", "c", "a"} {
			backend.Publish(uint32(i), topic, payload.Append(nil, foreignRun, uint32(i), 64))
		}
		saw.Await(t, "three messages", func(calls []clienttest.Call) bool { return len(indexes(calls, 0)) >= 3 })
		if got := indexes(saw.All(), 0); fmt.Sprint(got) != "[0 1 3]" {
			t.Errorf("got %v, want [0 1 3]", got)
		}
		<-e.beats
		one.Close()
		backend.Close()
		select {
		case method := <-e.overlaps:
			t.Errorf("two %s at once", method)
		default:
		}
		if connected := clienttest.Events(saw.All(), 0, client.Connected)[0]; connected.Stages.Requests != 8 { // a pong among them
			t.Errorf("%d requests until subscribed, want 8", connected.Stages.Requests)
		}
		if polls := traffic.Polls.Load(); polls == 0 || polls > 5 {
			t.Errorf("%d polls: requests of the steps are none", polls)
		}
		checkParts(t, &traffic)
	})
}

// checkParts checks that each byte is in exactly one part.
func checkParts(t *testing.T, traffic *client.Traffic) {
	t.Helper()
	wire := traffic.Snapshot()
	if up := wire.Up; up.Bytes != up.Payload+up.Envelope+up.Framing+up.Headers {
		t.Errorf("up: %+v", up)
	}
	if down := wire.Down; down.Bytes != down.Payload+down.Envelope+down.Framing+down.Headers {
		t.Errorf("down: %+v", down)
	}
}

// An mcpServer is a stand-in for an MCP server over Streamable HTTP. It closes each connection after the response to a
// request if closes is set.
type mcpServer struct {
	closes bool

	mu       sync.Mutex
	sessions int
	events   []string // of all sessions
	changed  chan struct{}
	cut      chan struct{} // closed to end the streams
	resumed  []string      // the Last-Event-ID of each stream
}

func (m *mcpServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	session := r.Header.Get("Mcp-Session-Id")
	if r.Method == http.MethodGet {
		m.stream(w, r, session)
		return
	}
	body, _ := io.ReadAll(r.Body)
	if m.closes {
		w.Header().Set("Connection", "close")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch known := session == "M"+strconv.Itoa(m.sessions); {
	case strings.Contains(string(body), `"initialize"`):
		m.sessions++
		w.Header().Set("Mcp-Session-Id", "M"+strconv.Itoa(m.sessions))
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "event: message\ndata: {\"id\":1,\"result\":{\"serverInfo\":{}}}\n\n")
	case !known:
		http.Error(w, "no session", http.StatusNotFound)
	case strings.Contains(string(body), "notifications/initialized"):
		w.WriteHeader(http.StatusAccepted)
	default:
		_, _ = io.WriteString(w, `{"id":2,"result":{}}`)
	}
}

func (m *mcpServer) stream(w http.ResponseWriter, r *http.Request, session string) {
	m.mu.Lock()
	last, cut := r.Header.Get("Last-Event-ID"), m.cut
	m.resumed = append(m.resumed, last)
	next, _ := strconv.Atoi(last)
	if session != "M"+strconv.Itoa(m.sessions) {
		m.mu.Unlock()
		http.Error(w, "no session", http.StatusNotFound)
		return
	}
	m.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, ": ok\n\n")
	for {
		m.mu.Lock()
		for ; next < len(m.events); next++ {
			_, _ = fmt.Fprintf(w, "id: %d\ndata: {\"params\":{\"data\":%q}}\n\n", next+1, m.events[next])
		}
		changed := m.changed
		m.mu.Unlock()
		_ = http.NewResponseController(w).Flush()
		select {
		case <-changed:
		case <-cut:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (m *mcpServer) publish(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, string(body))
	close(m.changed)
	m.changed = make(chan struct{})
	w.WriteHeader(http.StatusAccepted)
}

// end ends all streams, and the session if forget is set.
func (m *mcpServer) end(forget bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	close(m.cut)
	m.cut = make(chan struct{})
	if forget {
		m.sessions++
	}
}

// MCP: a session by four POSTs, a stream that is resumed in it, and another session when the server has forgotten it.
func TestMCP(t *testing.T) {
	for _, closes := range []bool{false, true} {
		t.Run(fmt.Sprintf("closes=%t", closes), func(t *testing.T) {
			onEachEngine(t, func(t *testing.T, start starter) { mcpSession(t, start, closes) })
		})
	}
}

func mcpSession(t *testing.T, start starter, closes bool) {
	m := &mcpServer{closes: closes, changed: make(chan struct{}), cut: make(chan struct{})}
	mux := http.NewServeMux()
	mux.Handle("/mcp", m)
	mux.HandleFunc("POST /publish/{topic}", m.publish)
	var traffic client.Traffic
	engine := startForeign(start, serveHTTP(t, mux), shipped(t, "mcp", "sse"), &traffic)
	saw := clienttest.NewObserver()
	one := engine.Open(client.Subscription{Client: 0, Topics: []string{"a"}, Delivery: "every"}, saw)
	backend := engine.Open(client.Subscription{Client: -1}, saw)
	publish := func(i uint32) {
		backend.Publish(i, "a", payload.Append(nil, foreignRun, i, 64))
	}
	connections := func(n int) {
		t.Helper()
		saw.Await(t, fmt.Sprintf("%d connections", n), func(calls []clienttest.Call) bool { return len(clienttest.Events(calls, 0, client.Connected)) >= n })
	}
	received := func(n int) {
		t.Helper()
		saw.Await(t, fmt.Sprintf("%d messages", n), func(calls []clienttest.Call) bool { return len(indexes(calls, 0)) >= n })
	}
	connections(1)
	publish(0)
	received(1)
	m.end(false)
	connections(2)
	publish(1)
	received(2)
	m.end(true)
	connections(3)
	one.Close()
	backend.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	if got, want := fmt.Sprintf("%q", m.resumed), `["" "1" "2" ""]`; got != want || m.sessions != 3 {
		t.Errorf("resumed after %s in %d sessions, want %s in 3", got, m.sessions, want)
	}
	checkParts(t, &traffic)
}

const beatingFile = `
version: 1
name: beating
url: http://127.0.0.1:1
transports:
  websocket:
    path: /socket?id={topic}
    steps: [expect: '^go (?<word>.*)']
    heartbeat: {every: 10ms, send: 'beat {client} {word}'}
publish: {post: "/publish/{topic}"}
`

// A subscribed client sends heartbeats at intervals, which do not keep a silent connection open.
func TestHeartbeatsAtIntervals(t *testing.T) {
	onEachEngine(t, func(t *testing.T, start starter) {
		received := make(chan string, 1000)
		address := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := new(websocket.Upgrader).Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer c.Close()
			_ = c.WriteMessage(websocket.TextMessage, []byte("go on"))
			for {
				_, text, err := c.ReadMessage()
				if err != nil {
					return
				}
				received <- string(text)
			}
		}))
		file, err := scenarios.ReadTarget("beating.yaml", strings.NewReader(beatingFile))
		if err != nil {
			t.Fatal(err)
		}
		dialect, err := target.Compile(file, "websocket", os.LookupEnv)
		if err != nil {
			t.Fatal(err)
		}
		var traffic client.Traffic
		engine := start(client.Config{
			Target: address, Transport: "websocket", Traffic: &traffic, Workers: 1, Dialect: dialect, ReadTimeout: 200 * time.Millisecond,
			Payloads: payload.NewScanner(foreignRun, func(uint32) int { return 64 }),
		})
		saw := clienttest.NewObserver()
		one := engine.Open(client.Subscription{Client: 4, Topics: []string{"a"}, Delivery: "every"}, saw)
		for range 3 {
			if got := <-received; got != "beat 4 on" {
				t.Errorf("got %q", got)
			}
		}
		saw.Await(t, "the end of a silent connection", func(calls []clienttest.Call) bool {
			lost := clienttest.Events(calls, 4, client.Disconnected)
			return len(lost) > 0 && lost[0].Cause == client.Cause(client.ErrSilent)
		})
		one.Close()
		checkParts(t, &traffic)
	})
}

// recoveringFile recovers as Centrifugo does.
const recoveringFile = `
version: 1
name: recovering
url: http://127.0.0.1:1
transports:
  websocket:
    path: /socket
    split: "\n"
    steps:
    - send: '{"channel":"{topic}","epoch":"{epoch}","offset":{offset}}'
    - expect: '"subscribe":'
    next: [{body: '"epoch":"(?<epoch>[^"]+)"'}, {body: '.*"offset":(?<offset>[0-9]+)', first: "0"}]
publish: {post: "/publish/{topic}"}
promises: {resume: [websocket]}
`

// A client of a WebSocket sends its position when it reconnects. The reply to its subscription may have messages.
func TestWebSocketResumes(t *testing.T) {
	onEachEngine(t, func(t *testing.T, start starter) {
		subscriptions := make(chan string, 100)
		address := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := new(websocket.Upgrader).Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer c.Close()
			var from struct {
				Channel, Epoch string
				Offset         uint32
			}
			if err := c.ReadJSON(&from); err != nil {
				return
			}
			subscriptions <- fmt.Sprint(from)
			if from.Offset == 4 {
				_, _, _ = c.ReadMessage()
				return
			}
			message := func(offset uint32) string {
				return fmt.Sprintf(`{"data":"%s","offset":%d}`, payload.Append(nil, foreignRun, offset, 64), offset)
			}
			_ = c.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"subscribe":{"epoch":"E","publications":[%s]}}`+"\n", message(from.Offset+1)))
			_ = c.WriteMessage(websocket.TextMessage, []byte(message(from.Offset+2)))
		}))
		file, err := scenarios.ReadTarget("recovering.yaml", strings.NewReader(recoveringFile))
		if err != nil {
			t.Fatal(err)
		}
		dialect, err := target.Compile(file, "websocket", os.LookupEnv)
		if err != nil {
			t.Fatal(err)
		}
		var traffic client.Traffic
		engine := startForeign(start, address, dialect, &traffic)
		saw := clienttest.NewObserver()
		one := engine.Open(client.Subscription{Client: 0, Topics: []string{"a"}, Delivery: "every"}, saw)
		for _, want := range []string{"{a  0}", "{a E 2}", "{a E 4}"} {
			if got := <-subscriptions; got != want {
				t.Errorf("the client subscribes with %s, want %s", got, want)
			}
		}
		one.Close()
		if got := indexes(saw.All(), 0); fmt.Sprint(got) != "[1 2 3 4]" {
			t.Errorf("got %v, want [1 2 3 4]", got)
		}
		checkParts(t, &traffic)
	})
}

// bodiesFile polls, and opens a stream, by POST. Its %s is the transport.
const bodiesFile = `
version: 1
name: bodies
url: http://127.0.0.1:1
transports:
  %s:
    path: /all
    headers: ["Content-Type: application/json"]
    body: '{"topics":"{topics}","after":"{after}"}'
    next: [{body: '"next":"(?<after>[^"]+)"'}]
publish: {post: "/publish/{topic}"}
promises: {resume: [%[1]s]}
`

// Polls and the requests of streams may be POSTs, whose body has the position.
func TestPollsAndStreamsByPost(t *testing.T) {
	onEachEngine(t, func(t *testing.T, start starter) {
		for _, transport := range []scenarios.Transport{"shortpoll", "longpoll", "sse", "httpstream"} {
			t.Run(string(transport), func(t *testing.T) { byPost(t, start, transport) })
		}
	})
}

func byPost(t *testing.T, start starter, transport scenarios.Transport) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /all", func(w http.ResponseWriter, r *http.Request) { // a message per response
		var from struct{ Topics, After string }
		if err := json.NewDecoder(r.Body).Decode(&from); err != nil || from.Topics != "a,b" || r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "no topics", http.StatusBadRequest)
			return
		}
		after, _ := strconv.Atoi(from.After)
		before := ""
		if transport == "sse" {
			w.Header().Set("Content-Type", "text/event-stream")
			before = "data: "
		}
		if after == 2 {
			_, _ = io.WriteString(w, before)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		_, _ = fmt.Fprintf(w, `%s{"data":"%s","next":"%d"}`+"\n\n", before, payload.Append(nil, foreignRun, uint32(after), 64), after+1)
		if !transports.Of(transport).Polls {
			_ = http.NewResponseController(w).Flush() // so that the response has no length
		}
	})
	file, err := scenarios.ReadTarget("bodies.yaml", strings.NewReader(fmt.Sprintf(bodiesFile, transport)))
	if err != nil {
		t.Fatal(err)
	}
	dialect, err := target.Compile(file, transport, os.LookupEnv)
	if err != nil || dialect.OneTopic() {
		t.Fatal(dialect, err)
	}
	var traffic client.Traffic
	engine := startForeign(start, serveHTTP(t, mux), dialect, &traffic)
	saw := clienttest.NewObserver()
	one := engine.Open(client.Subscription{Client: 0, Topics: []string{"a", "b"}, Delivery: "every"}, saw)
	saw.Await(t, "two messages", func(calls []clienttest.Call) bool { return len(indexes(calls, 0)) >= 2 })
	one.Close()
	if got := indexes(saw.All(), 0); fmt.Sprint(got) != "[0 1]" {
		t.Errorf("got %v, want [0 1]", got)
	}
	checkParts(t, &traffic)
}

// sessionsFile has a session of two requests, the first of which is repeated. Its %s is the transport.
const sessionsFile = `
version: 1
name: sessions
url: http://127.0.0.1:1
transports:
  %s:
    steps:
    - {get: /ticket, expect: '^ticket (?<ticket>.+)$'}
    - {post: "/open?{ticket}", body: '{topics}', headers: ["Content-Type: text/topics"], ok: [201], next: [{header: X-Session, as: session}]}
    path: /all
    headers: ["X-Session: {session}"]
publish: {post: "/publish/{topic}"}
`

// Short polling and HTTP streaming open a session, too.
func TestSessionsByRequests(t *testing.T) {
	onEachEngine(t, func(t *testing.T, start starter) {
		for _, transport := range []scenarios.Transport{"shortpoll", "httpstream"} {
			t.Run(string(transport), func(t *testing.T) { sessionByRequests(t, start, transport) })
		}
	})
}

func sessionByRequests(t *testing.T, start starter, transport scenarios.Transport) {
	var tickets atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ticket", func(w http.ResponseWriter, _ *http.Request) {
		if tickets.Add(1) < 3 {
			_, _ = io.WriteString(w, "wait")
			return
		}
		_, _ = io.WriteString(w, "ticket T 1")
	})
	mux.HandleFunc("POST /open", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.RawQuery != "T%201" || string(body) != "a,b" || r.Header.Get("Content-Type") != "text/topics" {
			http.Error(w, "no ticket", http.StatusForbidden)
			return
		}
		w.Header().Set("x-session", "S1")
		w.WriteHeader(http.StatusCreated)
	})
	mux.HandleFunc("GET /all", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Session") != "S1" {
			http.Error(w, "no session", http.StatusForbidden)
			return
		}
		_, _ = fmt.Fprintf(w, "%s\n", payload.Append(nil, foreignRun, 7, 64))
		if transport == "httpstream" {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	})
	file, err := scenarios.ReadTarget("sessions.yaml", strings.NewReader(fmt.Sprintf(sessionsFile, transport)))
	if err != nil {
		t.Fatal(err)
	}
	dialect, err := target.Compile(file, transport, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	var traffic client.Traffic
	engine := startForeign(start, serveHTTP(t, mux), dialect, &traffic)
	saw := clienttest.NewObserver()
	one := engine.Open(client.Subscription{Client: 0, Topics: []string{"a", "b"}, Delivery: "every"}, saw)
	saw.Await(t, "a message", func(calls []clienttest.Call) bool { return len(indexes(calls, 0)) > 0 })
	one.Close()
	if lost := clienttest.Events(saw.All(), 0, client.Disconnected); len(lost) > 0 {
		t.Errorf("lost a connection: %s", lost[0].Cause)
	}
	if ready := clienttest.Events(saw.All(), 0, client.Connected); ready[0].Stages.Requests != 5 {
		t.Errorf("%d requests until subscribed, want 5", ready[0].Stages.Requests)
	}
	checkParts(t, &traffic)
}
