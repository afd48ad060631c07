package client

import (
	"strings"
	"testing"

	"pushbench/bench/client/internal/wire"
	"pushbench/results"
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
		"a pong":        {sub.ControlFrame(&room, wire.OpPong, []byte("abc")), results.Direction{Framing: 9}, 0},
	} {
		checkUncounted(t, name, c.written, c.counted, c.requests)
	}
	all, sum := []byte(nil), results.Direction{}
	for _, data := range []string{"", "x", `"`, `\`, "\x01\n", `\u0041`, `"data":"`, `"}`, "é😀", strings.Repeat("x", 200), strings.Repeat("\x01", 20_000)} {
		written, counted := text(data)
		checkUncounted(t, data[:min(len(data), 10)], written, counted, 0)
		copied, _ := text(data) // the first is unmasked by now
		all = append(all, copied...)
		sum.Payload, sum.Envelope, sum.Framing = sum.Payload+counted.Payload, sum.Envelope+counted.Envelope, sum.Framing+counted.Framing
	}
	checkUncounted(t, "all in one", all, sum, 0)
}

func checkUncounted(t *testing.T, name string, written []byte, counted results.Direction, requests int64) {
	t.Helper()
	up := delayOf(Link{RTT: 1})
	up.Enter(Segment{Size: len(written), Data: written}, 0)
	var traffic Traffic
	traffic.UncountUndelivered(&up)
	w := traffic.Snapshot()
	if got, want := w.Up, (results.Direction{Payload: -counted.Payload, Envelope: -counted.Envelope, Framing: -counted.Framing, Headers: -counted.Headers}); got != want || w.Requests != -requests {
		t.Errorf("%q: subtracted %+v and %d requests, want %+v and %d", name, got, w.Requests, want, -requests)
	}
	if up.size != 0 {
		t.Errorf("%q: got %d bytes in transit, want 0", name, up.size)
	}
}
