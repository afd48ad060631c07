package trace

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// A parser parses one direction of a connection.
type parser struct {
	up      bool
	pending []byte
	mode    mode
	unit    string // content of a chunk: an event, a line, or any bytes

	describe func(record []byte) string // names the content of a body, an event, a line or a frame
}

// A mode is the protocol of the next bytes.
type mode int

const (
	http1  mode = iota // headers and bodies
	chunks             // a stream of events or of lines
	frames             // a WebSocket
	body               // events until the connection ends
)

// An element is a request, a response, an event, a line or a frame.
type element struct {
	bytes            int
	text             string
	requests, frames int
}

// next removes and returns the next complete element; ok is false if there is none yet.
func (p *parser) next() (e element, ok bool) {
	switch p.mode {
	case chunks:
		e, ok = p.chunk()
	case frames:
		e, ok = p.frame()
	case body:
		e, ok = p.event()
	default:
		e, ok = p.exchange()
	}
	if ok {
		p.pending = p.pending[e.bytes:]
	}
	return e, ok
}

// exchange parses a request or a response with its body.
func (p *parser) exchange() (element, bool) {
	end := bytes.Index(p.pending, []byte("\r\n\r\n"))
	if end < 0 {
		return element{}, false
	}
	header := string(p.pending[:end])
	size := end + 4
	first, fields, _ := strings.Cut(header, "\r\n")
	switch {
	case !p.up && field(fields, "transfer-encoding") == "chunked":
		p.mode, p.unit = chunks, unitOf(fields)
		return element{bytes: size, text: statusOf(first) + ": the stream of " + p.unit + "s begins"}, true
	case field(fields, "upgrade") == "websocket":
		p.mode = frames
		if p.up {
			return element{bytes: size, requests: 1, text: requestOf(first) + ": requests a WebSocket"}, true
		}
		return element{bytes: size, text: statusOf(first)}, true
	}
	length, err := strconv.ParseUint(field(fields, "content-length"), 10, 31)
	if err != nil {
		length = 0 // no body
		if !p.up && strings.HasPrefix(field(fields, "content-type"), "text/event-stream") {
			p.mode = body
			return element{bytes: size, text: statusOf(first) + ": the stream of events begins"}, true
		}
	}
	if uint64(len(p.pending)-size) < length {
		return element{}, false
	}
	whole := size + int(length)
	content := p.pending[size:whole]
	split := ""
	if length > 0 {
		split = fmt.Sprintf(" (header %d B, body %d B)", size, length)
	}
	if p.up {
		return element{bytes: whole, requests: 1, text: requestOf(first) + split}, true
	}
	text := statusOf(first)
	if description := p.describe(content); description != "" {
		text += ": " + description
	}
	return element{bytes: whole, text: text + split}, true
}

// field returns the value of a header field in lower case, or "".
func field(fields, name string) string {
	for line := range strings.SplitSeq(fields, "\r\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.ToLower(strings.TrimSpace(value))
		}
	}
	return ""
}

// statusOf returns the status of a status line, such as "200 OK".
func statusOf(line string) string {
	_, status, _ := strings.Cut(line, " ")
	return status
}

// requestOf returns a request line without version, cursors and topics.
func requestOf(line string) string {
	method, rest, _ := strings.Cut(line, " ")
	target, _, _ := strings.Cut(rest, " ")
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return method + " " + target
	}
	text, mark := method+" "+u.Path, "?"
	if u.Query().Get("after") != "" {
		text, mark = text+mark+"after=…", "&"
	}
	if wait := u.Query().Get("wait"); wait != "" && wait != "0s" {
		text += mark + "wait=" + wait
	}
	return text
}

// chunk parses a chunk of a stream of events or of lines (RFC 9112, section 7.1).
func (p *parser) chunk() (element, bool) {
	end := bytes.Index(p.pending, []byte("\r\n"))
	if end < 0 {
		return element{}, false
	}
	size, err := strconv.ParseUint(string(p.pending[:end]), 16, 31)
	whole := end + 2 + int(size) + 2
	if err != nil || len(p.pending) < whole {
		return element{}, false
	}
	if size == 0 {
		p.mode = http1
		return element{bytes: whole, text: "the stream ends"}, true
	}
	data := p.pending[end+2 : end+2+int(size)]
	switch {
	case data[0] == ':':
		return element{bytes: whole, text: "comment: a heartbeat"}, true
	case len(bytes.TrimSpace(data)) == 0:
		return element{bytes: whole, text: "empty line: a heartbeat"}, true
	case p.unit != "event":
		return element{bytes: whole, text: p.unit + ": " + p.describe(data)}, true
	}
	return element{bytes: whole, text: p.eventText(data)}, true
}

// unitOf is what a stream consists of, by the fields of its header.
func unitOf(fields string) string {
	kind, _, _ := strings.Cut(field(fields, "content-type"), ";")
	switch strings.TrimSpace(kind) {
	case "text/event-stream", "":
		return "event"
	case "application/x-ndjson":
		return "line"
	default:
		return "chunk"
	}
}

var emptyLine = regexp.MustCompile(`\r?\n\r?\n`)

// event parses an event that ends with an empty line (HTML, section 9.2.6).
func (p *parser) event() (element, bool) {
	end := emptyLine.FindIndex(p.pending)
	if end == nil {
		return element{}, false
	}
	whole := end[1]
	if p.pending[0] == ':' {
		return element{bytes: whole, text: "comment: a heartbeat"}, true
	}
	return element{bytes: whole, text: p.eventText(p.pending[:whole])}, true
}

// eventText names an event by its first data field.
func (p *parser) eventText(event []byte) string {
	for line := range bytes.SplitSeq(event, []byte("\n")) {
		if data, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			return "event: " + p.describe(bytes.TrimSpace(data))
		}
	}
	return "event"
}

// frame parses a WebSocket frame (RFC 6455, section 5.2).
func (p *parser) frame() (element, bool) {
	b := p.pending
	if len(b) < 2 {
		return element{}, false
	}
	opcode, masked, size, header := b[0]&0x0f, b[1]&0x80 != 0, uint64(b[1]&0x7f), 2
	switch {
	case size == 126 && len(b) >= 4:
		size, header = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case size == 127 && len(b) >= 10:
		size, header = binary.BigEndian.Uint64(b[2:]), 10
	case size >= 126:
		return element{}, false
	}
	var mask [4]byte
	if masked {
		header += 4
		if len(b) < header {
			return element{}, false
		}
		copy(mask[:], b[header-4:])
	}
	if uint64(len(b)-header) < size {
		return element{}, false
	}
	payload := bytes.Clone(b[header : header+int(size)])
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	text := map[byte]string{0x8: "close", 0x9: "ping: a heartbeat", 0xa: "pong"}[opcode]
	if text == "" {
		text = "frame: " + p.describe(payload)
	}
	return element{bytes: header + int(size), frames: 1, text: fmt.Sprintf("%s (frame header %d B)", text, header)}, true
}

// describe names the content of a body, an event, a line or a frame: see servers/PROTOCOL.md.
func describe(data []byte) string {
	var content struct {
		Messages []struct{}        `json:"messages"`
		Cursor   *string           `json:"cursor"`
		Heads    map[string]uint64 `json:"heads"`
		Gap      []struct{}        `json:"gap"`
		Ack      *uint64           `json:"ack"`
		Seq      *uint64           `json:"seq"`
		ID       *uint64           `json:"id"`
		Error    *string           `json:"error"`
	}
	if json.Unmarshal(data, &content) != nil {
		return ""
	}
	switch {
	case content.Error != nil:
		return "an error"
	case content.Heads != nil:
		return "subscribed"
	case len(content.Gap) > 0:
		return "batch of " + count(len(content.Messages), "message") + " and a declared gap"
	case content.Cursor != nil:
		return "batch of " + count(len(content.Messages), "message")
	case content.Ack != nil || content.Seq != nil && content.ID == nil:
		return "acknowledged"
	case content.ID != nil:
		return "publication"
	default:
		return ""
	}
}

// shownBytes is how much of a record a trace shows.
const shownBytes = 32

// beginning is the beginning of a record, with a dot for each byte that is not printable ASCII.
func beginning(record []byte) string {
	text := bytes.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '·'
		}
		return r
	}, record[:min(len(record), shownBytes)])
	if len(record) > shownBytes {
		return string(text) + "…"
	}
	return string(text)
}
