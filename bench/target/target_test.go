package target

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"pushbench/scenarios"
)

func compile(t testing.TB, transport scenarios.Transport, file string) *Dialect {
	t.Helper()
	target, err := scenarios.ReadTarget("test.yaml", strings.NewReader("version: 1\nname: test\nurl: http://127.0.0.1:1\n"+file))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Compile(target, transport, func(name string) (string, bool) { return "secret", name == "TOKEN" })
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const socketIO = `
login: ["Authorization: Bearer {env:TOKEN}"]
transports:
  websocket:
    path: /socket.io/?EIO=4&transport=websocket
    steps:
    - expect: '^0\{.*"sid":"(?<sid>[^"]+)"'
    - send: '40'
    - expect: '^40'
    - send: '420["sub","{topic}"]'
    - expect: '^430'
    - send: '421["ready","{sid}"]'
    heartbeat: {when: '^2$', send: '3'}
publish:
  frame: '42{id}["say","{topic}","{payload}"]'
  ack: '^43'
`

// run gives a dialogue the records of a server, and returns what it sends.
func run(g *Dialogue, records ...string) (sent []string) {
	g.Begin()
	for _, record := range append([]string{""}, records...) {
		g.Receive([]byte(record))
		for {
			text, ok := g.AppendSend(nil)
			if !ok {
				break
			}
			sent = append(sent, string(text))
		}
	}
	return sent
}

func TestStepsAreRepeatedForEachTopic(t *testing.T) {
	d := compile(t, "websocket", socketIO)
	g := d.NewDialogue(3, []string{"a", "b", "c"})
	server := []string{`0{"sid":"S1","upgrades":[]}`, `40{"sid":"x"}`, `430["ok"]`, `42["early"]`, `430["ok"]`}
	if got, want := run(g, server...), `[40 420["sub","a"] 420["sub","b"] 420["sub","c"]]`; fmt.Sprint(got) != want || g.Subscribed() {
		t.Errorf("got %v, subscribed %v, want %s and not yet", got, g.Subscribed(), want)
	}
	if g.Step() != 5 {
		t.Errorf("waits in step %d, want 5", g.Step())
	}
	if got := run(g, append(server, `430["ok"]`)...); got[len(got)-1] != `421["ready","S1"]` || !g.Subscribed() || len(got) != 5 {
		t.Errorf("got %v, subscribed %v", got, g.Subscribed())
	}
}

func TestFramesAndHeartbeats(t *testing.T) {
	g := compile(t, "websocket", socketIO).NewDialogue(3, []string{"a"})
	if got := string(g.AppendFrame(nil, 7, "b", []byte("pay"))); got != `427["say","b","pay"]` {
		t.Error(got)
	}
	if !g.Beats([]byte("2")) || g.Beats([]byte("22")) || string(g.AppendHeartbeat(nil)) != "3" || !g.Acks([]byte("437[]")) {
		t.Error("heartbeat or acknowledgement not recognized")
	}
	if got := string(g.AppendFields(nil)); got != "Authorization: Bearer secret\r\n" {
		t.Errorf("%q", got)
	}
	if !g.PublishesInFrames() || g.Posts() || !g.OneTopic() == false {
		t.Error("wrong properties")
	}
}

// The packets of MQTT 3.1.1: CONNECT, SUBSCRIBE, PUBLISH with QoS 1.
const mqtt = `
transports:
  websocket:
    path: /mqtt
    subprotocol: mqtt
    binary: true
    steps:
    - send: "\x10{rest}\0\x04MQTT\x04\x02\0\0\0\x02c{client}"
    - expect: '^ \x02\x00\x00'
    - send: "\x82{rest}\0\x01{topic_u16}\0"
    - expect: '(?s)^.\x03\x00\x01'
publish:
  frame: "2{rest}{topic_u16}\0\x01{payload}"
  ack: '^@\x02'
`

func TestBinaryFramesHaveLengths(t *testing.T) {
	d := compile(t, "websocket", mqtt)
	g := d.NewDialogue(3, []string{"room"})
	got := run(g, " \x02\x00\x00", "\x90\x03\x00\x01\x00")
	want := []string{"\x10\x0e\x00\x04MQTT\x04\x02\x00\x00\x00\x02c3", "\x82\x09\x00\x01\x00\x04room\x00"}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) || !g.Subscribed() || !d.Binary {
		t.Errorf("got %q, want %q, subscribed %v", got, want, g.Subscribed())
	}
	payload := strings.Repeat("x", 200)
	if got, want := string(g.AppendFrame(nil, 1, "a", []byte(payload))), "2\xcd\x01\x00\x01a\x00\x01"+payload; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !g.Acks([]byte("@\x02\x00\x01")) {
		t.Error("PUBACK is not recognized")
	}
}

const nchan = `
transports:
  longpoll:
    path: /lp?id={topic}&x={client}
    headers: ["If-Modified-Since: {since}", "If-None-Match: {etag}"]
    next: [{header: Last-Modified, as: since}, {header: Etag, as: etag}]
  shortpoll:
    path: /list?id={topics}&after={offset}
    next: [{body: '"offset":(?<offset>[0-9]+)'}]
  sse:
    path: /sub?id={topic}
    headers: ["Accept: text/event-stream"]
publish:
  post: /pub?id={topic}
  headers: ["Content-Type: application/json", "X-Key: {env:TOKEN}"]
  body: '{"channel":"{topic}","data":"{payload}"}'
  ok: [201, 202]
`

func TestPollsCarryTheirPosition(t *testing.T) {
	g := compile(t, "longpoll", nchan).NewDialogue(3, []string{"a b"})
	if got := string(g.AppendTarget(nil)) + " " + string(g.AppendFields(nil)); got != "/lp?id=a%20b&x=3 " || g.Resumes() {
		t.Errorf("%q", got)
	}
	if !g.ReadsHeader() {
		t.Error("the header is not read")
	}
	g.Header([]byte("Last-MODIFIED"), []byte("Sun, 29 Nov 2026 14:22:08 GMT\r\nX: y"))
	g.Header([]byte("etag"), []byte("0"))
	if got := string(g.AppendFields(nil)); got != "If-Modified-Since: Sun, 29 Nov 2026 14:22:08 GMT  X: y\r\nIf-None-Match: 0\r\n" || !g.Resumes() {
		t.Errorf("%q", got)
	}
	s := compile(t, "shortpoll", nchan).NewDialogue(0, []string{"a", "b"})
	s.Body([]byte(`{"offset":17}`))
	if s.ReadsHeader() {
		t.Error("the header is read, although it has no value for the next poll")
	}
	if got := string(s.AppendTarget(nil)); got != "/list?id=a%2Cb&after=17" || !s.Resumes() || !s.IsEmpty(304) || s.IsEmpty(200) {
		t.Errorf("%q", got)
	}
}

func TestStreamsSendTheLastEventID(t *testing.T) {
	g := compile(t, "sse", nchan).NewDialogue(3, []string{"a"})
	if g.Resumes() || !g.OneTopic() || !g.Opens(nil) {
		t.Error("wrong properties")
	}
	g.Event([]byte("1:0"))
	g.Event([]byte("a\x00b")) // ignored (HTML, section 9.2.6)
	if got := string(g.AppendFields(nil)); got != "Accept: text/event-stream\r\nLast-Event-ID: 1:0\r\n" || !g.Resumes() {
		t.Errorf("%q", got)
	}
}

// Polling with a session, like that of Engine.IO.
const sessions = `
transports:
  longpoll:
    steps:
    - get: /open
      expect: '^0(?<sid>.+)'
    - {post: "/send?sid={sid}", body: 'join {topic}', next: [{header: X-Token, as: token}]}
    - get: /poll?sid={sid}
      expect: '^joined'
    path: /poll?sid={sid}
    headers: ["X-Token: {token}"]
    heartbeat: {when: '^2$', post: "/send?sid={sid}", body: '3'}
    split: "\x1e"
  sse:
    steps:
    - {post: /open, next: [{header: X-Token, as: token}], ok: [201]}
    path: /events?id={topic}
    headers: ["X-Token: {token}"]
publish: {post: "/publish/{topic}"}
promises: {resume: [sse]}
`

// nextRequest returns the next request of a dialogue, without fields, and its body.
func nextRequest(g *Dialogue) string {
	if !g.Additional() {
		return "GET " + string(g.AppendTarget(nil))
	}
	head, body := g.AppendAdditional(nil, "\r\n")
	line, _, _ := strings.Cut(string(head), "\r\n")
	return strings.TrimSpace(line + " " + string(body))
}

func TestStepsAreRequests(t *testing.T) {
	d := compile(t, "longpoll", sessions)
	g := d.NewDialogue(3, []string{"a", "b b"})
	for round := range 2 { // a client that reconnects opens a session again
		g.Begin()
		for i, c := range []struct{ want, response string }{
			{"GET /open", "0S1"},
			{"POST /send?sid=S1 join a", "ok"},
			{"GET /poll?sid=S1", "2\x1eother"}, // is repeated until it matches
			{"GET /poll?sid=S1", "other\x1ejoined\x1eother"},
			{"POST /send?sid=S1 join b b", ""},
			{"GET /poll?sid=S1", "joined"},
		} {
			if got := nextRequest(g); got != c.want || !g.Additional() {
				t.Fatalf("round %d, request %d: got %s, want %s", round, i, got, c.want)
			}
			if g.ReadsHeader() != strings.HasPrefix(c.want, "POST") {
				t.Errorf("request %d: header read: %v", i, g.ReadsHeader())
			}
			g.Header([]byte("x-token"), []byte("T1"))
			if err := g.Respond(200, []byte(c.response)); err != nil {
				t.Fatal(err)
			}
		}
		if got := nextRequest(g) + " " + string(g.AppendFields(nil)); got != "GET /poll?sid=S1 X-Token: T1\r\n" || g.Additional() || g.Resumes() {
			t.Errorf("got %q", got)
		}
	}
	if d.OneTopic() {
		t.Error("the steps have a topic each")
	}
	if g.RequestHeartbeat(); nextRequest(g) != "POST /send?sid=S1 3" {
		t.Errorf("got %s", nextRequest(g))
	}
	if err := g.Respond(204, nil); err != nil || g.Additional() {
		t.Errorf("%v, another request: %v", err, g.Additional())
	}
	g.RequestHeartbeat()
	if err := g.Respond(400, nil); err == nil || err.Error() != "heartbeat returned status 400" {
		t.Error(err)
	}
}

func TestStepsRefuseResponses(t *testing.T) {
	g := compile(t, "longpoll", sessions).NewDialogue(3, []string{"a"})
	if err := g.Respond(401, nil); err == nil || err.Error() != "step 1 returned status 401" {
		t.Error(err)
	}
	var err error
	for n := 0; err == nil; n++ {
		if err = g.Respond(200, []byte("closed")); n == maxAttempts {
			t.Fatal("a response that never matches is repeated for ever")
		}
	}
	if err.Error() != "step 1: the response does not match ^0(?<sid>.+)" {
		t.Error(err)
	}
	if err := compile(t, "sse", sessions).NewDialogue(3, []string{"a"}).Respond(200, nil); err == nil || err.Error() != "step 1 returned status 200" {
		t.Error(err)
	}
}

// A client keeps a session that resumes, until the server refuses it.
func TestSessionIsResumed(t *testing.T) {
	g := compile(t, "sse", sessions).NewDialogue(3, []string{"a"})
	g.Begin()
	g.Header([]byte("X-Token"), []byte("T1"))
	if err := g.Respond(201, nil); err != nil {
		t.Fatal(err)
	}
	g.Event([]byte("7"))
	if g.Begin(); nextRequest(g) != "GET /events?id=a" || string(g.AppendFields(nil)) != "Accept: text/event-stream\r\nX-Token: T1\r\nLast-Event-ID: 7\r\n" {
		t.Errorf("got %s with %q", nextRequest(g), g.AppendFields(nil))
	}
	g.Refused()
	if g.Begin(); nextRequest(g) != "POST /open" || g.Resumes() {
		t.Errorf("got %s, resumes %v", nextRequest(g), g.Resumes())
	}
}

func TestPublicationByPost(t *testing.T) {
	g := compile(t, "sse", nchan).NewDialogue(-1, nil)
	request, header := g.AppendPost(nil, " HTTP/1.1\r\nHost: h\r\n", 1, "a/b", []byte("pay"))
	want := "POST /pub?id=a%2Fb HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nX-Key: secret\r\nContent-Length: 30\r\n\r\n"
	if string(request[:header]) != want || string(request[header:]) != `{"channel":"a/b","data":"pay"}` {
		t.Errorf("got %q", request)
	}
	if g.RefusesPost(202, nil) != "" || g.RefusesPost(200, nil) != "publish returned status 200" {
		t.Error("wrong status codes accepted")
	}
}

// The signature is that of the example in the documentation of Pusher's HTTP API.
func TestPublicationIsSigned(t *testing.T) {
	const file = `
transports: {sse: {path: "/{topic}"}}
publish:
  post: /apps/3/events?auth_timestamp=1353088179&body_md5={body_md5}&auth_signature={signature}&now={time}
  headers: ["X-Body: {body_md5}"]
  body: '{"name":"foo","channels":["{topic}"],"data":"{payload}"}'
  computed:
  - {name: body_md5, md5: '{body}'}
  - name: signature
    hmac_sha256: "POST\n/apps/3/events\nauth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0&body_md5={body_md5}"
    key: '{env:TOKEN}'
`
	read, err := scenarios.ReadTarget("test.yaml", strings.NewReader("version: 1\nname: test\nurl: http://127.0.0.1:1\n"+file))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Compile(read, "sse", func(string) (string, bool) { return "7ad3773142a6692b25b8", true })
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now().Unix()
	request, header := d.NewDialogue(-1, nil).AppendPost(nil, " HTTP/1.1\r\n", 1, "project-3", []byte(`{\"some\":\"data\"}`))
	line, fields, _ := strings.Cut(string(request[:header]), "\r\n")
	line, now, _ := strings.Cut(line, "&now=")
	const digest = "ec365a775a4cd0599faeb73354201b6f"
	if want := "POST /apps/3/events?auth_timestamp=1353088179&body_md5=" + digest + "&auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c"; line != want {
		t.Errorf("got %s\nwant %s", line, want)
	}
	if !strings.HasPrefix(fields, "X-Body: "+digest+"\r\n") || string(request[header:]) != `{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}` {
		t.Errorf("got %q", request)
	}
	if at, err := strconv.ParseInt(strings.TrimSuffix(now, " HTTP/1.1"), 10, 64); err != nil || at < before || at > time.Now().Unix() {
		t.Errorf("got the time %q, want that of the publication", now)
	}
}

func TestCompileRefuses(t *testing.T) {
	target, err := scenarios.ReadTarget("test.yaml", strings.NewReader("version: 1\nname: test\nurl: http://127.0.0.1:1\n"+socketIO))
	if err != nil {
		t.Fatal(err)
	}
	none := func(string) (string, bool) { return "", false }
	for transport, want := range map[scenarios.Transport]string{
		"sse":       "target test has no transport sse; allowed: websocket",
		"websocket": "target test uses the environment variable TOKEN, which is not set; set it before the run",
	} {
		if _, err := Compile(target, transport, none); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", transport, err, want)
		}
	}
}

func TestSizeIsThatOfTheAppendedText(t *testing.T) {
	for _, n := range []int{1, 127, 128, 300, 20000} {
		g := compile(t, "websocket", `
transports: {websocket: {path: "/{topic}", binary: true}}
publish: {frame: "a{rest}{topic_u16}{rest}{id}{size}{payload}"}
`).NewDialogue(0, []string{"a"})
		values := g.publication(70, "room", make([]byte, n))
		if got := g.publish.frame.append(nil, values); len(got) != g.publish.frame.size(values) || got[1] == 0 {
			t.Errorf("payload of %d bytes: size %d, but %d bytes", n, g.publish.frame.size(values), len(got))
		}
	}
}

func TestValuesInPathsArePercentEncoded(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	got := string(text{{value: topicValue}}.appendEscaped(nil, [][]byte{all}))
	if back, err := url.PathUnescape(got); err != nil || back != string(all) || got != strings.ReplaceAll(url.QueryEscape(string(all)), "+", "%20") {
		t.Errorf("got %s, %v", got, err)
	}
}

// A client has its line of login_file wherever its templates name it. A backend has none.
func TestClientsHaveLogins(t *testing.T) {
	const file = `
login: ["Authorization: Bearer {login}"]
login_file: tokens.txt
transports:
  websocket: {path: "/socket?id={topic}&token={login}", headers: ["X-Key: {env:TOKEN}"], steps: [send: 'auth {login}']}
publish: {post: "/publish/{topic}", frame: '{login} {payload}'}
`
	read, err := scenarios.ReadTarget("test.yaml", strings.NewReader("version: 1\nname: test\nurl: http://127.0.0.1:1\n"+file))
	if err != nil {
		t.Fatal(err)
	}
	read.Logins = []string{"alpha", "be/ta"}
	d, err := Compile(read, "websocket", func(string) (string, bool) { return "the key", true })
	if err != nil {
		t.Fatal(err)
	}
	for client, want := range map[int]string{
		0: "/socket?id=a&token=alpha Authorization: Bearer alpha\r\nX-Key: the key\r\n [auth alpha] alpha p",
		3: "/socket?id=a&token=be%2Fta Authorization: Bearer be/ta\r\nX-Key: the key\r\n [auth be/ta] be/ta p",
	} {
		g := d.NewDialogue(client, []string{"a"})
		g.UseLogin(client)
		got := fmt.Sprintf("%s %s %v %s", g.AppendTarget(nil), g.AppendFields(nil), run(g), g.AppendFrame(nil, 1, "a", []byte("p")))
		if got != want {
			t.Errorf("client %d: got %q, want %q", client, got, want)
		}
		if hidden, want := string(d.Mask([]byte(got))), strings.NewReplacer("alpha", "*****", "be%2Fta", "*******", "be/ta", "*****", "the key", "*******").Replace(got); hidden != want {
			t.Errorf("got %q, want %q", hidden, want)
		}
	}
	if got := string(d.NewDialogue(-1, nil).AppendFields(nil)); got != "X-Key: the key\r\n" {
		t.Errorf("a backend sends %q", got)
	}
}

// Secrets are hidden as they are, percent-encoded and with the escapes of JSON, however servers write them.
func TestSecretsAreHiddenInEveryForm(t *testing.T) {
	target := &scenarios.Target{Source: []byte("login: [\"A: {env:TOKEN}\"]\nstart: {env: [\"X={env:START}\"]} # {env:STARS} {env:UNSET}"), Logins: []string{"be/ta", "abc"}}
	secrets := SecretsOf(target, func(name string) (string, bool) {
		value, set := map[string]string{"TOKEN": `s/3"<c`, "START": "öffnen", "STARS": "****"}[name]
		return value, set
	})
	for text, want := range map[string]string{
		`a s/3"<c b`:                         `a ****** b`,
		`a s%2f3%22%3Cc b be%2Fta`:           `a ************ b *******`,
		`{"a":"s\/3\"\u003cc","b":"be\/ta"}`: `{"a":"*************","b":"******"}`,
		`öffnen abc be/t %`:                  `******* abc be/t %`,
		`**** \`:                             `**** \`,
		`%`:                                  `%`, `\u00`: `\u00`, `\u263abe/ta`: `\u263a*****`,
	} {
		if got := string(secrets.Mask([]byte(text))); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// Each request has a field once: its own field replaces that of the login, which replaces a default.
func TestOwnFieldsReplaceThoseOfTheLogin(t *testing.T) {
	const file = `
login: ["Authorization: A", "X-Both: A"]
transports:
  longpoll:
    steps: [{get: /one, headers: ["authorization: B"]}, {post: /two, headers: ["AUTHORIZATION: C"]}]
    path: "/poll/{topic}"
    headers: ["Authorization: D"]
    heartbeat: {when: x, post: /beat, headers: ["Authorization: E"]}
  sse: {path: "/events/{topic}", headers: ["accept: application/json", "last-event-id: own", "Authorization: F"]}
  websocket: {path: "/socket/{topic}", headers: ["Authorization: G"]}
publish:
  post: "/publish/{topic}"
  headers: ["authorization: H"]
  create: {put: "/{topic}", headers: ["authorization: I"]}
`
	poll := compile(t, "longpoll", file).NewDialogue(0, []string{"a"})
	additional := func() string {
		head, _ := poll.AppendAdditional(nil, "\r\n")
		if err := poll.Respond(200, nil); err != nil {
			t.Fatal(err)
		}
		return string(head)
	}
	one, two, fields := additional(), additional(), string(poll.AppendFields(nil))
	poll.RequestHeartbeat()
	stream := compile(t, "sse", file).NewDialogue(0, []string{"a"})
	stream.Event([]byte("7"))
	post, header := stream.AppendPost(nil, "\r\n", 1, "a", []byte("p"))
	create, _ := stream.Creates("a")
	for _, c := range []struct{ got, want string }{
		{one, "GET /one\r\nX-Both: A\r\nauthorization: B\r\n"},
		{two, "POST /two\r\nX-Both: A\r\nAUTHORIZATION: C\r\nContent-Length: 0\r\n"},
		{fields, "X-Both: A\r\nAuthorization: D\r\n"},
		{additional(), "POST /beat\r\nX-Both: A\r\nAuthorization: E\r\nContent-Length: 0\r\n"},
		{string(stream.AppendFields(nil)), "X-Both: A\r\naccept: application/json\r\nlast-event-id: own\r\nAuthorization: F\r\n"},
		{string(compile(t, "websocket", file).NewDialogue(0, nil).AppendFields(nil)), "X-Both: A\r\nAuthorization: G\r\n"},
		{string(post[:header]), "POST /publish/a\r\nX-Both: A\r\nauthorization: H\r\nContent-Length: 1\r\n\r\n"},
		{fmt.Sprint(create.Header), "map[Authorization:[I] X-Both:[A]]"},
	} {
		if c.got != c.want {
			t.Errorf("got  %q\nwant %q", c.got, c.want)
		}
	}
}

// Whatever a server responds, the steps end, and a captured value begins no other header field.
func FuzzResponses(f *testing.F) {
	f.Add(200, "0S1\x1ejoined", "T1")
	f.Add(200, "0S\r\nX: y\x1ejoined\x1e2", "T\r\nX: y")
	f.Add(404, "", "")
	d := compile(f, "longpoll", sessions)
	f.Fuzz(func(t *testing.T, status int, body, token string) {
		g := d.NewDialogue(0, []string{"a", "b"})
		g.Begin()
		for requests := 0; g.Additional(); requests++ {
			if requests > 5*maxAttempts {
				t.Fatal("the steps do not end")
			}
			head, _ := g.AppendAdditional(nil, " HTTP/1.1\r\n")
			lines := strings.Split(string(head), "\r\n")
			for _, line := range lines {
				if strings.ContainsAny(line, "\r\n") {
					t.Errorf("a line contains another: %q", head)
				}
			}
			if want := map[bool]int{true: 4, false: 2}[strings.HasPrefix(lines[0], "POST")]; len(lines) != want {
				t.Errorf("got %d lines, want %d: %q", len(lines), want, head)
			}
			g.Header([]byte("X-Token"), []byte(token))
			if g.Respond(status, []byte(body)) != nil {
				return
			}
		}
		if strings.Count(string(g.AppendFields(nil)), "\n") > 1 {
			t.Errorf("got %q", g.AppendFields(nil))
		}
	})
}

// Whatever a server sends, a dialogue goes on at most once per record, and sends only what its templates contain.
func FuzzDialogue(f *testing.F) {
	f.Add(`0{"sid":"S1"}`, "40", "430", "2")
	f.Add("40", `0{"sid":""}`, "43\r\nX: y", "437[]")
	f.Fuzz(func(t *testing.T, one, two, three, four string) {
		g := compile(t, "websocket", socketIO).NewDialogue(3, []string{"a", "b"})
		sent := run(g, one, two, three, four)
		if len(sent) > 4 || len(sent) == 4 && !g.Subscribed() {
			t.Errorf("sent %q after four records, subscribed %v", sent, g.Subscribed())
		}
		p := compile(t, "longpoll", nchan).NewDialogue(3, []string{"a"})
		p.Header([]byte("etag"), []byte(one))
		if lines := strings.Count(string(p.AppendFields(nil)), "\n"); lines > 1 {
			t.Errorf("%q became %d fields", one, lines)
		}
	})
}

// FuzzMask checks that no secret remains in any of the forms that are hidden, and that nothing else is changed.
func FuzzMask(f *testing.F) {
	for _, seed := range []string{"k=alpha be/ta", "be%2Fta %61lpha", `\u0061lpha be\/ta`, "alphalpha%2", `%61\u006c`, "%", `\u00`} {
		f.Add([]byte(seed))
	}
	secrets := Secrets{[]string{"alpha", "be/ta"}}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := secrets.Mask(data)
		if len(got) != len(data) {
			t.Fatalf("%q became %q", data, got)
		}
		for i := range got {
			if got[i] != data[i] && got[i] != '*' {
				t.Errorf("%q became %q", data, got)
			}
		}
		percent, _ := decoded(got, '%', percentDecoded)
		escapes, _ := decoded(got, '\\', unescaped)
		for _, form := range [][]byte{got, percent, escapes} {
			for _, secret := range secrets.values {
				if strings.Contains(string(form), secret) {
					t.Errorf("%q became %q, which has %s", data, got, secret)
				}
			}
		}
	})
}
