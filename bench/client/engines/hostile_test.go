package engines

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/bench/client/internal/wire"
	"pushbench/bench/payload"
	"pushbench/bench/target"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// An attack is what a hostile server sends on a client's first connection, after its request.
type attack struct {
	name  string
	on    []scenarios.Transport
	first string        // HEADER stands for the header that a client expects, ACK for a subscribe-ack with it
	again string        // sent again and again afterwards, without end or until enough was sent
	every time.Duration // the time between two; 0: as fast as the client reads
	then  string        // sent when enough of again was sent, if the client is to survive it

	want    string // end of the cause for which the client closes the connection; "": it survives, and is subscribed
	own     bool   // only in pushbench's protocol
	foreign bool   // only in a target's
	nightly bool   // takes long or much memory
	memory  uint64 // the most that client and server may allocate for it, in bytes; default: usual
}

const (
	usual = 1 << 20
	large = 16 * wire.MaxBody // in all, for one message of the largest size, whose buffers grew to it
	most  = 64 << 20          // bytes after which a server gives up
	soon  = 50 * time.Millisecond
)

// enough is how many bytes a client must survive. The nightly table has more.
var enough = 1 << 20

// hostileFile is a target file with a path for each transport.
const hostileFile = `
version: 1
name: hostile
url: http://127.0.0.1:1
transports:
  shortpoll: {path: "/short?id={topic}", next: [{header: Etag, as: etag}, {body: '"next":"(?<next>[^"]+)"'}]}
  longpoll: {path: "/long?id={topic}&after={etag}", next: [{header: Etag, as: etag, first: "0"}, {body: '"next":"(?<next>[^"]+)"'}]}
  sse: {path: "/events?id={topic}&after={next}", next: [{body: '"next":"(?<next>[^"]+)"'}]}
  httpstream: {path: "/lines?id={topic}&after={next}", next: [{body: '"next":"(?<next>[^"]+)"'}]}
  websocket: {path: "/socket?id={topic}", next: [{body: '"next":"(?<next>[^"]+)"'}], heartbeat: {when: ^beat$, send: beaten}}
publish: {post: "/publish?id={topic}", frame: "{payload}"}
`

// attacks is the table of hostile servers.
func attacks() []attack {
	all := scenarios.ClientOpened
	polls := []scenarios.Transport{transports.ShortPoll, transports.LongPoll}
	chunks := []scenarios.Transport{transports.SSE, transports.HTTPStream}
	sse, ws := []scenarios.Transport{transports.SSE}, []scenarios.Transport{transports.WebSocket}
	long := strings.Repeat("a", 4000)
	const ok, json = "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	const coded = json + "Transfer-Encoding: chunked\r\n\r\n"
	batch := func(fields string) string { return `{"cursor":"e.1","messages":[],` + fields + `}` }
	malformed := client.ErrMalformed.Error()
	return []attack{
		{name: "silence", on: polls, want: client.ErrSilent.Error(), own: true},
		{name: "silence", on: []scenarios.Transport{transports.SSE, transports.HTTPStream, transports.WebSocket}, want: "timeout"},
		{name: "a head byte by byte", on: polls, first: json, again: "X", every: soon / 8, want: client.ErrSilent.Error(), own: true},
		{name: "half a head", on: polls[1:], first: json, want: client.ErrSilent.Error(), foreign: true},
		{name: "half a body", on: polls[1:], first: json + "Content-Length: 10\r\n\r\n{", again: " ", every: 2 * soon, want: client.ErrSilent.Error(), foreign: true},
		{name: "a long body byte by byte", on: polls[1:], first: json + "Content-Length: 1000\r\n\r\n", again: " ", every: soon / 8, want: client.ErrSilent.Error(), foreign: true},
		{name: "a head byte by byte", on: append(ws, chunks...), first: ok, again: "X", every: soon / 8, want: "timeout"},
		{name: "a head of one endless line", on: all, first: ok + "X: ", again: "x", want: wire.ErrResponse.Error()},
		{name: "a head of endless lines", on: all, first: ok, again: "X: y\r\n", want: wire.ErrResponse.Error()},
		{name: "an endless status line", on: all, first: "HTTP/1.1 200 ", again: "x", want: wire.ErrResponse.Error()},
		{name: "endless bytes", on: all, again: "\x00\xff\x16\x03", want: wire.ErrResponse.Error()},
		{name: "interim responses without end", on: all, again: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", want: client.ErrInterim.Error()},
		{name: "interim responses, slowly", on: polls, again: "HTTP/1.1 102 Processing\r\n\r\n", every: soon / 8, want: client.ErrSilent.Error(), own: true},
		{name: "interim responses, slowly", on: append(ws, chunks...), again: "HTTP/1.1 102 Processing\r\n\r\n", every: soon / 8, want: "timeout"},
		{name: "redirect", on: all, first: "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n", want: "returned status 307"},
		{name: "101 unasked", on: append(polls, chunks...), first: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", want: "returned status 101"},
		{name: "two lengths", on: all, first: ok + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", again: "x", want: wire.ErrResponse.Error()},
		{name: "bytes after a response", on: polls, first: "HTTP/1.1 204 No Content\r\n\r\nx", again: "x", want: wire.ErrMore.Error()},
		{name: "a length of 1 TiB", on: polls, first: json + "Content-Length: 1099511627776\r\n\r\n", again: "x", want: wire.ErrTooLong.Error()},
		{name: "a body without end", on: polls, first: json + "\r\n", again: "x", want: wire.ErrResponse.Error()},
		{name: "a body byte by byte", on: polls, first: json + "Content-Length: 1000\r\n\r\n", again: " ", every: soon / 8, want: client.ErrSilent.Error(), own: true},
		{name: "a long body byte by byte", on: polls, first: coded + "ff0000\r\n" + strings.Repeat(" ", 15<<20), again: " ", every: soon / 1000, want: client.ErrSilent.Error(), own: true, nightly: true, memory: large},
		{name: "chunks byte by byte", on: polls, first: coded, again: "1\r\n \r\n", every: soon / 8, want: client.ErrSilent.Error(), own: true},
		{name: "chunks of a byte without end", on: polls, first: coded, again: "1\r\n \r\n", want: wire.ErrTooLong.Error(), nightly: true, memory: large},
		{name: "large chunks without end", on: polls, first: coded, again: "fa0\r\n" + long + "\r\n", want: wire.ErrTooLong.Error(), nightly: true, memory: large},
		{name: "chunk extensions without end", on: polls, first: coded, again: "1;" + long + "\r\n \r\n", want: wire.ErrChunk.Error()},
		{name: "chunk extensions without end", on: chunks, first: "HEADER", again: "1;" + long + "\r\n \r\n", want: wire.ErrChunk.Error()},
		{name: "one endless chunk extension", on: polls, first: coded + "1;", again: "x", want: wire.ErrChunk.Error()},
		{name: "one endless chunk extension", on: chunks, first: "HEADER1;", again: "x", want: wire.ErrChunk.Error()},
		{name: "trailers without end", on: polls, first: coded + "0\r\n", again: "X: y\r\n", want: wire.ErrChunk.Error()},
		{name: "trailers without end", on: chunks, first: "HEADER0\r\n", again: "X: y\r\n", want: wire.ErrChunk.Error()},
		{name: "one endless trailer", on: polls, first: coded + "0\r\nX: ", again: "y", want: wire.ErrChunk.Error()},
		{name: "a negative chunk", on: chunks, first: "HEADER-5\r\n", again: "x", want: wire.ErrChunk.Error()},
		{name: "gzip unasked", on: polls, first: json + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", want: `response is compressed: Content-Encoding "gzip"`},
		{name: "gzip unasked", on: sse, first: "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", again: "\x1f\x8b", want: `response is compressed: Content-Encoding "gzip"`},
		{name: "HTML", on: sse, first: ok + "Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n", again: "1\r\n<\r\n", want: "text/event-stream"},
		{name: "HTML", on: polls, first: ok + "Content-Type: text/html\r\nContent-Length: 2\r\n\r\n{}", want: "not application/json", own: true},

		{name: "a line without end", on: chunks, first: "HEADER", again: "fa0\r\n" + long + "\r\n", want: wire.ErrTooLong.Error(), nightly: true, memory: large},
		{name: "data lines without end", on: sse, first: "HEADER", again: chunked(strings.Repeat("data: "+long[:1000]+"\n", 4), 5000), want: wire.ErrTooLong.Error(), nightly: true, memory: large},
		{name: "an id of 5,000 bytes", on: sse, first: "HEADER" + chunked("id: "+strings.Repeat("1", 5000)+"\n", 6000), want: wire.ErrID.Error()},
		{name: "comments without end", on: sse, first: "HEADER", again: chunked(strings.Repeat(":\n\n", 1000), 4000), then: "ACK"},
		{name: "empty lines without end", on: []scenarios.Transport{transports.HTTPStream}, first: "HEADER", again: chunked(strings.Repeat("\n", 4000), 4000), then: "ACK"},
		{name: "retry, NUL and a byte order mark", on: sse, first: "HEADER" + chunked("\uFEFFretry: 999999999\nretry: -1\nid: a\x00b\n: x\n\n", 10), then: "ACK"},

		{name: "a masked frame", on: ws, first: "HEADER\x81\x82\x00\x00\x00\x00{}", want: "server frame is masked"},
		{name: "reserved bits", on: ws, first: "HEADER\xc1\x02{}", want: "reserved bits"},
		{name: "a length of 2^63", on: ws, first: "HEADER\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00", again: "x", want: wire.ErrTooLong.Error()},
		{name: "a length that is not minimal", on: ws, first: "HEADER\x81\x7e\x00\x02{}", want: "length is not minimally encoded"},
		{name: "a continuation of nothing", on: ws, first: "HEADER\x80\x02{}", want: "fragments out of order"},
		{name: "a long ping", on: ws, first: "HEADER\x89\x7e\x00\x7e", again: "x", want: "control frame too long or fragmented"},
		{name: "binary", on: ws, first: "HEADER\x82\x02{}", want: wire.ErrBinary.Error()},
		{name: "fragments without end", on: ws, first: "HEADER\x01\x00", again: "\x00\x7e\x0f\xa0" + long, want: wire.ErrTooLong.Error(), nightly: true, memory: large},
		{name: "empty fragments", on: ws, first: "HEADER\x01\x00", again: strings.Repeat("\x00\x00", 1000), then: "\x80\x00ACK", foreign: true},
		{name: "pings of a server that does not read", on: ws, first: "HEADER", again: strings.Repeat("\x89\x7d"+long[:125], 100), then: "ACK"},
		{name: "pongs unasked", on: ws, first: "HEADER", again: strings.Repeat("\x8a\x02hi", 1000), then: "ACK"},
		{name: "a close frame with code 65535", on: ws, first: "HEADER\x88\x02\xff\xff", again: textFrame(ackBatch), want: "with code 65535"},
		{name: "an extension", on: ws, first: strings.Replace("HEADER", "HEADER", "EXTENDED", 1), want: wire.ErrExtra.Error()},
		{name: "a wrong key", on: ws, first: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", want: wire.ErrAccept.Error()},
		{name: "frames before the handshake", on: ws, first: "\x81\x02{}", again: "\x81\x02{}", want: wire.ErrResponse.Error()},
		{name: "requests for heartbeats of a server that does not read", on: ws, first: "HEADER", again: strings.Repeat("\x81\x04beat", 1000), then: "ACK", foreign: true},

		{name: "a position of 9,000 bytes", on: all, first: "BATCH" + `{"next":"` + strings.Repeat("x", 9000) + `"}`, want: "value of {next} with 9000 bytes; allowed: at most 8192", foreign: true},
		{name: "an ETag of 9,000 bytes", on: polls, first: json + "ETag: " + strings.Repeat("x", 9000) + "\r\nContent-Length: 2\r\n\r\n{}", want: "value of {etag} with 9000 bytes; allowed: at most 8192", foreign: true},
		{name: "a cursor of 257 bytes", on: all, first: "BATCH" + `{"cursor":"` + strings.Repeat("x", 257) + `","messages":[]}`, want: malformed, own: true},
		{name: "an empty cursor", on: all, first: "BATCH" + `{"cursor":"","messages":[]}`, want: malformed, own: true},
		{name: "more gaps than topics", on: all, first: "BATCH" + batch(`"gap":[{"topic":"a","from":1,"to":2},{"topic":"a","from":4,"to":5}]`), want: malformed, own: true},
		{name: "a seq beyond 64 bits", on: all, first: "BATCH" + `{"cursor":"e.1","messages":[{"topic":"a","seq":18446744073709551616,"data":"x"}]}`, want: malformed, own: true},
		{name: "deep nesting", on: all, first: "BATCH" + batch(`"x":`+strings.Repeat("[", 3000)), want: malformed, own: true},
		{name: "five million empty messages", on: polls, first: "BATCH" + `{"cursor":"e.1","messages":[` + strings.Repeat("{},", 5<<20) + "{}]}", want: malformed, own: true, nightly: true, memory: large},
		{name: "outcomes of what was not published", on: ws, first: "ACK" + textFrame(`{"ack":123456789,"seq":1}`), want: malformed, own: true},
		{name: "errors of what was not published", on: ws, first: "ACK" + textFrame(`{"error":"x","id":7}`), want: malformed, own: true},
	}
}

// expand replaces what stands for the parts of a valid response.
func expand(text string, transport scenarios.Transport, upgrade string) string {
	header := upgrade
	if s, ok := streams[transport]; ok {
		header = s.header
	}
	switch {
	case strings.HasPrefix(text, "ACK") && transports.Of(transport).Polls, strings.HasPrefix(text, "BATCH") && transports.Of(transport).Polls:
		header = ""
	}
	if rest, ok := strings.CutPrefix(text, "ACK"); ok {
		return header + framed(transport, ackBatch) + rest
	}
	if body, ok := strings.CutPrefix(text, "BATCH"); ok {
		return header + framed(transport, body)
	}
	text = strings.Replace(text, "EXTENDED", strings.Replace(upgrade, "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 1), 1)
	return strings.Replace(text, "HEADER", header, 1)
}

// serve sends the attack.
func (a *attack) serve(p *peer, transport scenarios.Transport) {
	r, ok := p.request()
	if !ok {
		return
	}
	p.send(expand(a.first, transport, upgraded(r)))
	block, limit := []byte(a.again), most
	if a.again == "" {
		limit = 0
	} else if a.every == 0 {
		block = []byte(strings.Repeat(a.again, max(1, 64<<10/len(a.again))))
	}
	if a.want == "" {
		limit = min(limit, enough)
	}
	for sent := 0; sent < limit; sent += len(block) {
		if _, err := p.Write(block); err != nil {
			return
		}
		time.Sleep(a.every)
	}
	if a.want == "" {
		control, last := strings.CutSuffix(a.then, "ACK")
		p.send(control)
		if last {
			p.send(framed(transport, ackBatch))
		}
	}
}

// A hostile server costs a client a bounded time: the client names the cause, counts every byte, and connects again.
func TestHostileServersAreSurvived(t *testing.T) {
	tryAttacks(t, func(t *testing.T, a *attack, try func()) {
		if !a.nightly {
			t.Parallel()
			try()
		}
	})
}

// tryAttacks passes every attack, in both protocols and on each engine, to do, with a function that tries it.
func tryAttacks(t *testing.T, do func(t *testing.T, a *attack, try func())) {
	t.Helper()
	file, err := scenarios.ReadTarget("hostile.yaml", strings.NewReader(hostileFile))
	if err != nil {
		t.Fatal(err)
	}
	onEachEngine(t, func(t *testing.T, start starter) {
		for _, a := range attacks() {
			for _, transport := range a.on {
				dialect, err := target.Compile(file, transport, os.LookupEnv)
				if err != nil {
					t.Fatal(err)
				}
				for protocol, d := range map[string]*target.Dialect{"own": nil, "target": dialect} {
					if a.own && d != nil || a.foreign && d == nil {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/%s", a.name, transport, protocol), func(t *testing.T) {
						do(t, &a, func() { a.try(t, start, transport, d) })
					})
				}
			}
		}
	})
}

// try tries one attack.
func (a *attack) try(t *testing.T, start starter, transport scenarios.Transport, dialect *target.Dialect) {
	survived := make(chan struct{}) // closed when everything is sent
	p := startServer(t, func(n int, c *peer) {
		if n > 0 {
			c.readRequests()
			return
		}
		if a.serve(c, transport); a.want == "" {
			close(survived)
		}
		_, _ = c.in.WriteTo(io.Discard) // until the client closes the connection
	})
	s, seen, traffic := start.open(p, transport, client.Subscription{Topics: []string{"a"}}, func(c *client.Config) {
		c.Workers, c.ReadTimeout, c.OpenTimeout, c.Interval = 1, soon, soon, time.Hour
		if a.want == "" || !strings.HasPrefix(a.want, "timeout") && a.want != client.ErrSilent.Error() {
			c.ReadTimeout, c.OpenTimeout = clienttest.Timeout, clienttest.Timeout
		}
		if dialect != nil && transports.Of(transport).Holds { // a target decides how long it holds a poll
			c.ReadTimeout, c.RestTimeout = 0, c.ReadTimeout
		}
		c.Dialect = dialect
		c.Payloads = payload.NewScanner(foreignRun, func(uint32) int { return 64 })
	})
	if a.want == "" {
		<-survived
		seen.await(t, 1, client.Connected)
	} else if got := seen.await(t, 1, client.Disconnected)[0].Cause; !strings.HasSuffix(got, a.want) {
		t.Errorf("got cause %q, want %q", got, a.want)
	}
	s.Close()
	w := traffic.Snapshot()
	for name, d := range map[string]results.Direction{"up": w.Up, "down": w.Down} {
		if sum := d.Payload + d.Envelope + d.Framing + d.Headers; sum != d.Bytes {
			t.Errorf("parts sum to %d bytes %s, want %d: %+v", sum, name, d.Bytes, d)
		}
	}
	if got := clienttest.Messages(seen.All(), 0); len(got) > 0 {
		t.Errorf("got messages %v", got)
	}
}

// A connection that ends anywhere, by FIN or RST, costs no message and doubles none.
func TestConnectionsThatEndAnywhereLoseNothing(t *testing.T) { cutEverywhere(t, 9) }

// cutEverywhere ends the first connection of each client after another number of bytes, in steps.
func cutEverywhere(t *testing.T, step int) {
	onEachEngine(t, func(t *testing.T, start starter) {
		for _, transport := range scenarios.ClientOpened {
			for _, reset := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/reset=%v", transport, reset), func(t *testing.T) {
					t.Parallel()
					cutExchanges(t, start, transport, reset, step)
				})
			}
		}
	})
}

// cutExchanges has a client for each byte of an exchange: a subscribe-ack, and a message. A client's topic is the number
// of bytes that the server sends on its first connection.
func cutExchanges(t *testing.T, start starter, transport scenarios.Transport, reset bool, step int) {
	const message = `{"cursor":"e.2","messages":[{"topic":"T","seq":1,"data":"x"}]}`
	seen := map[string]bool{} // topics; guarded by the server
	p := startServer(t, func(_ int, c *peer) {
		left := -1 // bytes until the connection ends; -1: it does not
		for first := true; ; first = false {
			r, err := http.ReadRequest(c.in)
			if err != nil {
				return
			}
			topic, after := r.FormValue("topic"), r.FormValue("after")
			c.server.mu.Lock()
			if first && !seen[topic] {
				seen[topic] = true
				_, _ = fmt.Sscan(topic, &left)
			}
			c.server.mu.Unlock()
			text := exchange(transport, r, after, strings.Replace(message, "T", topic, 1))
			if left >= 0 && len(text) >= left {
				c.send(text[:left])
				if reset {
					_ = c.Conn.(*net.TCPConn).SetLinger(0) // it is one
				}
				return
			}
			c.send(text)
			if left >= 0 {
				left -= len(text)
			}
		}
	})
	traffic, length := new(client.Traffic), len(exchangeOfAll(transport, message))
	engine := start(client.Config{Target: p.addr(), Transport: transport, Traffic: traffic, Interval: time.Millisecond, PollTimeout: time.Second})
	var sessions []client.Session
	var sinks []record
	for cut := 0; cut < length; cut += step {
		r := record{clienttest.NewObserver()}
		sinks = append(sinks, r)
		sessions = append(sessions, engine.Open(client.Subscription{Topics: []string{fmt.Sprint(cut)}}, r))
	}
	for i, r := range sinks {
		r.Await(t, fmt.Sprintf("the message of the client whose connection ends after %d bytes", i*step), func(calls []clienttest.Call) bool {
			return len(clienttest.Messages(calls, 0)) > 0
		})
	}
	for _, s := range sessions {
		s.Close()
	}
	for i, r := range sinks {
		if got := clienttest.Messages(r.All(), 0); len(got) != 1 {
			t.Errorf("after %d bytes: %d messages, want 1", i*step, len(got))
		}
		causes := []string{"connection closed by server", "connection closed by server without a close frame", "connection closed mid-message", "connection reset"}
		for _, e := range r.ofKind(client.Disconnected) {
			if !slices.Contains(causes, e.Cause) {
				t.Errorf("after %d bytes: %q", i*step, e.Cause)
			}
		}
	}
	checkParts(t, traffic)
}

// exchange is the response to a request with a cursor: a stream has all that follows, a poll only the next batch.
func exchange(transport scenarios.Transport, r *http.Request, after, message string) string {
	polls := transports.Of(transport).Polls
	text := ""
	switch {
	case transports.Of(transport).Upgrades:
		text = upgraded(r)
	case !polls:
		text = streams[transport].header
	}
	if after == "" {
		if text += framed(transport, ackBatch); polls {
			return text
		}
	}
	if after != "e.2" {
		return text + framed(transport, message)
	}
	if polls {
		time.Sleep(5 * time.Millisecond) // as a server that holds the poll
		return "HTTP/1.1 204 No Content\r\n\r\n"
	}
	return text
}

// exchangeOfAll is what a client receives in all.
func exchangeOfAll(transport scenarios.Transport, message string) string {
	r := &http.Request{Header: http.Header{}}
	if transports.Of(transport).Polls {
		return exchange(transport, r, "", message) + exchange(transport, r, "e.1", message)
	}
	return exchange(transport, r, "", message)
}
