package identify

import (
	"cmp"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patient is longer than any stand-in takes. Those that have nothing to send close the connection.
const patient = 30 * time.Second

// A standIn responds as a server of a dialect does in its first exchanges.
type standIn struct {
	path, subprotocol string // of its WebSocket
	first             string // frame after the upgrade
	opening, reply    string // frame that it waits for, and its reply
	status            int    // of other requests; default 404
	fields            http.Header
	body              string
}

// handler returns the handler of a fresh server.
func (s standIn) handler() http.Handler {
	var upgrades atomic.Int32
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !websocket.IsWebSocketUpgrade(r) || s.path == "" || r.URL.RequestURI() != s.path {
			s.respond(w)
			return
		}
		s.upgrade(w, r, int(upgrades.Add(1)))
	})
}

func (s standIn) respond(w http.ResponseWriter) {
	maps.Copy(w.Header(), s.fields)
	w.WriteHeader(cmp.Or(s.status, http.StatusNotFound))
	_, _ = io.WriteString(w, s.body)
}

func (s standIn) upgrade(w http.ResponseWriter, r *http.Request, upgrades int) {
	c, err := (&websocket.Upgrader{Subprotocols: strings.Fields(s.subprotocol)}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	if s.first != "" {
		_ = c.WriteMessage(websocket.TextMessage, []byte(s.first))
	}
	const silent = 2 // upgrades of a client that sends no frame
	if upgrades > silent {
		if _, got, err := c.ReadMessage(); err == nil && string(got) == s.opening {
			_ = c.WriteMessage(websocket.TextMessage, []byte(s.reply))
		}
	}
	_ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
	_, _, _ = c.ReadMessage() // until the client is done
}

// probe probes a server at a path, and checks the limit of requests.
func probe(t *testing.T, h http.Handler, path string) Server {
	t.Helper()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		h.ServeHTTP(w, r)
	}))
	defer server.Close()
	u, err := url.Parse(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	found, err := Probe(t.Context(), u, nil, patient)
	if err != nil {
		t.Fatal(err)
	}
	if sent := int(requests.Load()); sent > MostRequests || sent != found.Requests {
		t.Errorf("%d requests arrived, %d are reported; allowed: %d", sent, found.Requests, MostRequests)
	}
	return found
}

func TestDialectsAreRecognized(t *testing.T) {
	for target, c := range map[string]struct {
		server standIn
		path   string
		sign   string
	}{
		"socketio":       {standIn{path: "/socket.io/?EIO=4&transport=websocket", first: `0{"sid":"d7O3VXN_NMrO_hShAAAL","upgrades":[],"pingInterval":25000}`}, "/", "its first frame"},
		"actioncable":    {standIn{path: "/cable", first: `{"type":"welcome"}`}, "/", "its first frame"},
		"nats":           {standIn{path: "/", first: `INFO {"server_id":"N"}` + "\r\n"}, "/", "its first frame"},
		"pusher":         {standIn{path: "/app/key?protocol=7", first: `{"event":"pusher:connection_established","data":"{}"}`}, "/app/key?protocol=7", "its first frame"},
		"graphqlws":      {standIn{path: "/graphql", subprotocol: "graphql-transport-ws"}, "/", "the subprotocol graphql-transport-ws"},
		"mosquitto":      {standIn{path: "/mqtt", subprotocol: "mqtt"}, "/mqtt", "the subprotocol mqtt"},
		"rabbitmq":       {standIn{path: "/ws", subprotocol: "v12.stomp"}, "/ws", "the subprotocol v12.stomp"},
		"centrifugo":     {standIn{path: "/connection/websocket", opening: `{"id":1,"connect":{}}`, reply: `{"id":1,"connect":{"client":"a","ping":25}}`}, "/connection/websocket", `its reply to {"id":1,"connect":{}}`},
		"phoenix":        {standIn{path: "/live/websocket", opening: `["0","0","phoenix","heartbeat",{}]`, reply: `["0","0","phoenix","phx_reply",{"status":"ok","response":{}}]`}, "/live/websocket", `its reply to ["0","0","phoenix","heartbeat",{}]`},
		"signalr":        {standIn{path: "/chatHub?id=1", opening: "{\"protocol\":\"json\",\"version\":1}\x1e", reply: "{}\x1e"}, "/chatHub?id=1", "its reply to {\"protocol\":\"json\",\"version\":1}\x1e"},
		"nchan":          {standIn{status: 200, fields: http.Header{"Server": {"nginx/1.22.1"}, "Content-Type": {"text/event-stream; charset=utf-8"}}, body: ": hi\n\n"}, "/sub?id=a", "the first line of its events, and the header field Server"},
		"mcp":            {standIn{status: 400, fields: http.Header{"Mcp-Session-Id": {"VTH3WNTTAEZB"}}}, "/mcp", "the header field Mcp-Session-Id"},
		"durablestreams": {standIn{status: 200, fields: http.Header{"Stream-Next-Offset": {"0_0"}}, body: "[]"}, "/v1/stream/a", "the header field Stream-Next-Offset"},
	} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			found := probe(t, c.server.handler(), c.path)
			if found.Dialect.Target != target || found.Dialect.Sign != c.sign {
				t.Errorf("got %+v, want %s by %s", found, target, c.sign)
			}
			if found.Socket != c.server.path {
				t.Errorf("WebSocket at %q, want %q", found.Socket, c.server.path)
			}
		})
	}
}

// The Model Context Protocol may give its session only to a client that initializes one.
func TestSessionOfMCPIsRecognized(t *testing.T) {
	found := probe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || !strings.Contains(string(body), `"method":"initialize"`) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Mcp-Session-Id", "VTH3WNTTAEZB")
	}), "/mcp")
	if found.Dialect.Target != "mcp" {
		t.Errorf("got %+v", found)
	}
}

// nchan sends nothing after an upgrade, but its response has a field that no other server's has.
func TestUpgradeOfNchanIsRecognized(t *testing.T) {
	field := func(name string) string {
		return map[string]string{"Server": "nginx/1.22.1", "Content-Length": "0"}[name]
	}
	if d := Recognize(Sights{Header: field, Switched: true}); d.Target != "nchan" {
		t.Errorf("got %+v", d)
	}
	if d := Recognize(Sights{Header: field}); d.Target != "" {
		t.Errorf("a response of nginx without an upgrade: got %+v", d)
	}
}

// Servers without a sign are reported as they are.
func TestUnknownServersAreDescribed(t *testing.T) {
	events := http.Header{"Content-Type": {"text/event-stream"}}
	for name, c := range map[string]struct {
		server standIn
		path   string
		want   Server
	}{
		"socket":                {standIn{path: "/chat", first: "hello"}, "/chat", Server{Requests: 4, Status: 404, Socket: "/chat", First: "hello"}},
		"takes any subprotocol": {standIn{path: "/chat", subprotocol: "pushbench", first: "hello"}, "/chat", Server{Requests: 4, Status: 404, Socket: "/chat", First: "hello"}},
		"events":                {standIn{status: 200, fields: events, body: "event: x\ndata: 1\n\n"}, "/e", Server{Requests: 4, Status: 200, Type: "text/event-stream", Events: true, First: "event: x"}},
		"nothing":               {standIn{}, "/", Server{Requests: 8, Status: 404}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := gocmp.Diff(c.want, probe(t, c.server.handler(), c.path)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A server that may not expect a frame receives none: one may end at a text that is not JSON.
func TestUnknownServersReceiveNoFrame(t *testing.T) {
	for _, path := range []string{"/chat", "/"} {
		probe(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !websocket.IsWebSocketUpgrade(r) || r.URL.Path != path {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			c, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer c.Close()
			_ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
			if _, got, err := c.ReadMessage(); err == nil {
				t.Errorf("at %s the server received %q", path, got)
			}
		}), path)
	}
}

// With TLS the requests are the same, of the WebSocket and of the first POST.
func TestServersWithTLSAreRecognized(t *testing.T) {
	for path, s := range map[string]standIn{
		"/cable": {path: "/cable", first: `{"type":"welcome"}`},
		"/mcp":   {status: 400, fields: http.Header{"Mcp-Session-Id": {"VTH3WNTTAEZB"}}},
	} {
		server := httptest.NewTLSServer(s.handler())
		defer server.Close()
		u, err := url.Parse(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		trusted := server.Client().Transport.(*http.Transport).TLSClientConfig
		if found, err := Probe(t.Context(), u, trusted, patient); err != nil || found.Dialect.Target == "" {
			t.Errorf("%s: got %+v, %v", path, found, err)
		}
		if _, err := Probe(t.Context(), u, nil, patient); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s, with an unknown authority: got %v", path, err)
		}
	}
}

func TestProbeFailsWithoutAServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	if _, err := Probe(t.Context(), u, nil, patient); err == nil || !strings.Contains(err.Error(), "connect: ") {
		t.Errorf("got %v", err)
	}
}

// Whatever a server sends, the result is a dialect of the table with its sign, or none.
func FuzzRecognize(f *testing.F) {
	f.Add(`0{"sid":"a"}`, "", "", "", "", true)
	f.Add("", ": hi", "", "Server", "nginx", false)
	f.Add("", "", "mqtt", "Mcp-Session-Id", "x", true)
	f.Fuzz(func(t *testing.T, frame, event, subprotocol, name, value string, switched bool) {
		header := func(asked string) string {
			if strings.EqualFold(asked, name) {
				return value
			}
			return ""
		}
		d := Recognize(Sights{Header: header, Switched: switched, Frame: frame, Event: event, Subprotocol: subprotocol})
		known := d == Dialect{} || d.Sign != "" && slices.ContainsFunc(dialects, func(k dialect) bool { return k.target == d.Target && k.title == d.Title })
		if !known {
			t.Errorf("got %+v", d)
		}
	})
}
