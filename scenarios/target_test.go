package scenarios

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ownTarget is a target file with a field of each kind.
const ownTarget = `version: 1
name: socketio
about: Socket.IO 4 on Node
start:
  run: [node, server.js, --port, "{port}", --port, "{port}"]
  log: 'listening'
login: ["Authorization: Bearer {env:TOKEN}"]
transports:
  longpoll:
    path: /lp?id={topic}
    headers: ["If-Modified-Since: {since}", "If-None-Match: {etag}"]
    next:
    - {header: Last-Modified, as: since}
    - {header: Etag, as: etag}
    empty: [204, 304]
  websocket:
    path: /socket.io/?EIO=4&transport=websocket
    steps:
    - expect: '^0\{.*"sid":"(?<sid>[^"]+)"'
    - send: '40'
    - expect: '^40'
    - send: '420["sub","{topic}"]'
    - expect: '^43'
    heartbeat: {when: '^2$', send: '3'}
    split: "\x1e"
publish:
  post: /publish/{topic}
  body: '{"data":"{payload}","n":{}}'
  ok: [200, 202]
promises: {order: none, resume: [longpoll]}
`

func TestReadTargetKeepsValues(t *testing.T) {
	got, err := ReadTarget("mine.yaml", strings.NewReader(ownTarget))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Transport{"longpoll", "websocket"}, got.Offered()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Promises{Unordered, []Transport{"longpoll"}, ""}, got.Promises); diff != "" {
		t.Error(diff)
	}
	want := []Step{{Expect: `^0\{.*"sid":"(?<sid>[^"]+)"`}, {Send: "40"}, {Expect: "^40"}, {Send: `420["sub","{topic}"]`}, {Expect: "^43"}}
	if diff := cmp.Diff(want, got.Transports.WebSocket.Steps); diff != "" {
		t.Error(diff)
	}
	if got.Transports.WebSocket.Split != "\x1e" || got.Start.Within != Duration(10e9) || len(got.Start.Run) != 6 {
		t.Errorf("got %+v", got)
	}
}

func TestStartUsesVariables(t *testing.T) {
	s := TargetStart{Run: []Template{"{port}", "x{env:A}"}, Env: []Template{"B={env:B}"}, Get: "/{env:C}"}
	for set, want := range map[string]string{"": "A true", "A": "B true", "AB": "C true", "ABC": " false"} {
		name, unset := s.Unset(func(name string) (string, bool) { return "", strings.Contains(set, name) })
		if got := fmt.Sprint(name, " ", unset); got != want {
			t.Errorf("with %q set: got %s, want %s", set, got, want)
		}
	}
}

func TestTemplatePieces(t *testing.T) {
	for text, want := range map[Template][]Piece{
		`{"id":1,"connect":{}}`:       {{Text: `{"id":1,"connect":{}}`}},
		`42["say","{topic}","{x_1}"]`: {{Text: `42["say","`}, {Name: "topic"}, {Text: `","`}, {Name: "x_1"}, {Text: `"]`}},
		`{topic}`:                     {{Name: "topic"}},
		`Bearer {env:TOKEN}`:          {{Text: "Bearer "}, {Name: "env:TOKEN"}},
		`subscription{m(topic:1)}`:    {{Text: `subscription{m(topic:1)}`}},
		`{Topic}{}{a b}`:              {{Text: `{Topic}{}{a b}`}},
		``:                            nil,
	} {
		if diff := cmp.Diff(want, text.Pieces()); diff != "" {
			t.Errorf("%q: -want +got:\n%s", text, diff)
		}
	}
}

// started is the part of ownTarget that starts the server.
const started = "start:\n  run: [node, server.js, --port, \"{port}\", --port, \"{port}\"]\n  log: 'listening'\n"

func TestReadTargetRefusesMistakes(t *testing.T) {
	for name, c := range map[string]struct{ old, now, want string }{
		"unknown field":              {"about:", "abuot:", "3:1: abuot: no such field; allowed: version, name, about, url, start, ca, cost, login, login_file, transports, publish, promises; did you mean `about`?"},
		"unknown placeholder":        {"{since}", "{sinc}", `11:15: transports.longpoll.headers[0]: value "If-Modified-Since: {sinc}" has the placeholder {sinc}, which has no value there; allowed: {topic}, {topics}, {client}, {since}, {etag}, {env:NAME}`},
		"placeholder too early":      {"- send: '40'", "- send: '40{x}'", `20:13: transports.websocket.steps[1].send: value "40{x}" has the placeholder {x}, which has no value there; allowed: {topic}, {topics}, {client}, {sid}, {env:NAME}`},
		"placeholder of a body":      {"    empty: [204, 304]", "    body: '{x}'", `15:11: transports.longpoll.body: value "{x}" has the placeholder {x}, which has no value there; allowed: {topic}, {topics}, {client}, {since}, {etag}, {env:NAME}`},
		"expression":                 {"'^40'", "'^4[0'", `21:15: transports.websocket.steps[2].expect: value "^4[0" is not a regular expression: missing closing ]: ` + "`[0`" + `; allowed: the syntax of RE2, such as '^43\[' or '"sid":"(?P<sid>[^"]+)"'`},
		"group name":                 {"<sid>", "<Sid>", `19:15: transports.websocket.steps[0].expect: value "^0\\{.*\"sid\":\"(?<Sid>[^\"]+)\"" has a group with the name "Sid"; allowed: 1 to 32 of a-z, 0-9 and _, starting with a letter`},
		"two ways to reach":          {"login:", "url: http://127.0.0.1:1\nlogin:", `7:6: url: value "http://127.0.0.1:1" is given together with start; allowed: one of them`},
		"install alone":              {"  run:", "  install: [make]\n  run:", `5:12: start.install: is given without programs; allowed: together with the programs that it installs`},
		"placeholder of build":       {"  run:", "  build: [make, '{port}']\n  run:", `5:10: start.build: has the placeholder {port}, which has no value there; allowed: {env:NAME}`},
		"no way to reach":            {started, "", "1:1: url: is missing; allowed: url of a running server, or start"},
		"port never named":           {`--port, "{port}", --port, "{port}"`, "--port, '80'", `5:8: start.run: never names {port}; allowed: {port} in run or env, the port on which the server must listen`},
		"header injection":           {"Bearer {env:TOKEN}\"", "Bearer\\r\\nX: y\"", `7:9: login[0]: value "Authorization: Bearer\r\nX: y" is not a header field; allowed: a name, a colon, a space and a value in visible ASCII, such as "Accept: text/event-stream"`},
		"own field":                  {"\"Authorization: Bearer {env:TOKEN}\"", "'Host: x'", `7:9: login[0]: value "Host: x" is a field that pushbench writes itself; allowed: any field but host, connection, upgrade, content-length, transfer-encoding, sec-websocket-key, sec-websocket-version, sec-websocket-protocol, sec-websocket-extensions, expect, te, trailer`},
		"step is both":               {"- send: '40'", "- {send: '40', expect: x}", `20:8: transports.websocket.steps[1]: is not one step; allowed: expect or send`},
		"heartbeat without occasion": {"heartbeat: {when: '^2$', ", "heartbeat: {", `24:17: transports.websocket.heartbeat: is not one occasion; allowed: when or every`},
		"heartbeat on two occasions": {"heartbeat: {", "heartbeat: {every: 25s, ", `24:17: transports.websocket.heartbeat: is not one occasion; allowed: when or every`},
		"heartbeat too often":        {"heartbeat: {when: '^2$', ", "heartbeat: {every: 1ms, ", `24:24: transports.websocket.heartbeat.every: value "1ms" is not allowed; allowed: a duration with its unit, 10ms … 1h`},
		"heartbeat without a unit":   {"heartbeat: {when: '^2$', ", "heartbeat: {every: 25, ", `24:24: transports.websocket.heartbeat.every: value "25" is not allowed; allowed: a duration with its unit, 10ms … 1h; the unit is missing, did you mean ` + "`25s`?"},
		"login without a file":       {"{env:TOKEN}", "{login}", `7:9: login[0]: value "Authorization: Bearer {login}" has the placeholder {login}, which has no value there; allowed: {env:NAME}`},
		"login_file is no path":      {"login:", "login_file: \"a\\nb\"\nlogin:", `7:13: login_file: value "a\nb" is not allowed; allowed: the path of a file`},
		"topic never named":          {`420["sub","{topic}"]`, `420["sub"]`, `17:5: transports.websocket: never names the topic; allowed: {topic} in path or in a step's send`},
		"payload missing":            {`{"data":"{payload}","n":{}}`, `{"data":"x"}`, `28:9: publish.body: value "{\"data\":\"x\"}" does not contain {payload}; allowed: a text with {payload}`},
		"expect without a POST":      {"  post: /publish/{topic}\n  body: '{\"data\":\"{payload}\",\"n\":{}}'\n  ok: [200, 202]\n", "  frame: '{payload}'\n  expect: x\n", `27:3: publish: has a body, headers, ok, expect or computed without post; allowed: together with post`},
		"two hashes":                 {"  ok: [200, 202]", "  computed: [{name: a, md5: x, hmac_sha256: y, key: z}]", `29:15: publish.computed[0]: is not one hash; allowed: md5 or hmac_sha256`},
		"no key":                     {"  ok: [200, 202]", "  computed: [{name: a, hmac_sha256: y}]", `29:15: publish.computed[0]: has a key without hmac_sha256, or no key; allowed: hmac_sha256 and key together`},
		"computed from later":        {"  ok: [200, 202]", "  computed: [{name: a, md5: '{b}'}, {name: b, md5: '{body}'}]", `29:29: publish.computed[0].md5: value "{b}" has the placeholder {b}, which has no value there; allowed: {topic}, {id}, {time}, {payload}, {size}, {body}, {env:NAME}`},
		"computed name in use":       {"  ok: [200, 202]", "  computed: [{name: time, md5: x}]", `29:21: publish.computed[0].name: value "time" is the name of another placeholder; allowed: any name but topic, id, time, payload, size, body`},
		"key with the payload":       {"  ok: [200, 202]", "  computed: [{name: a, hmac_sha256: x, key: '{payload}'}]", `29:45: publish.computed[0].key: value "{payload}" has the placeholder {payload}, which has no value there; allowed: {env:NAME}`},
		"computed in the body":       {`{"data":"{payload}","n":{}}`, `{payload}{time}`, `28:9: publish.body: value "{payload}{time}" has the placeholder {time}, which has no value there; allowed: {topic}, {payload}, {size}, {id}, {client}, {env:NAME}`},
		"header of a record":         {`    split: "\x1e"`, `    next: [{header: Etag, as: etag}]`, `25:21: transports.websocket.next[0].header: value "Etag" is not in an event, a line or a record; allowed: body`},
		"no way to publish":          {"publish:\n  post: /publish/{topic}\n  body: '{\"data\":\"{payload}\",\"n\":{}}'\n  ok: [200, 202]\n", "publish: {ack: x}\n", `26:11: publish: has no way to publish; allowed: post or frame`},
		"status":                     {"[200, 202]", "[404]", `29:8: publish.ok[0]: value "404" is not allowed; allowed: a whole number, 200 … 299`},
		"url with a bad port":        {started, "url: http://example.com:99999\n", `4:6: url: value "http://example.com:99999" has the port 99999; allowed: 1 to 65535`},
		"url with a path":            {started, "url: http://h:1/x\n", `4:6: url: value "http://h:1/x" is not an address; allowed: http://host:port or https://host:port without a path; paths belong to transports and publish`},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(ownTarget, c.old, c.now, 1)
			if changed == ownTarget {
				t.Fatal("the file is unchanged")
			}
			_, err := ReadTarget("mine.yaml", strings.NewReader(changed))
			wantError(t, err, "mine.yaml:"+c.want)
		})
	}
}

func TestReadTargetRefusesCosts(t *testing.T) {
	for name, c := range map[string]struct{ old, now, want string }{
		"with start":      {"login:", "cost: {pid: 1}\nlogin:", `7:8: cost: is given together with start; allowed: together with url, as a started server is measured anyway`},
		"no source":       {"login:", "cost: {}\nlogin:", `7:7: cost: this mapping is not allowed; allowed: a mapping of pid, prometheus, at least one of them`},
		"no process":      {"login:", "cost: {pid: 0}\nlogin:", `7:13: cost.pid: value "0" is not allowed; allowed: a whole number, 1 … 4194304`},
		"a process name":  {"login:", "cost: {pid: nginx}\nlogin:", `7:13: cost.pid: value "nginx" is not allowed; allowed: a whole number, 1 … 4194304`},
		"another source":  {"login:", "cost: {cgroup: x}\nlogin:", `7:8: cost.cgroup: no such field; allowed: pid, prometheus`},
		"two sources":     {started, "url: http://h:1\ncost: {pid: 1, prometheus: 'http://h/m'}\n", `5:28: cost.prometheus: value "http://h/m" is given together with pid; allowed: one of them`},
		"pid elsewhere":   {started, "url: http://h:1\ncost: {pid: 1}\n", `5:13: cost.pid: value "1" is a process on this machine, and url names another host; allowed: prometheus`},
		"page elsewhere":  {started, "url: http://h:1\ncost: {prometheus: 'http://g/m'}\n", `5:20: cost.prometheus: value "http://g/m" is not a page of the host of url; allowed: http://h:PORT/PATH`},
		"page with login": {started, "url: http://h:1\ncost: {prometheus: 'http://u:p@h/m'}\n", `5:20: cost.prometheus: value "http://xxxxx@h/m" is not a page of the host of url; allowed: http://h:PORT/PATH`},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(ownTarget, c.old, c.now, 1)
			if changed == ownTarget {
				t.Fatal("the file is unchanged")
			}
			_, err := ReadTarget("mine.yaml", strings.NewReader(changed))
			wantError(t, err, "mine.yaml:"+c.want)
		})
	}
}

func FuzzReadTarget(f *testing.F) {
	f.Add(ownTarget)
	f.Add(strings.Replace(ownTarget, "<sid>", "<s", 1))
	f.Add(requestTarget)
	f.Fuzz(func(t *testing.T, text string) {
		target, err := ReadTarget("fuzz.yaml", strings.NewReader(text))
		if err == nil && (target.Name == "" || len(target.Offered()) == 0) {
			t.Errorf("accepted a target without a name or a transport: %+v", target)
		}
	})
}

func TestAuthoritiesAreReadFromTheirFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mine.yaml")
	secured := strings.Replace(ownTarget, started, "url: https://127.0.0.1:1\nca: ca.pem\n", 1)
	for _, c := range []struct{ text, authorities, want string }{
		{secured, "", "ca: ca.pem: does not exist; allowed: a PEM file, relative to the target file"},
		{secured, "x", "ca: ca.pem has no certificate; allowed: a PEM file with BEGIN CERTIFICATE"},
		{strings.Replace(secured, "ca.pem", filepath.Join(dir, "ca.pem"), 1), "x", "ca: " + filepath.Join(dir, "ca.pem") + " has no certificate; allowed: a PEM file with BEGIN CERTIFICATE"},
		{secured, strings.Repeat("x", maxBytes+1), "ca: ca.pem is larger than 1 MiB, the limit for a file"},
		{strings.Replace(secured, "https", "http", 1), "x", `ca: value "ca.pem" is given without TLS; allowed: together with a url of the scheme https`},
		{strings.Replace(ownTarget, "login:", "ca: ca.pem\nlogin:", 1), "x", `ca: value "ca.pem" is given without TLS; allowed: together with a url of the scheme https`},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if c.authorities != "" {
			if err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte(c.authorities), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := LoadTarget(file); err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// The pieces of a template are the template, and no piece has both a text and a name.
func FuzzTemplatePieces(f *testing.F) {
	f.Add(`{"a":"{topic}","b":"{env:TOKEN}"}`)
	f.Fuzz(func(t *testing.T, text string) {
		var again strings.Builder
		for _, p := range Template(text).Pieces() {
			if (p.Text == "") == (p.Name == "") {
				t.Fatalf("%q has the piece %+v", text, p)
			}
			again.WriteString(p.Text)
			if p.Name != "" {
				again.WriteString("{" + p.Name + "}")
			}
		}
		if again.String() != text {
			t.Errorf("%q became %q", text, again.String())
		}
	})
}
