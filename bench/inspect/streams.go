package inspect

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A stream describes one kind of stream.
type stream struct {
	mediaType string
	unit      string // name of its elements

	accepts, opens, typed string // purpose of the Accept field, the status and the Content-Type
	ended                 string // what follows from the end of the stream
	cr                    bool   // CR ends a line

	parser func() parser
}

// A parser explains the next line of a stream, whether it begins an element that is not complete, and whether it
// completes one.
type parser func(text string, bytes int) (l Line, begun, complete bool)

var streams = map[Kind]stream{
	SSE: {
		mediaType: "text/event-stream", unit: "event", cr: true,
		accepts: "requests events, and no other type (HTML Living Standard, section 9.2)",
		opens:   "200 opens the stream; 204 stops a browser from reconnecting (HTML Living Standard, section 9.2)",
		typed:   "marks events; with any other type a browser fails the stream (HTML Living Standard, section 9.2)",
		ended:   "allowed, but a browser reconnects after a delay, indefinitely (HTML Living Standard, section 9.2.3)",
		parser:  newEvents,
	},
	Lines: {
		mediaType: "application/x-ndjson", unit: "line",
		accepts: "requests newline-delimited JSON",
		opens:   "200 opens the stream; fetch passes any other status to the page (RFC 9110, section 15)",
		typed:   "marks each line as a separate JSON text (RFC 9110, section 8.3; the type is a convention)",
		ended:   "allowed, but the page has to reconnect (RFC 9112, section 8)",
		parser:  func() parser { return jsonLine },
	},
}

// checkType checks the media type of a stream.
func (s stream) checkType(kind Kind) check {
	return func(value string, h header) (Grade, string) {
		if h.status != 200 {
			return Plain, ""
		}
		charset, hasCharset := parameter(value, "charset")
		switch got := mediaType(value); {
		case kind == Lines && got != s.mediaType:
			return Contestable, fmt.Sprintf("expected %q; no standard defines the type (RFC 9110, section 8.3)", s.mediaType)
		case got != s.mediaType:
			return Wrong, fmt.Sprintf("must be %q (HTML Living Standard, section 9.2.3)", s.mediaType)
		case !typeName.MatchString(value):
			return checkMediaType(value, h)
		case kind == SSE && hasCharset && !equalFold(charset, "utf-8"):
			return Wrong, "events are always UTF-8 (HTML Living Standard, section 9.2.5)"
		}
		return Right, ""
	}
}

// parameter returns the value of a parameter of a media type, and whether it has one (RFC 9110, section 5.6.6).
func parameter(mediaType, name string) (string, bool) {
	for _, one := range typeValue.FindAllStringSubmatch(mediaType, -1) {
		if equalFold(one[1], name) {
			return unquote(one[2]), true
		}
	}
	return "", false
}

var escaped = regexp.MustCompile(`\\(.)`)

// unquote returns the text of a quoted string (RFC 9110, section 5.6.4), and any other text as it is.
func unquote(text string) string {
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return text
	}
	return escaped.ReplaceAllString(text[1:len(text)-1], "$1")
}

// readStream reads a stream until the wait is over.
func (e *Exchange) readStream(c *conn, h header, b *body, s stream) error {
	reader, known := decoded(b, h)
	if !known {
		e.After = append(e.After, Line{Text: "(a stream coded by " + cutText(coding(h)) + ")", For: "not decoded here, so not checked (RFC 9110, section 8.4)"})
		return nil
	}
	c.extendDeadline(e.Target.wait())
	lines := &lineReader{r: bufio.NewReaderSize(io.LimitReader(reader, maxContent), maxLine), cr: s.cr}
	err := e.units(c, lines, s)
	e.After = append(e.After, b.faults...)
	if b.framing > 0 {
		e.After = append(e.After, Line{Text: "(chunk sizes)", Bytes: b.framing, For: "overhead of the chunked coding (RFC 9112, section 7.1)"})
	}
	e.After = append(e.After, b.trailer...)
	return err
}

// units explains lines until the wait is over.
func (e *Exchange) units(c *conn, lines *lineReader, s stream) error {
	parse, any := s.parser(), false
	for {
		text, bytes, err := lines.next()
		e.content += bytes
		switch {
		case err != nil && timedOut(err) && text == "" && !any:
			e.After = append(e.After, Line{Text: "(no " + s.unit + " yet)", For: "the stream is open, but no message was published meanwhile"})
			return nil
		case err != nil && timedOut(err) && text == "":
			return nil
		case err != nil && timedOut(err):
			e.After = append(e.After, Line{Text: cutText(text), Bytes: bytes, For: "the start of a line that is not complete yet"})
			return nil
		case errors.Is(err, io.EOF) && e.content >= maxContent:
			return errTooMuch
		case errors.Is(err, io.EOF):
			_, begun, _ := parse(text, bytes)
			e.streamEnd(s, text, bytes, begun)
			return nil
		case err != nil:
			return err
		}
		if !e.reached("first " + s.unit) {
			e.First = text
			e.reach(c, "first "+s.unit)
		}
		line, _, complete := parse(text, bytes)
		if e.frames++; e.frames == maxFrames {
			return limit(fmt.Sprintf("more than %d lines; the rest was not read", maxFrames))
		}
		e.After = append(e.After, line)
		any = any || complete
	}
}

// streamEnd explains the end of a stream before its first element, perhaps within a line or an event.
func (e *Exchange) streamEnd(s stream, text string, bytes int, begun bool) {
	l := Line{Text: "(end of the stream)", Grade: Contestable, Why: s.ended}
	if text != "" {
		e.After = append(e.After, Line{Text: cutText(text), Bytes: bytes, For: "a line without its end"})
	}
	switch {
	case begun:
		l.Grade, l.Why = Wrong, "the last event is not complete: browsers discard it (HTML Living Standard, section 9.2.6)"
	case text != "":
		l.Why = "the last line has no end: a page that reads line by line may lose it; " + s.ended
	}
	e.After = append(e.After, l)
}

// maxLine limits a line of a stream, in bytes.
const maxLine = 64 << 10

// A lineReader reads lines that end in LF, CR LF or, if cr is true, CR.
type lineReader struct {
	r       *bufio.Reader
	cr      bool
	afterCR bool // an LF belongs to the line before
}

// next returns a line without its end, and its bytes. With an error it returns what was read.
func (l *lineReader) next() (text string, bytes int, err error) {
	var line []byte
	for {
		b, err := l.r.ReadByte()
		if err != nil {
			return string(line), bytes, err
		}
		if bytes++; bytes > maxLine {
			return "", bytes, errLongLine
		}
		skip := b == '\n' && l.afterCR
		l.afterCR = false
		switch {
		case skip:
		case b == '\n':
			return strings.TrimSuffix(string(line), "\r"), bytes, nil
		case b == '\r' && l.cr:
			l.afterCR = true
			return string(line), bytes, nil
		default:
			line = append(line, b)
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

// newEvents returns a parser of events (HTML Living Standard, sections 9.2.5 and 9.2.6).
func newEvents() parser {
	first, data := true, false
	return func(text string, bytes int) (Line, bool, bool) {
		bom := first && strings.HasPrefix(text, "\ufeff")
		if first = false; bom {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if text == "" {
			l := Line{Text: "(empty line)", Bytes: bytes, For: "no event: there is no data before it (HTML Living Standard, section 9.2.6)"}
			complete := data
			if data = false; complete {
				l.For = "the event is complete"
			}
			return l, complete, complete
		}
		name, value, _ := strings.Cut(text, ":")
		data = data || name == "data"
		l := Line{Text: cutText(text), Bytes: bytes, For: eventFields[name]}
		if bom {
			l.For += "; the byte order mark before it is removed"
		}
		l.Grade, l.Why = judgeEventField(text, name, strings.TrimPrefix(value, " "))
		return l, data, false
	}
}

// judgeEventField checks a line that is not empty.
func judgeEventField(text, name, value string) (Grade, string) {
	_, known := eventFields[name]
	switch {
	case !utf8.ValidString(text):
		return Wrong, "not UTF-8: browsers replace bytes (HTML Living Standard, section 9.2.5)"
	case !known:
		return Contestable, "unknown field: browsers ignore it (HTML Living Standard, section 9.2.6)"
	case name == "retry" && !digits.MatchString(value):
		return Wrong, "not a number of ms in digits: browsers ignore it (HTML Living Standard, section 9.2.6)"
	case name == "id" && strings.Contains(value, "\x00"):
		return Wrong, "contains U+0000: browsers ignore it (HTML Living Standard, section 9.2.6)"
	}
	return Plain, ""
}

// jsonLine explains a line of newline-delimited JSON.
func jsonLine(text string, bytes int) (l Line, begun, complete bool) {
	l = Line{Text: cutText(text), Bytes: bytes}
	switch {
	case text == "":
		l.Text, l.For = "(empty line)", "a heartbeat: keeps proxies and NATs from closing an idle stream"
	case !utf8.ValidString(text):
		l.Grade, l.Why = Wrong, "not UTF-8 (RFC 8259, section 8.1)"
	case json.Valid([]byte(text)):
		l.For = "one JSON text: a message, or a batch of them"
	default:
		l.Grade, l.Why = Wrong, "not a JSON text: a page that reads line by line fails (RFC 8259, section 2)"
	}
	return l, false, text != ""
}
