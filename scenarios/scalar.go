package scenarios

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
	"github.com/invopop/jsonschema"
)

// A scalar is one word, number or sentence.
type scalar[T any] struct {
	target  *T
	allowed string                        // completes "allowed: "
	accepts func(ast.Node) bool           // how it may be written
	parse   func(text string) (T, bool)   // false where the text is not allowed
	hint    func(ast.Node, string) string // what was probably meant; may be nil
	limits  jsonschema.Schema             // what a schema can say of it
	initial func(T) any                   // a default as JSON
}

func (s scalar[T]) read(d *document, path string, n ast.Node) error {
	text, ok := scalarText(n)
	if !ok {
		return d.refuse(path, n, s.allowed, "")
	}
	value, ok := s.parse(text)
	if !ok || !s.accepts(n) {
		hint := ""
		if s.hint != nil {
			hint = s.hint(n, text)
		}
		return d.refuse(path, n, s.allowed, hint)
	}
	*s.target = value
	return nil
}

func (s scalar[T]) allows() string { return s.allowed }

func (s scalar[T]) schema() *jsonschema.Schema {
	described := s.limits
	described.Default = s.initial(*s.target)
	return &described
}

// whole is a plain decimal integer. YAML 1.1 read 010 as 8 and 1:30 as 90;
// here they are errors.
func whole(target *int, least, most int) rule {
	parse := func(text string) (int, bool) {
		n, err := strconv.Atoi(text)
		return n, err == nil && integerPattern.MatchString(text) && least <= n && n <= most
	}
	return scalar[int]{
		target: target, accepts: plain, parse: parse, hint: unquoted,
		allowed: span(least, most),
		limits: jsonschema.Schema{
			Type:    "integer",
			Minimum: number(float64(least)), Maximum: number(float64(most)),
		},
		initial: func(n int) any { return n },
	}
}

func span(least, most int) string {
	if least == most {
		return strconv.Itoa(least)
	}
	return fmt.Sprintf("a whole number, %d … %d", least, most)
}

// seed is any unsigned 64-bit integer.
func seed(target *uint64) rule {
	parse := func(text string) (uint64, bool) {
		n, err := strconv.ParseUint(text, 10, 64)
		return n, err == nil && integerPattern.MatchString(text)
	}
	return scalar[uint64]{
		target: target, accepts: plain, parse: parse, hint: unquoted,
		allowed: "a whole number, 0 … 18446744073709551615",
		limits: jsonschema.Schema{
			Type: "integer", Minimum: "0", Maximum: "18446744073709551615",
		},
		initial: func(n uint64) any { return n },
	}
}

// fraction is a finite decimal number.
func fraction(target *float64, least, most float64) rule {
	parse := func(text string) (float64, bool) {
		x, err := strconv.ParseFloat(text, 64)
		return x, err == nil && decimalPattern.MatchString(text) && least <= x && x <= most
	}
	return scalar[float64]{
		target: target, accepts: plain, parse: parse, hint: unquoted,
		allowed: fmt.Sprintf("a number, %s … %s", decimal(least), decimal(most)),
		limits:  jsonschema.Schema{Type: "number", Minimum: number(least), Maximum: number(most)},
		initial: func(x float64) any { return x },
	}
}

// truth is true or false, in no other spelling.
func truth(target *bool) rule {
	parse := func(text string) (bool, bool) { return text == "true", text == "true" || text == "false" }
	return scalar[bool]{
		target: target, accepts: plain, parse: parse, hint: spelledOut,
		allowed: "true, false",
		limits:  jsonschema.Schema{Type: "boolean"},
		initial: func(b bool) any { return b },
	}
}

// choice is one of a few words.
func choice[T ~string](target *T, words ...T) rule {
	names, values := make([]string, len(words)), make([]any, len(words))
	for i, w := range words {
		names[i], values[i] = string(w), string(w)
	}
	return scalar[T]{
		target: target, accepts: worded,
		parse:   func(text string) (T, bool) { return T(text), slices.Contains(names, text) },
		hint:    func(_ ast.Node, text string) string { return didYouMean(text, names) },
		allowed: strings.Join(names, ", "),
		limits:  jsonschema.Schema{Type: "string", Enum: values},
		initial: func(w T) any { return string(w) },
	}
}

// identifier is the name of a scenario: safe as a file name, in a URL and in HTML.
func identifier(target *string) rule {
	parse := func(text string) (string, bool) { return text, namePattern.MatchString(text) }
	return scalar[string]{
		target: target, accepts: worded, parse: parse, hint: quoted,
		allowed: "1 to 64 of a-z, 0-9, _ and -, starting with a letter or digit",
		limits:  jsonschema.Schema{Type: "string", Pattern: nameGrammar},
		initial: func(s string) any { return s },
	}
}

// prose is a few sentences on one line: line ends and other white space become
// single spaces, so that folding it in YAML does not change it.
func prose(target *string) rule {
	most := uint64(maxProse)
	parse := func(text string) (string, bool) {
		line := oneLine(text)
		return line, utf8.RuneCountInString(line) <= maxProse && !strings.ContainsFunc(line, hidden)
	}
	return scalar[string]{
		target: target, accepts: worded, parse: parse, hint: quoted,
		allowed: fmt.Sprintf("at most %d visible characters", maxProse),
		limits:  jsonschema.Schema{Type: "string", MaxLength: &most},
		initial: func(s string) any { return s },
	}
}

// duration, rate and size are the quantities with a unit.
func duration(target *Duration, least, most Duration) rule {
	return quantity(target, ParseDuration, least, most, durationGrammar, "a duration with its unit", "s")
}

func rate(target *Rate) rule {
	return quantity(target, ParseRate, minRate, maxRate, rateGrammar, "a rate with its unit (/s, /min, /h)", "/s")
}

func size(target *Size) rule {
	return quantity(target, ParseSize, MinPayload, MaxPayload, sizeGrammar, "a size with its unit (B, kB, KiB)", "B")
}

// head is the size of a head.
func head(target *Size, least, most Size) rule {
	return quantity(target, ParseSize, least, most, sizeGrammar, "a size with its unit (B, kB, KiB)", "B")
}

// share is one of packets.
func share(target *Percent) rule {
	return quantity(target, ParsePercent, 0, maxShare, percentGrammar, "a percentage", "%")
}

// line is what a line carries in a second.
func line(target *Size) rule {
	return quantity(target, ParseSize, minLine, maxLine, sizeGrammar, "bytes a second with their unit (B, kB, KiB, MB, MiB)", "B")
}

// quantity is a number with its unit, from least to most.
func quantity[T interface {
	~int64 | ~float64
	fmt.Stringer
}](target *T, parse func(string) (T, error), least, most T, grammar, what, unit string) rule {
	return scalar[T]{
		target: target, accepts: func(ast.Node) bool { return true },
		parse: func(text string) (T, bool) {
			value, err := parse(text)
			return value, err == nil && least <= value && value <= most
		},
		hint: func(_ ast.Node, text string) string {
			if _, err := parse(text + unit); err != nil {
				return ""
			}
			return fmt.Sprintf("it has no unit, did you mean `%s`?", text+unit)
		},
		allowed: fmt.Sprintf("%s, %s … %s", what, least, most),
		limits:  jsonschema.Schema{Type: "string", Pattern: grammar},
		initial: func(value T) any { return value.String() },
	}
}

// Grammars of plain scalars, and the limits of text.
const (
	nameGrammar = `^[a-z0-9][a-z0-9_-]{0,63}$`
	maxProse    = 500 // characters
)

var (
	namePattern    = regexp.MustCompile(nameGrammar)
	integerPattern = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	decimalPattern = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
)

// number writes a limit for the schema.
func number(x float64) json.Number { return json.Number(decimal(x)) }

// plain: a number or a truth value is written without quotes.
func plain(n ast.Node) bool {
	t := n.GetToken().Type
	return n.Type() != ast.LiteralType && t != token.SingleQuoteType && t != token.DoubleQuoteType
}

// worded: YAML itself reads it as text, not as a number, a truth value or null.
func worded(n ast.Node) bool { return n.Type() == ast.StringType || n.Type() == ast.LiteralType }

func unquoted(n ast.Node, _ string) string {
	if plain(n) {
		return ""
	}
	return "write it without quotes"
}

func quoted(n ast.Node, _ string) string {
	if worded(n) {
		return ""
	}
	return "YAML does not read it as text, write it in quotes"
}

func spelledOut(n ast.Node, text string) string {
	switch strings.ToLower(text) {
	case "on", "yes", "y", "1":
		return "did you mean `true`?"
	case "off", "no", "n", "0":
		return "did you mean `false`?"
	}
	return unquoted(n, text)
}

// scalarText is the text of a node that holds one value.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}
