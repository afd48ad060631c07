package client

import (
	"fmt"
	"strings"
	"testing"

	"pushbench/bench/client/internal/wire"
	"pushbench/bench/payload"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// UncountUndelivered subtracts exactly what was counted, for every kind of bytes in a link.
func TestUndeliveredBytesAreUncounted(t *testing.T) {
	sub := Subscriber{Traffic: new(Traffic)}
	text := func(data string) (written []byte, counted results.Direction) {
		sub.Traffic = new(Traffic)
		var room []byte
		written = sub.PublishFrame(&room, 7, "room-7", []byte(data))
		return written, sub.Traffic.Snapshot().Up
	}
	var room []byte
	for name, c := range map[string]struct {
		written  []byte
		counted  results.Direction
		requests int64
	}{
		"a poll":        {[]byte("GET / HTTP/1.1\r\n\r\n"), results.Direction{Headers: 18}, 1},
		"a publication": {[]byte("POST / HTTP/1.1\r\n\r\nbody\r\n\r\n"), results.Direction{Headers: 19, Payload: 8}, 1},
		"a webhook":     {[]byte("POST /v1/webhooks HTTP/1.1\r\n\r\nhttp://h/"), results.Direction{Headers: 30, Envelope: 9}, 1},
		"a pong":        {sub.ControlFrame(&room, wire.OpPong, []byte("abc")), results.Direction{Framing: 9}, 0},
	} {
		checkUncounted(t, new(Traffic), name, c.written, c.counted, c.requests)
	}
	all, sum := []byte(nil), results.Direction{}
	for _, data := range []string{"", "x", `"`, `\`, "\x01\n", `\u0041`, `"data":"`, `"}`, "é😀", strings.Repeat("x", 200), strings.Repeat("\x01", 20_000)} {
		written, counted := text(data)
		checkUncounted(t, new(Traffic), data[:min(len(data), 10)], written, counted, 0)
		copied, _ := text(data) // the first is unmasked by now
		all = append(all, copied...)
		sum.Payload, sum.Envelope, sum.Framing = sum.Payload+counted.Payload, sum.Envelope+counted.Envelope, sum.Framing+counted.Framing
	}
	checkUncounted(t, new(Traffic), "all in one", all, sum, 0)
}

func checkUncounted(t *testing.T, traffic *Traffic, name string, written []byte, counted results.Direction, requests int64) {
	t.Helper()
	up := delayOf(Link{RTT: 1})
	up.Enter(Segment{Size: len(written), Data: written}, 0)
	traffic.UncountUndelivered(&up)
	w := traffic.Snapshot()
	if got, want := w.Up, (results.Direction{Payload: -counted.Payload, Envelope: -counted.Envelope, Framing: -counted.Framing, Headers: -counted.Headers}); got != want || w.Requests != -requests {
		t.Errorf("%q: subtracted %+v and %d requests, want %+v and %d", name, got, w.Requests, want, -requests)
	}
	if up.size != 0 {
		t.Errorf("%q: got %d bytes in transit, want 0", name, up.size)
	}
}

// The same holds for what clients send to a target: what surrounds a payload, and requests without one.
func TestUndeliveredBytesToATargetAreUncounted(t *testing.T) {
	const format = `
transports:
  longpoll: {path: "/poll/{topic}", body: '{"after":"{after}"}', next: [{body: '"next":"(?<after>\w+)"', first: a}]}
  websocket: {path: "/ws/{topic}", binary: %v}
publish: {post: "/{topic}", body: '{"data":"{payload}","n":{id}}', frame: "x {topic} {payload}!"}
`
	message := payload.Append(nil, 7, 1, 64)
	for name, c := range map[string]struct {
		transport scenarios.Transport
		binary    bool
	}{"polls": {transports.LongPoll, false}, "text": {transports.WebSocket, false}, "binary": {transports.WebSocket, true}} {
		for what, write := range map[string]func(s *Subscriber, room *[]byte) []byte{
			"a request":     func(s *Subscriber, _ *[]byte) []byte { return s.AppendRequest(nil, silent{}) },
			"a publication": func(s *Subscriber, _ *[]byte) []byte { return s.AppendPost(nil, 7, "a", message) },
			"a frame":       func(s *Subscriber, room *[]byte) []byte { return s.PublishFrame(room, 7, "a", message) },
			"a heartbeat":   func(s *Subscriber, room *[]byte) []byte { return s.ControlFrame(room, s.opcode(), []byte("data")) },
			"a pong":        func(s *Subscriber, room *[]byte) []byte { return s.ControlFrame(room, wire.OpPong, []byte("data")) },
		} {
			if what == "a frame" && c.transport != transports.WebSocket {
				continue
			}
			s := foreignSubscriber(t, c.transport, fmt.Sprintf(format, c.binary))
			before := s.Traffic.Snapshot()
			written := write(s, new([]byte))
			counted := results.Minus(s.Traffic.Snapshot(), before)
			checkUncounted(t, &Traffic{payloads: s.Config.Payloads}, name+", "+what, written, counted.Up, counted.Requests)
		}
	}
}

// No part becomes negative when the end of a long message is not sent.
func TestUnsentEndsOfMessagesLeaveNoPartNegative(t *testing.T) {
	traffic := new(Traffic)
	traffic.Up.Headers.Add(200)
	traffic.Up.Payload.Add(10_000)
	traffic.UncountRest(9_000)
	traffic.UncountRest(1_100)
	if w, want := traffic.Snapshot(), (results.Direction{Headers: 100}); w.Up != want {
		t.Errorf("got %+v, want %+v", w.Up, want)
	}
}
