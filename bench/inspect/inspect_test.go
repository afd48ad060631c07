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

// A script writes the response of a server to a request header.
type script func(request string, c net.Conn)

// serving starts a server that runs a script on each connection and returns its address.
func serving(t *testing.T, respond script) string {
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
				var header strings.Builder
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					header.WriteString(line)
					if line == "\r\n" {
						break
					}
				}
				respond(header.String(), c)
				_, _ = io.Copy(io.Discard, r) // until the client is done
			}()
		}
	}()
	return ln.Addr().String()
}

// replying sends a text in which KEY stands for the correct accept key.
func replying(text string) script {
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

// serverCloseFrame is the close frame of a server with code 1000.
const serverCloseFrame = "\x88\x02\x03\xe8"

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
func TestAcceptKeyIsThatOfTheStandard(t *testing.T) {
	if got, want := acceptOf("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestErrorsAreFound(t *testing.T) {
	events := crlf("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked", "")
	lines := crlf("HTTP/1.1 200 OK", "Content-Type: application/x-ndjson", "Transfer-Encoding: chunked", "")
	for name, c := range map[string]struct {
		scheme, response string
		change           func(*Target)
		want             []string // in each error, in order; none: correct
		failed           string
	}{
		"a correct upgrade":         {"ws", switched + "\r\n\x81\x02hi" + serverCloseFrame, nil, nil, ""},
		"no frame before the close": {"ws", switched + "\r\n", nil, []string{"timed out"}, ""},
		"a wrong accept key":        {"ws", strings.Replace(switched, "KEY", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 1) + "\r\n" + serverCloseFrame, nil, []string{"for the key of this request it must be "}, ""},
		"no accept key":             {"ws", crlf("HTTP/1.1 101 x", "Upgrade: websocket", "Connection: upgrade", "") + serverCloseFrame, nil, []string{"missing in the response"}, ""},
		"no Upgrade":                {"ws", crlf("HTTP/1.1 101 x", "Connection: upgrade", "Sec-WebSocket-Accept: KEY", "") + serverCloseFrame, nil, []string{"missing in the response"}, ""},
		"another Upgrade":           {"ws", strings.Replace(switched, "websocket", "h2c", 1) + "\r\n" + serverCloseFrame, nil, []string{`must be "websocket"`}, ""},
		"another Connection":        {"ws", strings.Replace(switched, "Connection: Upgrade", "Connection: close", 1) + "\r\n" + serverCloseFrame, nil, []string{`must contain "Upgrade"`}, ""},
		"a protocol that was not offered": {
			"ws", switched + crlf("Sec-WebSocket-Protocol: x", "") + serverCloseFrame, nil, []string{"not offered"}, "",
		},
		"a protocol that was offered": {
			"ws", switched + crlf("Sec-WebSocket-Protocol: x", "") + serverCloseFrame, func(t *Target) { t.Subprotocol = "y, x" }, nil, "",
		},
		"an extension that was not offered": {
			"ws", switched + crlf("Sec-WebSocket-Extensions: permessage-deflate", "") + serverCloseFrame, nil, []string{"not offered"}, "",
		},
		"an extension that was offered": {
			"ws", switched + crlf("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover", "") + serverCloseFrame, func(t *Target) { t.Deflate = true }, nil, "",
		},
		"a 101 with a body":    {"ws", switched + crlf("Content-Length: 0", "") + serverCloseFrame, nil, []string{"the bytes after the header are frames"}, ""},
		"a masked frame":       {"ws", switched + "\r\n\x81\x82\x00\x00\x00\x00hi" + serverCloseFrame, nil, []string{"a server must not mask"}, ""},
		"reserved bits":        {"ws", switched + "\r\n\xb1\x02hi" + serverCloseFrame, nil, []string{"reserved bits are set"}, ""},
		"a reserved opcode":    {"ws", switched + "\r\n\x83\x02hi" + serverCloseFrame, nil, []string{"this opcode is reserved"}, ""},
		"a ping in pieces":     {"ws", switched + "\r\n\x09\x02hi" + serverCloseFrame, nil, []string{"control frames are not fragmented"}, ""},
		"a refusal":            {"ws", crlf("HTTP/1.1 403 Forbidden", "Content-Length: 0", ""), nil, []string{"the server did not switch"}, ""},
		"a field with a space": {"ws", switched + crlf("X-Odd : 1", "") + serverCloseFrame, nil, []string{"not a header field"}, ""},
		"no HTTP":              {"ws", "SSH-2.0-x\r\n\r\n", nil, nil, "is not a status line of HTTP/1"},
		"half a header":        {"ws", "HTTP/1.1 101 Switch", nil, nil, "timed out"},
		"nothing":              {"ws", "", nil, nil, "timed out"},
		"a header without end": {"ws", "HTTP/1.1 101 x\r\nX: " + strings.Repeat("x", maxHeader), nil, nil, "longer than"},

		"a correct poll":     {"http", crlf("HTTP/1.1 200 OK", "Content-Length: 2", "", "{}")[:len(crlf("HTTP/1.1 200 OK", "Content-Length: 2", "", "{}"))-2], nil, nil, ""},
		"an empty poll":      {"http", crlf("HTTP/1.1 204 No Content", ""), nil, nil, ""},
		"a chunked poll":     {"http", crlf("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "2", "{}", "0", ""), nil, nil, ""},
		"a refused poll":     {"http", crlf("HTTP/1.1 429 Too Many", "Content-Length: 0", ""), nil, []string{"the poll was refused"}, ""},
		"a poll that closes": {"http", crlf("HTTP/1.1 204 No Content", "Connection: close", ""), nil, []string{"every poll requires a new connection"}, ""},
		"a body without end": {"http", crlf("HTTP/1.1 200 OK", ""), nil, []string{"neither Content-Length nor chunks"}, ""},
		"a bad length":       {"http", crlf("HTTP/1.1 204 OK", "Content-Length: two", ""), nil, []string{"not a number of bytes"}, ""},
		"a bad chunk":        {"http", crlf("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", "two"), nil, nil, "is not a chunk size"},

		"a correct event":     {"sse+http", events + crlf("11", "id: 1\ndata: {}\n\n:", ""), nil, nil, ""},
		"no event":            {"sse+http", events, nil, nil, ""},
		"another stream type": {"sse+http", strings.Replace(events, "event-stream", "html", 1), nil, []string{`must be "text/event-stream"`}, ""},
		"no stream type":      {"sse+http", crlf("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", ""), nil, []string{"missing in the response"}, ""},
		"a stream that ends":  {"sse+http", events + crlf("0", ""), nil, []string{"a browser would reconnect"}, ""},
		"an unknown field":    {"sse+http", events + crlf("6", "dat: \n") + crlf("1", "\n"), nil, []string{"browsers ignore it"}, ""},
		"a correct line":      {"stream+http", lines + crlf("4", "\n{}\n", ""), nil, nil, ""},
		"no line":             {"stream+http", lines, nil, nil, ""},
		"another line type":   {"stream+http", strings.Replace(lines, "x-ndjson", "json", 1), nil, []string{`must be "application/x-ndjson"`}, ""},
		"lines that end":      {"stream+http", lines + crlf("0", ""), nil, []string{"the page has to reconnect"}, ""},
		"a line of no JSON":   {"stream+http", lines + crlf("2", "{\n", ""), nil, []string{"not a JSON text"}, ""},
		"a refused stream":    {"sse+http", crlf("HTTP/1.1 204 No Content", "Content-Type: text/event-stream", ""), nil, []string{"did not open a stream"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := inspecting(t, c.scheme+"://"+serving(t, replying(c.response))+"/x?topic=a", c.change)
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
				t.Errorf("ended with %v, want %q", e.Failed, c.failed)
			}
			var b bytes.Buffer
			if err := e.Print(&b); err != nil || !strings.Contains(b.String(), "GET /x?topic=a HTTP/1.1") {
				t.Errorf("printed %q (%v)", b.String(), err)
			}
		})
	}
}

// The bytes of the lines add up to those of the connection.
func TestBytesAddUp(t *testing.T) {
	response := switched + "\r\n\x81\x02hi" + serverCloseFrame
	e := inspecting(t, "ws://"+serving(t, replying(response))+"/", nil)
	if got, want := e.Up, int64(headerBytes(e.Request)+len(closeFrame)); got != want {
		t.Errorf("%d bytes up, want %d", got, want)
	}
	whole := len(response) - len("KEY") + len(acceptOf(""))
	after := 0
	for _, l := range e.After {
		after += l.Bytes
	}
	if got := headerBytes(e.Response) + after; int64(got) != e.Down || got != whole {
		t.Errorf("%d bytes of lines, %d down, want %d", got, e.Down, whole)
	}
	for i := 1; i < len(e.Stages); i++ {
		if e.Stages[i].At < e.Stages[i-1].At {
			t.Errorf("stages %+v are not in order", e.Stages)
		}
	}
}

func TestTargetsAreParsed(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "cannot be inspected",
		"127.0.0.1:80":        "is not a URL",
		"ftp://127.0.0.1/":    "cannot be inspected",
		"ws:///x":             "cannot be inspected",
		"ws://:80/":           "cannot be inspected",
		"ws://a/#b":           "has a fragment",
		"http://me:secret@a/": "contains a user name",
		"ws://a:x/":           "is not a URL",
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

// Both a server that accepts every handshake and one that refuses every handshake are wrong.
func TestNegativeHandshakesAreChecked(t *testing.T) {
	try := func(respond script) (wrong []string) {
		target := Target{Kind: WebSocket, URL: &url.URL{Scheme: "http", Host: serving(t, respond)}}
		all, err := Negative(context.Background(), target)
		if err != nil || len(all) != len(Handshakes) {
			t.Fatalf("%d reactions, want %d: %v", len(all), len(Handshakes), err)
		}
		for _, r := range all {
			if r.Grade == Wrong {
				wrong = append(wrong, r.Name+": "+r.Why)
			}
		}
		var b bytes.Buffer
		if err := PrintReactions(&b, all); err != nil || strings.Count(b.String(), "\n") < len(all) {
			t.Errorf("printed %q (%v)", b.String(), err)
		}
		return wrong
	}
	refuse, accept := 0, 0
	for _, a := range Handshakes {
		if a.Refuse {
			refuse++
		} else {
			accept++
		}
	}
	if wrong := try(replying(switched + "\r\n")); len(wrong) != refuse {
		t.Errorf("a server that accepts everything: %d wrong, want %d: %q", len(wrong), refuse, wrong)
	}
	// All that must be accepted, and the missing version.
	if wrong := try(replying(crlf("HTTP/1.1 400 Bad Request", "Content-Length: 0", ""))); len(wrong) != accept+1 {
		t.Errorf("a server that refuses everything: %d wrong, want %d: %q", len(wrong), accept+1, wrong)
	}
	// No response at all is a refusal.
	if wrong := try(func(_ string, c net.Conn) { c.Close() }); len(wrong) != accept {
		t.Errorf("a server that closes the connection: %d wrong, want %d: %q", len(wrong), accept, wrong)
	}
	if wrong := try(replying(switched + crlf("Sec-WebSocket-Extensions: unheard-of", "Sec-WebSocket-Protocol: other", ""))); len(wrong) != refuse+2 {
		t.Errorf("a server that selects what was not offered: %d wrong, want %d: %q", len(wrong), refuse+2, wrong)
	}
}

// Each handshake differs from the correct request and from all others.
func TestHandshakesDiffer(t *testing.T) {
	target := Target{Kind: WebSocket, URL: &url.URL{Scheme: "http", Host: "a.test"}}
	text := func(lines []Line) string {
		var b strings.Builder
		for _, l := range lines {
			b.WriteString(l.Text + "\n")
		}
		return b.String()
	}
	right := text(target.upgradeRequest("k"))
	seen := map[string]string{right: "the correct request"}
	for _, a := range Handshakes {
		got := text(a.Changes(target.upgradeRequest("k")))
		if other, twice := seen[got]; twice {
			t.Errorf("%s is the same as %s:\n%s", a.Name, other, got)
		}
		seen[got] = a.Name
		if a.Source == "" {
			t.Errorf("%s: no source", a.Name)
		}
	}
}

// Malformed handshakes must not reach servers of others.
func TestNegativeRefusesPublicAddresses(t *testing.T) {
	for _, host := range []string{"203.0.113.1", "169.254.169.254", "[2001:db8::1]", "0.0.0.0"} {
		_, err := Negative(context.Background(), Target{Kind: WebSocket, URL: &url.URL{Scheme: "http", Host: host}})
		if !errors.Is(err, ErrPublicAddress) {
			t.Errorf("%s: %v, want %v", host, err, ErrPublicAddress)
		}
	}
}

// The output of a server must not control the terminal.
func TestPrintRemovesControlCharacters(t *testing.T) {
	e := inspecting(t, "ws://"+serving(t, replying(crlf("HTTP/1.1 400 \x1b]0;x\x07", "Server: \x1b[31mred", "")))+"/", nil)
	var b bytes.Buffer
	if err := e.Print(&b); err != nil || strings.ContainsAny(b.String(), "\x1b\x07") {
		t.Errorf("printed %q (%v)", b.String(), err)
	}
}

func FuzzResponse(f *testing.F) {
	f.Add([]byte(switched+"\r\n\x81\x02hi"+serverCloseFrame), byte(0))
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), byte(1))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), byte(1))
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: x\n\n"), byte(2))
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n{}\n"), byte(3))
	f.Fuzz(func(t *testing.T, response []byte, kind byte) {
		target := Target{Kind: []Kind{WebSocket, Poll, SSE, Lines}[kind%4], URL: &url.URL{Scheme: "http", Host: "a.test"}, Wait: time.Second}
		c := scripted(response)
		e := &Exchange{Target: target}
		if target.Kind == WebSocket {
			e.Failed = e.upgrade(c)
		} else {
			e.Failed = e.plainRequest(c)
		}
		var b bytes.Buffer
		if err := e.Print(&b); err != nil || b.Len() > 100*(len(response)+2000) {
			t.Errorf("%d bytes printed (%v) of %d", b.Len(), err, len(response))
		}
	})
}

// scripted returns a connection with a buffered response.
func scripted(response []byte) *conn {
	c := &conn{Conn: writeOnlyConn{}, begun: time.Now()}
	c.reader = bufio.NewReader(bytes.NewReader(response))
	return c
}

// A writeOnlyConn discards its input.
type writeOnlyConn struct{ net.Conn }

func (writeOnlyConn) Write(b []byte) (int, error) { return len(b), nil }
func (writeOnlyConn) SetDeadline(time.Time) error { return nil }
