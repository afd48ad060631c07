package servers_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// An attack is what one hostile client does, until its server closes the connection or the test
// closes it. It is repeated until the test ends.
type attack struct {
	name  string
	on    string // transports; "": every transport that clients dial
	often bool   // the attack is made by the ordinary tests as well
	make  func(a *attacker)
}

var attacks = []attack{
	{"unmasked bytes", "websocket", true, func(a *attacker) { a.open(); a.flood("\x81\x01x", strings.Repeat("\x00", 4096)) }},
	{"pongs", "websocket", false, func(a *attacker) { a.open(); a.flood("", frame(fin|opPong, "")) }},
	{"pings", "websocket", false, func(a *attacker) { a.open(); a.flood("", frame(fin|opPing, "")) }},
	{"empty fragments", "websocket", false, func(a *attacker) { a.open(); a.flood(frame(opText, ""), frame(opContinuation, "")) }},
	{"fragments of one byte", "websocket", false, func(a *attacker) { a.open(); a.flood(frame(opText, "{"), frame(opContinuation, " ")) }},
	{"pongs within a message", "websocket", true, func(a *attacker) { a.open(); a.flood(frame(opText, "{"), frame(fin|opPong, "x")) }},
	{"frames after a close frame", "websocket", false, func(a *attacker) { a.open(); a.flood(frame(fin|opClose, ""), frame(fin|opPong, "")) }},
	{"publications", "websocket", false, func(a *attacker) { a.open(); a.flood("", frame(fin|opText, `{"id":1,"topic":"x","data":"y"}`)) }},
	{"new topics in publications", "websocket", true, func(a *attacker) {
		a.open()
		a.send(func(n int) string { return frame(fin|opText, fmt.Sprintf(`{"id":1,"topic":"new%d","data":"y"}`, n)) })
	}},
	{"half a frame", "websocket", true, func(a *attacker) { a.open(); a.hold("\x81") }},
	{"half a ping", "websocket", false, func(a *attacker) { a.open(); a.hold(frame(fin|opPing, "half")[:7]) }},
	{"most of a long message", "websocket", false, func(a *attacker) {
		a.open()
		a.hold(frame(fin|opText, strings.Repeat("x", 390_000))[:380_000])
	}},
	{"a message byte by byte", "websocket", false, func(a *attacker) { a.open(); a.trickle(frame(fin|opText, strings.Repeat("x", 100_000))) }},
	{"requests", "", false, func(a *attacker) { a.flood("", a.request("GET /v1/healthz")) }},
	{"requests, responses unread", "", true, func(a *attacker) { a.deaf = true; a.flood("", a.request("GET /v1/stats")) }},
	{"refused requests", "", true, func(a *attacker) { a.flood("", a.request("GET /v1/nothing")) }},
	{"publishes", "", false, func(a *attacker) { a.flood("", a.publish("x", 1)) }},
	{"long publishes", "", true, func(a *attacker) { a.flood("", a.publish("x", 60_000)) }},
	{"polls", "shortpoll longpoll", true, func(a *attacker) { a.flood("", a.request("GET /v1/poll?topic=x")) }},
	{"waiting polls", "longpoll", false, func(a *attacker) {
		a.flood("", a.request("GET /v1/poll?topic=x&wait=1ms&after="+everything))
	}},
	{"new topics in subscriptions", "shortpoll longpoll", true, func(a *attacker) {
		a.send(func(n int) string {
			var query strings.Builder
			for i := range 100 {
				fmt.Fprintf(&query, "&topic=new%d.%d", n, i)
			}
			return a.request("GET /v1/poll?" + query.String()[1:])
		})
	}},
	{"connections", "", false, func(a *attacker) { a.hold(a.request("GET /v1/healthz") + "GET") }},
	{"resets", "", false, func(a *attacker) {
		a.hold(a.publish("x", 1000)[:200])
		_ = a.conn.(*net.TCPConn).SetLinger(0)
	}},
	{"half-closed requests", "", false, func(a *attacker) {
		a.hold(a.request("GET " + edges[a.s.transport].path + "?topic=x"))
		_ = a.conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, a.conn)
	}},
	{"headers byte by byte", "", false, func(a *attacker) { a.trickle("GET /v1/healthz HTTP/1.1\r\nX: " + strings.Repeat("x", 8000)) }},
	{"bodies byte by byte", "", false, func(a *attacker) { a.trickle(a.publish("x", 60_000)) }},
	{"endless headers", "", false, func(a *attacker) { a.flood("GET /v1/healthz HTTP/1.1\r\n", "X: y\r\n") }},
	{"endless bodies", "", false, func(a *attacker) { a.flood(a.publish("x", 1<<30)[:300], strings.Repeat("x", 4096)) }},
	{"streams without reading", streamed, false, func(a *attacker) {
		a.deaf = true
		a.hold(a.request("GET "+edges[a.s.transport].path+"?topic=long&after="+everything, openingHeaders(a.s.transport)))
	}},
	{"streams of all that is kept", streamed, false, func(a *attacker) {
		a.listen()
		a.hold(a.request("GET "+edges[a.s.transport].path+"?topic=long&after="+everything, openingHeaders(a.s.transport)))
	}},
}

// everything is a cursor of another server: the response has all messages that are kept.
const everything = "00000000000000aa.1"

// variants returns where an attack applies.
func (a attack) variants() []variant {
	if a.on == "" {
		return variants(clientDialled)
	}
	return variants(a.on)
}

// attackersPerCore is how many clients attack at the same time.
const attackersPerCore = 2

// hostileLimits are those of an attacked server: short, as attacks that the server ends are repeated.
var hostileLimits = wire.Limits{ReadTimeout: 500 * time.Millisecond, SlowAfter: 500 * time.Millisecond}

// hostileHub are the options of its hub: small, as attacks fill it.
var hostileHub = hub.Options{RingBytes: 1 << 18, MaxTopics: 10_000}

// check attacks a server that has one processor, and expects it to serve another client.
func (a attack) check(t *testing.T, s *server) {
	post(t, s, "long", strings.Repeat("x", 60_000))
	post(t, s, "a", "first") // now: some attacks leave no room for another topic
	healthy := subscribe(t, s, "topic=a", "")
	healthy.next()
	attacking := launch(a, s)
	until(t, "attacked", attacking.begun)
	for i := range 3 {
		began := time.Now()
		data := fmt.Sprint("message ", i)
		if got := post(t, s, "a", data); got.status != 200 {
			t.Errorf("a publication got %q", got.header)
		}
		b := healthy.next()
		if took := time.Since(began); !strings.Contains(b.text(), data) || took > healthyLimit {
			t.Errorf("published and received %s in %s, want %q within %s", b.text(), took, data, healthyLimit)
		}
	}
	attacking.end()
	if n := stats(t, s).Panics; n != 0 {
		t.Errorf("%d handlers panicked", n)
	}
	healthy.Close()
	until(t, "without other connections", func() bool { return stats(t, s).Open == 1 })
}

// attackers are the clients of one attack.
type attackers struct {
	wg   sync.WaitGroup
	mu   sync.Mutex
	all  []*attacker
	done bool
	sent int // pieces
}

// An attacker is one hostile client.
type attacker struct {
	s    *server
	conn net.Conn
	deaf bool // reads nothing
	of   *attackers
}

func launch(what attack, s *server) *attackers {
	group := &attackers{}
	for range attackersPerCore {
		group.wg.Go(func() {
			for group.attackOnce(what, s) {
			}
		})
	}
	return group
}

// attackOnce opens a connection and attacks; false: the test has ended.
func (g *attackers) attackOnce(what attack, s *server) bool {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		return !g.ended()
	}
	a := &attacker{s: s, conn: conn, of: g}
	defer conn.Close()
	g.mu.Lock()
	g.all = append(g.all, a)
	done := g.done
	g.mu.Unlock()
	if !done {
		what.make(a)
	}
	return !g.ended()
}

func (g *attackers) ended() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.done
}

// begun reports whether the attackers have sent something.
func (g *attackers) begun() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sent >= 10*attackersPerCore
}

func (g *attackers) end() {
	g.mu.Lock()
	g.done = true
	for _, a := range g.all {
		a.conn.Close()
	}
	g.mu.Unlock()
	g.wg.Wait()
}

func (a *attacker) request(line string, headers ...string) string {
	return line + " HTTP/1.1\r\nHost: " + a.s.addr + "\r\n" + strings.Join(headers, "") + "\r\n"
}

// publish returns a publication of size bytes; if it is too long, without its body.
func (a *attacker) publish(topic string, size int) string {
	body := strings.Repeat("x", min(size, 1<<17))
	return fmt.Sprintf("POST /v1/topics/%s HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", topic, a.s.addr, size, body)
}

// open opens a WebSocket.
func (a *attacker) open() {
	a.write(a.request("GET /v1/ws?topic=none", handshake))
	_, _ = readHeader(bufio.NewReaderSize(a.conn, 16))
}

// write sends and counts; false: the connection is closed.
func (a *attacker) write(text string) bool {
	a.of.mu.Lock()
	a.of.sent++
	a.of.mu.Unlock()
	_, err := io.WriteString(a.conn, text)
	return err == nil
}

// listen reads until the connection ends, unless the attacker is deaf.
func (a *attacker) listen() {
	if !a.deaf {
		go func() { _, _ = io.Copy(io.Discard, a.conn) }()
	}
}

// flood sends first, then piece without end.
func (a *attacker) flood(first, piece string) {
	many := strings.Repeat(piece, 1+32<<10/len(piece))
	a.send(func(n int) string {
		if n == 0 {
			return first
		}
		return many
	})
}

// send sends piece(0), piece(1), …, each of which may be empty, until the connection ends.
func (a *attacker) send(piece func(n int) string) {
	a.listen()
	for n := 0; a.write(piece(n)) && !a.of.ended(); n++ {
	}
}

// hold sends a part and waits a little.
func (a *attacker) hold(part string) {
	a.write(part)
	_ = a.conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, _ = a.conn.Read(make([]byte, 1))
}

// trickle sends byte by byte.
func (a *attacker) trickle(text string) {
	for i := range len(text) {
		if !a.write(text[i:i+1]) || a.of.ended() {
			return
		}
	}
}
