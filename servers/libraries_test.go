package servers_test

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// W6: RFC 6455 section 4.1 requires the client to wait for the 101. The server must neither
// process a frame that arrives with the handshake, nor read it as HTTP.
func TestFramesBeforeHandshakeEndConnection(t *testing.T) {
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := dial(t, s)
		c.send("GET /v1/ws?topic=a HTTP/1.1\r\nHost: " + s.addr + "\r\n" + handshake + "\r\n" + frame(fin|opText, goodPublication))
		if rest := c.readToEnd(); strings.Contains(rest, "HTTP/1.1 4") || strings.Contains(rest, "ack") {
			t.Errorf("got %q, want nothing, or a 101 and the end", rest)
		}
		got := stats(t, s)
		if got.Published != 0 || got.FramesIn != 0 || got.Subscribers != 0 {
			t.Errorf("%d published, %d frames in, %d subscribers, want none", got.Published, got.FramesIn, got.Subscribers)
		}
	})
}

// fasthttp must not read a part of the request that follows a body: it could not continue with it later.
func TestRequestsMayBeSplitAnywhere(t *testing.T) {
	on(t, "shortpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		publication := "POST /v1/topics/a HTTP/1.1\r\nHost: " + s.addr + "\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc"
		next := "GET /v1/healthz HTTP/1.1\r\nHost: " + s.addr + "\r\n\r\n"
		for _, part := range []int{1, 10, len(next) - 2} {
			c := dial(t, s)
			for _, piece := range []string{publication + next[:part], next[part:]} {
				c.send(piece)
				if a := c.response("GET"); a.status != 200 {
					t.Errorf("%d bytes with the request before: got %q, want 200", part, a.header)
				}
			}
		}
	})
}

// A client that is still sending a body that the server refuses must get the reason, not a reset.
func TestRefusedBodyReceivesResponse(t *testing.T) {
	on(t, "shortpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		const size = 8 << 20
		c := dial(t, s)
		c.send(fmt.Sprintf("POST /v1/topics/a HTTP/1.1\r\nHost: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", s.addr, size, strings.Repeat("x", size)))
		if a := c.response("POST"); a.status != 413 {
			t.Errorf("got %q, want 413", a.header)
		}
	})
}

// A connection of HTTP/1.0 ends with its response, which is one of HTTP/1.1, whether it was immediate or not.
func TestPollOfHTTP10ClosesItsConnection(t *testing.T) {
	on(t, "longpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		cursor := subscribe(t, s, "topic=a", "").next().Cursor
		for _, wait := range []string{"0s", "1ms"} {
			c := dial(t, s)
			c.send("GET /v1/poll?topic=a&after=" + cursor + "&wait=" + wait + " HTTP/1.0\r\nHost: " + s.addr + "\r\nConnection: keep-alive\r\n\r\n")
			if a := c.response("GET"); !strings.HasPrefix(a.header, "HTTP/1.1 204 ") || !strings.Contains(a.header, "\r\nConnection: close\r\n") {
				t.Errorf("wait=%s: got %q, want 204 of HTTP/1.1 and close", wait, a.header)
			}
			c.readToEnd()
		}
	})
}

// EventSource adds the id of the last event to the URL with which it was opened.
func TestLastEventIDReplacesAfter(t *testing.T) {
	on(t, "sse", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		opened := subscribe(t, s, "topic=a", "")
		first := opened.next().Cursor
		s.publish(t, "a", "old")
		last := opened.next().Cursor
		s.publish(t, "a", "new")
		c := &subscriber{peer: dial(t, s), first: true}
		c.request("/v1/sse?topic=a&after="+first, "Last-Event-ID: "+last+"\r\n")
		if b := c.next(); !strings.Contains(b.text(), "new") || strings.Contains(b.text(), "old") {
			t.Errorf("got %s, want only the message after the last event", b.text())
		}
	})
}

// PROTOCOL.md: a client that half-closes a subscription has disconnected.
func TestHalfClosedSubscriptionEnds(t *testing.T) {
	on(t, batched, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		var c *subscriber
		if v.transport == "longpoll" {
			c = park(t, s)
		} else {
			c = subscribe(t, s, "topic=a", "")
			c.next()
		}
		if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if rest := c.readToEnd(); rest != "" {
			t.Errorf("received %q, want the end", rest)
		}
		until(t, "removed", subscribers(s, 0))
	})
}

func TestHandshakeMayFollowOtherRequests(t *testing.T) {
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := &subscriber{peer: dial(t, s), first: true}
		c.request("/v1/ws?topic=a") // no handshake: refused, and the connection stays open
		if a := c.response("GET"); a.status != 400 || !strings.Contains(a.header, "\r\nSec-Websocket-Version: 13\r\n") {
			t.Errorf("got %q, want 400 and the version", a.header)
		}
		c.send("GET /v1/healthz HTTP/1.1\r\nHost: " + s.addr + "\r\n\r\nGET /v1/ws?topic=a HTTP/1.1\r\nHost: " + s.addr + "\r\n" + handshake + "\r\n")
		if a := c.response("GET"); a.status != 200 {
			t.Errorf("got %q, want 200", a.header)
		}
		if ack := c.next(); len(ack.Heads) != 1 {
			t.Errorf("got %+v, want the ack", ack)
		}
	})
}

// A socket uses at most one goroutine, on either library.
func TestSocketUsesOneGoroutine(t *testing.T) {
	const clients = 500
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		cursor := subscribe(t, s, "topic=a", "").next().Cursor
		before := runtime.NumGoroutine()
		openIdle(t, s, clients, cursor)
		until(t, "all subscribed", subscribers(s, clients+1))
		until(t, "one goroutine each", func() bool { return runtime.NumGoroutine() <= before+clients+50 })
	})
}

// Requests that the library refuses while it reads them count as other.
func TestRequestsNotReadToEndCountAsOther(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{MaxPayload: 8}, hub.Options{})
		if a := post(t, s, "a", "nine bytes"); a.status != 413 {
			t.Errorf("got %q, want 413", a.header)
		}
		if r := stats(t, s).Requests; r["other"] != 1 || r["publish"] != 0 || r["total"] != 1 {
			t.Errorf("requests: %+v, want one other", r)
		}
	})
}

// A connection with an earlier waiting poll has returned to the library. When its client
// disconnects, the server must remove it like any other.
func TestPollingClientThatLeavesLibraryIsRemoved(t *testing.T) {
	on(t, "longpoll", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := park(t, s)
		before := c.cursor
		s.publish(t, "a", "x")
		c.response("GET")
		c.request("/v1/poll?topic=a&wait=5s&after=" + before) // a message is available: the library responds
		if a := c.response("GET"); a.status != 200 {
			t.Fatalf("got %q, want 200", a.header)
		}
		until(t, "subscribed", subscribers(s, 1))
		c.Close()
		until(t, "removed", subscribers(s, 0))
	})
}

// Connections move between the library and the edge. At shutdown the server must close each
// of them, wherever it is, and release all of its resources.
func TestShutdownEndsPollsInTransfer(t *testing.T) {
	const clients = 20
	on(t, "longpoll", func(t *testing.T, v variant) {
		for range 10 {
			s := start(t, v, wire.Limits{}, hub.Options{})
			var polling sync.WaitGroup
			for range clients {
				c := subscribe(t, s, "topic=a", "")
				c.next()
				polling.Go(func() { pollUntilClosed(c) })
			}
			for range 5 {
				until(t, "parked", parked(s, clients))
				s.publish(t, "a", "wake up")
			}
			s.stop(t)
			polling.Wait()
			// The library's goroutines detect that their connections are closed.
			until(t, "released", func() bool { return subscribers(s, 0)() && parked(s, 0)() })
		}
	})
}

// pollUntilClosed polls repeatedly until the server closes the connection.
func pollUntilClosed(c *subscriber) {
	for {
		poll := "GET /v1/poll?topic=a&wait=5s&after=" + c.cursor + " HTTP/1.1\r\nHost: " + c.s.addr + "\r\n\r\n"
		if _, err := io.WriteString(c, poll); err != nil {
			return
		}
		a, err := readResponse(c.r, "GET")
		if err != nil {
			return
		}
		if found := cursorText.Find(a.body); found != nil {
			c.cursor = string(found)
		}
	}
}
