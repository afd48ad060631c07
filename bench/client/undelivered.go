package client

import (
	"bytes"
	"encoding/json"

	"pushbench/bench/client/internal/wire"
)

// UncountUndelivered subtracts the counts of writes that never left a link, so that each
// byte on the wire is in exactly one part, and no other byte is.
func (t *Traffic) UncountUndelivered(up *DelayLine) {
	for p, ok := up.First(); ok; p, ok = up.First() {
		if p.begun { // the remainder cannot be parsed
			t.Up.Envelope.Add(-int64(p.Size))
		} else {
			t.Uncount(p.Data)
		}
		up.Remove(p.Size)
	}
}

// Uncount subtracts the counts of one write that the server cannot have received.
func (t *Traffic) Uncount(written []byte) {
	if !isRequest(written) {
		t.uncountFrames(written)
		return
	}
	header := bytes.Index(written, []byte("\r\n\r\n")) + len("\r\n\r\n")
	t.Requests.Add(-1)
	t.Up.Headers.Add(-int64(header))
	t.Up.Payload.Add(-int64(len(written) - header))
}

// isRequest distinguishes a request from a frame. The first bit of a frame is set because
// a client's frames are final (RFC 6455, section 5.2).
func isRequest(written []byte) bool { return written[0]&0x80 == 0 }

func (t *Traffic) uncountFrames(frames []byte) {
	for len(frames) > 0 {
		header, body := wire.OpenSealed(frames)
		size := header + len(body)
		if frames[0]&0x0f == wire.OpText {
			payload := payloadSize(body)
			t.Up.Framing.Add(-int64(header))
			t.Up.Payload.Add(-int64(payload))
			t.Up.Envelope.Add(-int64(len(body) - payload))
		} else {
			t.Up.Framing.Add(-int64(size))
		}
		frames = frames[size:]
	}
}

// payloadSize returns how many bytes of payload appendPublish wrote into a body.
func payloadSize(body []byte) int {
	var p struct{ Data string }
	_ = json.Unmarshal(body, &p) // appendPublish wrote it
	return len(p.Data)
}
