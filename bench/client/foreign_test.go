package client

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pushbench/bench/payload"
	"pushbench/bench/target"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A silent duplex sends nothing.
type silent struct{}

func (silent) Opened()                    {}
func (silent) Control(byte, []byte) error { return nil }
func (silent) Completed()                 {}

func (silent) Sent() int64     { return 0 }
func (silent) Consumed() int64 { return 0 }

// foreignSubscriber is a client of a target whose stream or WebSocket is open.
func foreignSubscriber(t *testing.T, transport scenarios.Transport, file string) *Subscriber {
	t.Helper()
	parsed, err := scenarios.ReadTarget("test.yaml", strings.NewReader("version: 1\nname: test\nurl: http://127.0.0.1:1\n"+file))
	if err != nil {
		t.Fatal(err)
	}
	c := &Config{Transport: transport, Traffic: new(Traffic), Payloads: payload.NewScanner(7, func(uint32) int { return 64 })}
	if c.Dialect, err = target.Compile(parsed, transport, nil); err != nil {
		t.Fatal(err)
	}
	c.SetDefaults()
	s := NewSubscriber(c, Subscription{Topics: []string{"a"}}, nowhere{}, new(Scratch))
	if transport == transports.WebSocket {
		s.Duplex = silent{}
	}
	s.AppendRequest(nil, silent{})
	s.open = true
	return &s
}

// A message or a response to a poll has a bounded number of records and of payloads, which take many times the memory and
// the time of their text.
func TestRecordsAndPayloadsAreBounded(t *testing.T) {
	const file = `
transports:
  longpoll: {path: "/{topic}?{etag}", split: "\n", next: [{header: ETag, as: etag}]}
  sse: {path: "/{topic}"}
  httpstream: {path: "/{topic}"}
  websocket: {path: "/{topic}", split: "\n"}
publish: {post: "/{topic}"}
`
	framed := map[scenarios.Transport]func(body string) string{
		transports.LongPoll: func(body string) string {
			return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		},
		transports.SSE:        func(body string) string { return fmt.Sprintf("%x\r\ndata: %s\n\n\r\n", len(body)+8, body) },
		transports.HTTPStream: func(body string) string { return fmt.Sprintf("%x\r\n%s\n\r\n", len(body)+1, body) },
		transports.WebSocket: func(body string) string {
			return string(binary.BigEndian.AppendUint64([]byte{0x81, 127}, uint64(len(body)))) + body
		},
	}
	damaged := string(payload.Append(nil, 7, 1, 64)[:17])
	for transport, frame := range framed {
		for unit, splits := range map[string]bool{damaged: false, "x\n": true} {
			if splits && (transport == transports.SSE || transport == transports.HTTPStream) {
				continue // an event or a line is a record
			}
			for _, more := range []int{0, 1} {
				s := foreignSubscriber(t, transport, file)
				in := []byte(frame(strings.Repeat(unit, maxElements+more)))
				n, _, err := s.Consume(in, 1)
				if errors.Is(err, ErrMalformed) != (more > 0) || err == nil && n == 0 {
					t.Errorf("%s: %d of %q: consumed %d bytes, %v", transport, maxElements+more, unit, n, err)
				}
				if w := s.Traffic.Snapshot().Down; w.Payload+w.Envelope+w.Framing+w.Headers != int64(n) {
					t.Errorf("%s: %d of %q: %+v for %d bytes", transport, maxElements+more, unit, w, n)
				}
			}
		}
	}
}

// A counter counts what a client sends on its WebSocket.
type counter struct {
	silent
	sent *[]string
}

func (c counter) Control(opcode byte, body []byte) error {
	*c.sent = append(*c.sent, fmt.Sprintf("%x %s", opcode, body))
	return nil
}

// The pings and the requests for heartbeats of one read have one response: each of a flood would delay other clients.
func TestAFloodOfPingsHasOneResponse(t *testing.T) {
	const file = `
transports: {websocket: {path: "/{topic}", split: ";", heartbeat: {when: ^beat$, send: beaten}}}
publish: {post: "/{topic}"}
`
	for in, want := range map[string]string{
		"\x89\x01a": "[a a]",
		"\x89\x01a\x89\x01b\x8a\x01x\x89\x01c\x89\x05": "[a c]",
		"\x89\x01a" + textFrame("x"):                   "[a a]",
		textFrame("beat") + textFrame("beat;beat"):     "[1 beaten]",
		"\x89\x01a" + textFrame("beat") + "\x8a":       "[a a 1 beaten]",
	} {
		s, sent := foreignSubscriber(t, transports.WebSocket, file), []string(nil)
		s.Duplex, s.ready = counter{sent: &sent}, true
		for rest := []byte(in); len(rest) > 0; {
			n, _, err := s.Consume(rest, 1)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
			rest = rest[n:]
		}
		if got := fmt.Sprint(sent); got != want {
			t.Errorf("%q: sent %s, want %s", in, got, want)
		}
	}
}

// textFrame is a text frame of a server, with a length in two bytes or none.
func textFrame(text string) string { return frameOf(0x81, text) }

func frameOf(first byte, text string) string {
	if len(text) < 126 {
		return string([]byte{first, byte(len(text))}) + text
	}
	return string([]byte{first, 126, byte(len(text) >> 8), byte(len(text))}) + text
}

// A long message that a server begins to each of many clients is bounded over all of them: a client gives up its own.
func TestIncompleteMessagesOfAllClientsAreBounded(t *testing.T) {
	const file = `
transports:
  shortpoll: {path: "/{topic}"}
  sse: {path: "/{topic}"}
  websocket: {path: "/{topic}"}
publish: {post: "/{topic}"}
`
	const long = 15 << 20
	begun := map[scenarios.Transport][]byte{
		transports.WebSocket: binary.BigEndian.AppendUint64([]byte{0x81, 127}, 16<<20),
		transports.ShortPoll: []byte("HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n"),
		transports.SSE:       []byte("ffffff\r\ndata: "),
	}
	for transport := range begun {
		begun[transport] = append(begun[transport], make([]byte, long)...)
	}
	traffic, all := new(Traffic), []*Subscriber(nil)
	begin := func(transport scenarios.Transport, size int) error {
		s := foreignSubscriber(t, transport, file)
		s.Traffic = traffic
		all = append(all, s)
		_, _, err := s.Consume(begun[transport][:size], 1)
		return err
	}
	for i := range maxHeld / long {
		if err := begin([]scenarios.Transport{transports.WebSocket, transports.ShortPoll}[i%2], long); err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
	}
	for transport := range begun {
		if err := begin(transport, 15<<10); err != nil {
			t.Errorf("%s: a short message: %v", transport, err)
		}
		if err := begin(transport, 8<<20); !errors.Is(err, ErrHeld) {
			t.Errorf("%s: got %v, want %v", transport, err, ErrHeld)
		}
	}
	for _, s := range all {
		s.Disconnected(ErrHeld, 2)
	}
	if got := traffic.held.Load(); got != 0 {
		t.Errorf("%d bytes are held of closed connections", got)
	}
}
