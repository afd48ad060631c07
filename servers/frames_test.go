package servers_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"pushbench/servers/hub"
	"pushbench/servers/wire"
)

// A badFrame is a row of reliability table W: bytes that a client sends after the
// handshake, and the required end of the socket.
type badFrame struct {
	id   string
	send string
	code int // of the close frame; 0: closed without one
}

const goodPublication = `{"id":1,"topic":"a","data":"x"}`

var badFrames = []badFrame{
	{"W7 unmasked", "\x81\x01x", 1002},
	{"W9 RSV1", frame(0xC1, "x"), 1002},
	{"W9 RSV2", frame(0xA1, "x"), 1002},
	{"W9 RSV3", frame(0x91, "x"), 1002},
	{"W10 RSV1 on continuation", frame(0x01, "x") + frame(0xC0, "x"), 1002},
	{"W11 opcode 3", frame(fin|3, "x"), 1002},
	{"W11 opcode 4", frame(fin|4, "x"), 1002},
	{"W11 opcode 5", frame(fin|5, "x"), 1002},
	{"W11 opcode 6", frame(fin|6, "x"), 1002},
	{"W11 opcode 7", frame(fin|7, "x"), 1002},
	{"W11 opcode 11", frame(fin|11, "x"), 1002},
	{"W11 opcode 12", frame(fin|12, "x"), 1002},
	{"W11 opcode 13", frame(fin|13, "x"), 1002},
	{"W11 opcode 14", frame(fin|14, "x"), 1002},
	{"W11 opcode 15", frame(fin|15, ""), 1002},
	{"W12 long ping", frame(fin|opPing, strings.Repeat("x", 126)), 1002},
	{"W12 long pong", frame(fin|opPong, strings.Repeat("x", 126)), 1002},
	{"W12 long close", frame(fin|opClose, "\x03\xe8"+strings.Repeat("x", 124)), 1002},
	{"W13 fragmented ping", frame(opPing, "x"), 1002},
	{"W14 continuation of nothing", frame(fin|opContinuation, "x"), 1002},
	{"W14 data inside a message", frame(opText, "x") + frame(fin|opText, "x"), 1002},
	// W15: gorilla closes the connection if the length's top bit is set.
	{"W15 top bit", "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00", 0},
	{"W15 2^62", "\x81\xff\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 1009},
	{"W17 too long", frame(fin|opText, strings.Repeat("x", 6*1024+513)), 1009},
	{"W17 in fragments", frame(opText, strings.Repeat("x", 4000)) + frame(fin|opContinuation, strings.Repeat("x", 4000)), 1009},
	{"W19 not UTF-8", frame(fin|opText, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"), 1007},
	{"W20 one byte", frame(fin|opClose, "x"), 1005},
	{"W20 reason not UTF-8", frame(fin|opClose, "\x03\xe8\xff"), 1002},
	{"W21 code 1005", frame(fin|opClose, "\x03\xed"), 1002},
	{"W21 code 999", frame(fin|opClose, "\x03\xe7"), 1002},
	{"W21 code 0", frame(fin|opClose, closeCode(0)), 1002},
	{"W21 code 1004", frame(fin|opClose, closeCode(1004)), 1002},
	{"W21 code 1006", frame(fin|opClose, closeCode(1006)), 1002},
	{"W21 code 1015", frame(fin|opClose, closeCode(1015)), 1002},
	{"W21 code 1016", frame(fin|opClose, closeCode(1016)), 1002},
	{"W21 code 1100", frame(fin|opClose, closeCode(1100)), 1002},
	{"W21 code 2000", frame(fin|opClose, closeCode(2000)), 1002},
	{"W21 code 2999", frame(fin|opClose, closeCode(2999)), 1002},
	{"W21 code 1001", frame(fin|opClose, closeCode(1001)), 1001},
	{"W21 code 1002", frame(fin|opClose, closeCode(1002)), 1002},
	{"W21 code 1003", frame(fin|opClose, closeCode(1003)), 1003},
	{"W21 code 1007", frame(fin|opClose, closeCode(1007)), 1007},
	{"W21 code 1008", frame(fin|opClose, closeCode(1008)), 1008},
	{"W21 code 1009", frame(fin|opClose, closeCode(1009)), 1009},
	{"W21 code 1010", frame(fin|opClose, closeCode(1010)), 1010},
	{"W21 code 1011", frame(fin|opClose, closeCode(1011)), 1011},
	{"W21 code 3000", frame(fin|opClose, closeCode(3000)), 3000},
	{"W21 code 3999", frame(fin|opClose, closeCode(3999)), 3999},
	{"W21 code 4000", frame(fin|opClose, closeCode(4000)), 4000},
	{"W22 after close", frame(fin|opClose, closeCode(1000)) + frame(fin|opText, goodPublication) + frame(fin|opClose, closeCode(1001)), 1000},
	{"W23 pings", strings.Repeat(frame(fin|opPing, ""), 200), 1008},
	{"W29 binary", frame(fin|opBinary, goodPublication), 1003},
	{"W29 not JSON", frame(fin|opText, "hello"), 1008},
	{"W29 unknown member", frame(fin|opText, `{"id":1,"topic":"a","data":"x","more":1}`), 1008},
	{"W29 member twice", frame(fin|opText, `{"id":1,"id":1,"topic":"a","data":"x"}`), 1008},
	{"W29 no id", frame(fin|opText, `{"topic":"a","data":"x"}`), 1008},
	{"close", frame(fin|opClose, "\x03\xe8bye"), 1000},
	{"close 4999", frame(fin|opClose, "\x13\x87"), 4999},
	{"close without a code", frame(fin|opClose, ""), 1005},
}

// closeCode returns the payload of a close frame.
func closeCode(code int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(code))) }

// noCode, 1005, means a close frame without a code, which is gorilla's response
// to a close frame of no byte or, contrary to RFC 6455 section 5.5.1, one byte.
const noCode = 1005

func TestBadFramesEndSocket(t *testing.T) {
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{MaxPayload: 1024}, hub.Options{})
		for _, split := range []bool{false, true} { // W28: the same in segments of one byte
			for _, row := range badFrames {
				t.Run(fmt.Sprintf("%s split=%t", row.id, split), func(t *testing.T) { row.check(t, s, split) })
			}
		}
		if got := stats(t, s); got.Published != 0 || got.Panics != 0 {
			t.Errorf("%d messages published and %d panics, want none", got.Published, got.Panics)
		}
	})
}

func (row badFrame) check(t *testing.T, s *server, split bool) {
	c := subscribe(t, s, "topic=none", "")
	c.next()
	if split && len(row.send) < 1000 {
		for i := range len(row.send) {
			if _, err := c.Write([]byte{row.send[i]}); err != nil {
				break // the server has closed early
			}
		}
	} else {
		_, _ = c.Write([]byte(row.send)) // the server may close before it has all
	}
	got := 0
	for {
		op, payload, err := readFrameErr(c.r)
		if err != nil {
			break
		}
		if op == opClose {
			got = noCode
			if len(payload) >= 2 {
				got = int(binary.BigEndian.Uint16([]byte(payload)))
			}
			_, _ = c.Write([]byte(frame(fin|opClose, string(payload))))
			_ = c.Conn.(*net.TCPConn).CloseWrite()
		}
	}
	if got != row.code {
		t.Errorf("got close code %d, want %d", got, row.code)
	}
}

func TestSocketPublicationIsAcknowledged(t *testing.T) {
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{MaxTopics: 2})
		c := subscribe(t, s, "topic=none", "")
		c.next()
		for _, row := range []struct{ send, want string }{
			{frame(fin|opText, goodPublication), `{"ack":1,"seq":1}`},
			{frame(opText, `{"id":2,"topic":"a",`) + frame(fin|opPing, "between") + frame(fin|opContinuation, `"data":"x"}`), `{"ack":2,"seq":2}`},
			{frame(fin|opText, ` { "data" : "\u00e9\ud83d\ude00\/" , "topic":"a","id" : 18446744073709551615 } `), `{"ack":18446744073709551615,"seq":3}`},
			{frame(fin|opText, `{"id":3,"topic":"a/b","data":"x"}`), `{"error":"bad_topic","id":3}`},
			{frame(fin|opText, `{"id":4,"topic":"third","data":"x"}`), `{"error":"hub_full","id":4}`},
			{frame(fin|opText, `{"id":5,"topic":"a","data":"`+strings.Repeat("x", 70_000)+`"}`), `{"error":"payload_too_large","id":5}`},
		} {
			c.send(row.send)
			op, got := readFrame(t, c.r)
			for op == opPong {
				op, got = readFrame(t, c.r)
			}
			if string(got) != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		}
		if n := stats(t, s).FramesIn; n != 6 {
			t.Errorf("stats count %d messages, want 6", n)
		}
	})
}

// What a client may send although few do. Lengths that are not minimal and empty fragments are deviations that PROTOCOL.md lists.
func TestUnusualFramesAreAccepted(t *testing.T) {
	publication := func(size int) string {
		return strings.Replace(goodPublication, `"x"`, `"`+strings.Repeat("x", size-len(goodPublication)+1)+`"`, 1)
	}
	masked := "\x00\x00\x00\x00"
	oneByOne := frame(opText, "")
	for _, b := range []byte(publication(1000)) {
		oneByOne += frame(opContinuation, string(b))
	}
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		for what, send := range map[string]string{
			"length of 16 bits for 100":   "\x81\xfe\x00\x64" + masked + publication(100),
			"length of 64 bits for 100":   "\x81\xff\x00\x00\x00\x00\x00\x00\x00\x64" + masked + publication(100),
			"length of 64 bits for 200":   "\x81\xff\x00\x00\x00\x00\x00\x00\x00\xc8" + masked + publication(200),
			"1,000 fragments of one byte": oneByOne + frame(fin|opContinuation, ""),
			"1,000 empty fragments":       frame(opText, "") + strings.Repeat(frame(opContinuation, ""), 1000) + frame(fin|opContinuation, goodPublication),
			"1,000 unexpected pongs":      strings.Repeat(frame(fin|opPong, "x"), 1000) + frame(fin|opText, goodPublication),
		} {
			c := subscribe(t, s, "topic=none", "")
			c.next()
			c.send(send)
			if op, got := readFrame(t, c.r); op != opText || !strings.HasPrefix(string(got), `{"ack":1,`) {
				t.Errorf("%s: got opcode %d, %q, want the acknowledgement", what, op, got)
			}
		}
	})
}

// A server that has no extension and no subprotocol confirms none, whatever a client offers.
func TestOffersOfAHandshakeAreDeclined(t *testing.T) {
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		for _, offer := range []string{
			"Extensions: permessage-deflate; client_max_window_bits",
			"Extensions: permessage-deflate; server_max_window_bits=7",
			"Extensions: permessage-deflate; server_max_window_bits=10; server_max_window_bits=11",
			"Extensions: x-unknown; a=b, permessage-deflate",
			"Extensions: " + strings.TrimSuffix(strings.Repeat("permessage-deflate, ", 50), ", "),
			"Extensions: ,;=",
			"Protocol: chat, superchat",
			"Protocol: chat\r\nSec-WebSocket-Protocol: chat",
		} {
			c := dial(t, s)
			c.request("/v1/ws?topic=a", handshake, "Sec-WebSocket-"+offer+"\r\n")
			if header, err := readHeader(c.r); err != nil || len(header) != 129 || !strings.HasPrefix(header, "HTTP/1.1 101 ") {
				t.Errorf("%s: got %q, %v, want a 101 of 129 bytes", offer, header, err)
			}
		}
	})
}

// Deliveries, acknowledgements and pongs are written by different goroutines, each frame as a whole.
func TestFramesOfConcurrentWritersAreWhole(t *testing.T) {
	const publications, pings = 500, 50
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a&topic=b", "")
		c.next()
		var writers sync.WaitGroup
		defer writers.Wait()
		writers.Go(func() {
			for range publications {
				s.publish(t, "b", "from the service")
			}
		})
		writers.Go(func() {
			for i := range publications {
				_, _ = c.Write([]byte(frame(fin|opText, goodPublication)))
				if i < pings {
					_, _ = c.Write([]byte(frame(fin|opPing, "ping")))
				}
			}
		})
		for acks, pongs, messages := 0, 0, 0; acks < publications || pongs < pings || messages < 2*publications; {
			op, payload := readFrame(t, c.r)
			switch {
			case op == opPong && string(payload) == "ping":
				pongs++
			case op == opText && strings.HasPrefix(string(payload), `{"ack":1,`):
				acks++
			default:
				messages += len(parseBatch(t, payload).Messages)
			}
		}
	})
}

func TestPingReceivesPong(t *testing.T) {
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		c.send(frame(fin|opPing, "are you there"))
		if op, payload := readFrame(t, c.r); op != opPong || string(payload) != "are you there" {
			t.Errorf("got opcode %d %q, want the pong", op, payload)
		}
	})
}

// A frame or message that has begun must end within the read timeout: it occupies a goroutine and memory.
func TestMessageMustEndInTime(t *testing.T) {
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{ReadTimeout: 50 * time.Millisecond}, hub.Options{})
		for name, part := range map[string]string{
			"one byte":           "\x81",
			"half a ping":        frame(fin|opPing, "half")[:7],
			"half a frame":       frame(fin|opText, goodPublication)[:20],
			"a fragment":         frame(opText, goodPublication),
			"most of a long one": frame(fin|opText, strings.Repeat("x", 390_000))[:300_000],
			"pings within one":   frame(opText, "{") + strings.Repeat(frame(fin|opPing, ""), 20),
		} {
			c := subscribe(t, s, "topic=a", "")
			c.next()
			c.send(part)
			op, payload := readFrame(t, c.r)
			for op == opPong {
				op, payload = readFrame(t, c.r)
			}
			if op != opClose || string(payload) != closeCode(1008)+"message too slow" {
				t.Errorf("%s: got opcode %d %q, want close 1008", name, op, payload)
			}
			c.Close()
		}
		until(t, "without subscribers", subscribers(s, 0))
	})
}

func TestPingsAndPongsLeaveNoGoroutine(t *testing.T) {
	const clients = 100
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{Heartbeat: time.Hour}, hub.Options{})
		conns := make([]*subscriber, clients)
		for i := range conns {
			conns[i] = subscribe(t, s, "topic=a", "")
			conns[i].next()
		}
		until(t, "without other connections", func() bool { return stats(t, s).Open == clients+1 })
		before := runtime.NumGoroutine()
		for _, c := range conns {
			c.send(frame(fin|opPong, "unasked") + frame(fin|opPing, "x"))
			if op, payload := readFrame(t, c.r); op != opPong || string(payload) != "x" {
				t.Fatalf("got opcode %d %q, want the pong", op, payload)
			}
		}
		until(t, "without more goroutines", func() bool { return runtime.NumGoroutine() <= before+clients/10 })
	})
}

// W24: a socket whose peer does not respond to pings is closed.
func TestSocketWithoutPongsIsClosed(t *testing.T) {
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{Heartbeat: 20 * time.Millisecond}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		for range 2 {
			if op, payload := readFrame(t, c.r); op != opPing {
				t.Errorf("got opcode %d %q, want a ping", op, payload)
			}
		}
		if op, payload := readFrame(t, c.r); op != opClose || string(payload) != closeCode(1008)+"no response to pings" {
			t.Errorf("got opcode %d %q, want close 1008", op, payload)
		}
		until(t, "without subscribers", subscribers(s, 0))
	})
}

// A peer may respond to close code 1001 before the socket is closed.
func TestSocketShutdownWaitsForCloseResponse(t *testing.T) {
	on(t, "websocket", func(t *testing.T, v variant) {
		s := start(t, v, wire.Limits{}, hub.Options{})
		c := subscribe(t, s, "topic=a", "")
		c.next()
		s.grace = time.Minute
		stopped := make(chan struct{})
		go func() { s.stop(t); close(stopped) }()
		op, payload := readFrame(t, c.r)
		if op != opClose || binary.BigEndian.Uint16(payload) != 1001 {
			t.Errorf("got opcode %d %q, want close 1001", op, payload)
		}
		c.send(frame(fin|opClose, string(payload)))
		if rest := c.readToEnd(); rest != "" {
			t.Errorf("received %q after the close frame", rest)
		}
		<-stopped
	})
}
