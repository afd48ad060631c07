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

// TestConformance checks clients and servers against the contract together: all tests with the
// library reference, the smoke tests with the others (all of them with -tags nightly).
func TestConformance(t *testing.T) {
	inprocess.OnEachLibrary(t, func(t *testing.T, library wire.Library) {
		t.Parallel()
		inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
			t.Parallel()
			run(t, suiteFor(library), newEngine, inprocess.Server{Library: library})
		})
	})
}

// TestConformanceOverTLS runs the same tests over TLS, which one engine supports.
func TestConformanceOverTLS(t *testing.T) {
	secured, certificate, err := edges.Secured(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	if !known.AppendCertsFromPEM(certificate) {
		t.Fatalf("no certificate: %s", certificate)
	}
	inprocess.OnEachLibrary(t, func(t *testing.T, library wire.Library) {
		t.Parallel()
		newEngine := func(c client.Config) client.Engine {
			c.TLS = &tls.Config{RootCAs: known, MinVersion: tls.VersionTLS13}
			return inprocess.Engine(t, engines.Goroutine)(c)
		}
		run(t, suiteFor(library), newEngine, inprocess.Server{Library: library, Secured: secured})
	})
}

// TestConformanceOfWebhooks runs the same tests for clients that listen and a server that dials them.
func TestConformanceOfWebhooks(t *testing.T) {
	inprocess.OnEachLibrary(t, func(t *testing.T, library wire.Library) {
		t.Parallel()
		runDialled(t, suiteFor(library), inprocess.Engine(t, engines.Goroutine), inprocess.Server{Library: library})
	})
}

// suiteFor returns the suite of a library.
func suiteFor(library wire.Library) suite {
	if nightly || library == wire.Reference {
		return all
	}
	return smoke
}

// relayed starts a relay to a server's address that lasts until the test ends.
func relayed(t testing.TB, target string) *relay.Relay {
	t.Helper()
	r, err := relay.Start(target, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// The bytes on the wire of a WebSocket must be exactly those of RFC 6455 and those
// that the client counts. No other code uses this parser.
func TestWebSocketBytes(t *testing.T) {
	inprocess.OnEachLibrary(t, func(t *testing.T, library wire.Library) {
		t.Parallel()
		inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
			t.Parallel()
			webSocketBytes(t, library, newEngine)
		})
	})
}

// A link delay must not change any of these bytes.
func TestWebSocketBytesThroughALink(t *testing.T) {
	inprocess.OnEachEngine(t, func(t *testing.T, newEngine func(client.Config) client.Engine) {
		t.Parallel()
		webSocketBytes(t, wire.Reference, through(client.Link{RTT: 5 * time.Millisecond, Jitter: time.Millisecond}, newEngine))
	})
}

func webSocketBytes(t *testing.T, library wire.Library, newEngine func(client.Config) client.Engine) {
	server := inprocess.Start(t, inprocess.Server{Transport: "websocket", Library: library})
	wire := relayed(t, server.Addr)
	observer := clienttest.NewObserver()
	var traffic client.Traffic
	session := newEngine(client.Config{Target: wire.Addr, Transport: transports.WebSocket, Traffic: &traffic}).Open(client.Subscription{Topics: []string{"a"}, Publishes: true}, observer)
	var published []string
	for _, size := range []int{30, 125, 126, 1024, 4096, 65535, 65536} {
		published = append(published, strings.Repeat("x", size-len(up(len(published), ""))))
	}
	observer.Await(t, "subscribe-ack", func(calls []clienttest.Call) bool { return len(clienttest.Batches(calls, 0)) == 1 })
	for id, data := range published { // one by one, so that each is in a separate batch
		session.Publish(uint32(id), "a", []byte(data))
		observer.Await(t, "message and acknowledgement", func(calls []clienttest.Call) bool {
			return len(clienttest.Messages(calls, 0)) == id+1 && len(clienttest.Events(calls, 0, client.Acked)) == id+1
		})
	}
	session.Close()
	awaitBytes(t, wire, &traffic)
	rest := checkHandshake(t, wire.Conversations()[0])
	w := traffic.Snapshot()
	checkUp(t, rest.Up, published, w.Up)
	checkDown(t, rest.Down, w.Down)
}

// up returns the message of a publication according to PROTOCOL.md.
func up(id int, data string) string {
	return fmt.Sprintf(`{"id":%d,"topic":"a","data":"%s"}`, id, data)
}

// awaitBytes waits until the relay has read all bytes that the client has written.
func awaitBytes(t *testing.T, wire *relay.Relay, traffic *client.Traffic) {
	t.Helper()
	limit := time.Now().Add(clienttest.Timeout)
	for tick := time.NewTicker(time.Millisecond); ; <-tick.C {
		sent, _ := wire.Bytes()
		counted := traffic.Snapshot().Up.Bytes
		if sent == counted {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("the client counts %d bytes up, the relay saw %d", counted, sent)
		}
	}
}

// checkHandshake checks both headers, which are complete, and returns the bytes after them.
func checkHandshake(t *testing.T, conversation relay.Conversation) relay.Conversation {
	t.Helper()
	end := []byte("\r\n\r\n")
	request, framesUp, _ := bytes.Cut(conversation.Up, end)
	response, framesDown, _ := bytes.Cut(conversation.Down, end)
	fields := func(header []byte) map[string]string {
		all := map[string]string{}
		for _, line := range strings.Split(string(header), "\r\n")[1:] {
			name, value, _ := strings.Cut(line, ": ")
			all[strings.ToLower(name)] = value
		}
		return all
	}
	requested, responded := fields(request), fields(response)
	if nonce, err := base64.StdEncoding.DecodeString(requested["sec-websocket-key"]); err != nil || len(nonce) != 16 {
		t.Errorf("key %q (%v), want 16 bytes in base64", requested["sec-websocket-key"], err)
	}
	if requested["sec-websocket-version"] != "13" || !strings.EqualFold(requested["upgrade"], "websocket") || !strings.EqualFold(requested["connection"], "upgrade") {
		t.Errorf("the request is not a handshake of RFC 6455, section 4.1: %q", request)
	}
	sum := sha1.Sum([]byte(requested["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if want := base64.StdEncoding.EncodeToString(sum[:]); responded["sec-websocket-accept"] != want {
		t.Errorf("accept %q, want %q", responded["sec-websocket-accept"], want)
	}
	if got := len(response) + len(end); got != 129 {
		t.Errorf("the 101 is %d bytes, want 129: %q", got, response)
	}
	return relay.Conversation{Up: framesUp, Down: framesDown}
}

// A wsFrame is one frame, parsed according to RFC 6455, section 5.2.
type wsFrame struct {
	opcode  byte
	masked  bool
	header  int // bytes
	payload []byte
}

// wsFrames parses all bytes of a direction.
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
	if len(raw) < 14 { // longer than any header: an unfinished frame is padded and detected below
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
		t.Fatalf("length %d is encoded with a header of %d bytes, which is not the shortest", length, f.header)
	}
	var mask [4]byte
	if f.masked {
		copy(mask[:], raw[f.header:])
		f.header += len(mask)
	}
	size = f.header + int(length)
	if size > len(raw) {
		t.Fatalf("got %[2]d bytes of a frame of %[1]d bytes", size, len(raw))
	}
	for i, b := range raw[f.header:size] {
		f.payload = append(f.payload, b^mask[i%4])
	}
	return f, size
}

// checkUp checks that every publication is one masked text frame, and that a close frame is last.
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
	closeFrame := frames[len(published)]
	if closeFrame.opcode != 8 || string(closeFrame.payload) != "\x03\xe8" {
		t.Errorf("the last frame up is opcode %d, %q; want a close with code 1000", closeFrame.opcode, closeFrame.payload)
	}
	headers += int64(closeFrame.header + len(closeFrame.payload))
	if counted.Framing != headers || counted.Payload != payload || counted.Envelope != envelope {
		t.Errorf("the client counts %+v up; on the wire: framing %d, payload %d, envelope %d", counted, headers, payload, envelope)
	}
}

// checkDown checks that no frame is masked, and that the client counts the headers exactly.
func checkDown(t *testing.T, raw []byte, counted results.Direction) {
	t.Helper()
	var headers, payload, sizes, closeBytes int64
	seen := map[int]bool{}
	for _, f := range wsFrames(t, raw) {
		if f.masked || f.opcode != 1 && f.opcode != 8 {
			t.Errorf("frame down: opcode %d, masked %v; want text or close, not masked", f.opcode, f.masked)
		}
		if f.opcode == 8 { // the client has closed, and may or may not read it
			closeBytes = int64(f.header + len(f.payload))
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
	if counted.Framing == headers+closeBytes {
		headers += closeBytes
	}
	if counted.Framing != headers || counted.Payload != payload || counted.Envelope != sizes-payload || counted.Headers != 129 {
		t.Errorf("the client counts %+v down; on the wire: framing %d, payload %d, envelope %d, headers 129", counted, headers, payload, sizes-payload)
	}
	if !seen[2] || !seen[4] || !seen[10] {
		t.Errorf("got headers of %v bytes down, want 2, 4 and 10", seen)
	}
}
