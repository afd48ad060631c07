package inspect

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// A header is the header of a response as received.
type header struct {
	lines  []string // the status line first; without line ends
	sizes  []int    // of each, with its line end
	status int
}

// maxHeader limits a header, in bytes. The reader of a connection buffers as much.
const maxHeader = 64 << 10

var errLongHeader = fmt.Errorf("read the response: its header is longer than %d bytes", maxHeader)

var statusLine = regexp.MustCompile(`^HTTP/1\.[01] ([1-5][0-9][0-9])( |$)`)

// readHeader reads up to the empty line.
func readHeader(r *bufio.Reader) (h header, err error) {
	total := 0
	for {
		bytes, err := r.ReadSlice('\n')
		raw := string(bytes)
		total += len(raw)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return h, errLongHeader
		case errors.Is(err, io.EOF) && total == 0:
			return h, errors.New("read the response: the server closed the connection without a response")
		case errors.Is(err, io.EOF):
			return h, errors.New("read the response: the connection ended within the header")
		case err != nil:
			return h, fmt.Errorf("read the response: %w", plain(err))
		case total > maxHeader:
			return h, errLongHeader
		}
		line := strings.TrimSuffix(strings.TrimSuffix(raw, "\n"), "\r")
		if line == "" && len(h.lines) > 0 {
			break
		}
		h.lines, h.sizes = append(h.lines, line), append(h.sizes, len(raw))
	}
	found := statusLine.FindStringSubmatch(h.lines[0])
	if found == nil {
		return h, fmt.Errorf("read the response: %q is not a status line of HTTP/1 (RFC 9112, section 4)", cutText(h.lines[0]))
	}
	h.status, err = strconv.Atoi(found[1])
	return h, err
}

// value returns the value of a header field; several are joined by commas (RFC 9110,
// section 5.3). Names are case-insensitive (section 5.1).
func (h header) value(name string) string {
	var all []string
	for _, l := range h.lines[min(1, len(h.lines)):] {
		if n, v, ok := strings.Cut(l, ":"); ok && strings.EqualFold(n, name) {
			all = append(all, strings.TrimSpace(v))
		}
	}
	return strings.Join(all, ", ")
}

// has reports whether a comma-separated list contains a word.
func has(list, word string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(item), word) {
			return true
		}
	}
	return false
}

// cutText shortens quoted text.
func cutText(text string) string {
	const limit = 80
	if len(text) > limit {
		return text[:limit] + "…"
	}
	return text
}

// explain explains the lines of the header by the rules for the request.
func (h header) explain(rules []rule) (lines []Line) {
	seen := map[string]bool{}
	for i, text := range h.lines {
		l := Line{Text: text, Bytes: h.sizes[i]}
		name, value, isField := strings.Cut(text, ":")
		switch {
		case i == 0:
			l.apply(rules, "", text, h)
		case !isField || strings.TrimSpace(name) != name || name == "":
			l.Grade, l.Why = Wrong, "not a header field: expected a name, a colon without a space before it, and a value (RFC 9112, section 5.1)"
		default:
			seen[strings.ToLower(name)] = true
			l.apply(rules, name, strings.TrimSpace(value), h)
		}
		lines = append(lines, l)
	}
	for _, r := range rules {
		if r.required == h.status && !seen[strings.ToLower(r.name)] {
			lines = append(lines, Line{Text: r.name + ": …", For: r.purpose, Grade: Missing, Why: "missing in the response"})
		}
	}
	return lines
}

// A rule explains a header field of a response and checks its value.
type rule struct {
	name     string // "" for the status line
	purpose  string
	required int   // status of the responses that require the field; 0: none
	check    check // nil: every value is allowed
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
		if !strings.EqualFold(r.name, name) {
			continue
		}
		l.For = r.purpose
		if r.check != nil {
			l.Grade, l.Why = r.check(value, h)
		}
		return
	}
	l.For = common[strings.ToLower(name)]
}
