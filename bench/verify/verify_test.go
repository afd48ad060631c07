package verify

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pushbench/bench/cost"
	"pushbench/bench/supervise"
	"pushbench/scenarios"
)

var update = flag.Bool("update", false, "write testdata/bad.golden")

// With this variable set, the test's executable is a child.
const role = "PUSHBENCH_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		code := m.Run()
		if all, err := cost.Descendants(os.Getpid()); err != nil || len(all) > 0 {
			fmt.Println("processes are left:", all, err)
			code = 1
		}
		os.Exit(code)
	case "supervise":
		os.Unsetenv(role)
		if err := supervise.Run(os.Args[1], os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "pushbench:", err)
			os.Exit(1)
		}
	case "exits":
		fmt.Println("one\ntwo\nthree\nfour: \x1b[31mno database\x1b[0m")
		os.Exit(3)
	case "nothing":
	case "crashes":
		fmt.Print("ready\npanic: no database\n\ngoroutine 1 [running]:\nmain.main()\n\t/main.go:5\n")
		os.Exit(2)
	case "killed":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "silent":
		fmt.Println("loading")
		ignored := make(chan os.Signal, 1)
		signal.Notify(ignored, syscall.SIGTERM)
		for range ignored { // until it is killed
		}
	case "fails":
		l, err := net.Listen("tcp", os.Args[1])
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Print("no database\nready\n")
		s := newStandIn(misbehaviour{respond: status(http.StatusInternalServerError)})
		fmt.Println(http.Serve(l, s)) //nolint:gosec // of a test
	case "serves", "dies":
		serveStandIn(os.Args[1], os.Getenv(role) == "dies")
	case "daemon":
		os.Setenv(role, "serves")
		c := exec.Command(os.Args[0], os.Args[1])
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := c.Start(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	case "in use":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			_, err = net.Listen("tcp", l.Addr().String())
		}
		fmt.Println(err)
		os.Exit(1)
	}
}

// raw responds with bytes and closes the connection.
func raw(response string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/publish" {
			return false
		}
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(c, response)
			c.Close()
		}
		return true
	}
}

// endless responds with a text, and then with another one again and again, until the client closes the connection.
func endless(first, again string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(c, first)
			repeat(c, again)
		}
		return true
	}
}

func repeat(c net.Conn, text string) {
	defer c.Close()
	for {
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
	}
}

// refuses responds to a client with a status code.
func refuses(code int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Path != "/publish" && status(code)(w, r)
	}
}

// status responds with a status code.
func status(code int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, http.StatusText(code))
		return true
	}
}

// on limits a misbehaviour to requests with a path.
func on(path string, respond func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool { return r.URL.Path == path && respond(w, r) }
}

// changed makes each message another text.
func changed(change func(string) string) func(string, string) (string, []string) {
	return func(topic, text string) (string, []string) { return topic, []string{change(text)} }
}

// swap swaps the topics of a verification.
func swap(topic, text string) (string, []string) {
	return map[string]string{watched: other, other: watched}[topic], []string{text}
}

// streamHead begins the header of a response.
const head = "HTTP/1.1 200 OK\r\n"

// serveStandIn is a process that serves as a stand-in, and exits with the first publication if it dies.
func serveStandIn(address string, dies bool) {
	s := newStandIn(misbehaviour{})
	if dies {
		s.publish = func(string, string) (string, []string) {
			fmt.Println("panic: out of memory")
			os.Exit(2)
			return "", nil
		}
	}
	fmt.Println(http.ListenAndServe(address, s)) //nolint:gosec // of a test
}

var servers = []struct {
	name       string
	transports string // separated by spaces; "": all
	m          misbehaviour
	change     [2]string // of the target file
	size       int       // of payloads; 0: the default
	silent     bool      // the server does not do what the verification waits for
}{
	{name: "well-behaved"},
	{name: "401", m: misbehaviour{respond: refuses(401)}},
	{name: "403", transports: "websocket", m: misbehaviour{respond: refuses(403)}},
	{name: "404", transports: "sse", m: misbehaviour{respond: refuses(404)}},
	{name: "500", transports: "longpoll", m: misbehaviour{respond: refuses(500)}},
	{name: "redirect", transports: "sse websocket", m: misbehaviour{respond: func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
		return true
	}}},
	{name: "publish 403", transports: "sse", m: misbehaviour{respond: on("/publish", status(403))}},
	{name: "publish redirect", transports: "sse", m: misbehaviour{respond: on("/publish", status(307))}},
	{name: "publish error with status 200", transports: "sse", change: [2]string{"post: /publish?id={topic}", "post: /publish?id={topic}\n  expect: '\"result\"'"}, m: misbehaviour{respond: on("/publish", status(200))}},
	{name: "closes before the handshake", m: misbehaviour{respond: raw("")}},
	{name: "closes after the handshake", transports: "websocket", m: misbehaviour{open: func(c net.Conn) { c.Close() }}},
	{name: "close frame", transports: "websocket", m: misbehaviour{open: func(c net.Conn) { _, _ = io.WriteString(c, "\x88\x10\x0f\xa0not authorized") }}},
	{name: "binary for text", transports: "websocket", m: misbehaviour{binary: true}},
	{name: "text for binary", transports: "websocket", change: [2]string{"path: /socket", "path: /socket\n    binary: true"}},
	{name: "other greeting", silent: true, transports: "websocket", m: misbehaviour{open: func(c net.Conn) { _, _ = io.WriteString(c, "\x81\x0eplease log in\n") }}},
	{name: "sends nothing", silent: true, transports: "websocket", m: misbehaviour{open: func(c net.Conn) {}}},
	{name: "never acknowledges", silent: true, transports: "sse websocket", m: misbehaviour{silent: true}},
	{name: "sends twice", m: misbehaviour{publish: func(topic, text string) (string, []string) { return topic, []string{text, text} }}, transports: "sse websocket longpoll"},
	{name: "sends 150 times", m: misbehaviour{publish: func(topic, text string) (string, []string) { return topic, slices.Repeat([]string{text}, 150) }}, transports: "sse"},
	{name: "sends without end", transports: "sse", m: misbehaviour{respond: on("/events", endless(head+"Content-Type: text/event-stream\r\n\r\n", strings.Repeat(":"+strings.Repeat("x", 1000)+"\n\n", 100)))}},
	{name: "pings without end", transports: "websocket", m: misbehaviour{open: func(c net.Conn) { repeat(c, strings.Repeat("\x89\x7d"+strings.Repeat("x", 125), 1000)) }}},
	{name: "swaps topics", m: misbehaviour{publish: swap}, transports: "sse websocket"},
	{name: "upper case", silent: true, m: misbehaviour{publish: changed(strings.ToUpper)}, transports: "websocket"},
	{name: "truncated", m: misbehaviour{publish: changed(func(text string) string { return text[:40] })}, transports: "sse"},
	{name: "Base64", silent: true, m: misbehaviour{publish: changed(func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) })}, transports: "websocket"},
	{name: "one byte", m: misbehaviour{publish: changed(func(text string) string { return text[:30] + "!" + text[31:] })}, transports: "sse longpoll"},
	{name: "escaped", silent: true, m: misbehaviour{publish: changed(func(text string) string { return strings.ReplaceAll(text, "a", `\u0061`) })}, transports: "sse"},
	{name: "payload limit", size: 1000, m: misbehaviour{limit: 100}, transports: "sse websocket"},
	{name: "drops large messages", silent: true, size: 1000, m: misbehaviour{publish: func(topic, _ string) (string, []string) { return topic, nil }}, transports: "sse"},
	{name: "masked frame", transports: "websocket", m: misbehaviour{open: func(c net.Conn) { _, _ = io.WriteString(c, "\x81\x85abcd\x09\x07\x0f\x08\x0e") }}},
	{name: "huge frame", transports: "websocket", m: misbehaviour{open: func(c net.Conn) { _, _ = io.WriteString(c, "\x81\x7f\x00\x00\x00\xff\x00\x00\x00\x00") }}},
	{name: "compressed frame", transports: "websocket", m: misbehaviour{open: func(c net.Conn) { _, _ = io.WriteString(c, "\xc1\x05hello") }}},
	{name: "wrong accept", transports: "websocket", m: misbehaviour{respond: raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n")}},
	{name: "extension not offered", transports: "websocket", m: misbehaviour{respond: func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Sec-WebSocket-Extensions", "permessage-deflate")
		return raw(upgrade(r, "Sec-WebSocket-Extensions: permessage-deflate\r\n"))(w, r)
	}}},
	{name: "subprotocol not confirmed", transports: "websocket", m: misbehaviour{open: func(net.Conn) {}}, change: [2]string{"path: /socket", "path: /socket\n    subprotocol: chat"}},
	{name: "other subprotocol", transports: "websocket", change: [2]string{"path: /socket", "path: /socket\n    subprotocol: chat"}, m: misbehaviour{respond: func(w http.ResponseWriter, r *http.Request) bool {
		return raw(upgrade(r, "Sec-WebSocket-Protocol: other\r\n"))(w, r)
	}}},
	{name: "garbage", m: misbehaviour{respond: raw("SSH-2.0-OpenSSH_9.2\r\n")}},
	{name: "endless header", transports: "sse longpoll", m: misbehaviour{respond: raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 70<<10))}},
	{name: "never responds", silent: true, m: misbehaviour{mute: true}, transports: "sse longpoll websocket"},
	{name: "gzip", m: misbehaviour{respond: on("/events", raw(head+"Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"))}, transports: "sse"},
	{name: "gzip", m: misbehaviour{respond: on("/poll", raw(head+"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08"))}, transports: "longpoll"},
	{name: "short body", m: misbehaviour{respond: on("/poll", raw(head+"Content-Length: 10\r\n\r\nabc"))}, transports: "longpoll"},
	{name: "long body", m: misbehaviour{respond: on("/poll", raw(head+"Content-Length: 3\r\n\r\nabcdef"))}, transports: "longpoll"},
	{name: "no length", m: misbehaviour{respond: on("/poll", raw(head+"\r\nabc"))}, transports: "longpoll"},
	{name: "two lengths", m: misbehaviour{respond: on("/poll", raw(head+"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"))}, transports: "longpoll"},
	{name: "bad chunk", m: misbehaviour{respond: on("/events", raw(head+"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"))}, transports: "sse"},
	{name: "stream with a length", m: misbehaviour{respond: on("/events", raw(head+"Content-Type: text/event-stream\r\nContent-Length: 10\r\n\r\ndata: ok\n\n"))}, transports: "sse"},
	{name: "other content type", m: misbehaviour{respond: on("/events", raw(head+"Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"))}, transports: "sse"},
	{name: "events with CRLF", transports: "sse", m: misbehaviour{event: "event: m\r\ndata: %s\r\nid: 1\r\n\r\n"}},
	{name: "events with comments", transports: "sse", m: misbehaviour{event: ": ping\n\n:\nretry: 10\ndata: x\ndata: %s\ndata: y\n\n"}},
	{name: "messages over several lines", transports: "sse", m: misbehaviour{publish: changed(func(text string) string { return text[:20] + "\ndata: " + text[20:] })}},
}

// upgrade is a response that accepts a handshake, with an additional field.
func upgrade(r *http.Request, field string) string {
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept(r.Header.Get("Sec-WebSocket-Key")) + "\r\n" + field + "\r\n"
}

// Waits of a verification: for what happens, and for what does not.
const (
	ends     = time.Minute
	timesOut = 2 * time.Second
)

// A row of the golden file.
type row struct {
	name, transport, file, address string
	size                           int
	wait                           time.Duration
}

func TestBadServersAreNamed(t *testing.T) {
	t.Parallel()
	var rows []row
	for _, s := range servers {
		text := strings.Replace(standInFile, s.change[0], s.change[1], 1)
		chosen := strings.Fields(s.transports)
		if len(chosen) == 0 {
			chosen = []string{"shortpoll", "longpoll", "sse", "httpstream", "websocket"}
		}
		for _, transport := range chosen {
			wait := ends
			if s.silent {
				wait = timesOut
			}
			address := serve(t, s.m)
			rows = append(rows, row{s.name, transport, fmt.Sprintf(text, address), address, s.size, wait})
		}
	}
	checkRows(t, rows, "servers.golden")
}

// startFile is a target file with the first %s as start.
const startFile = `version: 1
name: started
start: {%s}
transports: {sse: {path: "/events?id={topic}"}}
publish: {post: "/publish?id={topic}"}
promises: {}
`

// A role of the test's executable as a server.
func starts(role string) string {
	return fmt.Sprintf(`run: [%q, "127.0.0.1:{port}"], env: ["PUSHBENCH_TEST_ROLE=%s"]`, os.Args[0], role)
}

func TestServersThatDoNotStartAreNamed(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{"text": "hello\n", "script": "no program\n"} {
		mode := map[string]os.FileMode{"text": 0o600, "script": 0o700}[name]
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	var rows []row
	for _, c := range []struct{ name, start string }{
		{"serves", starts("serves")},
		{"daemon", starts("daemon")},
		{"no such program", `run: [no-such-program, "{port}"]`},
		{"not executable", fmt.Sprintf(`run: [%q, "{port}"]`, filepath.Join(folder, "text"))},
		{"no program", fmt.Sprintf(`run: [%q, "{port}"]`, filepath.Join(folder, "script"))},
		{"relative path", `run: [./no-such-program, "{port}"]`},
		{"no folder", starts("serves") + ", folder: no-such-folder"},
		{"folder is a file", starts("serves") + ", folder: 0.yaml"},
		{"a folder", fmt.Sprintf(`run: [%q, "{port}"]`, folder)},
		{"exits", starts("exits")},
		{"exits with success", starts("nothing")},
		{"is killed", starts("killed")},
		{"port in use", starts("in use")},
		{"port in use, in other words", `run: [sh, -c, "echo Port 80 is already in use; exit 1", "{port}"]`},
		{"crashes with a stack", starts("crashes")},
		{"ready without listening", starts("silent") + ", log: ^loading"},
		{"never listens", starts("silent") + ", within: 3s"},
		{"never logs", starts("serves") + ", within: 300ms, log: ^ready"},
		{"never healthy", starts("serves") + ", within: 300ms, get: /health"},
		{"dies", starts("dies")},
		{"fails", starts("fails") + ", within: 1m, log: ^ready"},
	} {
		rows = append(rows, row{c.name, "sse", fmt.Sprintf(startFile, c.start), "", 0, ends})
	}
	checkRows(t, rows, "starts.golden")
}

// checkRows verifies a target file per row, all at once, and compares the results with a golden file.
func checkRows(t *testing.T, rows []row, golden string) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	texts := make([]string, len(rows))
	var running sync.WaitGroup
	free := make(chan struct{}, 16)
	for i, r := range rows {
		running.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			path := filepath.Join(folder, fmt.Sprint(i, ".yaml"))
			if err := os.WriteFile(path, []byte(r.file), 0o600); err != nil {
				t.Error(err)
				return
			}
			texts[i] = r.name + " (" + r.transport + ")\n" + verified(t.Context(), Verification{Serve: []string{"env", role + "=supervise", self, path, r.address}, Size: r.size, Wait: r.wait}, path, scenarios.Transport(r.transport)) + "\n"
		})
	}
	running.Wait()
	got := regexp.MustCompile(`127\.0\.0\.1:[0-9]+`).ReplaceAll([]byte(strings.Join(texts, "")), []byte("HOST"))
	got = regexp.MustCompile(`"/[^"]*/`).ReplaceAll(got, []byte(`"FOLDER/`))
	path := filepath.Join("testdata", golden)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// verified is what a verification reports: all findings that have not passed, or its error.
func verified(ctx context.Context, v Verification, path string, transport scenarios.Transport) string {
	target, err := scenarios.LoadTarget(path)
	var r Result
	if err == nil {
		v.Target = target
		r, err = v.Do(ctx, transport)
	}
	if err != nil {
		return "  error: " + err.Error() + "\n"
	}
	var b strings.Builder
	for _, f := range r.Findings {
		outcome := string(f.Outcome)
		switch {
		case f.Outcome == Passed, f.Check == "first message", f.Check == "stays open", f.Check == "bills":
			continue
		case f.Counted:
			outcome = "counted"
		}
		fmt.Fprintf(&b, "  %s: %s: %s\n", outcome, f.Check, f.Detail)
	}
	return b.String()
}

func TestTransportsNeedAWayToPublish(t *testing.T) {
	t.Parallel()
	text := strings.Replace(fmt.Sprintf(standInFile, "127.0.0.1:1"), "  post: /publish?id={topic}\n", "", 1)
	file, err := scenarios.ReadTarget("test.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	const want = "messages are published by POST with sse, and publish.post is missing; add it"
	if _, err := (Verification{Target: file}).Do(t.Context(), "sse"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// tried is what a verification of a stand-in over WebSocket finds.
func tried(t *testing.T, m misbehaviour, change [2]string, v Verification) Result {
	t.Helper()
	return triedOver(t, "websocket", m, change, v)
}

// The diagram does not say of a client that it is subscribed before the server has refused its poll.
func TestRefusedPollIsNotSubscribed(t *testing.T) {
	t.Parallel()
	r := triedOver(t, "longpoll", misbehaviour{respond: refuses(401)}, [2]string{}, Verification{})
	wantFinding(t, r, "subscribes", "status 401")
	for _, step := range r.Ladders[0].Steps {
		if strings.Contains(step.Text, "is subscribed") {
			t.Errorf("the diagram has %q", step.Text)
		}
	}
}

func triedOver(t *testing.T, transport scenarios.Transport, m misbehaviour, change [2]string, v Verification) Result {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	address, path := serve(t, m), filepath.Join(t.TempDir(), "target.yaml")
	text := strings.Replace(fmt.Sprintf(standInFile, address), change[0], change[1], 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if v.Target, err = scenarios.LoadTarget(path); err != nil {
		t.Fatal(err)
	}
	v.Serve = []string{"env", role + "=supervise", self, path, address}
	r, err := v.Do(t.Context(), transport)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantFinding(t *testing.T, r Result, check, pattern string) {
	t.Helper()
	f := r.first(func(f Finding) bool { return f.Check == check })
	if f == nil || !regexp.MustCompile(pattern).MatchString(f.Detail) {
		t.Errorf("%s: got %v, want a match of %s", check, f, pattern)
	}
}

func TestIdleTimeoutIsShown(t *testing.T) {
	t.Parallel()
	r := tried(t, misbehaviour{idle: 2 * time.Second}, [2]string{}, Verification{Silent: ends, Wait: timesOut})
	wantFinding(t, r, "stays open", `^the connection ended after [0-9.]+m?s without messages: connection closed .*; meanwhile the server sent a ping$`)
}

func TestPublisherIsShown(t *testing.T) {
	t.Parallel()
	r := tried(t, misbehaviour{}, [2]string{"^said$", "^ok$"}, Verification{Wait: timesOut})
	wantFinding(t, r, "acknowledges by frame", `no record without a payload matches publish.ack, \^ok\$; apart from messages, the publisher received .*"said", "said", "said"$`)
	var drawn strings.Builder
	for _, l := range r.Ladders {
		if err := l.Text(&drawn, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"said", "pushbench closes the connection", "the connection ended: ", "pushbench permits connections again"} {
		if !strings.Contains(drawn.String(), want) {
			t.Errorf("the ladders have no %q:\n%s", want, &drawn)
		}
	}
}
