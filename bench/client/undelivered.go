package client

import (
	"bytes"
	"encoding/json"

	"pushbench/bench/client/internal/wire"
)

// Undelivered takes back what was counted of writes that did not leave a link, so that
// every byte that was written is in just one part, and no other.
func (t *Traffic) UncountUndelivered(up *DelayLine) {
	for p, ok := up.First(); ok; p, ok = up.First() {
		if p.begun { // what the rest of it is, is not known
			t.Up.Envelope.Add(-int64(p.Size))
		} else {
			t.Uncount(p.Data)
		}
		up.Remove(p.Size)
	}
}

// TakeBack takes back what was counted of one write, which the server cannot have received.
func (t *Traffic) Uncount(written []byte) {
	if !isRequest(written) {
		t.uncountFrames(written)
		return
	}
	head := bytes.Index(written, []byte("\r\n\r\n")) + len("\r\n\r\n")
	t.Requests.Add(-1)
	t.Up.Headers.Add(-int64(head))
	t.Up.Payload.Add(-int64(len(written) - head))
}

// isRequest distinguishes a request from a frame, whose first bit is set, as a client's
// frames are final (RFC 6455, section 5.2).
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

// publishedIn is how many bytes of payload appendPublish put into a body.
func payloadSize(body []byte) int {
	var p struct{ Data string }
	_ = json.Unmarshal(body, &p) // it is ours
	return len(p.Data)
}
