package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"

	"pushbench/cmd/internal/app"
	"pushbench/cmd/internal/inprocess"
	"pushbench/servers/wire"
)

// The servers conform to the standards on every library, and refuse invalid handshakes.
func TestInspectOurServers(t *testing.T) {
	inprocess.OnEachLibrary(t, func(t *testing.T, library wire.Library) {
		t.Parallel() // a WebSocket is read for the whole wait
		urls := map[string]string{}
		for transport, format := range map[string]string{
			"websocket": "ws://ADDR/v1/ws?topic=a", "shortpoll": "http://ADDR/v1/poll?topic=a",
			"longpoll": "http://ADDR/v1/poll?topic=a&wait=1s", "sse": "sse+http://ADDR/v1/sse?topic=a",
			"httpstream": "stream+http://ADDR/v1/stream?topic=a",
		} {
			server := inprocess.Start(t, inprocess.Server{Transport: transport, Library: library})
			urls[transport] = strings.Replace(format, "ADDR", server.Addr, 1)
		}
		var out, errs bytes.Buffer
		inspected := func(args ...string) int {
			out.Reset()
			errs.Reset()
			return run(context.Background(), append([]string{"inspect", "--wait", "1s"}, args...), nil, &out, &errs)
		}
		if code := inspected(urls["shortpoll"], urls["longpoll"], urls["sse"], urls["httpstream"]); code != int(app.OK) {
			t.Errorf("exit code %d: %s\n%s", code, errs.String(), out.String())
		}
		for _, want := range []string{"data: {", "side by side"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the output lacks %q:\n%s", want, out.String())
			}
		}
		if code := inspected("--negative", urls["websocket"]); code != int(app.OK) {
			t.Errorf("exit code %d: %s\n%s", code, errs.String(), out.String())
		}
		for _, want := range []string{"Sec-WebSocket-Accept: ", "text frame: ", "close frame: code 1000"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("the output lacks %q:\n%s", want, out.String())
			}
		}
	})
}

// A URL that cannot be inspected has one line on stderr with the cause, and does not end the others.
func TestInspectContinuesAfterADeadURL(t *testing.T) {
	secure := func(change func(*x509.Certificate)) string {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
		change(template)
		certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}}}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.Listener.Addr().String()
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(plain.Close)
	args, rest := []string{"inspect", plain.URL}, []string{}
	for _, dead := range []struct{ url, cause string }{
		{"ws://" + closed.Listener.Addr().String() + "/", "connection refused"},
		{"https://" + secure(func(*x509.Certificate) {}) + "/", "signed by unknown authority; --insecure accepts any certificate"},
		{"https://" + secure(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }) + "/", "expired"},
		{"wss://" + secure(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.test"} }) + "/", "any IP SANs; --insecure"},
		{"sse+https://" + plain.Listener.Addr().String() + "/", "for a port without TLS use"},
		{"http://" + strings.Repeat("a", 64) + ".test/", "no such host"}, // too long for a name, so that no name server is asked
	} {
		args, rest = append(args, dead.url), append(rest, dead.cause)
	}
	var out, errs bytes.Buffer
	code := run(t.Context(), append(args, plain.URL+"/last"), nil, &out, &errs)
	lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
	if code != int(app.Refused) || len(lines) != len(rest) {
		t.Errorf("exit code %d, want %d; %d lines, want %d:\n%s", code, app.Refused, len(lines), len(rest), errs.String())
	}
	for i, cause := range rest[:min(len(rest), len(lines))] {
		if !strings.Contains(lines[i], cause) {
			t.Errorf("%q, want %q", lines[i], cause)
		}
	}
	if !strings.Contains(out.String(), "GET /last HTTP/1.1") || !strings.Contains(out.String(), "side by side") {
		t.Errorf("the rest is not shown:\n%s", out.String())
	}
}

// answering is a server that sends a text after each request, and keeps the connection open.
func answering(t *testing.T, text string) string {
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
				if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					_, _ = io.WriteString(c, text)
					_, _ = io.Copy(io.Discard, c)
				}
			}()
		}
	}()
	return ln.Addr().String()
}

// No text of a server reaches the terminal with characters that control it or reverse its text.
func TestInspectShowsNoControlCharacters(t *testing.T) {
	const nasty = "\x1b]0;x\x07\x1b[2J\u202e\u2066\u200f\u0085\u2028\x9b31m\b\x7f"
	var out, errs bytes.Buffer
	args := []string{"inspect", "--wait", "100ms"}
	for scheme, text := range map[string]string{
		"ws":          "HTTP/1.1 101 " + nasty + "\r\nX: " + nasty + "\r\n" + nasty + "\r\nSec-WebSocket-Protocol: " + nasty + "\r\n\r\n\x82\x01x\x88\x15\x03\xe8" + nasty[:19],
		"http":        "HTTP/1.1 200 " + nasty + "\r\nContent-Encoding: " + nasty + "\r\nContent-Length: 1000\r\n\r\n" + nasty,
		"sse+http":    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + nasty + ": x\ndata: " + nasty + "\n\n",
		"stream+http": "HTTP/1.1 200 OK\r\nContent-Type: " + nasty + "\r\nTransfer-Encoding: chunked\r\n\r\n30\r\n" + nasty + "\n" + nasty,
	} {
		args = append(args, scheme+"://"+answering(t, text)+"/", scheme+"://"+answering(t, nasty+"\n")+"/")
	}
	if code := run(t.Context(), args, nil, &out, &errs); code != int(app.Failed) {
		t.Errorf("exit code %d, want %d: %s", code, app.Failed, errs.String())
	}
	for _, r := range out.String() + errs.String() {
		if r != '\n' && !unicode.IsGraphic(r) {
			t.Fatalf("printed U+%04X:\n%q", r, out.String())
		}
	}
}

// After Ctrl-C no other URL is inspected.
func TestInspectIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	if code := run(ctx, []string{"inspect", "ws://127.0.0.1:1/", "ws://127.0.0.1:2/"}, nil, &out, &errs); code != int(app.Interrupted) || errs.String() != "pushbench: interrupted\n" {
		t.Errorf("exit code %d, want %d: %s", code, app.Interrupted, errs.String())
	}
}

// --timeout limits all URLs together. What is left has no answer.
func TestInspectEndsInTime(t *testing.T) {
	silent := answering(t, "")
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"inspect", "--wait", "1m", "--timeout", "50ms", "ws://" + silent + "/", "http://" + silent + "/"}, nil, &out, &errs)
	const why = "not complete within 50ms (--timeout)"
	if code != int(app.Inconclusive) || !strings.Contains(out.String(), why) || !strings.Contains(errs.String(), why) {
		t.Errorf("exit code %d, want %d; want %q in both:\n%s\n%s", code, app.Inconclusive, why, out.String(), errs.String())
	}
}
