package client

import (
	"bytes"
	"encoding/json"
	"sync/atomic"

	"pushbench/bench/client/internal/wire"
)

// UncountUndelivered subtracts the counts of writes that never left a link, so that each
// byte on the wire is in exactly one part, and no other byte is.
func (t *Traffic) UncountUndelivered(up *DelayLine) {
	for p, ok := up.First(); ok; p, ok = up.First() {
		if p.begun { // the remainder cannot be parsed
			t.UncountRest(p.Size)
		} else {
			t.Uncount(p.Data)
		}
		up.Remove(p.Size)
	}
}

// UncountRest subtracts bytes at the end of writes of which the beginning was sent. They are those of payloads as far as
// there are any: other parts are too short to be cut.
func (t *Traffic) UncountRest(size int) {
	rest := int64(size)
	for _, part := range []*atomic.Int64{&t.Up.Payload, &t.Up.Envelope, &t.Up.Headers, &t.Up.Framing} {
		for {
			has := part.Load()
			taken := min(rest, max(has, 0)) // never more than was counted
			if part.CompareAndSwap(has, has-taken) {
				rest -= taken
				break
			}
		}
	}
}

// Uncount subtracts the counts of one write that the server cannot have received.
func (t *Traffic) Uncount(written []byte) {
	if written[0]&0x80 == 0 { // a client's frames are final (RFC 6455, section 5.2); TLS has no link
		t.uncountRequest(written)
	} else {
		t.uncountFrames(written)
	}
}

func (t *Traffic) uncountRequest(written []byte) {
	header := bytes.Index(written, []byte("\r\n\r\n")) + len("\r\n\r\n")
	body, payload := written[header:], len(written)-header
	switch {
	case t.payloads != nil:
		payload = t.payloadSize(body)
	case bytes.HasPrefix(written, []byte("POST "+webhooksPath)):
		payload = 0
	}
	t.Requests.Add(-1)
	t.Up.Headers.Add(-int64(header))
	t.Up.Payload.Add(-int64(payload))
	t.Up.Envelope.Add(-int64(len(body) - payload))
}

func (t *Traffic) uncountFrames(frames []byte) {
	for len(frames) > 0 {
		header, body := wire.OpenSealed(frames)
		size := header + len(body)
		switch opcode := frames[0] & 0x0f; {
		case opcode > wire.OpBinary:
			t.Up.Framing.Add(-int64(size))
		default:
			payload := t.payloadSize(body)
			t.Up.Framing.Add(-int64(header))
			t.Up.Payload.Add(-int64(payload))
			t.Up.Envelope.Add(-int64(len(body) - payload))
		}
		frames = frames[size:]
	}
}

// payloadSize returns how many bytes of payload a client wrote into a text.
func (t *Traffic) payloadSize(text []byte) int {
	if t.payloads != nil {
		found, _, _ := t.payloads.Next(text) // a message has one
		return len(found.Data)
	}
	var p struct{ Data string }
	_ = json.Unmarshal(text, &p) // appendPublish wrote it
	return len(p.Data)
}
