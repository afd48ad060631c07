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

// opening are the lines that every request begins with.
func (t Target) opening() []Line {
	resource := t.URL.RequestURI()
	host := t.URL.Host
	return []Line{
		{Text: "GET " + resource + " HTTP/1.1", Bytes: len("GET  HTTP/1.1\r\n") + len(resource), For: "the method, the resource and the version (RFC 9112, section 3)"},
		field("Host", host, "which of the server's names is meant, as several can share an address (RFC 9110, section 7.2)"),
		field("User-Agent", "pushbench", "who asks (RFC 9110, section 10.1.5)"),
	}
}

func field(name, value, purpose string) Line {
	text := name + ": " + value
	return Line{Text: text, Bytes: len(text) + len("\r\n"), For: purpose}
}

// ask sends a plain request: a poll, or one that opens a stream.
func (e *Exchange) ask(c *conn) error {
	t := e.Target
	lines := t.opening()
	stream, isStream := streams[t.Kind]
	if isStream {
		lines = append(lines, field("Accept", stream.mediaType, stream.accepts))
	}
	if t.Origin != "" {
		lines = append(lines, field("Origin", t.Origin, "the page whose script asks (RFC 6454, section 7)"))
	}
	if err := e.send(c, lines); err != nil {
		return err
	}
	h, err := e.receive(c)
	if err != nil {
		return err
	}
	e.Answer = h.explain(t.plainRules())
	c.patience(t.wait())
	b := body{r: c.reader, length: h.value("Content-Length"), chunked: has(h.value("Transfer-Encoding"), "chunked")}
	if isStream && h.status == 200 {
		return e.firstPiece(c, &b, stream)
	}
	return e.wholeBody(c, h, &b)
}

// plainRules are of an answer to a poll or of a stream.
func (t Target) plainRules() []rule {
	framed := []rule{
		{"Content-Length", "where the body ends, so that the connection can carry the next answer (RFC 9112, section 6.2)", 0, func(value string, _ head) (Grade, string) {
			_, err := strconv.ParseUint(value, 10, 63)
			return judge(err == nil, "it is no number of bytes")
		}},
		{"Transfer-Encoding", "that the body comes in chunks, each with its size, as its length is not known beforehand (RFC 9112, section 7.1)", 0, nil},
		{"Connection", "whether the connection stays open for the next request; HTTP/1.1 keeps it unless told otherwise (RFC 9112, section 9.3)", 0, func(value string, _ head) (Grade, string) {
			if t.Kind == Poll && has(value, "close") {
				return Wrong, "every poll then costs a new connection: a round trip more, and two with TLS"
			}
			return Plain, ""
		}},
	}
	if stream, isStream := streams[t.Kind]; isStream {
		return append(framed,
			rule{"", stream.opens, 0, func(_ string, h head) (Grade, string) {
				return judge(h.status == 200, "no stream was opened")
			}},
			rule{"Content-Type", stream.typed, 200, func(value string, _ head) (Grade, string) {
				kind, _, _ := strings.Cut(value, ";")
				return judge(strings.EqualFold(strings.TrimSpace(kind), stream.mediaType), fmt.Sprintf("it must be %q", stream.mediaType))
			}},
			rule{"Cache-Control", "that nobody keeps the stream, nor transforms it (RFC 9111, section 5.2.2)", 0, nil})
	}
	return append(framed,
		rule{"", "200 brings messages, 204 says that there are none (RFC 9110, section 15.3)", 0, func(_ string, h head) (Grade, string) {
			return judge(h.status/100 == 2, "the poll was refused")
		}},
		rule{"Cache-Control", "that no cache answers the next poll in the server's place (RFC 9111, section 5.2.2.5)", 0, nil})
}

// A stream is what one kind of stream has of its own.
type stream struct {
	mediaType string
	piece     string // what it consists of

	accepts, opens, typed string // what the Accept, the status and the Content-Type are for
	ended                 string // why its end is wrong

	line     func(text string, bytes int) Line
	complete func(text string) bool // the line ends a first piece
}

var streams = map[Kind]stream{
	SSE: {
		mediaType: "text/event-stream", piece: "event",
		accepts: "that events are wanted, and nothing else (HTML Living Standard, section 9.2)",
		opens:   "200 opens the stream; 204 tells a browser never to come back (HTML Living Standard, section 9.2)",
		typed:   "that these are events; of any other type a browser fails the stream (HTML Living Standard, section 9.2)",
		ended:   "a browser would wait and connect again, for ever",
		line:    eventLine, complete: func(text string) bool { return text == "" },
	},
	Lines: {
		mediaType: "application/x-ndjson", piece: "line",
		accepts: "that newline-delimited JSON is wanted",
		opens:   "200 opens the stream; fetch gives any other status to the page (RFC 9110, section 15)",
		typed:   "that each line is a JSON text of its own, not the whole one (by convention; no standard has it)",
		ended:   "the page has to connect again",
		line:    jsonLine, complete: func(text string) bool { return text != "" },
	},
}

// A body reads what follows a header.
type body struct {
	r       *bufio.Reader
	length  string
	chunked bool
	left    int64 // of the chunk under way
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

// nextChunk reads a chunk's size; the one of no bytes ends the body.
func (b *body) nextChunk() error {
	line, err := b.r.ReadString('\n')
	if err != nil {
		return err
	}
	b.framing += len(line)
	digits, _, _ := strings.Cut(strings.TrimSpace(line), ";")
	if b.left, err = strconv.ParseInt(digits, 16, 64); err != nil || b.left < 0 {
		return fmt.Errorf("%q is no chunk's size (RFC 9112, section 7.1)", cutText(strings.TrimSpace(line)))
	}
	if b.left == 0 {
		b.ended = true
		return io.EOF
	}
	return nil
}

// firstPiece reads a stream to the end of its first event or line.
func (e *Exchange) firstPiece(c *conn, b *body, s stream) error {
	lines := bufio.NewReader(b)
	for {
		text, err := lines.ReadString('\n')
		switch {
		case err != nil && nothingYet(err):
			e.After = append(e.After, Line{Text: "(no " + s.piece + " yet)", For: "the stream is open, and nothing was published while this waited"})
			return nil
		case err != nil && errors.Is(err, io.EOF):
			e.After = append(e.After, Line{Text: "(end of the stream)", Grade: Wrong, Why: s.ended})
			return nil
		case err != nil:
			return fmt.Errorf("read the stream: %w", err)
		}
		if len(e.After) == 0 {
			e.reach(c, "first "+s.piece)
		}
		line := strings.TrimRight(text, "\r\n")
		e.After = append(e.After, s.line(line, len(text)))
		if s.complete(line) {
			if b.framing > 0 {
				e.After = append(e.After, Line{Text: "(sizes of chunks)", Bytes: b.framing, For: "what the chunked coding adds (RFC 9112, section 7.1)"})
			}
			return nil
		}
	}
}

// eventFields are what the fields of a stream are for; a line without a name is a comment.
var eventFields = map[string]string{
	"":      "a comment: keeps proxies and NATs from forgetting a quiet stream",
	"data":  "the message, or a line of it",
	"id":    "comes back as Last-Event-ID when the browser connects again: where to go on",
	"event": "which listener of the page is meant",
	"retry": "how many ms to wait before connecting again",
}

// eventLine explains a line of a stream (HTML Living Standard, section 9.2.5).
func eventLine(text string, bytes int) Line {
	if text == "" {
		return Line{Text: "(empty line)", Bytes: bytes, For: "the event is complete"}
	}
	name, _, _ := strings.Cut(text, ":")
	l := Line{Text: cutText(text), Bytes: bytes, For: eventFields[name]}
	if l.For == "" {
		l.Grade, l.Why = Wrong, "no such field: browsers pass over it"
	}
	return l
}

// jsonLine explains a line of newline-delimited JSON.
func jsonLine(text string, bytes int) Line {
	l := Line{Text: cutText(text), Bytes: bytes}
	switch {
	case text == "":
		l.Text, l.For = "(empty line)", "a heartbeat: keeps proxies and NATs from forgetting a quiet stream"
	case json.Valid([]byte(text)):
		l.For = "one JSON text: a message, or a batch of them"
	default:
		l.Grade, l.Why = Wrong, "it is no JSON text: a page that reads line by line fails"
	}
	return l
}

// wholeBody reads the answer to its end, as far as that is told.
func (e *Exchange) wholeBody(c *conn, h head, b *body) error {
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
		e.After = append(e.After, Line{Text: "(a body that only the connection's end ends)", Grade: Wrong, Why: "neither Content-Length nor chunks: the connection cannot be used again"})
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the body: %w", plain(err))
	}
	e.reach(c, "answer complete")
	if len(content) > 0 {
		e.After = append(e.After, Line{Text: cutText(string(content)), Bytes: len(content) + b.framing, For: "the body"})
	}
	return nil
}
