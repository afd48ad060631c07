package inspect

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A script is what a server says, made of the request's header.
type script func(request string, c net.Conn)

// serving is a server that answers each connection by a script.
func serving(t *testing.T, answer script) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				var head strings.Builder
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					head.WriteString(line)
					if line == "\r\n" {
						break
					}
				}
				answer(head.String(), c)
				_, _ = io.Copy(io.Discard, r) // until the client is done
			}()
		}
	}()
	return ln.Addr().String()
}

// says answers with a text in which KEY stands for the right accept key.
func says(text string) script {
	return func(request string, c net.Conn) {
		key := ""
		for line := range strings.SplitSeq(request, "\r\n") {
			if k, found := strings.CutPrefix(line, "Sec-WebSocket-Key: "); found {
				key = acceptOf(k)
			}
		}
		_, _ = io.WriteString(c, strings.ReplaceAll(text, "KEY", key))
	}
}

func crlf(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

var switched = crlf("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: KEY")

// goodbyeFrame is a server's close frame of code 1000.
const goodbyeFrame = "\x88\x02\x03\xe8"

func inspecting(t *testing.T, target string, change func(*Target)) *Exchange {
	t.Helper()
	to, err := ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	to.Wait = 200 * time.Millisecond
	if change != nil {
		change(&to)
	}
	e, err := Do(context.Background(), to)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The example of RFC 6455, section 1.3.
func TestAcceptKey(t *testing.T) {
	if got, want := acceptOf("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWhatIsWrongIsFound(t *testing.T) {
	events := crlf("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", "")
	lines := crlf("HTTP/1.1 200 OK", "Content-Type: application/x-ndjson", "Transfer-Encoding: chunked", "")
	for name, c := range map[string]struct {
		scheme, answer string
		change         func(*Target)
		want           []string // in each thing that is wrong, in order; none: all is right
		failed         string
	}{
		"a right upgrade":             {"ws", switched + "\r\n\x81\x02hi" + goodbyeFrame, nil, nil, ""},
		"no frame before the goodbye": {"ws", switched + "\r\n", nil, []string{"nothing came in time"}, ""},
		"a wrong accept key":          {"ws", strings.Replace(switched, "KEY", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 1) + "\r\n" + goodbyeFrame, nil, []string{"for the key of this request it must be "}, ""},
		"no accept key":               {"ws", crlf("HTTP/1.1 101 x", "Upgrade: websocket", "Connection: upgrade", "") + goodbyeFrame, nil, []string{"the answer has none"}, ""},
		"no Upgrade":                  {"ws", crlf("HTTP/1.1 101 x", "Connection: upgrade", "Sec-WebSocket-Accept: KEY", "") + goodbyeFrame, nil, []string{"the answer has none"}, ""},
		"another Upgrade":             {"ws", strings.Replace(switched, "websocket", "h2c", 1) + "\r\n" + goodbyeFrame, nil, []string{`it must be "websocket"`}, ""},
		"another Connection":          {"ws", strings.Replace(switched, "Connection: Upgrade", "Connection: close", 1) + "\r\n" + goodbyeFrame, nil, []string{`it must hold "Upgrade"`}, ""},
		"a protocol that nobody offered": {
			"ws", switched + crlf("Sec-WebSocket-Protocol: x", "") + goodbyeFrame, nil, []string{"it was not offered"}, "",
		},
		"a protocol that was offered": {
			"ws", switched + crlf("Sec-WebSocket-Protocol: x", "") + goodbyeFrame, func(t *Target) { t.Subprotocol = "y, x" }, nil, "",
		},
		"an extension that nobody offered": {
			"ws", switched + crlf("Sec-WebSocket-Extensions: permessage-deflate", "") + goodbyeFrame, nil, []string{"it was not offered"}, "",
		},
		"an extension that was offered": {
			"ws", switched + crlf("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover", "") + goodbyeFrame, func(t *Target) { t.Deflate = true }, nil, "",
		},
		"a 101 with a body":    {"ws", switched + crlf("Content-Length: 0", "") + goodbyeFrame, nil, []string{"the bytes behind the header are frames"}, ""},
		"a masked frame":       {"ws", switched + "\r\n\x81\x82\x00\x00\x00\x00hi" + goodbyeFrame, nil, []string{"a server must not mask"}, ""},
		"reserved bits":        {"ws", switched + "\r\n\xb1\x02hi" + goodbyeFrame, nil, []string{"reserved bits are set"}, ""},
		"a reserved opcode":    {"ws", switched + "\r\n\x83\x02hi" + goodbyeFrame, nil, []string{"this opcode is reserved"}, ""},
		"a ping in pieces":     {"ws", switched + "\r\n\x09\x02hi" + goodbyeFrame, nil, []string{"control frames are whole"}, ""},
		"a refusal":            {"ws", crlf("HTTP/1.1 403 Forbidden", "Content-Length: 0", ""), nil, []string{"the server did not switch"}, ""},
		"a field with a space": {"ws", switched + crlf("X-Odd : 1", "") + goodbyeFrame, nil, []string{"this is no header field"}, ""},
		"no HTTP":              {"ws", "SSH-2.0-x\r\n\r\n", nil, nil, "is no status line of HTTP/1"},
		"half a header":        {"ws", "HTTP/1.1 101 Switch", nil, nil, "nothing came in time"},
		"nothing":              {"ws", "", nil, nil, "nothing came in time"},
		"a header without end": {"ws", "HTTP/1.1 101 x\r\nX: " + strings.Repeat("x", maxHead), nil, nil, "longer than"},

		"a right poll":     {"http", crlf("HTTP/1.1 200 OK", "Content-Length: 2", "", "{}")[:len(crlf("HTTP/1.1 200 OK", "Content-Length: 2", "", "{}"))-2], nil, nil, ""},
		"an empty poll":    {"http", crlf("HTTP/1.1 204 No Content", ""), nil, nil, ""},
		"a chunked poll":   {"http", crlf("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "2", "{}", "0", ""), nil, nil, ""},
		"a refused poll":   {"http", crlf("HTTP/1.1 429 Too Many", "Content-Length: 0", ""), nil, []string{"the poll was refused"}, ""},
		"a poll that ends": {"http", crlf("HTTP/1.1 204 No Content", "Connection: close", ""), nil, []string{"every poll then costs a new connection"}, ""},
		"no end of a body": {"http", crlf("HTTP/1.1 200 OK", ""), nil, []string{"neither Content-Length nor chunks"}, ""},
		"a bad length":     {"http", crlf("HTTP/1.1 204 OK", "Content-Length: two", ""), nil, []string{"it is no number of bytes"}, ""},
		"a bad chunk":      {"http", crlf("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "two"), nil, nil, "is no chunk's size"},

		"a right event":       {"sse+http", events + crlf("11", "id: 1\ndata: {}\n\n:", ""), nil, nil, ""},
		"no event":            {"sse+http", events, nil, nil, ""},
		"a stream of another": {"sse+http", strings.Replace(events, "event-stream", "html", 1), nil, []string{`it must be "text/event-stream"`}, ""},
		"a stream without":    {"sse+http", crlf("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", ""), nil, []string{"the answer has none"}, ""},
		"a stream that ends":  {"sse+http", events + crlf("0", ""), nil, []string{"a browser would wait and connect again"}, ""},
		"a field of none":     {"sse+http", events + crlf("6", "dat: \n") + crlf("1", "\n"), nil, []string{"browsers pass over it"}, ""},
		"a right line":        {"stream+http", lines + crlf("4", "\n{}\n", ""), nil, nil, ""},
		"no line":             {"stream+http", lines, nil, nil, ""},
		"lines of another":    {"stream+http", strings.Replace(lines, "x-ndjson", "json", 1), nil, []string{`it must be "application/x-ndjson"`}, ""},
		"lines that end":      {"stream+http", lines + crlf("0", ""), nil, []string{"the page has to connect again"}, ""},
		"a line of no JSON":   {"stream+http", lines + crlf("2", "{\n", ""), nil, []string{"it is no JSON text"}, ""},
		"a refused stream":    {"sse+http", crlf("HTTP/1.1 204 No Content", "Content-Type: text/event-stream", ""), nil, []string{"no stream was opened"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := inspecting(t, c.scheme+"://"+serving(t, says(c.answer))+"/x?topic=a", c.change)
			var got []string
			for _, l := range e.Wrong() {
				got = append(got, l.Why)
			}
			if len(got) != len(c.want) {
				t.Fatalf("wrong: %q, want %q", got, c.want)
			}
			for i, want := range c.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("wrong: %q, want %q", got[i], want)
				}
			}
			if (e.Failed == nil) != (c.failed == "") || e.Failed != nil && !strings.Contains(e.Failed.Error(), c.failed) {
				t.Errorf("it ended with %v, want %q", e.Failed, c.failed)
			}
			var b bytes.Buffer
			if err := e.Print(&b); err != nil || !strings.Contains(b.String(), "GET /x?topic=a HTTP/1.1") {
				t.Errorf("printed %q (%v)", b.String(), err)
			}
		})
	}
}

// Bytes are what crossed the connection, and every line has its share.
func TestBytesAddUp(t *testing.T) {
	answer := switched + "\r\n\x81\x02hi" + goodbyeFrame
	e := inspecting(t, "ws://"+serving(t, says(answer))+"/", nil)
	if got, want := e.Up, int64(headBytes(e.Request)+len(closeFrame)); got != want {
		t.Errorf("%d bytes up, want %d", got, want)
	}
	whole := len(answer) - len("KEY") + len(acceptOf(""))
	after := 0
	for _, l := range e.After {
		after += l.Bytes
	}
	if got := headBytes(e.Answer) + after; int64(got) != e.Down || got != whole {
		t.Errorf("%d bytes of lines, %d down, want %d", got, e.Down, whole)
	}
	for i := 1; i < len(e.Stages); i++ {
		if e.Stages[i].At < e.Stages[i-1].At {
			t.Errorf("stages %+v are in no order", e.Stages)
		}
	}
}

func TestTargets(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "cannot be inspected",
		"127.0.0.1:80":        "is no URL",
		"ftp://127.0.0.1/":    "cannot be inspected",
		"ws:///x":             "cannot be inspected",
		"ws://:80/":           "cannot be inspected",
		"ws://a/#b":           "has a fragment",
		"http://me:secret@a/": "names a user",
		"ws://a:x/":           "is no URL",
	} {
		_, err := ParseTarget(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for text, address := range map[string]string{"ws://a/x": "a:80", "wss://a": "a:443", "sse+https://[::1]:8/": "[::1]:8", "WS://a": "a:80"} {
		if target, err := ParseTarget(text); err != nil || target.address() != address {
			t.Errorf("%s: to %s (%v), want %s", text, target.address(), err, address)
		}
	}
}

// A server that takes everything is found out, and so is one that takes nothing.
func TestNegative(t *testing.T) {
	try := func(answer script) (wrong []string) {
		target := Target{Kind: WebSocket, URL: &url.URL{Scheme: "http", Host: serving(t, answer)}}
		trials, err := Negative(context.Background(), target)
		if err != nil || len(trials) != len(Attempts) {
			t.Fatalf("%d trials of %d: %v", len(trials), len(Attempts), err)
		}
		for _, trial := range trials {
			if trial.Grade == Wrong {
				wrong = append(wrong, trial.Name+": "+trial.Why)
			}
		}
		var b bytes.Buffer
		if err := PrintTrials(&b, trials); err != nil || strings.Count(b.String(), "\n") < len(trials) {
			t.Errorf("printed %q (%v)", b.String(), err)
		}
		return wrong
	}
	refuse, take := 0, 0
	for _, a := range Attempts {
		if a.Refuse {
			refuse++
		} else {
			take++
		}
	}
	if wrong := try(says(switched + "\r\n")); len(wrong) != refuse {
		t.Errorf("of a server that takes everything %d are wrong, want %d: %q", len(wrong), refuse, wrong)
	}
	// All that must be taken, and that the version is not named.
	if wrong := try(says(crlf("HTTP/1.1 400 Bad Request", "Content-Length: 0", ""))); len(wrong) != take+1 {
		t.Errorf("of a server that takes nothing %d are wrong, want %d: %q", len(wrong), take+1, wrong)
	}
	// No answer at all is a refusal.
	if wrong := try(func(_ string, c net.Conn) { c.Close() }); len(wrong) != take {
		t.Errorf("of a server that hangs up %d are wrong, want %d: %q", len(wrong), take, wrong)
	}
	if wrong := try(says(switched + crlf("Sec-WebSocket-Extensions: unheard-of", "Sec-WebSocket-Protocol: other", ""))); len(wrong) != refuse+2 {
		t.Errorf("of a server that takes what it was not offered %d are wrong, want %d: %q", len(wrong), refuse+2, wrong)
	}
}

// Each attempt differs from a right request, and in the way that its name says.
func TestAttemptsDiffer(t *testing.T) {
	target := Target{Kind: WebSocket, URL: &url.URL{Scheme: "http", Host: "a.test"}}
	text := func(lines []Line) string {
		var b strings.Builder
		for _, l := range lines {
			b.WriteString(l.Text + "\n")
		}
		return b.String()
	}
	right := text(target.upgradeRequest("k"))
	seen := map[string]string{right: "the right request"}
	for _, a := range Attempts {
		got := text(a.Changes(target.upgradeRequest("k")))
		if other, twice := seen[got]; twice {
			t.Errorf("%s is the same as %s:\n%s", a.Name, other, got)
		}
		seen[got] = a.Name
		if a.Source == "" {
			t.Errorf("%s: where is that written?", a.Name)
		}
	}
}

// Malformed handshakes go to nobody else's server.
func TestNegativeStaysAtHome(t *testing.T) {
	for _, host := range []string{"203.0.113.1", "169.254.169.254", "[2001:db8::1]", "0.0.0.0"} {
		_, err := Negative(context.Background(), Target{Kind: WebSocket, URL: &url.URL{Scheme: "http", Host: host}})
		if !errors.Is(err, ErrNotYours) {
			t.Errorf("%s: %v, want %v", host, err, ErrNotYours)
		}
	}
}

// What a server writes is shown as text, and does nothing to a terminal.
func TestPrintIsInert(t *testing.T) {
	e := inspecting(t, "ws://"+serving(t, says(crlf("HTTP/1.1 400 \x1b]0;x\x07", "Server: \x1b[31mred", "")))+"/", nil)
	var b bytes.Buffer
	if err := e.Print(&b); err != nil || strings.ContainsAny(b.String(), "\x1b\x07") {
		t.Errorf("printed %q (%v)", b.String(), err)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(switched+"\r\n\x81\x02hi"+goodbyeFrame), byte(0))
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), byte(1))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), byte(1))
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n"), byte(2))
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n{}\n"), byte(3))
	f.Fuzz(func(t *testing.T, answer []byte, kind byte) {
		target := Target{Kind: []Kind{WebSocket, Poll, SSE, Lines}[kind%4], URL: &url.URL{Scheme: "http", Host: "a.test"}, Wait: time.Second}
		c := scripted(answer)
		e := &Exchange{Target: target}
		if target.Kind == WebSocket {
			e.Failed = e.upgrade(c)
		} else {
			e.Failed = e.ask(c)
		}
		var b bytes.Buffer
		if err := e.Print(&b); err != nil || b.Len() > 100*(len(answer)+2000) {
			t.Errorf("%d bytes printed (%v) of %d", b.Len(), err, len(answer))
		}
	})
}

// scripted is a connection on which an answer lies ready.
func scripted(answer []byte) *conn {
	c := &conn{Conn: deafConn{}, begun: time.Now()}
	c.reader = bufio.NewReader(bytes.NewReader(answer))
	return c
}

// A deafConn takes what is written.
type deafConn struct{ net.Conn }

func (deafConn) Write(b []byte) (int, error) { return len(b), nil }
func (deafConn) SetDeadline(time.Time) error { return nil }
