//go:build nightly && linux

package endtoend

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/inspect"
	"pushbench/cmd/internal/inprocess"
	"pushbench/scenarios"
	"pushbench/servers/foreign"
	"pushbench/servers/wire"
)

// A look is one request of inspect to a server.
type look struct {
	url    string // HOST stands for its address, and {NAME} for a field of the response before
	change func(*inspect.Target)
}

func offering(subprotocol string, send ...string) func(*inspect.Target) {
	return func(t *inspect.Target) { t.Subprotocol, t.Send = subprotocol, send }
}

func requesting(method, body string, fields ...string) func(*inspect.Target) {
	return func(t *inspect.Target) { t.Method, t.Body, t.Fields = method, body, fields }
}

const mcpAccept = "Accept: application/json, text/event-stream"

// looks has the requests of each server, in order. Only mosquitto needs a longer wait.
var looks = map[string][]look{
	"actioncable": {{"ws://HOST/cable", offering("actioncable-v1-json")}},
	"centrifugo": {
		{"ws://HOST/connection/websocket", offering("", `{"id":1,"connect":{}}`)},
		{"sse+http://HOST/connection/uni_sse?cf_connect=%7B%22subs%22%3A%7B%22a%22%3A%7B%7D%7D%7D", nil},
		{"stream+http://HOST/connection/uni_http_stream", requesting("POST", `{"subs":{"a":{}}}`, "Content-Type: application/json")},
	},
	"durablestreams": {
		{"http://HOST/v1/stream/a", requesting("PUT", "", "Content-Type: text/plain")},
		{"http://HOST/v1/stream/a", requesting("POST", "m1", "Content-Type: text/plain")},
		{"http://HOST/v1/stream/a?offset=-1", nil},
		{"http://HOST/v1/stream/a?offset=-1&live=long-poll", nil},
		{"sse+http://HOST/v1/stream/a?offset=-1&live=sse", nil},
	},
	"goservice": {{"ws://HOST/chat", offering("", `{"type":"join","room":"a"}`)}},
	"graphqlws": {{"ws://HOST/graphql", offering("graphql-transport-ws", `{"type":"connection_init"}`)}},
	"mcp": {
		{"http://HOST/mcp", requesting("POST", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"pushbench","version":"1"}}}`, "Content-Type: application/json", mcpAccept)},
		{"sse+http://HOST/mcp", requesting("", "", mcpAccept, "Mcp-Session-Id: {Mcp-Session-Id}")},
		{"sse+http://HOST/mcp", nil},
	},
	"mosquitto": {{"ws://HOST/mqtt", func(t *inspect.Target) {
		offering("mqtt", "hex:10 0e 00 04 4d 51 54 54 04 02 00 3c 00 02 73 31")(t)
		t.Wait = 7 * time.Second
	}}},
	"nats": {{"ws://HOST/", nil}},
	"nchan": {
		{"http://HOST/publish?topic=a", requesting("POST", "m1", "Content-Type: text/plain")},
		{"http://HOST/poll?topic=a", nil},
		{"http://HOST/wait?topic=b", nil},
		{"sse+http://HOST/stream?topic=a", nil},
		{"ws://HOST/socket?topic=a", nil},
	},
	"rabbitmq": {{"ws://HOST/ws", offering("v12.stomp", "CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\nheart-beat:0,0\n\n\x00")}},
	"socketio": {
		{"ws://HOST/socket.io/?EIO=4&transport=websocket", offering("", "40")},
		{"http://HOST/socket.io/?EIO=4&transport=polling", nil},
	},
}

// Every verdict on real servers is known and named: testdata/inspect has those of each line that is not correct, and of each
// handshake of --negative.
func TestInspectJudgesRealServers(t *testing.T) {
	for _, name := range startable(t) {
		t.Run(name, func(t *testing.T) {
			file, err := scenarios.LoadTarget(filepath.Join("..", "..", "..", "servers", "foreign", name, "target.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			server, greeting, err := child.StartServer(t.Context(), []string{pushbench, "supervise", file.Path}, child.Options{Preparation: time.Duration(file.Start.Within)})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := server.End(child.ExitTimeout); err != nil {
					t.Error(err)
				}
			}()
			sameAsGolden(t, name, inspected(t, greeting.Listening, looks[name]))
		})
	}
	for name := range looks {
		if _, err := foreign.Source(name); err != nil {
			t.Error(err)
		}
	}
}

// So are those on the own servers: they are the same on every library, and none is incorrect.
func TestInspectJudgesOwnServers(t *testing.T) {
	for _, library := range wire.Libraries {
		t.Run(string(library), func(t *testing.T) {
			var b strings.Builder
			for _, one := range [][2]string{
				{"websocket", "ws://HOST/v1/ws?topic=a"},
				{"shortpoll", "http://HOST/v1/poll?topic=a"},
				{"longpoll", "http://HOST/v1/poll?topic=a&wait=1s"},
				{"sse", "sse+http://HOST/v1/sse?topic=a"},
				{"httpstream", "stream+http://HOST/v1/stream?topic=a"},
			} {
				server := inprocess.Start(t, inprocess.Server{Transport: one[0], Library: library})
				b.WriteString(inspected(t, server.Addr, []look{{one[1], nil}}))
			}
			if strings.Contains(b.String(), string(inspect.Wrong)) || strings.Contains(b.String(), string(inspect.Missing)) {
				t.Errorf("incorrect:\n%s", b.String())
			}
			sameAsGolden(t, "own", b.String())
		})
	}
}

// inspected returns the verdicts on a server.
func inspected(t *testing.T, address string, all []look) string {
	t.Helper()
	var b strings.Builder
	var before *inspect.Exchange
	for _, one := range all {
		target, err := inspect.ParseTarget(strings.ReplaceAll(one.url, "HOST", address))
		if err != nil {
			t.Fatal(err)
		}
		if one.change != nil {
			one.change(&target)
		}
		for i, f := range target.Fields {
			if at := strings.Index(f, "{"); at >= 0 {
				target.Fields[i] = f[:at] + before.Header(strings.Trim(f[at:], "{}"))
			}
		}
		if err := target.Check(); err != nil {
			t.Fatal(err)
		}
		e, err := inspect.Do(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		before = e
		fmt.Fprintf(&b, "%s %s: %d, %s\n", target.Kind, one.url, e.Status, e.Verdict())
		for _, grade := range []inspect.Grade{inspect.Wrong, inspect.Missing, inspect.NoAnswer, inspect.Contestable} {
			for _, l := range e.Graded(grade) {
				fmt.Fprintf(&b, "  %s: %s: %s\n", grade, l.Text, l.Why)
			}
		}
		if target.Kind != inspect.WebSocket {
			continue
		}
		reactions, err := inspect.Negative(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range reactions {
			fmt.Fprintf(&b, "  %s: %s: %d, %s\n", r.Grade, r.Name, r.Status, r.Why)
		}
	}
	return b.String()
}

// sameAsGolden compares verdicts with a file, or writes it with -update.
func sameAsGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "inspect", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("verdicts:\n%s\nwant:\n%s", got, want)
	}
}
