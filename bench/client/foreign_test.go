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
