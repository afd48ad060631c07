package scenarios

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// A Template is text with placeholders: {topic} stands for a value. A brace that does not enclose a
// name is text, so that JSON needs no escapes.
type Template string

// placeholders finds {name} and {env:NAME}.
var placeholders = regexp.MustCompile(`\{(env:[A-Za-z_][A-Za-z0-9_]{0,63}|[a-z][a-z0-9_]{0,31})\}`)

// A Piece is literal text, or the name of a placeholder.
type Piece struct{ Text, Name string }

// Pieces splits a template. Every piece has either a text or a name.
func (t Template) Pieces() (all []Piece) {
	text, from := string(t), 0
	for _, at := range placeholders.FindAllStringSubmatchIndex(text, -1) {
		if at[0] > from {
			all = append(all, Piece{Text: text[from:at[0]]})
		}
		all, from = append(all, Piece{Name: text[at[2]:at[3]]}), at[1]
	}
	if from < len(text) {
		all = append(all, Piece{Text: text[from:]})
	}
	return all
}

// Names lists the placeholders of a template, each once.
func (t Template) Names() (names []string) {
	for _, p := range t.Pieces() {
		if p.Name != "" && !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names
}

// Has reports whether a template has a placeholder.
func (t Template) Has(name string) bool { return slices.Contains(t.Names(), name) }

// unknownName returns the first placeholder of a template that has no value there.
func (t Template) unknownName(known []string) (string, bool) {
	for _, name := range t.Names() {
		if !slices.Contains(known, name) && !strings.HasPrefix(name, "env:") {
			return name, true
		}
	}
	return "", false
}

// longest is the most bytes of a template or an expression.
const longest = 16 << 10

func asTemplate(text string) error {
	if len(text) > longest {
		return fmt.Errorf("has %d bytes; allowed: at most %d", len(text), longest)
	}
	return nil
}

// An Expression is a regular expression in the syntax of Go's package regexp (RE2), which matches in
// linear time. Its named groups are values for the templates that follow.
type Expression string

// Groups lists the named groups of an expression.
func (e Expression) Groups() (names []string) {
	compiled, err := regexp.Compile(string(e))
	if err != nil {
		return nil
	}
	for _, name := range compiled.SubexpNames() {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// ownNames are placeholders of a client that no server may set: else it would choose the client's topics,
// or its login.
var ownNames = []string{"topic", "topics", "client", "login", "topic_u16", "rest"}

// asExpression checks an expression.
func asExpression(text string) error {
	if len(text) > longest {
		return asTemplate(text)
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return fmt.Errorf("is not a regular expression: %s; allowed: the syntax of RE2, such as '^43\\[' or '\"sid\":\"(?P<sid>[^\"]+)\"'", reason(err))
	}
	if n := states(parsed); n > maxStates {
		return fmt.Errorf("has %d states; allowed: at most %d, so use smaller repetitions", n, maxStates)
	}
	for _, name := range parsed.CapNames() {
		if slices.Contains(ownNames, name) {
			return fmt.Errorf("has a group with the name %q, whose value pushbench gives; allowed: any name but %s", name, strings.Join(ownNames, ", "))
		}
		if name != "" && !placeholders.MatchString("{"+name+"}") {
			return fmt.Errorf("has a group with the name %q; allowed: 1 to 32 of a-z, 0-9 and _, starting with a letter", name)
		}
	}
	return nil
}

// reason is what package regexp finds wrong, and the beginning of where.
func reason(err error) string {
	var e *syntax.Error
	if !errors.As(err, &e) {
		return oneLine(err.Error())
	}
	where := []rune(e.Expr)
	if len(where) > quoteLimit {
		where = append(where[:quoteLimit-1], '…')
	}
	return oneLine(fmt.Sprintf("%s: `%s`", e.Code, string(where)))
}

// maxStates is the most states of a compiled expression: a state is 40 bytes, and each byte of a record may visit all.
const maxStates = 20_000

// states is about how many states an expression is compiled to: repetitions are written out.
func states(e *syntax.Regexp) int {
	if e.Op == syntax.OpRepeat {
		return states(e.Sub[0]) * max(1, e.Min, e.Max)
	}
	n := max(1, len(e.Rune))
	for _, sub := range e.Sub {
		n += states(sub)
	}
	return n
}

// headerLine is a header field: a name (a token, RFC 9110, section 5.6.2) and a value in visible ASCII.
var headerLine = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$")

// A HeaderField is a line of a request's header, such as "Authorization: Bearer {env:TOKEN}".
type HeaderField string

// Name is the field's name, and Value its value.
func (h HeaderField) Name() string { name, _, _ := strings.Cut(string(h), ": "); return name }

// Value is the field's value.
func (h HeaderField) Value() Template {
	_, value, _ := strings.Cut(string(h), ": ")
	return Template(value)
}

// ownFields are the fields that pushbench writes itself.
var ownFields = []string{"host", "connection", "upgrade", "content-length", "transfer-encoding", "sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol", "sec-websocket-extensions", "expect", "te", "trailer"}

func asHeaderField(text string) error {
	switch {
	case !headerLine.MatchString(text):
		return errors.New(`is not a header field; allowed: a name, a colon, a space and a value in visible ASCII, such as "Accept: text/event-stream"`)
	case slices.Contains(ownFields, strings.ToLower(HeaderField(text).Name())):
		return fmt.Errorf("is a field that pushbench writes itself; allowed: any field but %s", strings.Join(ownFields, ", "))
	}
	return nil
}
