package engines

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/bench/client/internal/wire"
	"pushbench/bench/clock"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A record is an observer of one client.
type record struct{ *clienttest.Observer }

// ofKind returns the events of some kinds.
func (r record) ofKind(kinds ...client.Kind) []client.Event {
	return clienttest.Events(r.All(), 0, kinds...)
}

// await waits until n events of some kinds were reported, and returns them.
func (r record) await(t *testing.T, n int, kinds ...client.Kind) []client.Event {
	t.Helper()
	r.Await(t, fmt.Sprintf("%d events of %v", n, kinds), func([]clienttest.Call) bool { return len(r.ofKind(kinds...)) >= n })
	return r.ofKind(kinds...)
}

// A script serves a server's n-th connection, from 0, which is closed afterwards.
type script func(n int, p *peer)

// A scriptedServer is a server that runs a script per connection.
type scriptedServer struct {
	net.Listener
	t       *testing.T
	working sync.WaitGroup

	mu       sync.Mutex // guards what follows
	peers    []*peer
	requests []string // targets in the order of arrival, on all connections
	arrived  chan string
}

// A peer is the server's end of one connection.
type peer struct {
	net.Conn
	in     *bufio.Reader
	server *scriptedServer
}

func startServer(t *testing.T, s script) *scriptedServer {
	t.Helper()
	p := &scriptedServer{Listener: listen(t), t: t, arrived: make(chan string, 1000)}
	p.working.Go(func() {
		for n := 0; ; n++ {
			c, err := p.Accept()
			if err != nil {
				return
			}
			peer := &peer{Conn: c, in: bufio.NewReader(c), server: p}
			p.mu.Lock()
			p.peers = append(p.peers, peer)
			p.mu.Unlock()
			p.working.Go(func() {
				defer c.Close()
				s(n, peer)
			})
		}
	})
	t.Cleanup(p.stop)
	return p
}

func (p *scriptedServer) stop() {
	p.Listener.Close()
	p.mu.Lock()
	for _, peer := range p.peers {
		peer.Close()
	}
	p.mu.Unlock()
	p.working.Wait()
}

func (p *scriptedServer) addr() string { return p.Listener.Addr().String() }

// count returns how many connections and requests the server received.
func (p *scriptedServer) count() (accepted, requests int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(len(p.peers)), int64(len(p.requests))
}

// awaitRequest waits for the next request and returns its target.
func (p *scriptedServer) awaitRequest() string {
	p.t.Helper()
	select {
	case uri := <-p.arrived:
		return uri
	case <-time.After(clienttest.Timeout):
		p.t.Fatal("timed out waiting for a request")
		return ""
	}
}

// request reads one complete request; ok is false if the connection ended.
func (p *peer) request() (r *http.Request, ok bool) {
	r, err := http.ReadRequest(p.in)
	if err != nil {
		return nil, false
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	p.server.mu.Lock()
	p.server.requests = append(p.server.requests, r.RequestURI)
	p.server.mu.Unlock()
	p.server.arrived <- r.RequestURI
	return r, true
}

// send writes text. It ignores errors: the client may have closed the connection.
func (p *peer) send(text string) { _, _ = io.WriteString(p, text) }

// readRequests reads requests, without a response, until the client closes the connection.
func (p *peer) readRequests() {
	for {
		if _, ok := p.request(); !ok {
			return
		}
	}
}

// response returns an HTTP response with a body.
func response(status, kind, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", status, kind, len(body), body)
}

// upgraded returns the response to a WebSocket handshake (RFC 6455, section 4.2.2).
func upgraded(r *http.Request) string {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
}

// textFrame returns a server's frame of fewer than 65,536 bytes.
func textFrame(s string) string {
	if len(s) < 126 {
		return "\x81" + string(rune(len(s))) + s
	}
	return "\x81\x7e" + string(binary.BigEndian.AppendUint16(nil, uint16(len(s)))) + s
}

// frame reads a client's frame of fewer than 126 bytes; ok is false if the connection ended.
func (p *peer) frame() (body string, ok bool) {
	header := make([]byte, 6)
	if _, err := io.ReadFull(p.in, header); err != nil {
		return "", false
	}
	text := make([]byte, header[1]&0x7f)
	if _, err := io.ReadFull(p.in, text); err != nil {
		return "", false
	}
	for i := range text {
		text[i] ^= header[2+i%4]
	}
	return string(text), header[0] == 0x81
}

// chunked returns the body in chunked coding, in pieces of n bytes.
func chunked(body string, n int) string {
	var b strings.Builder
	for len(body) > 0 {
		piece := body[:min(n, len(body))]
		body = body[len(piece):]
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(piece), piece)
	}
	return b.String()
}

const lastChunk = "0\r\n\r\n"

const (
	ackBatch     = `{"cursor":"e.1","messages":[],"heads":{"a":0}}`
	streamHeader = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	linesHeader  = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
)

// streams are the headers of streamed responses, and the text before and after each batch.
var streams = map[scenarios.Transport]struct{ header, before, after string }{
	transports.SSE:        {streamHeader, "data: ", "\n\n"},
	transports.HTTPStream: {linesHeader, "", "\n"},
}

// framed returns a batch in the encoding of a transport.
func framed(transport scenarios.Transport, batch string) string {
	stream, chunks := streams[transport]
	switch {
	case chunks:
		return chunked(stream.before+batch+stream.after, 1000)
	case transports.Of(transport).Upgrades:
		return textFrame(batch)
	default:
		return response("200 OK", "application/json", batch)
	}
}

// subscribeAck returns a valid first response over a transport.
func subscribeAck(transport scenarios.Transport, r *http.Request) string {
	header := streams[transport].header
	if transports.Of(transport).Upgrades {
		header = upgraded(r)
	}
	return header + framed(transport, ackBatch)
}

// A starter creates one engine.
type starter func(client.Config) client.Engine

// onEachEngine runs a test on every engine that runs on this system.
func onEachEngine(t *testing.T, test func(*testing.T, starter)) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			test(t, func(c client.Config) client.Engine {
				e, err := New(name, c)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(e.Close)
				return e
			})
		})
	}
}

// open opens one session against a server.
func (start starter) open(p *scriptedServer, transport scenarios.Transport, sub client.Subscription, change func(*client.Config)) (client.Session, record, *client.Traffic) {
	traffic := new(client.Traffic)
	config := client.Config{Target: p.addr(), Transport: transport, Traffic: traffic, Interval: time.Millisecond, PollTimeout: time.Second}
	if change != nil {
		change(&config)
	}
	r := record{clienttest.NewObserver()}
	return start(config).Open(sub, r), r, traffic
}

// checkCounts checks that exactly the dials and requests on the wire were counted.
func checkCounts(t *testing.T, p *scriptedServer, traffic *client.Traffic) {
	t.Helper()
	accepted, requests := p.count()
	if got := traffic.Dials.Load(); got != accepted {
		t.Errorf("got %d dials counted, want the %d connections that were accepted", got, accepted)
	}
	if got := traffic.Requests.Load(); got != requests {
		t.Errorf("got %d requests counted, want the %d on the wire", got, requests)
	}
}

// An invalid response is reported with its cause, and the next attempt is counted.
func TestInvalidResponseIsReportedAsCause(t *testing.T) {
	onEachEngine(t, invalidResponseIsReportedAsCause)
}

func invalidResponseIsReportedAsCause(t *testing.T, start starter) {
	json := func(body string) string { return response("200 OK", "application/json", body) }
	event := func(body string) string { return streamHeader + chunked(body, 1000) }
	poll, sse, ws := []scenarios.Transport{transports.ShortPoll, transports.LongPoll}, []scenarios.Transport{transports.SSE}, []scenarios.Transport{transports.WebSocket}
	lines := []scenarios.Transport{transports.HTTPStream}
	for _, test := range []struct {
		name     string
		on       []scenarios.Transport
		response string // UPGRADE stands for a valid handshake
		want     string // suffix of the cause
	}{
		{"nothing", scenarios.ClientOpened, "", "connection closed by server"},
		{"half a header", poll, "HTTP/1.1 200 OK\r\nContent-", "connection closed mid-message"},
		{"not HTTP", scenarios.ClientOpened, "SSH-2.0-OpenSSH_9.9\r\n\r\n", wire.ErrResponse.Error()},
		{"500", scenarios.ClientOpened, response("500 Internal Server Error", "text/plain", "oops"), "returned status 500"},
		{"302", scenarios.ClientOpened, "HTTP/1.1 302 Found\r\nLocation: /v1/other\r\nContent-Length: 0\r\n\r\n", "returned status 302"},
		{"503 until close", poll, "HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\nlater", "returned status 503"},
		{"HTML", poll, response("200 OK", "text/html", "<html>\x00\xff garbage"), "response is of type \"text/html\", not application/json"},
		{"a batch called HTML", poll, response("200 OK", "text/html", ackBatch), "response is of type \"text/html\", not application/json"},
		{"garbage", poll, response("200 OK", "application/json; charset=utf-8", "<html>\x00\xff garbage"), client.ErrMalformed.Error()},
		{"HTML", sse, response("200 OK", "text/html", "<html>\x00\xff garbage"), "stream is not of type text/event-stream"},
		{"HTML", ws, response("200 OK", "text/html", "<html>\x00\xff garbage"), "returned status 200"},
		{"204 before an ack", poll, "HTTP/1.1 204 No Content\r\n\r\n", client.ErrMalformed.Error()},
		{"204", sse, "HTTP/1.1 204 No Content\r\n\r\n", "returned status 204"},
		{"204", ws, "HTTP/1.1 204 No Content\r\n\r\n", "returned status 204"},
		{"truncated JSON", poll, json(ackBatch[:30]), client.ErrMalformed.Error()},
		{"truncated JSON", sse, event("data: " + ackBatch[:30] + "\n\n"), client.ErrMalformed.Error()},
		{"truncated JSON", ws, "UPGRADE" + textFrame(ackBatch[:30]), client.ErrMalformed.Error()},
		{"no cursor", poll, json(`{}`), client.ErrMalformed.Error()},
		{"no cursor", sse, event("data: {}\n\n"), client.ErrMalformed.Error()},
		{"no cursor", ws, "UPGRADE" + textFrame(`{}`), client.ErrMalformed.Error()},
		{"body cut short", poll, response("200 OK", "application/json", ackBatch)[:100], "connection closed mid-message"},
		{"huge Content-Length", poll, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000000000\r\n\r\n{", wire.ErrTooLong.Error()},
		{"Content-Length beyond 64 bits", poll, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n{", wire.ErrResponse.Error()},
		{"bytes after the response", poll, json(ackBatch) + "HTTP/1.1 200 OK\r\n", wire.ErrMore.Error()},
		{"Content-Length", sse, response("200 OK", "text/event-stream", "data: "+ackBatch+"\n\n"), "stream is not in chunked coding"},
		{"chunk of no size", sse, streamHeader + "oops\r\n", wire.ErrChunk.Error()},
		{"stream cut short", sse, event("data: " + ackBatch[:30]), "connection closed mid-message"},
		{"stream closed", sse, event("") + lastChunk, "connection closed by server"},
		{"events", lines, event(""), "stream is not of type application/x-ndjson"},
		{"truncated JSON", lines, linesHeader + chunked(ackBatch[:30]+"\n", 1000), client.ErrMalformed.Error()},
		{"line cut short", lines, linesHeader + chunked(ackBatch, 1000), "connection closed mid-message"},
		{"lines closed", lines, linesHeader + lastChunk, "connection closed by server"},
		{"wrong key", ws, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", ""},
		{"binary frame", ws, "UPGRADE\x82\x02{}", "server sent a binary frame"},
		{"masked frame", ws, "UPGRADE\x81\x82\x00\x00\x00\x00{}", ""},
		{"reserved opcode", ws, "UPGRADE\x83\x00", ""},
		{"huge frame", ws, "UPGRADE\x81\x7f\x00\x00\x01\x00\x00\x00\x00\x00", wire.ErrTooLong.Error()},
		{"frame cut short", ws, "UPGRADE\x81\x05{", "connection closed mid-message"},
		{"no close frame", ws, "UPGRADE", "connection closed by server without a close frame"},
		{"fragments cut short", ws, "UPGRADE\x01\x05{\"cur\x00\x03sor", "connection closed mid-message"},
		{"a message within another", ws, "UPGRADE\x01\x05{\"cur\x81\x02{}", ""},
		{"close frame", ws, "UPGRADE\x88\x02\x03\xe9", "WebSocket closed by server with code 1001"},
	} {
		for _, transport := range test.on {
			t.Run(test.name+"/"+string(transport), func(t *testing.T) {
				p := startServer(t, func(n int, c *peer) {
					r, ok := c.request()
					if n > 0 || !ok {
						c.readRequests()
						return
					}
					if rest, ok := strings.CutPrefix(test.response, "UPGRADE"); ok {
						c.send(upgraded(r) + rest)
					} else {
						c.send(test.response)
					}
				})
				s, seen, traffic := start.open(p, transport, client.Subscription{Topics: []string{"a"}}, nil)
				got := seen.await(t, 1, client.Disconnected)[0].Cause
				p.awaitRequest()
				p.awaitRequest() // of the second connection: all counted requests are on the wire
				s.Close()
				if !strings.HasSuffix(got, test.want) || got == "" {
					t.Errorf("got cause %q, want %q", got, test.want)
				}
				if got := seen.ofKind(client.Connected); len(got) != 0 {
					t.Errorf("got %+v, want no Connected", got)
				}
				checkCounts(t, p, traffic)
				if w := traffic.Snapshot(); w.Down.Bytes != w.Down.Payload+w.Down.Envelope+w.Down.Framing+w.Down.Headers {
					t.Errorf("got %d bytes down, want the sum of the parts %+v", w.Down.Bytes, w.Down)
				}
				if got := traffic.Reconnects.Load(); got != 1 {
					t.Errorf("got %d reconnects counted, want 1", got)
				}
			})
		}
	}
}

// Stages count every byte that opens a connection, up to the last of the subscribe-ack.
func TestStagesCountBytes(t *testing.T) { onEachEngine(t, stagesCountBytes) }

func stagesCountBytes(t *testing.T, start starter) {
	for _, transport := range scenarios.ClientOpened {
		sent := make(chan int, 1)
		p := startServer(t, func(_ int, c *peer) {
			if r, ok := c.request(); ok {
				ack := subscribeAck(transport, r)
				sent <- len(strings.TrimSuffix(ack, "\r\n")) // a chunk ends after its event
				c.send(ack)
				c.readRequests()
			}
		})
		s, seen, traffic := start.open(p, transport, client.Subscription{Topics: []string{"a"}}, func(c *client.Config) { c.Interval = time.Hour })
		stages := seen.await(t, 1, client.Connected)[0].Stages
		want := int64(<-sent)
		if stages.BytesDown != want && stages.BytesDown != want+2 {
			t.Errorf("%s: %d bytes down until ready, want %d", transport, stages.BytesDown, want)
		}
		if up := traffic.Snapshot().Up.Headers; transport != transports.LongPoll && stages.BytesUp != up {
			t.Errorf("%s: %d bytes up until ready, want %d", transport, stages.BytesUp, up)
		}
		s.Close()
	}
}

// A client accepts the same batch in every valid encoding.
func TestEquivalentResponsesAreAccepted(t *testing.T) {
	onEachEngine(t, equivalentResponsesAreAccepted)
}

func equivalentResponsesAreAccepted(t *testing.T, start starter) {
	const batch = `{"cursor":"e.2","messages":[{"topic":"a","seq":1,"data":"x"}]}`
	pieces := func(text string) (b string) {
		for i := range len(text) {
			b += "1\r\n" + text[i:i+1] + "\r\n"
		}
		return b + lastChunk
	}
	for _, test := range []struct {
		name      string
		transport scenarios.Transport
		response  string // UPGRADE stands for a proper handshake
	}{
		{"chunked", transports.LongPoll, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces(batch)},
		{"after a 100", transports.LongPoll, "HTTP/1.1 100 Continue\r\n\r\n" + response("200 OK", "application/json", batch)},
		{"closed", transports.LongPoll, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + fmt.Sprint(len(batch)) + "\r\n\r\n" + batch},
		{"in small chunks", transports.SSE, streamHeader + chunked(": hello\n\nid: e.2\ndata: "+batch+"\n\n", 3)},
		{"in small chunks", transports.HTTPStream, linesHeader + chunked("\n"+batch+"\r\n", 3)},
		{"fragments and a ping", transports.WebSocket, "UPGRADE\x01\x05" + batch[:5] + "\x89\x02hi" + "\x00\x00" + "\x80" + string(rune(len(batch)-5)) + batch[5:]},
		{"an unsolicited pong", transports.WebSocket, "UPGRADE\x8a\x00" + textFrame(batch)},
	} {
		t.Run(test.name+"/"+string(test.transport), func(t *testing.T) {
			pong := make(chan string, 1)
			p := startServer(t, func(n int, c *peer) {
				r, ok := c.request()
				if n > 0 || !ok {
					c.readRequests()
					return
				}
				rest, upgrade := strings.CutPrefix(test.response, "UPGRADE")
				if upgrade {
					c.send(upgraded(r) + rest)
					if strings.Contains(rest, "hi") {
						body, _ := c.frame()
						pong <- body
					}
				} else {
					c.send(test.response)
				}
				c.readRequests()
			})
			s, seen, traffic := start.open(p, test.transport, client.Subscription{Topics: []string{"a"}}, nil)
			seen.await(t, 1, client.Connected)
			if test.name == "fragments and a ping" {
				if got := <-pong; got != "hi" {
					t.Errorf("got pong %q, want hi", got)
				}
			}
			s.Close()
			if got := clienttest.Batches(seen.All(), 0); len(got) != 1 || len(got[0].Messages) != 1 || string(got[0].Messages[0].Data) != "x" {
				t.Errorf("got batches %+v, want one with the message", got)
			}
			w := traffic.Snapshot()
			for name, d := range map[string]results.Direction{"up": w.Up, "down": w.Down} {
				if sum := d.Payload + d.Envelope + d.Framing + d.Headers; sum != d.Bytes {
					t.Errorf("parts sum to %d bytes %s, want %d: %+v", sum, name, d.Bytes, d)
				}
			}
		})
	}
}

func TestRefusedConnectionIsReported(t *testing.T) { onEachEngine(t, refusedConnectionIsReported) }

func refusedConnectionIsReported(t *testing.T, start starter) {
	for _, transport := range scenarios.ClientOpened {
		ln := listen(t)
		ln.Close()
		seen := record{clienttest.NewObserver()}
		s := start(client.Config{Target: ln.Addr().String(), Transport: transport, Traffic: new(client.Traffic)}).Open(client.Subscription{Topics: []string{"a"}}, seen)
		if got, want := seen.await(t, 1, client.Disconnected)[0].Cause, "connection refused"; got != want {
			t.Errorf("%s: got %q, want %q", transport, got, want)
		}
		s.Close()
	}
}

func TestReconnectSendsTheCursor(t *testing.T) { onEachEngine(t, reconnectSendsTheCursor) }

func reconnectSendsTheCursor(t *testing.T, start starter) {
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) {
			p := startServer(t, func(n int, c *peer) {
				r, ok := c.request()
				if n > 0 || !ok {
					c.readRequests()
					return
				}
				c.send(subscribeAck(transport, r))
				if transport == transports.ShortPoll || transport == transports.LongPoll {
					c.request() // the next poll, without a response
				}
			})
			s, seen, traffic := start.open(p, transport, client.Subscription{Topics: []string{"a", "b"}, Delivery: "latest"}, nil)
			seen.await(t, 1, client.Disconnected)
			first := p.awaitRequest()
			second := p.awaitRequest()
			for accepted, _ := p.count(); accepted < 2; accepted, _ = p.count() {
				second = p.awaitRequest() // a poll on the first connection
			}
			s.Close()
			want := url.Values{"topic": {"a", "b"}, "delivery": {"latest"}}
			if transport == transports.LongPoll {
				want.Set("wait", "1s")
			}
			for _, uri := range []string{first, second} {
				if _, query, _ := strings.Cut(uri, "?"); mustQuery(t, query) != want.Encode() {
					t.Errorf("got %s, want the query %s", uri, want.Encode())
				}
				want.Set("after", "e.1")
			}
			if got := seen.ofKind(client.Connected); len(got) == 0 || got[0].Stages.Resume {
				t.Errorf("got %+v, want Connected without Resume", got)
			}
			checkCounts(t, p, traffic)
		})
	}
}

func mustQuery(t *testing.T, query string) string {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return values.Encode()
}

// A publication fails once and is not retried if the server reads it and closes the
// connection.
func TestFailedPublicationIsNotRetried(t *testing.T) { onEachEngine(t, failedPublicationIsNotRetried) }

func failedPublicationIsNotRetried(t *testing.T, start starter) {
	p := startServer(t, func(_ int, c *peer) { c.request() })
	s, seen, traffic := start.open(p, transports.SSE, client.Subscription{}, nil)
	seen.await(t, 1, client.Connected)
	s.Publish(1, "a", []byte("x"))
	seen.await(t, 1, client.Failed)
	s.Publish(2, "a", []byte("y"))
	failed := seen.await(t, 2, client.Failed)
	s.Close()
	if failed[0].ID != 1 || failed[1].ID != 2 || failed[0].Cause != "connection closed by server" {
		t.Errorf("got %+v, want 1 and 2 failed: %s", failed, "connection closed by server")
	}
	if _, requests := p.count(); requests != 2 {
		t.Errorf("got %d requests on the wire, want 2", requests)
	}
	checkCounts(t, p, traffic)
}

// A server that does not respond to a publication, or not completely, fails it in time, and the next one has a connection.
func TestSilenceAfterAPublicationIsBounded(t *testing.T) {
	onEachEngine(t, func(t *testing.T, start starter) {
		for _, sent := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"} {
			p := startServer(t, func(n int, c *peer) {
				for {
					if _, ok := c.request(); !ok {
						return
					}
					if n == 0 {
						c.send(sent)
						_, _ = c.in.WriteTo(io.Discard)
						return
					}
					c.send(response("200 OK", "application/json", `{"topic":"a","seq":1}`))
				}
			})
			s, seen, traffic := start.open(p, transports.SSE, client.Subscription{}, func(c *client.Config) { c.PostTimeout = soon })
			seen.await(t, 1, client.Connected)
			s.Publish(1, "a", []byte("x"))
			if failed := seen.await(t, 1, client.Failed); failed[0].ID != 1 || failed[0].Cause != client.ErrSilent.Error() {
				t.Errorf("got %+v, want 1 failed: %v", failed, client.ErrSilent)
			}
			for id := 2; len(seen.ofKind(client.Acked)) == 0; id++ {
				s.Publish(uint32(id), "a", []byte("y"))
				seen.await(t, id, client.Acked, client.Failed) // a busy machine may be late
			}
			s.Close()
			checkCounts(t, p, traffic)
		}
	})
}

func TestPublishResponseBecomesOutcome(t *testing.T) { onEachEngine(t, publishResponseBecomesOutcome) }

func publishResponseBecomesOutcome(t *testing.T, start starter) {
	for _, test := range []struct {
		name, response string
		want           client.Event
	}{
		{"acked", response("200 OK", "application/json", `{"topic":"a","seq":7}`), client.Event{Kind: client.Acked, ID: 9, Seq: 7}},
		{"acked and closed", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{\"seq\":7}", client.Event{Kind: client.Acked, ID: 9, Seq: 7}},
		{"no seq", response("200 OK", "application/json", `{}`), client.Event{Kind: client.Failed, ID: 9, Cause: client.ErrMalformed.Error()}},
		{"truncated", response("200 OK", "application/json", `{"seq":`), client.Event{Kind: client.Failed, ID: 9, Cause: client.ErrMalformed.Error()}},
		{"refused", response("503 Service Unavailable", "application/json", `{"error":"hub_full"}`), client.Event{Kind: client.Failed, ID: 9, Cause: "publish returned status 503"}},
		{"interim responses", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 2000) + response("200 OK", "application/json", `{"seq":7}`), client.Event{Kind: client.Acked, ID: 9, Seq: 7}},
		{"interim responses without end", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 3000), client.Event{Kind: client.Failed, ID: 9, Cause: client.ErrInterim.Error()}},
		{"not HTTP", "oops\r\n\r\n", client.Event{Kind: client.Failed, ID: 9, Cause: wire.ErrResponse.Error()}},
	} {
		p := startServer(t, func(_ int, c *peer) {
			if r, ok := c.request(); ok {
				body, _ := io.ReadAll(r.Body)
				if r.Method != "POST" || r.RequestURI != "/v1/topics/a" || string(body) != "pay\x00load" {
					t.Errorf("got %s %s %q, want POST /v1/topics/a and the payload", r.Method, r.RequestURI, body)
				}
				c.send(test.response)
				c.readRequests()
			}
		})
		s, seen, traffic := start.open(p, transports.LongPoll, client.Subscription{}, nil)
		seen.await(t, 1, client.Connected)
		s.Publish(9, "a", []byte("pay\x00load"))
		if got := seen.await(t, 1, client.Acked, client.Failed, client.Dropped)[0]; got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
		s.Close()
		if got := seen.ofKind(client.Sending, client.Acked, client.Failed, client.Dropped); len(got) != 2 || got[0].Kind != client.Sending {
			t.Errorf("%s: got %+v, want Sending and one outcome", test.name, got)
		}
		checkCounts(t, p, traffic)
	}
}

// outcomes counts the outcomes of each publication.
func outcomes(r record) map[uint32]int {
	n := map[uint32]int{}
	for _, e := range r.ofKind(client.Acked, client.Failed, client.Dropped) {
		n[e.ID]++
	}
	return n
}

// The server closes the connection at every tenth publication, without a response. The POST
// fails, and the frame has no outcome; no publication has two outcomes.
func TestEachPublicationHasOneOutcome(t *testing.T) { onEachEngine(t, eachPublicationHasOneOutcome) }

func eachPublicationHasOneOutcome(t *testing.T, start starter) {
	t.Run("post", func(t *testing.T) {
		p := startServer(t, func(_ int, c *peer) {
			for n := 1; ; n++ {
				if _, ok := c.request(); !ok || n%10 == 0 {
					return
				}
				c.send(response("200 OK", "application/json", fmt.Sprintf(`{"seq":%d}`, n)))
			}
		})
		s, seen, traffic := start.open(p, transports.SSE, client.Subscription{}, nil)
		const count = 300
		for id := range uint32(count) {
			s.Publish(id, "a", []byte("x"))
		}
		seen.await(t, count, client.Acked, client.Failed, client.Dropped)
		s.Close()
		for id, n := range outcomes(seen) {
			if n != 1 {
				t.Errorf("publication %d: got %d outcomes, want 1", id, n)
			}
		}
		if got := len(seen.ofKind(client.Failed)); got < count/20 {
			t.Errorf("got %d failed, want about %d", got, count/10)
		}
		checkCounts(t, p, traffic)
	})
	t.Run("websocket", func(t *testing.T) {
		p := startServer(t, func(n int, c *peer) {
			r, ok := c.request()
			if !ok {
				return
			}
			c.send(upgraded(r) + textFrame(ackBatch))
			for frames := 1; ; frames++ {
				body, ok := c.frame()
				if !ok || n == 0 && frames == 10 {
					return
				}
				id, _, _ := strings.Cut(strings.TrimPrefix(body, `{"id":`), ",")
				if frames%3 == 0 {
					c.send(textFrame(`{"error":"bad_topic","id":` + id + `}`))
				} else {
					c.send(textFrame(`{"ack":` + id + `,"seq":1}`))
				}
			}
		})
		s, seen, traffic := start.open(p, transports.WebSocket, client.Subscription{Topics: []string{"a"}, Publishes: true}, nil)
		seen.await(t, 1, client.Connected)
		for id := range uint32(9) {
			s.Publish(id, "a", []byte("x"))
			seen.await(t, int(id)+1, client.Acked, client.Failed)
		}
		s.Publish(9, "a", []byte("lost with the connection"))
		seen.await(t, 2, client.Connected)
		s.Publish(10, "a", []byte("x"))
		seen.await(t, 10, client.Acked, client.Failed)
		s.Close()
		got := outcomes(seen)
		for id := range uint32(11) {
			want := 1
			if id == 9 {
				want = 0
			}
			if got[id] != want {
				t.Errorf("publication %d: got %d outcomes, want %d", id, got[id], want)
			}
		}
		if refused := seen.ofKind(client.Failed); len(refused) != 3 || refused[0].Cause != "bad_topic" {
			t.Errorf("got %+v, want 3 refused with their error", refused)
		}
		checkCounts(t, p, traffic)
	})
}

// publishDuringEvents is a sink that publishes while it receives Disconnected, and Connected
// after a reconnect. It records Connected before and Disconnected after the publication.
type publishDuringEvents struct {
	record
	session atomic.Pointer[client.Session]
	waits   bool // for Publish to return
	calls   sync.WaitGroup
	id      uint32
}

func (p *publishDuringEvents) Event(c int, e client.Event, at clock.Instant) {
	switch {
	case e.Kind == client.Connected && e.Stages.Resume:
		p.record.Event(c, e, at)
		p.publish()
	case e.Kind == client.Disconnected && p.session.Load() != nil:
		p.publish()
		p.record.Event(c, e, at)
	default:
		p.record.Event(c, e, at)
	}
}

// publish waits until the publication is accepted or refused, except on an event loop, which
// accepts none during a call of its sink.
func (p *publishDuringEvents) publish() {
	p.id++
	id, returned := p.id, make(chan struct{})
	p.calls.Go(func() {
		defer close(returned)
		(*p.session.Load()).Publish(id, "a", []byte("x"))
	})
	if p.waits {
		<-returned
	}
}

func TestNoPublicationIsRefusedAsOfflineWhileConnected(t *testing.T) {
	onEachEngine(t, func(t *testing.T, start starter) {
		noPublicationIsRefusedAsOfflineWhileConnected(t, start, strings.HasSuffix(t.Name(), "/"+Goroutine))
	})
}

func noPublicationIsRefusedAsOfflineWhileConnected(t *testing.T, start starter, waits bool) {
	for name, lastWords := range map[string]string{"connection ends": "", "close frame": "\x88\x02\x03\xe9"} {
		t.Run(name, func(t *testing.T) {
			p := startServer(t, func(n int, c *peer) {
				r, ok := c.request()
				if !ok {
					return
				}
				c.send(upgraded(r) + textFrame(ackBatch))
				for body, ok := c.frame(); ok; body, ok = c.frame() {
					if n == 0 {
						c.send(lastWords)
						return
					}
					id, _, _ := strings.Cut(strings.TrimPrefix(body, `{"id":`), ",")
					c.send(textFrame(`{"ack":` + id + `,"seq":1}`))
				}
			})
			sink := &publishDuringEvents{record: record{clienttest.NewObserver()}, waits: waits}
			s := start(client.Config{Target: p.addr(), Transport: transports.WebSocket, Traffic: new(client.Traffic)}).
				Open(client.Subscription{Topics: []string{"a"}, Publishes: true}, sink)
			sink.await(t, 1, client.Connected)
			sink.session.Store(&s)
			s.Publish(0, "a", []byte("x"))
			sink.Await(t, "outcome of publication 2", func([]clienttest.Call) bool { return outcomes(sink.record)[2] == 1 })
			s.Close()
			sink.calls.Wait()
			connected := false
			for _, one := range sink.All() {
				switch e := one.Event; {
				case one.Batch != nil:
				case e.Kind == client.Connected:
					connected = true
				case e.Kind == client.Disconnected:
					connected = false
				case e.Kind == client.Dropped && e.Cause == client.CauseOffline && connected:
					t.Errorf("publication %d: dropped as %q between Connected and Disconnected", e.ID, e.Cause)
				}
			}
		})
	}
}

// Without responses, publications beyond the limit are dropped at once, and queued ones
// when the session is closed.
func TestInFlightIsBoundedAndCloseDropsTheQueue(t *testing.T) {
	onEachEngine(t, inFlightIsBoundedAndCloseDropsTheQueue)
}

func inFlightIsBoundedAndCloseDropsTheQueue(t *testing.T, start starter) {
	p := startServer(t, func(_ int, c *peer) { c.readRequests() })
	s, seen, traffic := start.open(p, transports.SSE, client.Subscription{}, func(c *client.Config) { c.InFlight = 3 })
	seen.await(t, 1, client.Connected)
	for id := range uint32(5) {
		s.Publish(id, "a", []byte("x"))
	}
	p.awaitRequest() // of publication 0
	if got := seen.ofKind(client.Dropped); len(got) != 2 || got[0].ID != 3 || got[1].ID != 4 || got[0].Cause != client.CauseInFlight {
		t.Errorf("got %+v, want 3 and 4 dropped: %s", got, client.CauseInFlight)
	}
	s.Close()
	got := seen.ofKind(client.Dropped)[2:]
	if len(got) != 2 || got[0] != (client.Event{Kind: client.Dropped, ID: 1, Cause: client.CauseClosed}) || got[1] != (client.Event{Kind: client.Dropped, ID: 2, Cause: client.CauseClosed}) {
		t.Errorf("got %+v, want 1 and 2 dropped: %s", got, client.CauseClosed)
	}
	if got := traffic.Reconnects.Load(); got != 0 {
		t.Errorf("got %d reconnects, want none because of Close", got)
	}
	s.Publish(6, "a", nil)
	if got := seen.ofKind(client.Dropped); got[len(got)-1] != (client.Event{Kind: client.Dropped, ID: 6, Cause: client.CauseClosed}) {
		t.Errorf("got %+v, want 6 dropped: %s", got, client.CauseClosed)
	}
	checkCounts(t, p, traffic)
}

func TestSocketBoundsPublicationsWithoutOutcome(t *testing.T) {
	onEachEngine(t, socketBoundsPublicationsWithoutOutcome)
}

func socketBoundsPublicationsWithoutOutcome(t *testing.T, start starter) {
	p := startServer(t, func(_ int, c *peer) {
		if r, ok := c.request(); ok {
			c.send(upgraded(r) + textFrame(ackBatch))
			for body, ok := c.frame(); ok; body, ok = c.frame() {
				c.server.arrived <- body
			}
		}
	})
	s, seen, traffic := start.open(p, transports.WebSocket, client.Subscription{Topics: []string{"a"}}, func(c *client.Config) { c.InFlight = 3 })
	seen.await(t, 1, client.Connected)
	for id := range uint32(5) {
		s.Publish(id, "a", []byte("x"))
	}
	for range 1 + 3 { // the handshake and the publications within the limit
		p.awaitRequest()
	}
	s.Close()
	if got := seen.ofKind(client.Acked, client.Failed, client.Dropped); len(got) != 2 || got[0].ID != 3 || got[1].ID != 4 || got[0].Cause != client.CauseInFlight {
		t.Errorf("got %+v, want only 3 and 4 dropped: %s", got, client.CauseInFlight)
	}
	checkCounts(t, p, traffic)
}

// Close does not wait for a server that never responds.
func TestCloseDoesNotWaitForAResponse(t *testing.T) { onEachEngine(t, closeDoesNotWaitForAResponse) }

func closeDoesNotWaitForAResponse(t *testing.T, start starter) {
	for _, transport := range scenarios.ClientOpened {
		p := startServer(t, func(_ int, c *peer) { c.readRequests() })
		s, seen, traffic := start.open(p, transport, client.Subscription{Topics: []string{"a"}}, nil)
		p.awaitRequest()
		s.Close()
		if got := seen.ofKind(client.Connected, client.Disconnected); len(got) != 0 {
			t.Errorf("%s: got %+v, want no event of a connection that the client closed", transport, got)
		}
		checkCounts(t, p, traffic)
	}
}
