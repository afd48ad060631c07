package client

import (
	"bytes"
	"encoding/binary"
)

// neverSent takes back what was counted of writes that did not leave a link, so that
// every byte that was written is in just one part, and no other.
func (t *Traffic) neverSent(up *lane) {
	for p, ok := up.first(); ok; p, ok = up.first() {
		switch {
		case p.begun: // nobody can say what the rest of it is
			t.Up.Envelope.Add(-int64(p.size))
		case isRequest(p.data):
			head := bytes.Index(p.data, []byte("\r\n\r\n")) + len("\r\n\r\n")
			t.Requests.Add(-1)
			t.Up.Headers.Add(-int64(head))
			t.Up.Payload.Add(-int64(p.size - head))
		default:
			t.framesNeverSent(p.data)
		}
		up.remove(p.size)
	}
}

// isRequest tells a request from a frame, whose first bit is set, as a client's
// frames are final (RFC 6455, section 5.2).
func isRequest(written []byte) bool { return written[0]&0x80 == 0 }

func (t *Traffic) framesNeverSent(frames []byte) {
	for len(frames) > 0 {
		header, body := ownFrame(frames)
		size := header + len(body)
		if frames[0]&0x0f == opText {
			payload := publishedIn(body)
			t.Up.Framing.Add(-int64(header))
			t.Up.Payload.Add(-int64(payload))
			t.Up.Envelope.Add(-int64(len(body) - payload))
		} else {
			t.Up.Framing.Add(-int64(size))
		}
		frames = frames[size:]
	}
}

// ownFrame takes a frame of ours apart, and unmasks its body in place.
func ownFrame(frames []byte) (header int, body []byte) {
	const key = 4
	header, length := 2, int(frames[1]&0x7f)
	switch length {
	case 126:
		header, length = 4, int(binary.BigEndian.Uint16(frames[2:]))
	case 127:
		header, length = 10, int(binary.BigEndian.Uint64(frames[2:]))
	}
	body = frames[header+key : header+key+length]
	mask(body, [key]byte(frames[header:]))
	return header + key, body
}

// publishedIn is how many bytes of payload appendPublish put into a body.
func publishedIn(body []byte) (n int) {
	const before, behind = `"data":"`, `"}`
	at := bytes.Index(body, []byte(before)) + len(before) // a topic has no quotes
	escaped := body[at : len(body)-len(behind)]
	for ; len(escaped) > 0; n++ {
		switch {
		case escaped[0] != '\\':
			escaped = escaped[1:]
		case escaped[1] == 'u':
			escaped = escaped[len(`\u00xx`):]
		default:
			escaped = escaped[len(`\"`):]
		}
	}
	return n
}
