package inspect

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
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
				if request, err := readRequest(r); err == nil {
					respond(request, c)
					awaitClose(r)
				}
			}()
		}
	}()
	return ln.Addr().String()
}

// readRequest reads up to the empty line.
func readRequest(r *bufio.Reader) (string, error) {
	var header strings.Builder
	for {
		line, err := r.ReadString('\n')
		header.WriteString(line)
		if err != nil || line == "\r\n" {
			return header.String(), err
		}
	}
}

// awaitClose reads until the close frame of the client, or until it closes the connection.
func awaitClose(r io.Reader) {
	var all, b [1 << 10]byte
	n := 0
	for {
		read, err := r.Read(b[:])
		n = copy(all[:], append(all[:n:n], b[:read]...)[max(0, n+read-len(all)):])
		if err != nil || bytes.HasSuffix(all[:n], closeFrame) {
			return
		}
	}
}

// piped returns a dial to a script in this process, for a bubble of synctest. After both close
// frames, or if the script closed it, the server closes the connection.
func piped(respond script) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		s := &scriptedServer{Conn: theirs}
		go func() {
			r := bufio.NewReader(theirs)
			request, err := readRequest(r)
			if err != nil {
				theirs.Close()
				return
			}
			go respond(request, s)
			awaitClose(r)
			if s.closing.Load() {
				theirs.Close()
				return
			}
			_, _ = io.Copy(io.Discard, r)
			theirs.Close()
		}()
		return pipedClient{ours, &s.reset}, nil
	}
}

// A scriptedServer is the server's end of a connection in this process.
type scriptedServer struct {
	net.Conn
	closing atomic.Bool // it has sent a close frame
	reset   atomic.Bool // its end resets the connection
}

func (s *scriptedServer) Write(b []byte) (int, error) {
	if bytes.IndexByte(b, 0x88) >= 0 {
		s.closing.Store(true)
	}
	return s.Conn.Write(b)
}

func (s *scriptedServer) SetLinger(int) error {
	s.reset.Store(true)
	return nil
}

type pipedClient struct {
	net.Conn
	reset *atomic.Bool
}

func (c pipedClient) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, io.EOF) && c.reset.Load() {
		err = syscall.ECONNRESET
	}
	return n, err
}

// replying sends a text in which KEY stands for the correct accept key.
func replying(text string) script {
	return func(request string, c net.Conn) {
		key := ""
		for line := range strings.SplitSeq(request, "\r\n") {
			if name, k, _ := strings.Cut(line, ": "); strings.EqualFold(name, "Sec-WebSocket-Key") {
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

func inspecting(t *testing.T, target string, changes ...func(*Target)) *Exchange {
	t.Helper()
	to, err := ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	to.Wait = 200 * time.Millisecond
	for _, change := range changes {
		if change != nil {
			change(&to)
		}
	}
	e, err := Do(context.Background(), to)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// piping inspects a script in a bubble of synctest, in which no machine is too slow for a wait.
func piping(t *testing.T, target string, respond script, changes ...func(*Target)) (e *Exchange) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e = inspecting(t, target, append(changes, func(to *Target) { to.connect = piped(respond) })...)
	})
	return e
}

// The example of RFC 6455, section 1.3.
func TestAcceptKeyIsThatOfTheStandard(t *testing.T) {
	if got, want := acceptOf("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The bytes of the lines add up to those of the connection.
func TestBytesAddUp(t *testing.T) {
	response := switched + "\r\n\x81\x02hi" + serverCloseFrame
	e := piping(t, "ws://a.test/", replying(response))
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
		"ws://a:0/":           "allowed: 1 to 65535",
		"ws://a:65536/":       "allowed: 1 to 65535",
		"ws://me:secret@a:x/": "is not a URL",
		"ftp://me:secret@a/":  "cannot be inspected",
	} {
		_, err := ParseTarget(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for text, address := range map[string]string{"ws://a/x": "a:80", "wss://a": "a:443", "sse+https://[::1]:8/": "[::1]:8", "WS://a": "a:80", "http://a:/": "a:80", "http://a:65535/": "a:65535"} {
		if target, err := ParseTarget(text); err != nil || target.address() != address {
			t.Errorf("%s: to %s (%v), want %s", text, target.address(), err, address)
		}
	}
}

// A request contains what the target describes, and never more lines.
func TestRequestsAreEncoded(t *testing.T) {
	for url, want := range map[string]string{
		"http://a.test/x?topic=a b":        "GET /x?topic=a%20b HTTP/1.1\nHost: a.test\n",
		"http://a.test/ü?t=ü":              "GET /%C3%BC?t=%C3%BC HTTP/1.1\nHost: a.test\n",
		"ws://a.test":                      "GET / HTTP/1.1\nHost: a.test\n",
		"http://a.test/a%2Fb?c=%20":        "GET /a%2Fb?c=%20 HTTP/1.1\nHost: a.test\n",
		"http://[fe80::1%25eth0]:8080/":    "GET / HTTP/1.1\nHost: [fe80::1]:8080\n",
		"http://[fe80::1%25eth0]/?a=<b>|c": "GET /?a=%3Cb%3E%7Cc HTTP/1.1\nHost: [fe80::1]\n",
	} {
		target, err := ParseTarget(url)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := target.opening()[0].Text + "\n" + target.opening()[1].Text + "\n"; got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
}

// No value may add a line to a request.
func TestValuesWithLineEndsAreRefused(t *testing.T) {
	for name, target := range map[string]Target{
		"subprotocol": {Kind: WebSocket, Subprotocol: "a\r\nX: y"}, "origin": {Origin: "http://a\r\nX: y"},
		"field": {Fields: []string{"A: b\r\nX: y"}}, "method": {Kind: Poll, Method: "GET / HTTP/1.1\r\nX: y"},
		"name": {Fields: []string{"A\r\nX: y"}}, "NUL": {Fields: []string{"A: \x00"}},
		"long field": {Fields: []string{"A: " + strings.Repeat("x", maxField)}}, "long body": {Kind: Poll, Method: "POST", Body: strings.Repeat("x", maxSent+1)},
		"long message": {Kind: WebSocket, Send: []string{strings.Repeat("x", maxSent+1)}}, "message that is not UTF-8": {Kind: WebSocket, Send: []string{"\xff"}},
	} {
		if target.Check() == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

// Messages and fields reach the server as they are given.
func TestMessagesAreSent(t *testing.T) {
	received := make(chan string, 1)
	e := inspecting(t, "ws://"+serving(t, func(request string, c net.Conn) {
		replying(switched+"\r\n")(request, c)
		sent := make([]byte, len(clientFrame(opText, strings.Repeat("x", 200)))+len(clientFrame(opBinary, "\xc0\x00")))
		_, _ = io.ReadFull(c, sent)
		received <- request + string(sent)
		_, _ = io.WriteString(c, serverCloseFrame)
	})+"/", func(to *Target) {
		to.Wait = 10 * time.Second
		to.Fields = []string{"Authorization: Bearer x"}
		to.Send = []string{strings.Repeat("x", 200), "hex:c0 00"}
	})
	got := <-received
	for _, want := range []string{"\r\nAuthorization: Bearer x\r\n", "\x81\xfe\x00\xc8\x00\x00\x00\x00xxx", "\x82\x82\x00\x00\x00\x00\xc0\x00"} {
		if !strings.Contains(got, want) {
			t.Errorf("the server received %q, want %q", got, want)
		}
	}
	if e.Verdict() != Right {
		t.Errorf("the verdict is %s: %+v", e.Verdict(), e.After)
	}
}

// A port without TLS is named, with the scheme that it needs.
func TestPortsWithoutTLSAreNamed(t *testing.T) {
	to, err := ParseTarget("wss://127.0.0.1/")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = c.Read(make([]byte, 1))
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
	}()
	to.URL.Host = ln.Addr().String()
	if _, err := Do(context.Background(), to); err == nil || !strings.Contains(err.Error(), "for a port without TLS use ws://") {
		t.Errorf("got %v", err)
	}
}

// Text is cut between letters, and a letter may consist of several characters.
func TestTextIsCutBetweenLetters(t *testing.T) {
	for text, want := range map[string]string{
		"short":                              "short",
		strings.Repeat("ä", 50):              strings.Repeat("ä", 40) + "…",
		"x" + strings.Repeat("ä", 50):        "x" + strings.Repeat("ä", 39) + "…",
		strings.Repeat("x", 79) + "e\u0301e": strings.Repeat("x", 79) + "…",
	} {
		if got := cutText(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got, want := visible("a\tb\u00a0c\u200dd\u202ee\x1b"), "a b\u00a0c\u200dd\ufffde\ufffd"; got != want {
		t.Errorf("%q, want %q", got, want)
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
	refuse, accept, contestable := 0, 0, 0
	for _, a := range Handshakes {
		switch {
		case a.Open != "" && a.Refuse:
			contestable++
		case a.Open != "":
		case a.Refuse:
			refuse++
		default:
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
	if wrong := try(replying(replaced("KEY", "x"))); len(wrong) != len(Handshakes)-contestable {
		t.Errorf("a server that accepts everything without the key: %d wrong, want %d: %q", len(wrong), len(Handshakes)-contestable, wrong)
	}
	// An interim response is neither.
	if wrong := try(replying(head("HTTP/1.1 100 Continue") + switched + "\r\n")); len(wrong) != refuse {
		t.Errorf("a server that accepts everything after a 100: %d wrong, want %d: %q", len(wrong), refuse, wrong)
	}
	// An internal error is no appropriate response, but it refuses.
	if wrong := try(replying(crlf("HTTP/1.1 500 x", "Content-Length: 0", ""))); len(wrong) != accept {
		t.Errorf("a server with an internal error: %d wrong, want %d: %q", len(wrong), accept, wrong)
	}
	// Without a response, a server refuses, but not as it must.
	if wrong := try(func(_ string, c net.Conn) { c.Close() }); len(wrong) != accept {
		t.Errorf("a server that closes the connection: %d wrong, want %d: %q", len(wrong), accept, wrong)
	}
	if wrong := try(replying(switched + crlf("Sec-WebSocket-Extensions: unheard-of", "Sec-WebSocket-Protocol: other", ""))); len(wrong) != refuse+2 {
		t.Errorf("a server that selects what was not offered: %d wrong, want %d: %q", len(wrong), refuse+2, wrong)
	}
	// A response without a switch is allowed unless Host is wrong, which requires a 400.
	if wrong := try(replying(head("HTTP/1.1 200 OK", "Sec-WebSocket-Version: 13", "Content-Length: 0"))); len(wrong) != accept+2 {
		t.Errorf("a server that does not switch: %d wrong, want %d: %q", len(wrong), accept+2, wrong)
	}
	for _, incomplete := range []string{replaced("Connection: Upgrade\r\n", ""), replaced(": websocket", ": h2c"), replaced("HTTP/1.1", "HTTP/1.0"), replaced("KEY", "KEY\r\nSec-WebSocket-Accept: KEY")} {
		if wrong := try(replying(incomplete)); len(wrong) != len(Handshakes)-contestable {
			t.Errorf("a server that sends %q: %d wrong, want %d: %q", incomplete, len(wrong), len(Handshakes)-contestable, wrong)
		}
	}
}

// An error is required of a server that does not switch, although it may ignore Upgrade.
func TestRefusalWithoutErrorIsContestable(t *testing.T) {
	for status, want := range map[int]Grade{200: Contestable, 302: Contestable, 400: Right, 403: Right, 500: Contestable, 501: Right} {
		r := Reaction{Handshake: Handshake{Refuse: true}, Status: status}
		if r.judge(header{status: status}, ""); r.Grade != want {
			t.Errorf("%d: %s (%s), want %s", status, r.Grade, r.Why, want)
		}
	}
}

// A body that ends with the connection is complete only after a closure alert of TLS.
func TestEndWithoutClosureAlertIsIncomplete(t *testing.T) {
	for _, response := range []string{head("HTTP/1.1 200 OK") + "{}", events + "data: x\n\n", head("HTTP/1.1 200 OK", "Content-Length: 2") + "{}"} {
		for _, alert := range []bool{true, false} {
			s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				c, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(c, response)
				if !alert {
					c = c.(*tls.Conn).NetConn()
				}
				c.Close()
			}))
			scheme := "https"
			if strings.HasPrefix(response, events) {
				scheme = "sse+https"
			}
			e := inspecting(t, scheme+"://"+s.Listener.Addr().String()+"/", func(to *Target) {
				to.Wait, to.TLS = 10*time.Second, &tls.Config{InsecureSkipVerify: true}
			})
			s.Close()
			wrong := e.Graded(Wrong)
			if cut := !alert && !strings.Contains(response, "Content-Length"); cut != (len(wrong) == 1 && strings.Contains(wrong[0].Why, "RFC 9112, section 9.8")) {
				t.Errorf("%q, with an alert %t: %v", response, alert, wrong)
			}
		}
	}
}

func TestSilentPortIsNamedTimeoutOfTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, err := ParseTarget("wss://a.test/")
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := net.Pipe()
		defer theirs.Close()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		to.connect = func(context.Context, string, string) (net.Conn, error) { return ours, nil }
		if _, err := Do(context.Background(), to); err == nil || !strings.Contains(err.Error(), "TLS handshake: timed out; for a port without TLS use ws://") {
			t.Errorf("got %v", err)
		}
	})
}

// A server that does not respond in time neither accepts nor refuses.
func TestSilenceIsNoAnswer(t *testing.T) {
	target := Target{Kind: WebSocket, URL: &url.URL{Scheme: "http", Host: serving(t, replying(""))}, Wait: time.Millisecond}
	all, err := Negative(context.Background(), target)
	if err != nil || len(all) != len(Handshakes) {
		t.Fatalf("%d reactions, want %d: %v", len(all), len(Handshakes), err)
	}
	for _, r := range all {
		if r.Grade != NoAnswer {
			t.Errorf("%s: %s (%s), want %s", r.Name, r.Grade, r.Why, NoAnswer)
		}
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
		if !clause.MatchString(a.Source) || a.Open != "" && !clause.MatchString(a.Open) {
			t.Errorf("%s: no clause of a standard: %q, %q", a.Name, a.Source, a.Open)
		}
	}
}

// A server that sends a byte at a time cannot hold a request: each phase ends with its own wait, and
// all of them with the context.
func TestDrippingServersAreBounded(t *testing.T) {
	errLate := errors.New("the time for all requests is over")
	dripping := func(first, unit string) script {
		return func(request string, c net.Conn) {
			replying(first)(request, c)
			for {
				for _, b := range []byte(unit) {
					time.Sleep(time.Second)
					if _, err := c.Write([]byte{b}); err != nil {
						return
					}
				}
			}
		}
	}
	const wait = 10 * time.Second
	for name, row := range map[string]struct {
		url   string
		send  script
		waits int // response, frames, close
	}{
		"header":       {"ws://a.test/", dripping("HTTP/1.1 101 x\r\n", "X: y\r\n"), 1},
		"status line":  {"http://a.test/", dripping("", "HTTP/1.1 200 OK"), 1},
		"interim":      {"ws://a.test/", dripping("HTTP/1.1 102 x\r\n\r\n", "HTTP/1.1 102 x\r\n\r\n"), 1},
		"frames":       {"ws://a.test/", dripping(switched+"\r\n", "\x81\x01x"), 3},
		"pings":        {"ws://a.test/", dripping(switched+"\r\n", "\x89\x00"), 3},
		"message":      {"ws://a.test/", dripping(switched+"\r\n\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", "x"), 2},
		"body":         {"http://a.test/", dripping(head("HTTP/1.1 200 OK", "Content-Length: 100000"), "x"), 1},
		"body to end":  {"http://a.test/", dripping(head("HTTP/1.1 200 OK"), "x"), 1},
		"chunks":       {"http://a.test/", dripping(chunks, "1\r\nx\r\n"), 1},
		"chunk size":   {"http://a.test/", dripping(chunks, "0"), 1},
		"trailer":      {"http://a.test/", dripping(chunks+"0\r\n", "X: y\r\n"), 1},
		"comments":     {"sse+http://a.test/", dripping(events, ":\n"), 1},
		"event":        {"sse+http://a.test/", dripping(events, "data: x\n"), 1},
		"line":         {"stream+http://a.test/", dripping(ndjson, "x"), 1},
		"refused body": {"ws://a.test/", dripping(head("HTTP/1.1 403 x"), "x"), 1},
		"TLS":          {"wss://a.test/", nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, all := range []time.Duration{time.Hour, wait / 2} {
				synctest.Test(t, func(t *testing.T) {
					target, err := ParseTarget(row.url)
					if err != nil {
						t.Fatal(err)
					}
					target.Wait, target.connect = wait, piped(row.send)
					if row.send == nil { // bytes of a record of TLS, to a client that waits for its header
						target.connect = func(context.Context, string, string) (net.Conn, error) {
							ours, theirs := net.Pipe()
							go io.Copy(io.Discard, theirs) //nolint:errcheck // until the client is done
							go dripping("", "\x16\x03\x03\x40\x00"+strings.Repeat("\x00", 100))("", theirs)
							return ours, nil
						}
					}
					ctx, cancel := context.WithTimeoutCause(t.Context(), all, errLate)
					defer cancel()
					begun := time.Now()
					e, err := Do(ctx, target)
					defer time.Sleep(2 * time.Second) // until the script has noticed
					if took, most := time.Since(begun), min(all, time.Duration(row.waits)*wait); took > most {
						t.Errorf("took %v, want at most %v", took, most)
					}
					if late := all < wait; late && e != nil && (e.Verdict() != NoAnswer && e.Verdict() != Wrong || !strings.Contains(e.After[len(e.After)-1].Why, errLate.Error())) ||
						late && e == nil && !errors.Is(err, errLate) {
						t.Errorf("%+v (%v), want the cause %q", e, err, errLate)
					}
				})
			}
		})
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

// Secrets are sent and not shown.
func TestSecretsAreNotShown(t *testing.T) {
	var received string
	e := piping(t, "http://a.test/", func(request string, c net.Conn) {
		received = request
		replying(head("HTTP/1.1 204 No Content"))(request, c)
	}, func(to *Target) {
		to.Fields = []string{"authorization: Bearer hush-1", "Cookie: id=hush-2", "Proxy-Authorization: hush-3", "X-Shown: x"}
	})
	var b bytes.Buffer
	if err := e.Print(&b); err != nil || strings.Contains(b.String(), "hush") || !strings.Contains(b.String(), "authorization: (13 bytes)") || !strings.Contains(b.String(), "X-Shown: x") {
		t.Errorf("printed %q (%v)", b.String(), err)
	}
	for _, field := range []string{"Authorization: hush-1\x00", "Authorization Bearer hush-1", " cookie: id=hush-2", "Authorization : hush-1", "Proxy-Authorization=hush-3"} {
		if err := (Target{Fields: []string{field}}).Check(); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("got %v, want an error without the value", err)
		}
	}
	if strings.Count(received, "hush-") != 3 {
		t.Errorf("the server received %q", received)
	}
}

// The output of a server must not control the terminal.
func TestPrintRemovesControlCharacters(t *testing.T) {
	e := piping(t, "ws://a.test/", replying(crlf("HTTP/1.1 400 \x1b]0;x\x07", "Server: \x1b[31mred", "")))
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
		e.end(e.exchange(c))
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

// An early is a connection of a server that responds before it has read the request, and closes.
type early struct {
	net.Conn
	response io.Reader
	write    error
}

func (c early) Read(b []byte) (int, error)       { return c.response.Read(b) }
func (c early) Write([]byte) (int, error)        { return 0, c.write }
func (early) SetDeadline(time.Time) error        { return nil }
func (early) Close() error                       { return nil }
func (early) SetReadDeadline(time.Time) error    { return nil }
func (c early) SetWriteDeadline(time.Time) error { return nil }

// The response counts, although the rest of the request could not be written.
func TestResponseBeforeTheWholeRequestIsJudged(t *testing.T) {
	for _, write := range []error{syscall.ECONNRESET, os.ErrDeadlineExceeded} {
		for response, want := range map[string]Grade{head("HTTP/1.1 413 Content Too Large", "Content-Length: 3") + "big": Wrong, "": NoAnswer} {
			e := inspecting(t, "http://127.0.0.1:1/", func(to *Target) {
				to.Method, to.Body = "POST", "x"
				to.connect = func(context.Context, string, string) (net.Conn, error) {
					return early{response: strings.NewReader(response), write: write}, nil
				}
			})
			if got := e.Verdict(); got != want || want == Wrong && e.First != "big" {
				t.Errorf("%v, then %q: %s with body %q, want %s", write, response, got, e.First, want)
			}
		}
	}
}
