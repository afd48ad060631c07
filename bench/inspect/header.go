package inspect

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A header is the header of a response as received.
type header struct {
	lines   []string // the status line first; without line ends
	sizes   []int    // of each, with its line end
	bare    []bool   // of each: its line end is LF without CR; one more for the empty line
	byName  map[string][]string
	version string // of HTTP
	status  int
}

// maxHeader limits a header, in bytes. The reader of a connection buffers as much.
const maxHeader = 64 << 10

// A violation is an error of the server, with the clause that it violates.
type violation struct{ why string }

func (v violation) Error() string { return v.why }

func isViolation(err error) bool {
	var v violation
	return errors.As(err, &v)
}

// A limit ends an exchange without an error of the server.
type limit string

func (l limit) Error() string { return string(l) }

func isLimit(err error) bool {
	var l limit
	return errors.As(err, &l)
}

func violates(format string, args ...any) error { return violation{fmt.Sprintf(format, args...)} }

var (
	statusLine = regexp.MustCompile(`^HTTP/([0-9]\.[0-9]) ([0-9]{3})( |$)`)
	token      = regexp.MustCompile("^" + tokenSyntax + "$") // RFC 9110, section 5.6.2
)

// readHeader reads up to the empty line.
func readHeader(r *bufio.Reader) (h header, err error) {
	if h.lines, h.sizes, h.bare, err = readFields(r, false); err != nil {
		return h, err
	}
	found := statusLine.FindStringSubmatch(h.lines[0])
	if found == nil {
		return h, notHTTP(h.lines[0])
	}
	h.version, h.byName = found[1], index(h.lines)
	h.status, err = strconv.Atoi(found[2])
	return h, err
}

// readFields reads lines up to the empty line: those of a header, or those of a trailer, which may
// have none.
func readFields(r *bufio.Reader, trailer bool) (lines []string, sizes []int, bare []bool, err error) {
	for total := 0; ; {
		bytes, err := r.ReadSlice('\n')
		total += len(bytes)
		switch {
		case errors.Is(err, bufio.ErrBufferFull), total > maxHeader:
			return lines, sizes, bare, errLongHeader
		case errors.Is(err, io.EOF):
			if !trailer && len(lines) == 0 && !strings.HasPrefix(string(bytes), "HTTP/") {
				return lines, sizes, bare, notHTTP(string(bytes))
			}
			return lines, sizes, bare, violates("the connection ended within the header (RFC 9112, section 8)")
		case err != nil:
			if !trailer && len(lines) == 0 && !strings.HasPrefix(string(bytes), "HTTP/"[:min(5, len(bytes))]) {
				return lines, sizes, bare, notHTTP(string(bytes))
			}
			return lines, sizes, bare, err
		}
		if !trailer && len(lines) == 0 && !strings.HasPrefix(string(bytes), "HTTP/") {
			return lines, sizes, bare, notHTTP(strings.TrimRight(string(bytes), "\r\n"))
		}
		text := strings.TrimSuffix(string(bytes), "\n")
		line := strings.TrimSuffix(text, "\r")
		if line == "" && (trailer || len(lines) > 0) {
			return lines, sizes, append(bare, line == text), nil
		}
		lines, sizes, bare = append(lines, line), append(sizes, len(bytes)), append(bare, line == text)
	}
}

// These are no violations: the standards set no limit.
var (
	errLongHeader = limit(fmt.Sprintf("the header is longer than %d bytes; the rest was not read", maxHeader))
	errLongLine   = limit(fmt.Sprintf("a line is longer than %d bytes; the rest was not read", maxLine))
)

// notHTTP names the protocol of a server whose first bytes are no status line.
func notHTTP(first string) error {
	switch {
	case len(first) >= 3 && first[0] == 0x15 && first[1] == 3:
		return violates("a TLS alert: this port expects TLS; use wss://, https://, sse+https:// or stream+https:// (RFC 8446, section 6)")
	case len(first) >= 9 && first[0] == 0 && first[3] == 4:
		return violates("an HTTP/2 SETTINGS frame: this port expects HTTP/2 with prior knowledge (RFC 9113, section 3.3)")
	}
	first, _, _ = strings.Cut(first, "\n")
	return violates("%q is not a status line of HTTP/1 (RFC 9112, section 4)", cutText(first))
}

// index returns the values of each line of the fields, by name in lower case (RFC 9110, section 5.1).
// Continuation lines belong to the field before (RFC 9112, section 5.2).
func index(lines []string) map[string][]string {
	all := map[string][]string{}
	name, value := "", ""
	add := func() {
		if name != "" {
			all[lower(name)] = append(all[lower(name)], trimOWS(value))
		}
	}
	for _, l := range lines[min(1, len(lines)):] {
		if folded(l) {
			value += " " + trimOWS(l)
			continue
		}
		add()
		name, value, _ = strings.Cut(l, ":")
	}
	add()
	return all
}

func folded(line string) bool { return line != "" && (line[0] == ' ' || line[0] == '\t') }

// trimOWS removes optional white space (RFC 9110, section 5.6.3).
func trimOWS(text string) string { return strings.Trim(text, " \t") }

// values returns the value of each line of a field.
func (h header) values(name string) []string { return h.byName[lower(name)] }

// value returns the value of a field; the lines of a name are one list (RFC 9110, section 5.3).
func (h header) value(name string) string { return strings.Join(h.values(name), ", ") }

// has reports whether a comma-separated list contains a word.
func has(list, word string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if equalFold(trimOWS(item), word) {
			return true
		}
	}
	return false
}

// hasEmpty reports whether a comma-separated list has an element without text.
func hasEmpty(list string) bool {
	items := strings.Split(quoted.ReplaceAllString(list, "x"), ",")
	return slices.ContainsFunc(items, func(item string) bool { return trimOWS(item) == "" })
}

// mediaType returns a media type without its parameters, in lower case.
func mediaType(value string) string {
	kind, _, _ := strings.Cut(value, ";")
	return lower(trimOWS(kind))
}

// lower returns a text with the letters of ASCII in lower case: protocols compare no others without
// their case, although U+212A, the sign of Kelvin, is a K in Unicode (RFC 9110, section 2.1).
func lower(text string) string {
	b := []byte(text)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

// equalFold compares without the case of the letters of ASCII.
func equalFold(a, b string) bool { return lower(a) == lower(b) }

// cutText shortens quoted text between two letters.
func cutText(text string) string {
	const limit = 80
	if len(text) <= limit {
		return text
	}
	at := limit
	for at > limit-utf8.UTFMax && !utf8.RuneStart(text[at]) {
		at--
	}
	for at > limit/2 { // a mark, a joiner, or what follows one belongs to the letter before
		next, _ := utf8.DecodeRuneInString(text[at:])
		last, size := utf8.DecodeLastRuneInString(text[:at])
		if !unicode.In(next, unicode.Mn, unicode.Me, unicode.Mc, unicode.Cf) && last != '\u200d' {
			break
		}
		at -= size
	}
	return text[:at] + "…"
}

// explain explains the lines of the header by the rules for the request.
func (h header) explain(rules []rule) (lines []Line) {
	seen := map[string]bool{}
	for i, text := range h.lines {
		l := Line{Text: text, Bytes: h.sizes[i]}
		name, _, isField := strings.Cut(text, ":")
		key := lower(name)
		switch {
		case i == 0:
			l.apply(rules, "", text, h)
			h.judgeStatusLine(&l)
		case folded(text):
			l.Grade, l.Why = Wrong, "a value must not continue on the next line (RFC 9112, section 5.2)"
		case !isField || !token.MatchString(name):
			l.Grade, l.Why = Wrong, "not a header field: expected a name, a colon without a space before it, and a value (RFC 9112, section 5.1)"
		case seen[key] && singletons[key] != "":
			l.Grade, l.Why = Wrong, "this field must appear only once ("+singletons[key]+")"
		case seen[key]:
			l.For = "another line of the same field: its lines are one list (RFC 9110, section 5.3)"
		case singletons[key] != "":
			l.apply(rules, name, h.values(name)[0], h)
		default:
			l.apply(rules, name, h.value(name), h)
		}
		seen[key] = true
		if at := strings.IndexFunc(text, forbiddenInValue); at >= 0 {
			l.Grade, l.Why = Wrong, fmt.Sprintf("the character U+%04X is not allowed (RFC 9110, section 5.5)", text[at])
		} else if h.bare[i] && l.Grade != Wrong {
			l.Grade, l.Why = Wrong, bareLF
		}
		lines = append(lines, l)
	}
	if h.bare[len(h.lines)] {
		lines = append(lines, Line{Text: emptyLine, Bytes: len("\n"), Grade: Wrong, Why: bareLF})
	}
	return append(lines, h.missing(rules, seen)...)
}

const (
	emptyLine = "(empty line)"
	bareLF    = "the line ends in LF; it must end in CR LF (RFC 9112, section 2.2)"
)

// missing returns a line for each required field that is not there.
func (h header) missing(rules []rule, seen map[string]bool) (lines []Line) {
	for _, r := range slices.Concat(rules, obliged) {
		if r.name == "Content-Range" && mediaType(h.value("Content-Type")) == "multipart/byteranges" {
			continue // each part has its own
		}
		if r.required != 0 && r.required == h.status && !seen[lower(r.name)] {
			lines = append(lines, Line{Text: r.name + ": …", For: r.purpose, Grade: Missing, Why: "missing in the response"})
		}
	}
	if class := h.status / 100; 2 <= class && class <= 4 && !seen["date"] {
		lines = append(lines, Line{Text: "Date: …", For: common["date"].purpose, Grade: Contestable, Why: "required of a server with a clock (RFC 9110, section 6.6.1)"})
	}
	return lines
}

// judgeStatusLine checks the syntax of the status line.
func (h header) judgeStatusLine(l *Line) {
	switch {
	case h.status < 100 || h.status > 599:
		l.Grade, l.Why = Wrong, "a status is from 100 to 599 (RFC 9110, section 15)"
	case h.version[0] == '1' && h.version > "1.1" && l.Grade != Wrong:
		l.Grade, l.Why = Contestable, "there is no such version; recipients read it as HTTP/1.1 (RFC 9110, section 2.5)"
	case h.version != "1.0" && h.version != "1.1":
		l.Grade, l.Why = Wrong, "the version must be HTTP/1.1 (RFC 9112, section 2.3)"
	case h.version == "1.0" && h.status < 200:
		l.Grade, l.Why = Wrong, "HTTP/1.0 has no status 1xx (RFC 9110, section 15.2)"
	case len(l.Text) == len("HTTP/1.1 200"):
		l.Grade, l.Why = Wrong, "a space is required after the status, even without a reason (RFC 9112, section 4)"
	}
}

// forbiddenInValue reports control characters other than the tab.
func forbiddenInValue(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// singletons are fields that a response has at most once, with the clause.
var singletons = map[string]string{
	"access-control-allow-credentials": "Fetch Standard, section 3.2",
	"access-control-allow-origin":      "Fetch Standard, section 3.2",
	"access-control-max-age":           "Fetch Standard, section 3.2",
	"age":                              "RFC 9111, section 5.1",
	"content-location":                 "RFC 9110, sections 5.3 and 8.7",
	"content-range":                    "RFC 9110, sections 5.3 and 14.4",
	"content-type":                     "RFC 9110, sections 5.3 and 8.3",
	"date":                             "RFC 9110, sections 5.3 and 6.6.1",
	"etag":                             "RFC 9110, sections 5.3 and 8.8.3",
	"expires":                          "RFC 9111, section 5.3",
	"last-modified":                    "RFC 9110, sections 5.3 and 8.8.2",
	"location":                         "RFC 9110, sections 5.3 and 10.2.2",
	"retry-after":                      "RFC 9110, sections 5.3 and 10.2.3",
	"sec-websocket-accept":             "RFC 6455, section 11.3.3",
	"sec-websocket-extensions":         "RFC 6455, section 11.3.2",
	"sec-websocket-protocol":           "RFC 6455, section 11.3.4",
	"server":                           "RFC 9110, sections 5.3 and 10.2.4",
	"strict-transport-security":        "RFC 6797, section 7.1",
}

// A rule explains a header field of a response and checks its value.
type rule struct {
	name     string // "" for the status line
	purpose  string
	required int   // status of the responses that require the field; 0: none
	check    check // nil: every value is allowed
}

// obliged are the fields that a status requires in every response.
var obliged = []rule{
	{"Content-Range", "the range that the body holds; required with 206 (RFC 9110, section 15.3.7.1)", 206, nil},
	{"WWW-Authenticate", "how to authenticate; required with 401 (RFC 9110, section 15.5.2)", 401, nil},
	{"Allow", "the methods that the resource supports; required with 405 (RFC 9110, section 15.5.6)", 405, nil},
	{"Proxy-Authenticate", "how to authenticate; required with 407 (RFC 9110, section 15.5.8)", 407, nil},
	{"Upgrade", "the protocols to switch to; required with 426 (RFC 9110, section 15.5.22)", 426, nil},
}

type check func(value string, h header) (Grade, string)

// judge returns a grade, and the reason if it is Wrong.
func judge(right bool, why string) (Grade, string) {
	if right {
		return Right, ""
	}
	return Wrong, why
}

func (l *Line) apply(rules []rule, name, value string, h header) {
	for _, r := range rules {
		if !equalFold(r.name, name) {
			continue
		}
		l.For = r.purpose
		if r.check != nil {
			l.Grade, l.Why = r.check(value, h)
		}
		return
	}
	known := common[lower(name)]
	if l.For = known.purpose; known.check != nil {
		l.Grade, l.Why = known.check(value, h)
	}
}
