package servers_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"pushbench/scenarios/transports"
	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

func parked(s *server, n int64) func() bool {
	return func() bool { return s.service.Count.WaitingPolls.Load() == n }
}

func subscribers(s *server, n int64) func() bool {
	return func() bool { return s.service.Count.Subscribers.Load() == n }
}

// park subscribes and leaves a poll on the server.
func park(t testing.TB, s *server) *subscriber {
	t.Helper()
	c := subscribe(t, s, "topic=a", "")
	c.next()
	before := s.service.Count.WaitingPolls.Load()
	c.poll()
	until(t, "parked", func() bool { return s.service.Count.WaitingPolls.Load() == before+1 })
	return c
}

func TestWaitingPollResponseHasSameBytes(t *testing.T) {
	on(t, "longpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := park(t, s)
		late := subscribe(t, s, "topic=a", c.cursor)
		s.publish(t, "a", "x")
		waiting := c.response("GET")
		late.poll()
		immediate := late.response("GET")
		if undated(waiting.header) != undated(immediate.header) || string(waiting.body) != string(immediate.body) {
			t.Errorf("waiting poll   %q %q\nimmediate poll %q %q", waiting.header, waiting.body, immediate.header, immediate.body)
		}
		short := start(t, variant{"shortpoll", v.library}, wire.Limits{}, hub.Options{})
		c = subscribe(t, short, "topic=a", "")
		c.next()
		c.poll()
		shortEmpty := c.response("GET")
		c = subscribe(t, s, "topic=a", "")
		c.next()
		c.request("/v1/poll?topic=a&wait=10ms&after=" + c.cursor)
		if waitingEmpty := c.response("GET"); undated(waitingEmpty.header) != undated(shortEmpty.header) {
			t.Errorf("waiting poll   %q\nimmediate poll %q", waitingEmpty.header, shortEmpty.header)
		}
	})
}

func TestConnectionCarriesManyWaitingPolls(t *testing.T) {
	on(t, "longpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := park(t, s)
		for i := range 100 {
			until(t, "parked", parked(s, 1))
			s.publish(t, "a", fmt.Sprint(i))
			b := parseBatch(t, c.response("GET").body)
			if want := fmt.Sprintf(`{"topic":"a","seq":%d,"data":"%d"}`, i+1, i); b.text() != want {
				t.Fatalf("got %s, want %s", b.text(), want)
			}
			c.cursor = b.Cursor
			c.poll()
		}
		until(t, "parked", parked(s, 1))
		got := stats(t, s)
		if got.Requests["poll"] != 102 || got.Requests["total"] != 102 {
			t.Errorf("stats count %+v, want 102 polls", got.Requests)
		}
		if got.RepollGaps.Count != 101 || got.RepollGaps.SumNs <= 0 || got.RepollGaps.MaxNs > got.RepollGaps.SumNs {
			t.Errorf("re-poll gaps %+v, want 101 of them", got.RepollGaps)
		}
	})
}

func TestPipelinedPollResponsesAreInOrder(t *testing.T) { // H21
	on(t, "longpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		poll := "GET /v1/poll?topic=%s&wait=5s&after=" + c.cursor + " HTTP/1.1\r\nHost: " + s.addr + "\r\n\r\n"
		c.send(fmt.Sprintf(poll, "a") + fmt.Sprintf(poll, "b") + "GET /v1/healthz HTTP/1.1\r\nHost: " + s.addr + "\r\n\r\n")
		until(t, "parked", parked(s, 1))
		s.publish(t, "b", "for the second")
		s.publish(t, "a", "for the first")
		for _, want := range []string{"for the first", "for the second", "ok"} {
			if a := c.response("GET"); !strings.Contains(string(a.body), want) {
				t.Errorf("got %s, want %q", a.body, want)
			}
		}
	})
}

// A connection ends when a response does not fit: the client must not take a later one for it.
func TestPipelineThatIsNotReadSkipsNoResponse(t *testing.T) {
	on(t, "shortpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{SlowAfter: 500 * time.Millisecond}, hub.Options{})
		for range 4 {
			s.publish(t, "a", strings.Repeat("x", 60<<10))
		}
		const polls = 60 // 14 MB: more than the kernel and the connection keep
		c := dial(t, s)
		c.send(strings.Repeat("GET /v1/poll?topic=a&after=00000000000000aa.1 HTTP/1.1\r\nHost: "+s.addr+"\r\n\r\n", polls) +
			"GET /v1/healthz HTTP/1.1\r\nHost: " + s.addr + "\r\nConnection: close\r\n\r\n")
		until(t, "handled or refused", func() bool { n := stats(t, s); return n.Requests["poll"] == polls || n.Open == 1 })
		for got := range polls {
			a, err := readResponse(c.r, "GET")
			if err != nil {
				return // the connection has ended
			}
			if !strings.Contains(string(a.body), "messages") {
				t.Fatalf("after %d responses to %d polls got %s", got, polls, a.body)
			}
		}
	})
}

// Requests of a client that does not read wait until it does, so that its responses need no memory.
func TestPipelineWaitsForItsReader(t *testing.T) {
	on(t, "shortpoll longpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		for range 4 {
			s.publish(t, "a", strings.Repeat("x", 60<<10))
		}
		const polls = 60 // 14 MB: more than the kernel and the connection keep
		c := dial(t, s)
		c.send(strings.Repeat("GET /v1/poll?topic=a&after=00000000000000aa.1 HTTP/1.1\r\nHost: "+s.addr+"\r\n\r\n", polls))
		until(t, "slow", func() bool { return s.service.Poller.Slow() == 1 })
		for range 20 {
			s.get(t, "/v1/healthz")
		}
		if n := stats(t, s); n.Requests["poll"] >= polls {
			t.Errorf("all %d polls handled, although no response was read", polls)
		}
		for range polls {
			if a := c.response("GET"); !strings.Contains(string(a.body), "messages") {
				t.Fatalf("got %s", a.body)
			}
		}
	})
}

func TestPollMayCloseItsConnection(t *testing.T) {
	on(t, "longpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		c.request("/v1/poll?topic=a&wait=5s&after="+c.cursor, "Connection: close\r\n")
		until(t, "parked", parked(s, 1))
		s.publish(t, "a", "x")
		if a := c.response("GET"); a.status != 200 || !strings.Contains(a.header, "\r\nConnection: close\r\n") {
			t.Errorf("got %q", a.header)
		}
		if rest := c.readToEnd(); rest != "" {
			t.Errorf("received %q after the response", rest)
		}
	})
}

func TestPollEndsAtItsTimeout(t *testing.T) {
	on(t, "longpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		const wait = 100 * time.Millisecond
		began := time.Now()
		c.request(fmt.Sprintf("/v1/poll?topic=a&wait=%s&after=%s", wait, c.cursor))
		if a := c.response("GET"); a.status != 204 || time.Since(began) < wait {
			t.Errorf("got %d after %s, want 204 after %s", a.status, time.Since(began), wait)
		}
	})
}

func TestIdleConnectionIsClosed(t *testing.T) {
	on(t, "shortpoll longpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{IdleTimeout: 100 * time.Millisecond}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		c.poll() // a long poll waits, receives its response, and then the poller watches the idle connection
		s.publish(t, "a", "x")
		c.response("GET")
		if rest := c.readToEnd(); rest != "" {
			t.Errorf("got %q", rest)
		}
		until(t, "without subscribers", subscribers(s, 0))
	})
}

func TestResetBetweenRequestsIsNotCounted(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		p := dial(t, s)
		p.request("/v1/nothing")
		p.response("GET")
		if err := errors.Join(p.Conn.(*net.TCPConn).SetLinger(0), p.Conn.Close()); err != nil {
			t.Fatal(err)
		}
		until(t, "closed", func() bool { return len(s.service.Conns()) == 0 })
		if r := s.service.Stats().Requests; r["total"] != 1 || r["other"] != 1 {
			t.Errorf("got requests %+v, want one", r)
		}
	})
}

// H28, F13: a disconnected client is removed immediately, not at the end of its wait.
func TestDisconnectedClientIsRemoved(t *testing.T) {
	on(t, batched, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		var c *subscriber
		if v.transport == "longpoll" {
			c = park(t, s)
		} else {
			c = subscribe(t, s, "topic=a", "")
			c.next()
		}
		until(t, "subscribed", subscribers(s, 1))
		c.Close()
		until(t, "removed", func() bool { return subscribers(s, 0)() && parked(s, 0)() })
		until(t, "closed", func() bool { return stats(t, s).Open <= 1 }) // the connection of the stats request
	})
}

func TestShutdownEndsEveryTransportCleanly(t *testing.T) { // F5
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		if v.transport == "longpoll" {
			c.poll()
			until(t, "parked", parked(s, 1))
		}
		s.grace = time.Minute
		var stopping sync.WaitGroup
		stopping.Go(func() { s.stop(t) })
		switch traits := transports.Of(v.transport); {
		case traits.Upgrades:
			if op, payload := readFrame(t, c.r); op != opClose || string(payload) != "\x03\xe9shutting down" {
				t.Errorf("got opcode %d %q, want close 1001", op, payload)
			}
			c.send(frame(fin|opClose, "\x03\xe9"))
		case traits.Streams:
			if end := readChunk(t, c.r); len(end) != 0 {
				t.Errorf("got %q, want the last chunk", end)
			}
		case traits.Holds:
			if a := c.response("GET"); a.status != 204 || !strings.Contains(a.header, "\r\nConnection: close\r\n") {
				t.Errorf("got %q, want 204 and close", a.header)
			}
		}
		if rest := c.readToEnd(); rest != "" {
			t.Errorf("received %q after the end", rest)
		}
		stopping.Wait()
	})
}

// A client with an ack is always notified of the shutdown, even immediately after the ack.
func TestShutdownEndsNewClientsCleanly(t *testing.T) {
	on(t, streamed, func(t *testing.T, v variant) {
		for range 20 {
			s := start(t, v, wire.Limits{}, hub.Options{})
			c := subscribe(t, s, "topic=a", "")
			c.next()
			var stopping sync.WaitGroup
			stopping.Go(func() { s.stop(t) })
			if !transports.Of(v.transport).Upgrades {
				if end := readChunk(t, c.r); len(end) != 0 {
					t.Errorf("got %q, want the last chunk", end)
				}
			} else if op, payload := readFrame(t, c.r); op != opClose {
				t.Errorf("got opcode %d %q, want a close frame", op, payload)
			}
			c.Close()
			stopping.Wait()
		}
	})
}

// Accepted messages are delivered before the end, even during their batching delay.
// However many clients there are, the grace is not exceeded for their sake.
func TestShutdownAfterItsGraceOnlyCloses(t *testing.T) {
	on(t, chunked, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		until(t, "settled", func() bool {
			for _, conn := range s.service.Conns() {
				if sub, ok := conn.State().(wire.Subscriber); ok && sub.Settled() {
					return true
				}
			}
			return false
		})
		over, cancel := context.WithCancel(t.Context())
		cancel()
		s.stopping.Do(func() {
			_ = s.edge.Shutdown(over) // net/http reports that it had no time
			<-s.served
			s.service.Close()
		})
		if rest := c.readToEnd(); rest != "" {
			t.Errorf("got %q, want the end of the connection", rest)
		}
	})
}

func TestShutdownDeliversMessagesInBatchingDelay(t *testing.T) {
	on(t, batched, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{BatchingDelay: time.Hour})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		if v.transport == "longpoll" {
			c.poll()
			until(t, "parked", parked(s, 1))
		}
		s.publish(t, "a", "delayed")
		var stopping sync.WaitGroup
		stopping.Go(func() { s.stop(t) })
		var b batch
		if v.transport == "longpoll" {
			b = parseBatch(t, c.response("GET").body)
		} else {
			b = c.next()
		}
		if len(b.Messages) != 1 {
			t.Errorf("got %+v, want the delayed message", b)
		}
		c.Close()
		stopping.Wait()
	})
}

// shrinkReadBuffer reduces the kernel's receive buffer of a peer, so that one that does not
// read is detected as slow after few bytes.
func (p *peer) shrinkReadBuffer() {
	p.t.Helper()
	if err := p.Conn.(*net.TCPConn).SetReadBuffer(16 << 10); err != nil {
		p.t.Fatal(err)
	}
}

// F23: a client that does not read does not delay the others, and is closed.
func TestSlowClientIsClosedWithoutDelayingOthers(t *testing.T) {
	on(t, streamed, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{SlowAfter: 200 * time.Millisecond}, hub.Options{})
		slow := subscribe(t, s, "topic=a", "")
		slow.next()
		slow.shrinkReadBuffer()
		fast := subscribe(t, s, "topic=a", "")
		fast.next()
		data := strings.Repeat("x", 32<<10)
		sent, got := 0, 0
		for s.service.Count.SlowClosed.Load() == 0 {
			s.publish(t, "a", data)
			for sent++; got < sent; {
				got += len(fast.next().Messages)
			}
		}
		until(t, "one subscriber", subscribers(s, 1))
		_, _ = io.Copy(io.Discard, slow.r) // ends: the server has closed
		if n := stats(t, s).SlowClosed; n != 1 {
			t.Errorf("stats count %d slow clients, want 1", n)
		}
	})
}

// With the policy gap a slow client continues and receives the exact gap.
func TestSlowClientMayContinueWithDeclaredGap(t *testing.T) {
	on(t, streamed, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{Slow: wire.SlowGap}, hub.Options{RingMessages: 16})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		c.shrinkReadBuffer()
		data := strings.Repeat("x", 32<<10)
		var published uint64
		for s.service.Poller.Slow() == 0 || published%64 != 0 {
			published = s.publish(t, "a", data)
			if published%8 == 0 { // not a ring ahead of the writes: beyond 16 rings a gap is not exact
				until(t, "written, or slow", func() bool {
					return s.service.Poller.Slow() > 0 || s.service.Count.Messages.Load() == int64(published)
				})
			}
		}
		for range 64 { // far beyond the ring
			published = s.publish(t, "a", data)
		}
		var seen, missed uint64
		for seen+missed < published {
			b := c.next()
			seen += uint64(len(b.Messages))
			for _, g := range b.Gap {
				missed += *g.To - g.From + 1
			}
		}
		if seen+missed != published || missed == 0 {
			t.Errorf("%d seen and %d missed of %d, want all and some missed", seen, missed, published)
		}
	})
}

// openIdle opens connections that wait for messages after a cursor, without
// the buffers of a peer.
func openIdle(t testing.TB, s *server, n int, cursor string) []net.Conn {
	t.Helper()
	target := edges[s.transport].path + "?topic=a&after=" + cursor
	if transports.Of(s.transport).Holds {
		target += "&wait=30s"
	}
	conns := make([]net.Conn, n)
	for i := range conns {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := io.WriteString(c, "GET "+target+" HTTP/1.1\r\nHost: "+s.addr+"\r\n"+openingHeaders(s.transport)+"\r\n"); err != nil {
			t.Fatal(err)
		}
		conns[i] = c
	}
	return conns
}

// awaitMessage reads until a message is complete.
func awaitMessage(t testing.TB, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(testTimeout))
	r := bufio.NewReaderSize(c, 512)
	if _, err := r.ReadString(']'); err != nil {
		t.Fatal(err)
	}
}

func TestStatsCountExactly(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		for range 3 {
			post(t, s, "a", "x")
			c.next()
		}
		got := stats(t, s)
		r := got.Requests
		if got.Transport != v.transport || got.Library != string(v.library) || got.Published != 3 || got.Messages != 3 || got.Batches != 3 || got.Acks != 1 {
			t.Errorf("got %+v", got)
		}
		if got.Accepted != 1+1+3+1 { // healthz, the subscriber, three posts, stats
			t.Errorf("%d connections accepted, want 6", got.Accepted)
		}
		sum := int64(0)
		for _, n := range r {
			sum += n
		}
		sum -= r["total"] + r["stats"] + r["healthz"] // made by the test
		if r["publish"] != 3 || r["other"]+r["webhook"] != 0 || r["total"] != sum || sum == 3 || r["stats"] != 1 || r["healthz"] != 1 {
			t.Errorf("requests: %+v", r)
		}
	})
}

// A server that splits a response would be measured as slower than necessary:
// each response, event and frame must be one write. A single read of a peer
// shows this.
func TestEachBatchIsOneWrite(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		s.publish(t, "a", strings.Repeat("x", 30_000))
		if transports.Of(v.transport).Polls {
			c.poll()
		}
		b := make([]byte, 64<<10)
		n, err := c.Read(b) // loopback has an MTU of 64 KiB: one write is one read
		if err != nil || n < 30_000 {
			t.Errorf("the first read got %d bytes, %v, want all of 30,000 and more", n, err)
		}
	})
}

// A client may open a connection in advance: the read timeout of a request
// begins with its first byte, also for the first request of a connection.
func TestSilentConnectionOutlivesReadTimeout(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{ReadTimeout: 100 * time.Millisecond, IdleTimeout: 30 * time.Second}, hub.Options{})
		silent, slow := dial(t, s), dial(t, s)
		slow.send("GET /v1/healthz HTTP/1.1\r\n")
		slow.readToEnd() // so the read timeout has passed for both
		silent.request("/v1/healthz")
		if a := silent.response("GET"); a.status != 200 {
			t.Errorf("a connection that was silent at first got status %d, want 200", a.status)
		}
	})
}

func TestServerShutDownBeforeServingNeverServes(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		service, err := wire.New(v.transport, v.library, wire.Limits{}, hub.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer service.Close()
		edge := edges[v.transport].start(service)
		if err := edge.Shutdown(t.Context()); err != nil {
			t.Fatalf("shutdown: %v", err)
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- edge.Serve(ln) }()
		select {
		case err := <-served:
			if err != nil {
				t.Errorf("serve: %v", err)
			}
		case <-time.After(testTimeout):
			t.Errorf("the server still serves %s after it was shut down", testTimeout)
		}
	})
}
