package servers_test

import (
	"fmt"
	"strings"
	"testing"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// boundPending bounds the messages that are arriving to one of the following tests.
func boundPending(s *wire.Service) { s.Poller.MaxPending = 100_000 }

// Of two bodies that do not fit while they arrive, one is refused, and the other is not affected. One that arrives with
// its headers does not count.
func TestUnfinishedBodiesShareABound(t *testing.T) {
	everywhere(t, func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{}, boundPending)
		const half = 30_000
		type arrival struct {
			*peer
			response
		}
		responses := make(chan arrival, 4)
		begin := func() *peer {
			c := dial(t, s)
			c.send(fmt.Sprintf("POST /v1/topics/a HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", s.addr, 2*half, strings.Repeat("x", half)))
			go func() {
				a, _ := readResponse(c.r, "POST")
				responses <- arrival{c, a}
			}()
			return c
		}
		one, other := begin(), begin()
		refused := <-responses
		if refused.status != 503 || !strings.Contains(string(refused.body), `"busy"`) {
			t.Errorf("got %d %s, want 503 busy", refused.status, refused.body)
		}
		if a := post(t, s, "a", "small"); a.status != 200 {
			t.Errorf("a small body: got %q", a.header)
		}
		if refused.peer == one {
			one = other
		}
		for range 2 {
			one.send(strings.Repeat("x", half))
			if a := <-responses; a.status != 200 {
				t.Errorf("got %d %s, want 200", a.status, a.body)
			}
			one = begin() // now there is room again
		}
	})
}

// The same of messages on sockets.
func TestUnfinishedMessagesShareABound(t *testing.T) {
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{}, boundPending)
		message := `{"id":1,"topic":"b","data":"` + strings.Repeat(`\u0061`, 10_000) + `"}`
		begin := func() *subscriber {
			c := subscribe(t, s, "topic=a", "")
			c.next()
			c.send(frame(opText, message[:60_000]) + frame(fin|opPing, "read"))
			return c
		}
		expect := func(c *subscriber, wantOp byte, want string) {
			t.Helper()
			if op, payload := readFrame(t, c.r); op != wantOp || !strings.HasPrefix(string(payload), want) {
				t.Errorf("got opcode %d %q, want %d %q", op, payload, wantOp, want)
			}
		}
		first := begin()
		expect(first, opPong, "read")
		expect(begin(), opClose, closeCode(1013))
		small := subscribe(t, s, "topic=a", "")
		small.next()
		small.send(frame(fin|opText, `{"id":1,"topic":"c","data":"`+strings.Repeat("x", 2000)+`"}`))
		expect(small, opText, `{"ack":1,`)
		for range 2 {
			first.send(frame(fin|opContinuation, message[60_000:]))
			expect(first, opText, `{"ack":1,`)
			first = begin() // now there is room again
			expect(first, opPong, "read")
		}
	})
}
