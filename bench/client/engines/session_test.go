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

// patience is how long a test waits for what must happen.
const patience = clienttest.Timeout

// A record is a witness of one client.
type record struct{ *clienttest.Observer }

// of lists the events of some kinds.
func (r record) of(kinds ...client.Kind) []client.Event {
	return clienttest.Events(r.All(), 0, kinds...)
}

// await waits until n events of some kinds were reported, and returns them.
func (r record) await(t *testing.T, n int, kinds ...client.Kind) []client.Event {
	t.Helper()
	r.Await(t, fmt.Sprintf("%d events of %v", n, kinds), func([]clienttest.Call) bool { return len(r.of(kinds...)) >= n })
	return r.of(kinds...)
}

// A script is what a server does with its n-th connection, from 0, which is closed after it.
type script func(n int, p *peer)

// A puppet is a server that plays a script.
type puppet struct {
	net.Listener
	t       *testing.T
	working sync.WaitGroup

	mu       sync.Mutex // guards what follows
	peers    []*peer
	requests []string // as they came on the wire, on all connections
	arrived  chan string
}

// A peer is a puppet's end of one connection.
type peer struct {
	net.Conn
	in     *bufio.Reader
	puppet *puppet
}

func play(t *testing.T, s script) *puppet {
	t.Helper()
	p := &puppet{Listener: listen(t), t: t, arrived: make(chan string, 1000)}
	p.working.Go(func() {
		for n := 0; ; n++ {
			c, err := p.Accept()
			if err != nil {
				return
			}
			peer := &peer{Conn: c, in: bufio.NewReader(c), puppet: p}
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

func (p *puppet) stop() {
	p.Listener.Close()
	p.mu.Lock()
	for _, peer := range p.peers {
		peer.Close()
	}
	p.mu.Unlock()
	p.working.Wait()
}

func (p *puppet) addr() string { return p.Listener.Addr().String() }

// count is how many connections and requests there were.
func (p *puppet) count() (accepted, requests int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(len(p.peers)), int64(len(p.requests))
}

// awaitRequest waits for the next request and returns its target.
func (p *puppet) awaitRequest() string {
	p.t.Helper()
	select {
	case uri := <-p.arrived:
		return uri
	case <-time.After(patience):
		p.t.Fatal("got no request, want one")
		return ""
	}
}

// request reads one request whole; ok is false when the connection ended instead.
func (p *peer) request() (r *http.Request, ok bool) {
	r, err := http.ReadRequest(p.in)
	if err != nil {
		return nil, false
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	p.puppet.mu.Lock()
	p.puppet.requests = append(p.puppet.requests, r.RequestURI)
	p.puppet.mu.Unlock()
	p.puppet.arrived <- r.RequestURI
	return r, true
}

// say writes; that the client is gone is none of a puppet's business.
func (p *peer) say(text string) { _, _ = io.WriteString(p, text) }

// hold keeps the connection until the client ends it, and takes its requests.
func (p *peer) hold() {
	for {
		if _, ok := p.request(); !ok {
			return
		}
	}
}

// answer is an HTTP answer with a body.
func answer(status, kind, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", status, kind, len(body), body)
}

// upgrade answers a WebSocket handshake (RFC 6455, section 4.2.2).
func upgraded(r *http.Request) string {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"
}

// textFrame is a server's frame of fewer than 65,536 bytes.
func textFrame(s string) string {
	if len(s) < 126 {
		return "\x81" + string(rune(len(s))) + s
	}
	return "\x81\x7e" + string(binary.BigEndian.AppendUint16(nil, uint16(len(s)))) + s
}

// frame reads a client's frame of fewer than 126 bytes; ok is false when the connection ended instead.
func (p *peer) frame() (body string, ok bool) {
	head := make([]byte, 6)
	if _, err := io.ReadFull(p.in, head); err != nil {
		return "", false
	}
	text := make([]byte, head[1]&0x7f)
	if _, err := io.ReadFull(p.in, text); err != nil {
		return "", false
	}
	for i := range text {
		text[i] ^= head[2+i%4]
	}
	return string(text), head[0] == 0x81
}

// chunked is the body in chunked coding, in pieces of n bytes.
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
	ackBatch   = `{"cursor":"e.1","messages":[],"heads":{"a":0}}`
	streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	linesHead  = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
)

// streams are the heads of the answers that stream in chunks, and what is before and after a
// batch in them.
var streams = map[scenarios.Transport]struct{ head, before, after string }{
	transports.SSE:        {streamHead, "data: ", "\n\n"},
	transports.HTTPStream: {linesHead, "", "\n"},
}

// framed is a batch as a transport has it.
func framed(transport scenarios.Transport, batch string) string {
	stream, chunks := streams[transport]
	switch {
	case chunks:
		return chunked(stream.before+batch+stream.after, 1000)
	case transports.Of(transport).Upgrades:
		return textFrame(batch)
	default:
		return answer("200 OK", "application/json", batch)
	}
}

// subscribeAck is a proper first answer over a transport.
func subscribeAck(transport scenarios.Transport, r *http.Request) string {
	head := streams[transport].head
	if transports.Of(transport).Upgrades {
		head = upgraded(r)
	}
	return head + framed(transport, ackBatch)
}

// A starter starts one engine.
type starter func(client.Config) client.Engine

// onEachEngine runs a test on every engine that this system has.
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
func (start starter) open(p *puppet, transport scenarios.Transport, sub client.Subscription, change func(*client.Config)) (client.Session, record, *client.Traffic) {
	traffic := new(client.Traffic)
	config := client.Config{Target: p.addr(), Transport: transport, Traffic: traffic, Interval: time.Millisecond, PollTimeout: time.Second}
	if change != nil {
		change(&config)
	}
	r := record{clienttest.NewObserver()}
	return start(config).Open(sub, r), r, traffic
}

// agree checks that all that was on the wire was counted, and nothing else.
func agree(t *testing.T, p *puppet, traffic *client.Traffic) {
	t.Helper()
	accepted, requests := p.count()
	if got := traffic.Dials.Load(); got != accepted {
		t.Errorf("got %d dials counted, want the %d connections that were accepted", got, accepted)
	}
	if got := traffic.Requests.Load(); got != requests {
		t.Errorf("got %d requests counted, want the %d on the wire", got, requests)
	}
}

// What a server answers badly is told, by name; the next attempt is counted; nothing panics.
func TestBadAnswersBecomeCauses(t *testing.T) { onEachEngine(t, badAnswersBecomeCauses) }

func badAnswersBecomeCauses(t *testing.T, start starter) {
	json := func(body string) string { return answer("200 OK", "application/json", body) }
	event := func(body string) string { return streamHead + chunked(body, 1000) }
	poll, sse, ws := []scenarios.Transport{transports.ShortPoll, transports.LongPoll}, []scenarios.Transport{transports.SSE}, []scenarios.Transport{transports.WebSocket}
	lines := []scenarios.Transport{transports.HTTPStream}
	for _, row := range []struct {
		name   string
		on     []scenarios.Transport
		answer string // UPGRADE stands for a proper handshake
		want   string // "*": the transport's own word for the status
	}{
		{"nothing", scenarios.ClientOpened, "", "connection closed by server"},
		{"half a header", poll, "HTTP/1.1 200 OK\r\nContent-", "connection closed mid-message"},
		{"no HTTP", scenarios.ClientOpened, "SSH-2.0-OpenSSH_9.9\r\n\r\n", wire.ErrResponse.Error()},
		{"500", scenarios.ClientOpened, answer("500 Internal Server Error", "text/plain", "oops"), "returned status 500"},
		{"302", scenarios.ClientOpened, "HTTP/1.1 302 Found\r\nLocation: /v1/elsewhere\r\nContent-Length: 0\r\n\r\n", "returned status 302"},
		{"503 to its end", poll, "HTTP/1.1 503 Busy\r\nConnection: close\r\n\r\nlater", "returned status 503"},
		{"HTML", poll, answer("200 OK", "text/html", "<html>\x00\xff garbage"), client.ErrMalformed.Error()},
		{"HTML", sse, answer("200 OK", "text/html", "<html>\x00\xff garbage"), "stream is not of type text/event-stream"},
		{"HTML", ws, answer("200 OK", "text/html", "<html>\x00\xff garbage"), "returned status 200"},
		{"204 before an ack", poll, "HTTP/1.1 204 No Content\r\n\r\n", client.ErrMalformed.Error()},
		{"204", sse, "HTTP/1.1 204 No Content\r\n\r\n", "returned status 204"},
		{"204", ws, "HTTP/1.1 204 No Content\r\n\r\n", "returned status 204"},
		{"truncated JSON", poll, json(ackBatch[:30]), client.ErrMalformed.Error()},
		{"truncated JSON", sse, event("data: " + ackBatch[:30] + "\n\n"), client.ErrMalformed.Error()},
		{"truncated JSON", ws, "UPGRADE" + textFrame(ackBatch[:30]), client.ErrMalformed.Error()},
		{"no cursor", poll, json(`{}`), client.ErrMalformed.Error()},
		{"no cursor", sse, event("data: {}\n\n"), client.ErrMalformed.Error()},
		{"no cursor", ws, "UPGRADE" + textFrame(`{}`), client.ErrMalformed.Error()},
		{"body cut short", poll, answer("200 OK", "application/json", ackBatch)[:100], "connection closed mid-message"},
		{"huge Content-Length", poll, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000000000\r\n\r\n{", wire.ErrTooLong.Error()},
		{"Content-Length beyond 64 bits", poll, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n{", wire.ErrResponse.Error()},
		{"more than its answer", poll, json(ackBatch) + "HTTP/1.1 200 OK\r\n", wire.ErrMore.Error()},
		{"Content-Length", sse, answer("200 OK", "text/event-stream", "data: "+ackBatch+"\n\n"), "stream is not in chunked coding"},
		{"chunk of no size", sse, streamHead + "oops\r\n", wire.ErrChunk.Error()},
		{"stream cut short", sse, event("data: " + ackBatch[:30]), "connection closed mid-message"},
		{"stream at its end", sse, event("") + lastChunk, "connection closed by server"},
		{"events", lines, event(""), "stream is not of type application/x-ndjson"},
		{"truncated JSON", lines, linesHead + chunked(ackBatch[:30]+"\n", 1000), client.ErrMalformed.Error()},
		{"line cut short", lines, linesHead + chunked(ackBatch, 1000), "connection closed mid-message"},
		{"lines at their end", lines, linesHead + lastChunk, "connection closed by server"},
		{"wrong key", ws, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", ""},
		{"binary frame", ws, "UPGRADE\x82\x02{}", "server sent a binary frame"},
		{"masked frame", ws, "UPGRADE\x81\x82\x00\x00\x00\x00{}", ""},
		{"reserved opcode", ws, "UPGRADE\x83\x00", ""},
		{"huge frame", ws, "UPGRADE\x81\x7f\x00\x00\x01\x00\x00\x00\x00\x00", wire.ErrTooLong.Error()},
		{"frame cut short", ws, "UPGRADE\x81\x05{", "connection closed mid-message"},
		{"fragments cut short", ws, "UPGRADE\x01\x05{\"cur\x00\x03sor", "connection closed mid-message"},
		{"a message within another", ws, "UPGRADE\x01\x05{\"cur\x81\x02{}", ""},
		{"close frame", ws, "UPGRADE\x88\x02\x03\xe9", "WebSocket closed by server with code 1001"},
	} {
		for _, transport := range row.on {
			t.Run(row.name+"/"+string(transport), func(t *testing.T) {
				p := play(t, func(n int, c *peer) {
					r, ok := c.request()
					if n > 0 || !ok {
						c.hold()
						return
					}
					if rest, ok := strings.CutPrefix(row.answer, "UPGRADE"); ok {
						c.say(upgraded(r) + rest)
					} else {
						c.say(row.answer)
					}
				})
				s, told, traffic := start.open(p, transport, client.Subscription{Topics: []string{"a"}}, nil)
				got := told.await(t, 1, client.Disconnected)[0].Cause
				p.awaitRequest()
				p.awaitRequest() // of the second connection: what is counted is on the wire
				s.Close()
				if !strings.HasSuffix(got, row.want) || got == "" {
					t.Errorf("got cause %q, want %q", got, row.want)
				}
				if got := told.of(client.Connected); len(got) != 0 {
					t.Errorf("got %+v, want never connected", got)
				}
				agree(t, p, traffic)
				if w := traffic.Snapshot(); w.Down.Bytes != w.Down.Payload+w.Down.Envelope+w.Down.Framing+w.Down.Headers {
					t.Errorf("%d bytes down, in parts %+v", w.Down.Bytes, w.Down)
				}
				if got := traffic.Reconnects.Load(); got != 1 {
					t.Errorf("got %d reconnects counted, want 1", got)
				}
			})
		}
	}
}

// What opening a connection costs is counted to the byte, up to the subscribe-ack's last.
func TestStagesCountBytes(t *testing.T) { onEachEngine(t, stagesCountBytes) }

func stagesCountBytes(t *testing.T, start starter) {
	for _, transport := range scenarios.ClientOpened {
		said := make(chan int, 1)
		p := play(t, func(_ int, c *peer) {
			if r, ok := c.request(); ok {
				ack := subscribeAck(transport, r)
				said <- len(strings.TrimSuffix(ack, "\r\n")) // a chunk's end comes after its event's
				c.say(ack)
				c.hold()
			}
		})
		s, told, traffic := start.open(p, transport, client.Subscription{Topics: []string{"a"}}, func(c *client.Config) { c.Interval = time.Hour })
		stages := told.await(t, 1, client.Connected)[0].Stages
		want := int64(<-said)
		if stages.BytesDown != want && stages.BytesDown != want+2 {
			t.Errorf("%s: %d bytes down until ready, want %d", transport, stages.BytesDown, want)
		}
		if up := traffic.Snapshot().Up.Headers; transport != transports.LongPoll && stages.BytesUp != up {
			t.Errorf("%s: %d bytes up until ready, want %d", transport, stages.BytesUp, up)
		}
		s.Close()
	}
}

// Servers may say the same in other ways.
func TestAnswersInOtherForms(t *testing.T) { onEachEngine(t, answersInOtherForms) }

func answersInOtherForms(t *testing.T, start starter) {
	const batch = `{"cursor":"e.2","messages":[{"topic":"a","seq":1,"data":"x"}]}`
	pieces := func(text string) (b string) {
		for i := range len(text) {
			b += "1\r\n" + text[i:i+1] + "\r\n"
		}
		return b + lastChunk
	}
	for _, row := range []struct {
		name      string
		transport scenarios.Transport
		answer    string // UPGRADE stands for a proper handshake
	}{
		{"chunked", transports.LongPoll, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces(batch)},
		{"after a 100", transports.LongPoll, "HTTP/1.1 100 Continue\r\n\r\n" + answer("200 OK", "application/json", batch)},
		{"closed", transports.LongPoll, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + fmt.Sprint(len(batch)) + "\r\n\r\n" + batch},
		{"in small chunks", transports.SSE, streamHead + chunked(": hello\n\nid: e.2\ndata: "+batch+"\n\n", 3)},
		{"in small chunks", transports.HTTPStream, linesHead + chunked("\n"+batch+"\r\n", 3)},
		{"fragments and a ping", transports.WebSocket, "UPGRADE\x01\x05" + batch[:5] + "\x89\x02hi" + "\x00\x00" + "\x80" + string(rune(len(batch)-5)) + batch[5:]},
		{"an unsolicited pong", transports.WebSocket, "UPGRADE\x8a\x00" + textFrame(batch)},
	} {
		t.Run(row.name+"/"+string(row.transport), func(t *testing.T) {
			pong := make(chan string, 1)
			p := play(t, func(n int, c *peer) {
				r, ok := c.request()
				if n > 0 || !ok {
					c.hold()
					return
				}
				rest, upgrade := strings.CutPrefix(row.answer, "UPGRADE")
				if upgrade {
					c.say(upgraded(r) + rest)
					if strings.Contains(rest, "hi") {
						body, _ := c.frame()
						pong <- body
					}
				} else {
					c.say(row.answer)
				}
				c.hold()
			})
			s, told, traffic := start.open(p, row.transport, client.Subscription{Topics: []string{"a"}}, nil)
			told.await(t, 1, client.Connected)
			if row.name == "fragments and a ping" {
				if got := <-pong; got != "hi" {
					t.Errorf("the ping was answered by %q", got)
				}
			}
			s.Close()
			if got := clienttest.Batches(told.All(), 0); len(got) != 1 || len(got[0].Messages) != 1 || string(got[0].Messages[0].Data) != "x" {
				t.Errorf("got batches %+v, want one with the message", got)
			}
			w := traffic.Snapshot()
			for name, d := range map[string]results.Direction{"up": w.Up, "down": w.Down} {
				if sum := d.Payload + d.Envelope + d.Framing + d.Headers; sum != d.Bytes {
					t.Errorf("%d bytes %s in parts, %d in all: %+v", sum, name, d.Bytes, d)
				}
			}
		})
	}
}

func TestRefusedConnectionIsTold(t *testing.T) { onEachEngine(t, refusedConnectionIsTold) }

func refusedConnectionIsTold(t *testing.T, start starter) {
	for _, transport := range scenarios.ClientOpened {
		ln := listen(t)
		ln.Close()
		told := record{clienttest.NewObserver()}
		s := start(client.Config{Target: ln.Addr().String(), Transport: transport, Traffic: new(client.Traffic)}).Open(client.Subscription{Topics: []string{"a"}}, told)
		if got, want := told.await(t, 1, client.Disconnected)[0].Cause, "connection refused"; got != want {
			t.Errorf("%s: got %q, want %q", transport, got, want)
		}
		s.Close()
	}
}

func TestReconnectCarriesTheCursor(t *testing.T) { onEachEngine(t, reconnectCarriesTheCursor) }

func reconnectCarriesTheCursor(t *testing.T, start starter) {
	for _, transport := range scenarios.ClientOpened {
		t.Run(string(transport), func(t *testing.T) {
			p := play(t, func(n int, c *peer) {
				r, ok := c.request()
				if n > 0 || !ok {
					c.hold()
					return
				}
				c.say(subscribeAck(transport, r))
				if transport == transports.ShortPoll || transport == transports.LongPoll {
					c.request() // the next poll, which is never answered
				}
			})
			s, told, traffic := start.open(p, transport, client.Subscription{Topics: []string{"a", "b"}, Delivery: "latest"}, nil)
			told.await(t, 1, client.Disconnected)
			first := p.awaitRequest()
			second := p.awaitRequest()
			for accepted, _ := p.count(); accepted < 2; accepted, _ = p.count() {
				second = p.awaitRequest() // a poll that the first connection still took
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
			if got := told.of(client.Connected); len(got) == 0 || got[0].Stages.Resume {
				t.Errorf("got %+v, want connected, not by a resume", got)
			}
			agree(t, p, traffic)
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

// A server that takes a publication and closes without a word: it failed, once,
// and was not sent again behind anybody's back.
func TestPublishIsNeverRetriedInSecret(t *testing.T) { onEachEngine(t, publishIsNeverRetriedInSecret) }

func publishIsNeverRetriedInSecret(t *testing.T, start starter) {
	p := play(t, func(_ int, c *peer) { c.request() })
	s, told, traffic := start.open(p, transports.SSE, client.Subscription{}, nil)
	told.await(t, 1, client.Connected)
	s.Publish(1, "a", []byte("x"))
	told.await(t, 1, client.Failed)
	s.Publish(2, "a", []byte("y"))
	failed := told.await(t, 2, client.Failed)
	s.Close()
	if failed[0].ID != 1 || failed[1].ID != 2 || failed[0].Cause != "connection closed by server" {
		t.Errorf("got %+v, want 1 and 2 failed: %s", failed, "connection closed by server")
	}
	if _, requests := p.count(); requests != 2 {
		t.Errorf("got %d requests on the wire, want 2", requests)
	}
	agree(t, p, traffic)
}

func TestPublishAnswers(t *testing.T) { onEachEngine(t, publishAnswers) }

func publishAnswers(t *testing.T, start starter) {
	for _, row := range []struct {
		name, answer string
		want         client.Event
	}{
		{"acked", answer("200 OK", "application/json", `{"topic":"a","seq":7}`), client.Event{Kind: client.Acked, ID: 9, Seq: 7}},
		{"acked and closed", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{\"seq\":7}", client.Event{Kind: client.Acked, ID: 9, Seq: 7}},
		{"no seq", answer("200 OK", "application/json", `{}`), client.Event{Kind: client.Failed, ID: 9, Cause: client.ErrMalformed.Error()}},
		{"truncated", answer("200 OK", "application/json", `{"seq":`), client.Event{Kind: client.Failed, ID: 9, Cause: client.ErrMalformed.Error()}},
		{"refused", answer("503 Service Unavailable", "application/json", `{"error":"hub_full"}`), client.Event{Kind: client.Failed, ID: 9, Cause: "publish returned status 503"}},
		{"no HTTP", "oops\r\n\r\n", client.Event{Kind: client.Failed, ID: 9, Cause: wire.ErrResponse.Error()}},
	} {
		p := play(t, func(_ int, c *peer) {
			if r, ok := c.request(); ok {
				body, _ := io.ReadAll(r.Body)
				if r.Method != "POST" || r.RequestURI != "/v1/topics/a" || string(body) != "pay\x00load" {
					t.Errorf("got %s %s %q, want POST /v1/topics/a and the payload", r.Method, r.RequestURI, body)
				}
				c.say(row.answer)
				c.hold()
			}
		})
		s, told, traffic := start.open(p, transports.LongPoll, client.Subscription{}, nil)
		told.await(t, 1, client.Connected)
		s.Publish(9, "a", []byte("pay\x00load"))
		if got := told.await(t, 1, client.Acked, client.Failed, client.Dropped)[0]; got != row.want {
			t.Errorf("%s: got %+v, want %+v", row.name, got, row.want)
		}
		s.Close()
		if got := told.of(client.Sending, client.Acked, client.Failed, client.Dropped); len(got) != 2 || got[0].Kind != client.Sending {
			t.Errorf("%s: got %+v, want the sending and one outcome", row.name, got)
		}
		agree(t, p, traffic)
	}
}

// outcomes counts what was told of each publication.
func outcomes(r record) map[uint32]int {
	n := map[uint32]int{}
	for _, e := range r.of(client.Acked, client.Failed, client.Dropped) {
		n[e.ID]++
	}
	return n
}

// The server answers all but each tenth publication and dies at that: the POST
// fails, the frame is never told of; no publication has two outcomes.
func TestEachPublicationHasOneOutcome(t *testing.T) { onEachEngine(t, eachPublicationHasOneOutcome) }

func eachPublicationHasOneOutcome(t *testing.T, start starter) {
	t.Run("post", func(t *testing.T) {
		p := play(t, func(_ int, c *peer) {
			for n := 1; ; n++ {
				if _, ok := c.request(); !ok || n%10 == 0 {
					return
				}
				c.say(answer("200 OK", "application/json", fmt.Sprintf(`{"seq":%d}`, n)))
			}
		})
		s, told, traffic := start.open(p, transports.SSE, client.Subscription{}, nil)
		const count = 300
		for id := range uint32(count) {
			s.Publish(id, "a", []byte("x"))
		}
		told.await(t, count, client.Acked, client.Failed, client.Dropped)
		s.Close()
		for id, n := range outcomes(told) {
			if n != 1 {
				t.Errorf("publication %d: got %d outcomes, want 1", id, n)
			}
		}
		if got := len(told.of(client.Failed)); got < count/20 {
			t.Errorf("got %d failed, want about %d", got, count/10)
		}
		agree(t, p, traffic)
	})
	t.Run("websocket", func(t *testing.T) {
		p := play(t, func(n int, c *peer) {
			r, ok := c.request()
			if !ok {
				return
			}
			c.say(upgraded(r) + textFrame(ackBatch))
			for frames := 1; ; frames++ {
				body, ok := c.frame()
				if !ok || n == 0 && frames == 10 {
					return
				}
				id, _, _ := strings.Cut(strings.TrimPrefix(body, `{"id":`), ",")
				if frames%3 == 0 {
					c.say(textFrame(`{"error":"bad_topic","id":` + id + `}`))
				} else {
					c.say(textFrame(`{"ack":` + id + `,"seq":1}`))
				}
			}
		})
		s, told, traffic := start.open(p, transports.WebSocket, client.Subscription{Topics: []string{"a"}, Publishes: true}, nil)
		told.await(t, 1, client.Connected)
		for id := range uint32(9) {
			s.Publish(id, "a", []byte("x"))
			told.await(t, int(id)+1, client.Acked, client.Failed)
		}
		s.Publish(9, "a", []byte("dies with the connection"))
		told.await(t, 2, client.Connected)
		s.Publish(10, "a", []byte("x"))
		told.await(t, 10, client.Acked, client.Failed)
		s.Close()
		got := outcomes(told)
		for id := range uint32(11) {
			want := 1
			if id == 9 {
				want = 0
			}
			if got[id] != want {
				t.Errorf("publication %d: got %d outcomes, want %d", id, got[id], want)
			}
		}
		if refused := told.of(client.Failed); len(refused) != 3 || refused[0].Cause != "bad_topic" {
			t.Errorf("got %+v, want 3 refused by name", refused)
		}
		agree(t, p, traffic)
	})
}

// A publisher publishes while a sink receives Connected after a reconnect, and Disconnected.
// It keeps every event in the order in which the sink's calls return.
type publishDuringEvents struct {
	record
	session atomic.Pointer[client.Session]
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

// publish gives a publication time to be refused, but does not wait for it: an event loop
// accepts none during a call of its sink.
func (p *publishDuringEvents) publish() {
	p.id++
	id := p.id
	p.calls.Go(func() { (*p.session.Load()).Publish(id, "a", []byte("x")) })
	time.Sleep(20 * time.Millisecond)
}

func TestNoPublicationIsRefusedAsOfflineWhileConnected(t *testing.T) {
	onEachEngine(t, noPublicationIsRefusedAsOfflineWhileConnected)
}

func noPublicationIsRefusedAsOfflineWhileConnected(t *testing.T, start starter) {
	for name, lastWords := range map[string]string{"connection ends": "", "close frame": "\x88\x02\x03\xe9"} {
		t.Run(name, func(t *testing.T) {
			p := play(t, func(n int, c *peer) {
				r, ok := c.request()
				if !ok {
					return
				}
				c.say(upgraded(r) + textFrame(ackBatch))
				for body, ok := c.frame(); ok; body, ok = c.frame() {
					if n == 0 {
						c.say(lastWords)
						return
					}
					id, _, _ := strings.Cut(strings.TrimPrefix(body, `{"id":`), ",")
					c.say(textFrame(`{"ack":` + id + `,"seq":1}`))
				}
			})
			sink := &publishDuringEvents{record: record{clienttest.NewObserver()}}
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

// A server that answers nothing: what is beyond the bound is dropped at once,
// what was queued when the session was closed is told of, by name.
func TestInFlightIsBoundedAndCloseTellsTheUnsent(t *testing.T) {
	onEachEngine(t, inFlightIsBoundedAndCloseTellsTheUnsent)
}

func inFlightIsBoundedAndCloseTellsTheUnsent(t *testing.T, start starter) {
	p := play(t, func(_ int, c *peer) { c.hold() })
	s, told, traffic := start.open(p, transports.SSE, client.Subscription{}, func(c *client.Config) { c.InFlight = 3 })
	told.await(t, 1, client.Connected)
	for id := range uint32(5) {
		s.Publish(id, "a", []byte("x"))
	}
	p.awaitRequest() // of publication 0
	if got := told.of(client.Dropped); len(got) != 2 || got[0].ID != 3 || got[1].ID != 4 || got[0].Cause != client.CauseInFlight {
		t.Errorf("got %+v, want 3 and 4 dropped: %s", got, client.CauseInFlight)
	}
	s.Close()
	got := told.of(client.Dropped)[2:]
	if len(got) != 2 || got[0] != (client.Event{Kind: client.Dropped, ID: 1, Cause: client.CauseClosed}) || got[1] != (client.Event{Kind: client.Dropped, ID: 2, Cause: client.CauseClosed}) {
		t.Errorf("got %+v, want 1 and 2 dropped: %s", got, client.CauseClosed)
	}
	if got := traffic.Reconnects.Load(); got != 0 {
		t.Errorf("got %d reconnects, want none for the sake of Close", got)
	}
	s.Publish(6, "a", nil)
	if got := told.of(client.Dropped); got[len(got)-1] != (client.Event{Kind: client.Dropped, ID: 6, Cause: client.CauseClosed}) {
		t.Errorf("got %+v, want 6 dropped: %s", got, client.CauseClosed)
	}
	agree(t, p, traffic)
}

func TestSocketBoundsWhatIsUnanswered(t *testing.T) { onEachEngine(t, socketBoundsWhatIsUnanswered) }

func socketBoundsWhatIsUnanswered(t *testing.T, start starter) {
	p := play(t, func(_ int, c *peer) {
		if r, ok := c.request(); ok {
			c.say(upgraded(r) + textFrame(ackBatch))
			for body, ok := c.frame(); ok; body, ok = c.frame() {
				c.puppet.arrived <- body
			}
		}
	})
	s, told, traffic := start.open(p, transports.WebSocket, client.Subscription{Topics: []string{"a"}}, func(c *client.Config) { c.InFlight = 3 })
	told.await(t, 1, client.Connected)
	for id := range uint32(5) {
		s.Publish(id, "a", []byte("x"))
	}
	for range 1 + 3 { // the handshake and what is within the bound
		p.awaitRequest()
	}
	s.Close()
	if got := told.of(client.Acked, client.Failed, client.Dropped); len(got) != 2 || got[0].ID != 3 || got[1].ID != 4 || got[0].Cause != client.CauseInFlight {
		t.Errorf("got %+v, want only 3 and 4 dropped: %s", got, client.CauseInFlight)
	}
	agree(t, p, traffic)
}

// Close does not wait for a server that never answers, at any stage.
func TestCloseDoesNotWaitForAnAnswer(t *testing.T) { onEachEngine(t, closeDoesNotWaitForAnAnswer) }

func closeDoesNotWaitForAnAnswer(t *testing.T, start starter) {
	for _, transport := range scenarios.ClientOpened {
		p := play(t, func(_ int, c *peer) { c.hold() })
		s, told, traffic := start.open(p, transport, client.Subscription{Topics: []string{"a"}}, nil)
		p.awaitRequest()
		s.Close()
		if got := told.of(client.Connected, client.Disconnected); len(got) != 0 {
			t.Errorf("%s: got %+v, want nothing told of what we ended ourselves", transport, got)
		}
		agree(t, p, traffic)
	}
}
