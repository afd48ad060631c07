package scenarios

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// requestTarget is a target file whose clients make requests before they are subscribed.
const requestTarget = `version: 1
name: polling
url: http://127.0.0.1:1
transports:
  longpoll:
    steps:
    - get: /open
      expect: '"sid":"(?<sid>[^"]+)"'
    - {post: "/send?sid={sid}", body: 'join {topic}', next: [{header: X-Session, as: session}]}
    path: /poll?sid={sid}
    headers: ["X-Session: {session}"]
    heartbeat: {when: '^2$', post: "/send?sid={sid}", body: '3'}
    split: "\x1e"
  sse:
    steps: [{post: /join, body: '{topic}', headers: ["Content-Type: application/json"], ok: [201], next: [{header: X-Session, as: session}]}]
    path: /events
    headers: ["X-Session: {session}"]
publish: {post: "/publish/{topic}"}
`

func TestReadTargetKeepsRequests(t *testing.T) {
	got, err := ReadTarget("mine.yaml", strings.NewReader(requestTarget))
	if err != nil {
		t.Fatal(err)
	}
	want := []RequestStep{
		{Get: "/open", Expect: `"sid":"(?<sid>[^"]+)"`},
		{Post: "/send?sid={sid}", Body: "join {topic}", Next: []NextValue{{Header: "X-Session", As: "session"}}},
	}
	if diff := cmp.Diff(want, got.Transports.LongPoll.Steps); diff != "" {
		t.Error(diff)
	}
	for n, want := range map[int]string{
		0: "", 3: "",
		1: `step 1 is GET /open, whose response must match "sid":"(?<sid>[^"]+)"`,
		2: "step 2 is POST /send?sid={sid}",
	} {
		if got := got.DescribeStep("longpoll", n); got != want {
			t.Errorf("step %d: got %q, want %q", n, got, want)
		}
	}
}

func TestReadTargetRefusesMistakesInRequests(t *testing.T) {
	const names = "{topic}, {topics}, {client}"
	for name, c := range map[string]struct{ old, now, want string }{
		"unknown field":            {"- get: /open", "- gte: /open", "7:7: transports.longpoll.steps[0].gte: no such field; allowed: get, post, headers, body, ok, expect, next; did you mean `get`?"},
		"two requests":             {"- get: /open", "- {get: /open, post: /x}\n    - get: /open", `7:8: transports.longpoll.steps[0]: is not one request; allowed: get or post`},
		"a step of WebSocket":      {"- get: /open", "- {send: x}\n    - get: /open", "7:8: transports.longpoll.steps[0].send: no such field; allowed: get, post, headers, body, ok, expect, next"},
		"body of a GET":            {"- get: /open", "- {get: /open, body: x}\n    - get: /open", `7:26: transports.longpoll.steps[0].body: value "x" is given with get; allowed: together with post`},
		"a path without a slash":   {"- get: /open", "- get: open", `7:12: transports.longpoll.steps[0].get: value "open" is not allowed; allowed: a path that starts with /, without spaces`},
		"status":                   {"ok: [201]", "ok: [404]", `15:94: transports.sse.steps[0].ok[0]: value "404" is not allowed; allowed: a whole number, 200 … 299`},
		"placeholder too early":    {"- get: /open", "- get: /open?sid={sid}", `7:12: transports.longpoll.steps[0].get: value "/open?sid={sid}" has the placeholder {sid}, which has no value there; allowed: ` + names + `, {env:NAME}`},
		"placeholder of a body":    {"join {topic}", "join {tpic}", `9:39: transports.longpoll.steps[1].body: value "join {tpic}" has the placeholder {tpic}, which has no value there; allowed: ` + names + `, {sid}, {env:NAME}`},
		"placeholder of a header":  {"headers: [\"Content-Type: application/json\"]", "headers: [\"X-Y: {x}\"]", `15:54: transports.sse.steps[0].headers[0]: value "X-Y: {x}" has the placeholder {x}, which has no value there; allowed: ` + names + `, {env:NAME}`},
		"placeholder of heartbeat": {"body: '3'", "body: '3{x}'", `12:61: transports.longpoll.heartbeat.body: value "3{x}" has the placeholder {x}, which has no value there; allowed: ` + names + `, {sid}, {session}, {env:NAME}`},
		"next from a body":         {"next: [{header: X-Session, as: session}]}\n    path: /poll", "next: [{body: '(?<session>x)'}]}\n    path: /poll", `9:63: transports.longpoll.steps[1].next[0]: is not a header field of a response; allowed: header and as; expect captures from the body`},
		"next without a name":      {"{header: X-Session, as: session}]}\n    path: /poll", "{header: X-Session}]}\n    path: /poll", `9:63: transports.longpoll.steps[1].next[0]: is not one value; allowed: header and as, or body`},
		"heartbeat without post":   {`post: "/send?sid={sid}", body: '3'}`, `body: '3'}`, "12:17: transports.longpoll.heartbeat.post: is missing; allowed: a path that starts with /, without spaces"},
		"heartbeat of a stream":    {"    path: /events", "    heartbeat: {when: x, post: /x}\n    path: /events", "16:5: transports.sse.heartbeat: no such field; allowed: steps, path, headers, body, next, ready"},
		"separator":                {`split: "\x1e"`, `split: "12345"`, `13:12: transports.longpoll.split: value "12345" is not allowed; allowed: 1 to 4 characters, such as "\x1e"`},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(requestTarget, c.old, c.now, 1)
			if changed == requestTarget {
				t.Fatal("the file is unchanged")
			}
			_, err := ReadTarget("mine.yaml", strings.NewReader(changed))
			wantError(t, err, "mine.yaml:"+c.want)
		})
	}
}
