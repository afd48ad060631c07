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

// A head is the header of an answer, as it came.
type head struct {
	lines  []string // the status line first; without line ends
	sizes  []int    // of each, with its line end
	status int
}

// maxHead bounds a header, in bytes. A connection's reader holds as much.
const maxHead = 64 << 10

var errLongHead = fmt.Errorf("read the answer: its header is longer than %d bytes", maxHead)

var statusLine = regexp.MustCompile(`^HTTP/1\.[01] ([1-5][0-9][0-9])( |$)`)

// readHead reads up to the empty line.
func readHead(r *bufio.Reader) (h head, err error) {
	total := 0
	for {
		bytes, err := r.ReadSlice('\n')
		raw := string(bytes)
		total += len(raw)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return h, errLongHead
		case errors.Is(err, io.EOF) && total == 0:
			return h, errors.New("read the answer: the server closed the connection without one")
		case errors.Is(err, io.EOF):
			return h, errors.New("read the answer: the connection ended within the header")
		case err != nil:
			return h, fmt.Errorf("read the answer: %w", plain(err))
		case total > maxHead:
			return h, errLongHead
		}
		line := strings.TrimSuffix(strings.TrimSuffix(raw, "\n"), "\r")
		if line == "" && len(h.lines) > 0 {
			break
		}
		h.lines, h.sizes = append(h.lines, line), append(h.sizes, len(raw))
	}
	found := statusLine.FindStringSubmatch(h.lines[0])
	if found == nil {
		return h, fmt.Errorf("read the answer: %q is no status line of HTTP/1 (RFC 9112, section 4)", cutText(h.lines[0]))
	}
	h.status, err = strconv.Atoi(found[1])
	return h, err
}

// value is that of a header field, or several joined by commas (RFC 9110, section 5.3).
// Names are case-insensitive (section 5.1).
func (h head) value(name string) string {
	var all []string
	for _, l := range h.lines[min(1, len(h.lines)):] {
		if n, v, ok := strings.Cut(l, ":"); ok && strings.EqualFold(n, name) {
			all = append(all, strings.TrimSpace(v))
		}
	}
	return strings.Join(all, ", ")
}

// has says whether a comma-separated list holds a word.
func has(list, word string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(item), word) {
			return true
		}
	}
	return false
}

// cutText keeps what is quoted short.
func cutText(text string) string {
	const most = 80
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// explain makes lines of the header, by the rules of what was asked for.
func (h head) explain(rules []rule) (lines []Line) {
	seen := map[string]bool{}
	for i, text := range h.lines {
		l := Line{Text: text, Bytes: h.sizes[i]}
		name, value, isField := strings.Cut(text, ":")
		switch {
		case i == 0:
			l.apply(rules, "", text, h)
		case !isField || strings.TrimSpace(name) != name || name == "":
			l.Grade, l.Why = Wrong, "this is no header field: a name, a colon without space before it, a value (RFC 9112, section 5.1)"
		default:
			seen[strings.ToLower(name)] = true
			l.apply(rules, name, strings.TrimSpace(value), h)
		}
		lines = append(lines, l)
	}
	for _, r := range rules {
		if r.required == h.status && !seen[strings.ToLower(r.name)] {
			lines = append(lines, Line{Text: r.name + ": …", For: r.purpose, Grade: Missing, Why: "the answer has none"})
		}
	}
	return lines
}

// A rule says what a header field of an answer is for, and when it is right.
type rule struct {
	name     string // "" for the status line
	purpose  string
	required int   // by the status of the answer; 0: by none
	check    check // nil: there is nothing to be right or wrong
}

type check func(value string, h head) (Grade, string)

// judge is a verdict, and why where it is wrong.
func judge(right bool, why string) (Grade, string) {
	if right {
		return Right, ""
	}
	return Wrong, why
}

func (l *Line) apply(rules []rule, name, value string, h head) {
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
