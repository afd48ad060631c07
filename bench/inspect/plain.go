package inspect

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// opening returns the first lines of every request.
func (t Target) opening() []Line {
	resource := t.URL.RequestURI()
	host := t.URL.Host
	return []Line{
		{Text: "GET " + resource + " HTTP/1.1", Bytes: len("GET  HTTP/1.1\r\n") + len(resource), For: "method, resource and version (RFC 9112, section 3)"},
		field("Host", host, "name of the server, because several names can share one address (RFC 9110, section 7.2)"),
		field("User-Agent", "pushbench", "software of the client (RFC 9110, section 10.1.5)"),
	}
}

func field(name, value, purpose string) Line {
	text := name + ": " + value
	return Line{Text: text, Bytes: len(text) + len("\r\n"), For: purpose}
}

// plainRequest sends a request without an upgrade: a poll, or one that opens a stream.
func (e *Exchange) plainRequest(c *conn) error {
	t := e.Target
	lines := t.opening()
	stream, isStream := streams[t.Kind]
	if isStream {
		lines = append(lines, field("Accept", stream.mediaType, stream.accepts))
	}
	if t.Origin != "" {
		lines = append(lines, field("Origin", t.Origin, "origin of the page whose script makes the request (RFC 6454, section 7)"))
	}
	if err := e.send(c, lines); err != nil {
		return err
	}
	h, err := e.receive(c)
	if err != nil {
		return err
	}
	e.Response = h.explain(t.plainRules())
	c.extendDeadline(t.wait())
	b := body{r: c.reader, length: h.value("Content-Length"), chunked: has(h.value("Transfer-Encoding"), "chunked")}
	if isStream && h.status == 200 {
		return e.firstUnit(c, &b, stream)
	}
	return e.wholeBody(c, h, &b)
}

// plainRules returns the rules for the response to a poll or for a stream.
func (t Target) plainRules() []rule {
	framed := []rule{
		{"Content-Length", "length of the body, so that the connection can carry the next response (RFC 9112, section 6.2)", 0, func(value string, _ header) (Grade, string) {
			_, err := strconv.ParseUint(value, 10, 63)
			return judge(err == nil, "not a number of bytes")
		}},
		{"Transfer-Encoding", "sends the body in chunks with their sizes, because its length is not known in advance (RFC 9112, section 7.1)", 0, nil},
		{"Connection", "whether the connection stays open for the next request; in HTTP/1.1 it does by default (RFC 9112, section 9.3)", 0, func(value string, _ header) (Grade, string) {
			if t.Kind == Poll && has(value, "close") {
				return Wrong, "every poll requires a new connection: one more round trip, two more with TLS"
			}
			return Plain, ""
		}},
	}
	if stream, isStream := streams[t.Kind]; isStream {
		return append(framed,
			rule{"", stream.opens, 0, func(_ string, h header) (Grade, string) {
				return judge(h.status == 200, "the server did not open a stream")
			}},
			rule{"Content-Type", stream.typed, 200, func(value string, _ header) (Grade, string) {
				kind, _, _ := strings.Cut(value, ";")
				return judge(strings.EqualFold(strings.TrimSpace(kind), stream.mediaType), fmt.Sprintf("must be %q", stream.mediaType))
			}},
			rule{"Cache-Control", "forbids caches to store or transform the stream (RFC 9111, section 5.2.2)", 0, nil})
	}
	return append(framed,
		rule{"", "200 carries messages, 204 means that there are none (RFC 9110, section 15.3)", 0, func(_ string, h header) (Grade, string) {
			return judge(h.status/100 == 2, "the poll was refused")
		}},
		rule{"Cache-Control", "forbids caches to respond to the next poll instead of the server (RFC 9111, section 5.2.2.5)", 0, nil})
}

// A stream describes one kind of stream.
type stream struct {
	mediaType string
	unit      string // name of its elements

	accepts, opens, typed string // purpose of the Accept field, the status and the Content-Type
	ended                 string // why the end of the stream is wrong

	line     func(text string, bytes int) Line
	complete func(text string) bool // whether the line ends the first element
}

var streams = map[Kind]stream{
	SSE: {
		mediaType: "text/event-stream", unit: "event",
		accepts: "requests events, and no other type (HTML Living Standard, section 9.2)",
		opens:   "200 opens the stream; 204 stops a browser from reconnecting (HTML Living Standard, section 9.2)",
		typed:   "marks events; with any other type a browser fails the stream (HTML Living Standard, section 9.2)",
		ended:   "a browser would reconnect after a delay, indefinitely",
		line:    eventLine, complete: func(text string) bool { return text == "" },
	},
	Lines: {
		mediaType: "application/x-ndjson", unit: "line",
		accepts: "requests newline-delimited JSON",
		opens:   "200 opens the stream; fetch passes any other status to the page (RFC 9110, section 15)",
		typed:   "marks each line as a separate JSON text (by convention; no standard defines it)",
		ended:   "the page has to reconnect",
		line:    jsonLine, complete: func(text string) bool { return text != "" },
	},
}

// A body reads the bytes after a header.
type body struct {
	r       *bufio.Reader
	length  string
	chunked bool
	left    int64 // bytes left in the current chunk
	framing int   // bytes of chunk sizes
	ended   bool
}

// Read reads the content, without chunk sizes.
func (b *body) Read(p []byte) (int, error) {
	if b.ended {
		return 0, io.EOF
	}
	if !b.chunked {
		return b.r.Read(p)
	}
	if b.left == 0 {
		if err := b.nextChunk(); err != nil {
			return 0, err
		}
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	if b.left -= int64(n); b.left == 0 && err == nil {
		_, err = b.r.Discard(len("\r\n"))
		b.framing += len("\r\n")
	}
	return n, err
}

// nextChunk reads the size of a chunk; a chunk of size 0 ends the body.
func (b *body) nextChunk() error {
	line, err := b.r.ReadString('\n')
	if err != nil {
		return err
	}
	b.framing += len(line)
	digits, _, _ := strings.Cut(strings.TrimSpace(line), ";")
	if b.left, err = strconv.ParseInt(digits, 16, 64); err != nil || b.left < 0 {
		return fmt.Errorf("%q is not a chunk size (RFC 9112, section 7.1)", cutText(strings.TrimSpace(line)))
	}
	if b.left == 0 {
		b.ended = true
		return io.EOF
	}
	return nil
}

// firstUnit reads a stream up to the end of its first event or line.
func (e *Exchange) firstUnit(c *conn, b *body, s stream) error {
	lines := bufio.NewReader(b)
	for {
		text, err := lines.ReadString('\n')
		switch {
		case err != nil && timedOut(err):
			e.After = append(e.After, Line{Text: "(no " + s.unit + " yet)", For: "the stream is open, but no message was published meanwhile"})
			return nil
		case err != nil && errors.Is(err, io.EOF):
			e.After = append(e.After, Line{Text: "(end of the stream)", Grade: Wrong, Why: s.ended})
			return nil
		case err != nil:
			return fmt.Errorf("read the stream: %w", err)
		}
		if len(e.After) == 0 {
			e.First = strings.TrimRight(text, "\r\n")
			e.reach(c, "first "+s.unit)
		}
		line := strings.TrimRight(text, "\r\n")
		e.After = append(e.After, s.line(line, len(text)))
		if s.complete(line) {
			if b.framing > 0 {
				e.After = append(e.After, Line{Text: "(chunk sizes)", Bytes: b.framing, For: "overhead of the chunked coding (RFC 9112, section 7.1)"})
			}
			return nil
		}
	}
}

// eventFields explains the fields of an event stream; a line without a name is a comment.
var eventFields = map[string]string{
	"":      "a comment: keeps proxies and NATs from closing an idle stream",
	"data":  "the message, or a line of it",
	"id":    "the browser sends it as Last-Event-ID when it reconnects: the position to resume from",
	"event": "name of the listener in the page",
	"retry": "delay before a reconnect, in ms",
}

// eventLine explains a line of a stream (HTML Living Standard, section 9.2.5).
func eventLine(text string, bytes int) Line {
	if text == "" {
		return Line{Text: "(empty line)", Bytes: bytes, For: "the event is complete"}
	}
	name, _, _ := strings.Cut(text, ":")
	l := Line{Text: cutText(text), Bytes: bytes, For: eventFields[name]}
	if l.For == "" {
		l.Grade, l.Why = Wrong, "unknown field: browsers ignore it"
	}
	return l
}

// jsonLine explains a line of newline-delimited JSON.
func jsonLine(text string, bytes int) Line {
	l := Line{Text: cutText(text), Bytes: bytes}
	switch {
	case text == "":
		l.Text, l.For = "(empty line)", "a heartbeat: keeps proxies and NATs from closing an idle stream"
	case json.Valid([]byte(text)):
		l.For = "one JSON text: a message, or a batch of them"
	default:
		l.Grade, l.Why = Wrong, "not a JSON text: a page that reads line by line fails"
	}
	return l
}

// wholeBody reads the response to its end if the header defines the end.
func (e *Exchange) wholeBody(c *conn, h header, b *body) error {
	var content []byte
	var err error
	switch {
	case h.status == 204 || h.status == 304:
	case b.chunked:
		content, err = io.ReadAll(io.LimitReader(b, maxFrame))
	case b.length != "":
		n, _ := strconv.ParseInt(b.length, 10, 63)
		content = make([]byte, min(max(0, n), maxFrame))
		_, err = io.ReadFull(b, content)
	default:
		e.After = append(e.After, Line{Text: "(a body that ends with the connection)", Grade: Wrong, Why: "neither Content-Length nor chunks: the connection cannot be reused"})
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the body: %w", plain(err))
	}
	e.reach(c, "response complete")
	if e.First = string(content); len(content) > 0 {
		e.After = append(e.After, Line{Text: cutText(string(content)), Bytes: len(content) + b.framing, For: "the body"})
	}
	return nil
}
