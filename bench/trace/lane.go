package trace

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// A lane is one direction of a connection, read as far as it came.
type lane struct {
	up      bool
	pending []byte
	mode    mode
	piece   string // what a chunk holds: an event or a line
}

// A mode is what the next bytes are.
type mode int

const (
	http1  mode = iota // heads and bodies
	chunks             // of a stream of events or of lines
	frames             // of a WebSocket
)

// A thing is a request, an answer, an event, a line or a frame.
type thing struct {
	bytes            int
	text             string
	requests, frames int
}

// next takes the next whole thing off the lane; ok is false where there is none yet.
func (l *lane) next() (t thing, ok bool) {
	switch l.mode {
	case chunks:
		t, ok = l.chunk()
	case frames:
		t, ok = l.frame()
	default:
		t, ok = l.exchange()
	}
	if ok {
		l.pending = l.pending[t.bytes:]
	}
	return t, ok
}

// exchange is a request or an answer, with its body.
func (l *lane) exchange() (thing, bool) {
	end := bytes.Index(l.pending, []byte("\r\n\r\n"))
	if end < 0 {
		return thing{}, false
	}
	head := string(l.pending[:end])
	size := end + 4
	first, fields, _ := strings.Cut(head, "\r\n")
	switch {
	case !l.up && field(fields, "transfer-encoding") == "chunked":
		l.mode, l.piece = chunks, "event"
		if field(fields, "content-type") == "application/x-ndjson" {
			l.piece = "line"
		}
		return thing{bytes: size, text: statusOf(first) + ": the stream of " + l.piece + "s begins"}, true
	case field(fields, "upgrade") == "websocket":
		l.mode = frames
		if l.up {
			return thing{bytes: size, requests: 1, text: requestOf(first) + ": asks for a WebSocket"}, true
		}
		return thing{bytes: size, text: statusOf(first)}, true
	}
	body, err := strconv.ParseUint(field(fields, "content-length"), 10, 31)
	if err != nil {
		body = 0 // there is none
	}
	if uint64(len(l.pending)-size) < body {
		return thing{}, false
	}
	whole := size + int(body)
	content := l.pending[size:whole]
	split := ""
	if body > 0 {
		split = fmt.Sprintf(" (head %d B, body %d B)", size, body)
	}
	if l.up {
		return thing{bytes: whole, requests: 1, text: requestOf(first) + split}, true
	}
	said := statusOf(first)
	if what := describe(content); what != "" {
		said += ": " + what
	}
	return thing{bytes: whole, text: said + split}, true
}

// field is a header field's value in lower case, or "".
func field(fields, name string) string {
	for line := range strings.SplitSeq(fields, "\r\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.ToLower(strings.TrimSpace(value))
		}
	}
	return ""
}

// statusOf is "200 OK" of a status line.
func statusOf(line string) string {
	_, status, _ := strings.Cut(line, " ")
	return status
}

// requestOf is a request line without the version, cursors and topics.
func requestOf(line string) string {
	method, rest, _ := strings.Cut(line, " ")
	target, _, _ := strings.Cut(rest, " ")
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return method + " " + target
	}
	said, mark := method+" "+u.Path, "?"
	if u.Query().Get("after") != "" {
		said, mark = said+mark+"after=…", "&"
	}
	if wait := u.Query().Get("wait"); wait != "" && wait != "0s" {
		said += mark + "wait=" + wait
	}
	return said
}

// chunk is a chunk of a stream of events or of lines (RFC 9112, section 7.1).
func (l *lane) chunk() (thing, bool) {
	end := bytes.Index(l.pending, []byte("\r\n"))
	if end < 0 {
		return thing{}, false
	}
	size, err := strconv.ParseUint(string(l.pending[:end]), 16, 31)
	whole := end + 2 + int(size) + 2
	if err != nil || len(l.pending) < whole {
		return thing{}, false
	}
	if size == 0 {
		l.mode = http1
		return thing{bytes: whole, text: "the stream ends"}, true
	}
	data := l.pending[end+2 : end+2+int(size)]
	switch {
	case data[0] == ':':
		return thing{bytes: whole, text: "comment: a heartbeat"}, true
	case len(bytes.TrimSpace(data)) == 0:
		return thing{bytes: whole, text: "empty line: a heartbeat"}, true
	case l.piece == "line":
		return thing{bytes: whole, text: "line: " + describe(data)}, true
	}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if payload, ok := bytes.CutPrefix(line, []byte("data: ")); ok {
			return thing{bytes: whole, text: "event: " + describe(payload)}, true
		}
	}
	return thing{bytes: whole, text: "event"}, true
}

// frame is a frame of a WebSocket (RFC 6455, section 5.2).
func (l *lane) frame() (thing, bool) {
	b := l.pending
	if len(b) < 2 {
		return thing{}, false
	}
	opcode, masked, size, head := b[0]&0x0f, b[1]&0x80 != 0, uint64(b[1]&0x7f), 2
	switch {
	case size == 126 && len(b) >= 4:
		size, head = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case size == 127 && len(b) >= 10:
		size, head = binary.BigEndian.Uint64(b[2:]), 10
	case size >= 126:
		return thing{}, false
	}
	var mask [4]byte
	if masked {
		head += 4
		if len(b) < head {
			return thing{}, false
		}
		copy(mask[:], b[head-4:])
	}
	if uint64(len(b)-head) < size {
		return thing{}, false
	}
	payload := bytes.Clone(b[head : head+int(size)])
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	said := map[byte]string{0x8: "close", 0x9: "ping: a heartbeat", 0xa: "pong"}[opcode]
	if said == "" {
		said = "frame: " + describe(payload)
	}
	return thing{bytes: head + int(size), frames: 1, text: fmt.Sprintf("%s (frame header %d B)", said, head)}, true
}

// describe says in words what a body, an event, a line or a frame holds, as servers/PROTOCOL.md has it.
func describe(data []byte) string {
	var is struct {
		Messages []struct{}        `json:"messages"`
		Cursor   *string           `json:"cursor"`
		Heads    map[string]uint64 `json:"heads"`
		Gap      []struct{}        `json:"gap"`
		Ack      *uint64           `json:"ack"`
		Seq      *uint64           `json:"seq"`
		ID       *uint64           `json:"id"`
		Error    *string           `json:"error"`
	}
	if json.Unmarshal(data, &is) != nil {
		return ""
	}
	switch {
	case is.Error != nil:
		return "an error"
	case is.Heads != nil:
		return "subscribed"
	case len(is.Gap) > 0:
		return "batch of " + count(len(is.Messages), "message") + " and a declared gap"
	case is.Cursor != nil:
		return "batch of " + count(len(is.Messages), "message")
	case is.Ack != nil || is.Seq != nil && is.ID == nil:
		return "acknowledged"
	case is.ID != nil:
		return "publishes"
	default:
		return ""
	}
}
