package conformance

import (
	"bytes"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/client/clienttest"
	"pushbench/bench/client/engines"
	"pushbench/bench/relay"
	"pushbench/cmd/internal/edges"
	"pushbench/cmd/internal/inprocess"
	"pushbench/results"
	"pushbench/scenarios/transports"
	"pushbench/servers/wire"
)

// The measurer and the measured, held to the contract together: on the library that people
// deploy by every case, on the others by the few that a library can break (all of them with
// -tags nightly).
func TestConformance(t *testing.T) {
	inprocess.OnEachLibrary(t, func(t *testing.T, stack wire.Library) {
		t.Parallel()
		inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
			t.Parallel()
			run(t, amountFor(stack), newEngine, inprocess.Server{Library: stack})
		})
	})
}

// The same over TLS, which one engine has.
func TestConformanceOverTLS(t *testing.T) {
	secured, certificate, err := edges.Secured(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	if !known.AppendCertsFromPEM(certificate) {
		t.Fatalf("no certificate: %s", certificate)
	}
	inprocess.OnEachLibrary(t, func(t *testing.T, stack wire.Library) {
		t.Parallel()
		newEngine := func(c client.Config) client.Engine {
			c.TLS = &tls.Config{RootCAs: known, MinVersion: tls.VersionTLS13}
			return inprocess.Engine(t, engines.Goroutine)(c)
		}
		run(t, amountFor(stack), newEngine, inprocess.Server{Library: stack, Secured: secured})
	})
}

// The same for clients that listen and a server that dials them.
func TestConformanceOfWebhooks(t *testing.T) {
	inprocess.OnEachLibrary(t, func(t *testing.T, stack wire.Library) {
		t.Parallel()
		runDialled(t, amountFor(stack), inprocess.Engine(t, engines.Goroutine), inprocess.Server{Library: stack})
	})
}

// amountFor is how many cases a library is held to here.
func amountFor(stack wire.Library) amount {
	if whole || stack == wire.Reference {
		return all
	}
	return smoke
}

// relayed starts a relay to a server's address that lasts until the test ends.
func relayed(t testing.TB, target string) *relay.Relay {
	t.Helper()
	r, err := relay.Start(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// What crosses the wire of a WebSocket is what RFC 6455 says, to the byte, and
// what the client counts. The parser here is used by no other code.
func TestWebSocketBytes(t *testing.T) {
	inprocess.OnEachLibrary(t, func(t *testing.T, stack wire.Library) {
		t.Parallel()
		inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
			t.Parallel()
			webSocketBytes(t, stack, newEngine)
		})
	})
}

// A distance changes none of them.
func TestWebSocketBytesThroughALink(t *testing.T) {
	inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
		t.Parallel()
		webSocketBytes(t, wire.Reference, through(client.Link{RTT: 5 * time.Millisecond, Jitter: time.Millisecond}, newEngine))
	})
}

func webSocketBytes(t *testing.T, stack wire.Library, newEngine func(client.Config) client.Engine) {
	server := inprocess.Start(t, inprocess.Server{Transport: "websocket", Library: stack})
	tap := relayed(t, server.Addr)
	witness := clienttest.NewObserver()
	var traffic client.Traffic
	session := newEngine(client.Config{Target: tap.Addr, Transport: transports.WebSocket, Traffic: &traffic}).Open(client.Subscription{Topics: []string{"a"}, Publishes: true}, witness)
	var published []string
	for _, size := range []int{30, 125, 126, 1024, 4096, 65535, 65536} {
		published = append(published, strings.Repeat("x", size-len(up(len(published), ""))))
	}
	witness.Await(t, "subscribe-ack", func(told []clienttest.Call) bool { return len(clienttest.Batches(told, 0)) == 1 })
	for id, data := range published { // one by one, so that each comes in a batch of its own
		session.Publish(uint32(id), "a", []byte(data))
		witness.Await(t, "message and acknowledgement", func(told []clienttest.Call) bool {
			return len(clienttest.Messages(told, 0)) == id+1 && len(clienttest.Events(told, 0, client.Acked)) == id+1
		})
	}
	session.Close()
	awaitBytes(t, tap, &traffic)
	talk := tap.Conversations()[0]
	rest := checkHandshake(t, talk)
	w := traffic.Snapshot()
	checkUp(t, rest.Up, published, w.Up)
	checkDown(t, rest.Down, w.Down)
}

// up is the frame of a publication, by PROTOCOL.md.
func up(id int, data string) string {
	return fmt.Sprintf(`{"id":%d,"topic":"a","data":"%s"}`, id, data)
}

// awaitBytes waits until the relay has read all that the client has written.
func awaitBytes(t *testing.T, tap *relay.Relay, traffic *client.Traffic) {
	t.Helper()
	limit := time.Now().Add(clienttest.Timeout)
	for tick := time.NewTicker(time.Millisecond); ; <-tick.C {
		sent, _ := tap.Bytes()
		counted := traffic.Snapshot().Up.Bytes
		if sent == counted {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("the client counts %d bytes up, the relay saw %d", counted, sent)
		}
	}
}

// checkHandshake checks both headers, which are whole, and returns what follows.
func checkHandshake(t *testing.T, talk relay.Conversation) relay.Conversation {
	t.Helper()
	end := []byte("\r\n\r\n")
	request, framesUp, _ := bytes.Cut(talk.Up, end)
	answer, framesDown, _ := bytes.Cut(talk.Down, end)
	fields := func(header []byte) map[string]string {
		all := map[string]string{}
		for _, line := range strings.Split(string(header), "\r\n")[1:] {
			name, value, _ := strings.Cut(line, ": ")
			all[strings.ToLower(name)] = value
		}
		return all
	}
	asked, said := fields(request), fields(answer)
	if nonce, err := base64.StdEncoding.DecodeString(asked["sec-websocket-key"]); err != nil || len(nonce) != 16 {
		t.Errorf("key %q (%v), want 16 bytes in base64", asked["sec-websocket-key"], err)
	}
	if asked["sec-websocket-version"] != "13" || !strings.EqualFold(asked["upgrade"], "websocket") || !strings.EqualFold(asked["connection"], "upgrade") {
		t.Errorf("request is no handshake of RFC 6455, section 4.1: %q", request)
	}
	sum := sha1.Sum([]byte(asked["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if want := base64.StdEncoding.EncodeToString(sum[:]); said["sec-websocket-accept"] != want {
		t.Errorf("accept %q, want %q", said["sec-websocket-accept"], want)
	}
	if got := len(answer) + len(end); got != 129 {
		t.Errorf("the 101 is %d bytes, want 129: %q", got, answer)
	}
	return relay.Conversation{Up: framesUp, Down: framesDown}
}

// A wsFrame is one frame, taken apart by RFC 6455, section 5.2.
type wsFrame struct {
	opcode  byte
	masked  bool
	header  int // bytes
	payload []byte
}

// wsFrames takes a direction apart, whole.
func wsFrames(t *testing.T, raw []byte) (frames []wsFrame) {
	t.Helper()
	for at := 0; at < len(raw); {
		f, size := wsFrameAt(t, raw[at:])
		frames = append(frames, f)
		at += size
	}
	return frames
}

func wsFrameAt(t *testing.T, raw []byte) (f wsFrame, size int) {
	t.Helper()
	if len(raw) < 14 { // longer than any header: an unfinished frame is filled up and found out below
		raw = append(slices.Clone(raw), make([]byte, 14-len(raw))...)
	}
	if raw[0]&0xf0 != 0x80 {
		t.Fatalf("first byte %#x, want FIN alone", raw[0])
	}
	f.opcode, f.masked, f.header = raw[0]&15, raw[1]&0x80 != 0, 2
	length, least := uint64(raw[1]&0x7f), uint64(0)
	switch length {
	case 126:
		length, least, f.header = uint64(binary.BigEndian.Uint16(raw[2:])), 126, 4
	case 127:
		length, least, f.header = binary.BigEndian.Uint64(raw[2:]), 65536, 10
	}
	if length < least {
		t.Fatalf("length %d takes %d bytes, which is not the shortest", length, f.header)
	}
	var mask [4]byte
	if f.masked {
		copy(mask[:], raw[f.header:])
		f.header += len(mask)
	}
	size = f.header + int(length)
	if size > len(raw) {
		t.Fatalf("a frame of %d bytes, of which %d crossed the wire", size, len(raw))
	}
	for i, b := range raw[f.header:size] {
		f.payload = append(f.payload, b^mask[i%4])
	}
	return f, size
}

// checkUp: every publication is one masked text frame, and a close frame ends it.
func checkUp(t *testing.T, raw []byte, published []string, counted results.Direction) {
	t.Helper()
	frames := wsFrames(t, raw)
	if len(frames) != len(published)+1 {
		t.Fatalf("%d frames up, want %d publications and a close", len(frames), len(published))
	}
	var headers, payload, envelope int64
	for id, f := range frames[:len(published)] {
		if want := up(id, published[id]); f.opcode != 1 || !f.masked || string(f.payload) != want {
			t.Errorf("frame %d up: opcode %d, masked %v, %.60q; want 1, true, %.60q", id, f.opcode, f.masked, f.payload, want)
		}
		if want := []int{6, 6, 8, 8, 8, 8, 14}[id]; f.header != want {
			t.Errorf("frame %d up, of %d bytes: header of %d bytes, want %d", id, len(f.payload), f.header, want)
		}
		headers += int64(f.header)
		payload += int64(len(published[id]))
		envelope += int64(len(f.payload) - len(published[id]))
	}
	goodbye := frames[len(published)]
	if goodbye.opcode != 8 || string(goodbye.payload) != "\x03\xe8" {
		t.Errorf("the last frame up is opcode %d, %q; want a close with code 1000", goodbye.opcode, goodbye.payload)
	}
	headers += int64(goodbye.header + len(goodbye.payload))
	if counted.Framing != headers || counted.Payload != payload || counted.Envelope != envelope {
		t.Errorf("the client counts %+v up; on the wire: framing %d, payload %d, envelope %d", counted, headers, payload, envelope)
	}
}

// checkDown: nothing is masked, and headers are what the client counts.
func checkDown(t *testing.T, raw []byte, counted results.Direction) {
	t.Helper()
	var headers, payload, sizes, farewell int64
	seen := map[int]bool{}
	for _, f := range wsFrames(t, raw) {
		if f.masked || f.opcode != 1 && f.opcode != 8 {
			t.Errorf("frame down: opcode %d, masked %v; want text or close, not masked", f.opcode, f.masked)
		}
		if f.opcode == 8 { // the client has hung up, and may read it or not
			farewell = int64(f.header + len(f.payload))
			continue
		}
		var b struct{ Messages []struct{ Data string } }
		if err := json.Unmarshal(f.payload, &b); err != nil {
			t.Errorf("frame down: %v: %.60q", err, f.payload)
		}
		for _, m := range b.Messages {
			payload += int64(len(m.Data))
		}
		seen[f.header] = true
		headers += int64(f.header)
		sizes += int64(len(f.payload))
	}
	if counted.Framing == headers+farewell {
		headers += farewell
	}
	if counted.Framing != headers || counted.Payload != payload || counted.Envelope != sizes-payload || counted.Headers != 129 {
		t.Errorf("the client counts %+v down; on the wire: framing %d, payload %d, envelope %d, headers 129", counted, headers, payload, sizes-payload)
	}
	if !seen[2] || !seen[4] || !seen[10] {
		t.Errorf("headers of %v bytes came down, want 2, 4 and 10", seen)
	}
}
