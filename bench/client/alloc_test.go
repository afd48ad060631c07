//go:build !race

// The race detector allocates memory itself, so these tests run without it.

package client

import (
	"fmt"
	"testing"

	"pushbench/bench/payload"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

func TestAllocationsOfDecode(t *testing.T) {
	var d decoder
	var f frame
	decode := func(in []byte) func() {
		return func() {
			if err := d.decode(in, &f); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, in := range map[string][]byte{
		"a plain batch of ten": plainBatch(),
		"an ack":               []byte(`{"ack":5,"seq":7}`),
		"escapes":              []byte(`{"messages":[{"data":"\n\u0000\ud83d\ude00"}]}`),
	} {
		if got := testing.AllocsPerRun(100, decode(in)); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}

func TestAllocationsOfAppendPublish(t *testing.T) {
	out := make([]byte, 0, 1024)
	payload := []byte("a \"quoted\" word\n")
	if got := testing.AllocsPerRun(100, func() { out = appendPublish(out[:0], 7, "room-7", payload) }); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

func TestAllocationsOfATargetsMessages(t *testing.T) {
	message := string(payload.Append(nil, 7, 1, 64))
	const posts = "\npublish: {post: '/p?topic={topic}', body: '{\"channel\":\"{topic}\",\"data\":\"{payload}\"}'}"
	for name, c := range map[string]struct {
		transport scenarios.Transport
		file, in  string
	}{
		"JSON over WebSocket": {transports.WebSocket, "transports: {websocket: {path: '/{topic}', heartbeat: {when: '^2$', send: '3'}}}" + posts, textFrame(`{"room":"a","text":"` + message + `"}`)},
		"several records":     {transports.WebSocket, "transports: {websocket: {path: '/{topic}', split: \"\\n\"}}" + posts, textFrame(`{"a":"` + message + "\"}\n{}\n{\"a\":\"" + message + `"}`)},
		"binary frames":       {transports.WebSocket, "transports: {websocket: {path: '/{topic}', binary: true}}" + posts, frameOf(0x82, "\x30\x43\x00\x01a"+message)},
		"a poll":              {transports.LongPoll, "transports: {longpoll: {path: '/{topic}?{etag}', split: \"\\x1e\", next: [{header: ETag, as: etag}], heartbeat: {when: '^2$', post: /beat}}}" + posts, fmt.Sprintf("HTTP/1.1 200 OK\r\nEtag: 7\r\nContent-Length: %d\r\n\r\n6\x1e%s\x1e%s", 4+2*len(message), message, "x"+message)},
		"events":              {transports.SSE, "transports: {sse: {path: '/{topic}', ready: '^x'}}" + posts, fmt.Sprintf("%x\r\nid: 1:0\ndata: %s\n\n\r\n", 16+len(message), message)},
		"lines":               {transports.HTTPStream, "transports: {httpstream: {path: '/{topic}'}}" + posts, fmt.Sprintf("%x\r\n%s\n\r\n", 1+len(message), message)},
	} {
		s, before, in := foreignSubscriber(t, c.transport, c.file), int64(0), []byte(c.in)
		got := testing.AllocsPerRun(100, func() {
			for rest := in; len(rest) > 0; {
				n, _, err := s.Consume(rest, 1)
				if err != nil || n == 0 {
					t.Fatalf("%s: consumed %d bytes: %v", name, n, err)
				}
				rest = rest[n:]
			}
			if after := s.Traffic.Batches.Load(); after != before+1 {
				t.Fatalf("%s: delivered %d batches, want 1", name, after-before)
			}
			before++
		})
		if got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}

func TestAllocationsOfPublishingToATarget(t *testing.T) {
	data, out := payload.Append(nil, 7, 1, 64), make([]byte, 0, 1024)
	s := foreignSubscriber(t, transports.WebSocket, `
transports: {websocket: {path: '/{topic}', binary: true}}
publish: {post: '/p?topic={topic}', body: '{"channel":"{topic}","size":{size},"data":"{payload}"}', frame: "\x32{rest}{topic_u16}{id}{payload}", ack: '^ok$'}`)
	for name, publish := range map[string]func(){
		"post": func() { out = s.AppendPost(out[:0], 1234567, "room 1", data) },
		"frame": func() {
			s.PublishFrame(&out, 1234567, "room 1", data)
			s.PublishFrame(&out, 1234568, "room 1", data)
			s.acknowledged(1)
			s.acknowledged(1)
		},
	} {
		if got := testing.AllocsPerRun(100, publish); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}
