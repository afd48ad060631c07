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

// A rule says what one field may hold. It is asked twice: by the reader, to
// read a node into its target, and by the schema, to describe the same to an editor.
type rule interface {
	// read sets the target, or says with an *Error why it cannot.
	read(d *document, path string, n ast.Node) error
	// schema describes the rule; its default is what the target holds.
	schema() *jsonschema.Schema
}

// A presence says whether a field may be left out.
type presence int

const (
	required  presence = iota // must be written
	defaulted                 // keeps what defaults() set
	optional                  // stays empty
)

// A field is a named part of an object.
type field struct {
	name     string
	presence presence
	rule     rule
}

// An object is a mapping of known fields, in the order in which they are written.
type object []field

func (o object) read(d *document, path string, n ast.Node) error {
	mapping, ok := n.(*ast.MappingNode)
	if !ok {
		return d.refuse(path, n, "a mapping of "+o.names(), "")
	}
	d.at[path] = position(n)
	for _, pair := range mapping.Values {
		if err := o.readPair(d, path, pair); err != nil {
			return err
		}
	}
	return o.complete(d, path)
}

func (o object) readPair(d *document, path string, pair *ast.MappingValueNode) error {
	key := pair.Key.GetToken()
	i := slices.IndexFunc(o, func(f field) bool { return f.name == key.Value })
	here := join(path, bare(key.Value))
	if i < 0 {
		e := d.atToken(key, "", "is not a field; allowed: "+o.names())
		e.Field, e.Hint = here, didYouMean(key.Value, o.list())
		return e
	}
	if first, twice := d.at[here]; twice {
		e := d.atToken(key, "", fmt.Sprintf("is given twice, first in line %d; allowed: once", first.Line))
		e.Field = here
		return e
	}
	d.at[here] = key.Position
	if err := o[i].rule.read(d, here, pair.Value); err != nil {
		return err
	}
	d.at[here] = position(pair.Value)
	d.written[here], _ = scalarText(pair.Value)
	return nil
}

// complete refuses an object in which a required field is missing.
func (o object) complete(d *document, path string) error {
	for _, f := range o {
		here := join(path, f.name)
		if _, given := d.at[here]; f.presence != required || given {
			continue
		}
		e := d.conflict(path, "", "is missing")
		e.Field = here
		if s, ok := f.rule.(interface{ allows() string }); ok {
			e.Message += "; allowed: " + s.allows()
		}
		return e
	}
	return nil
}

func (o object) list() []string {
	names := make([]string, len(o))
	for i, f := range o {
		names[i] = f.name
	}
	return names
}

func (o object) names() string { return strings.Join(o.list(), ", ") }

func (o object) allows() string { return "a mapping of " + o.names() }

func (o object) schema() *jsonschema.Schema {
	s := &jsonschema.Schema{
		Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema,
	}
	for _, f := range o {
		property := f.rule.schema()
		if f.presence != defaulted {
			property.Default = nil
		}
		if f.presence == required {
			s.Required = append(s.Required, f.name)
		}
		s.Properties.Set(f.name, property)
	}
	return s
}

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

// A list is a sequence of distinct items that each keep the same rule.
type list[T any] struct {
	target   *[]T
	item     func(*T) rule
	distinct func(T) string // items with the same string are refused
	most     int            // at least one item, at most this many
	allowed  string
	initial  func([]T) any
}

func (l list[T]) read(d *document, path string, n ast.Node) error {
	sequence, ok := n.(*ast.SequenceNode)
	if !ok || len(sequence.Values) == 0 || len(sequence.Values) > l.most {
		return d.refuse(path, n, l.allowed, "")
	}
	items := make([]T, len(sequence.Values))
	seen := map[string]bool{}
	for i, node := range sequence.Values {
		here := fmt.Sprintf("%s[%d]", path, i)
		if err := l.item(&items[i]).read(d, here, node); err != nil {
			return err
		}
		key := l.distinct(items[i])
		if seen[key] {
			return d.refuse(here, node, "each once, but "+bare(key)+" was there before", "")
		}
		seen[key] = true
	}
	*l.target = items
	return nil
}

func (l list[T]) allows() string { return l.allowed }

func (l list[T]) schema() *jsonschema.Schema {
	item := l.item(new(T)).schema()
	item.Default = nil
	least, most := uint64(1), uint64(l.most)
	return &jsonschema.Schema{
		Type: "array", Items: item, MinItems: &least, MaxItems: &most, UniqueItems: true,
		Default: l.initial(*l.target),
	}
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

// refuse is the error of a node that its field does not allow.
func (d *document) refuse(path string, n ast.Node, allowed, hint string) *Error {
	p := position(n)
	e := &Error{File: d.file, Line: p.Line, Column: p.Column, Field: path, Hint: hint}
	switch text, ok := scalarText(n); {
	case ok:
		e.Value, e.Message = quote(text), "is not allowed"
	case n.Type() == ast.NullType:
		e.Message = "has no value"
	case n.Type() == ast.SequenceType:
		e.Message = "this list is not allowed"
	default:
		e.Message = "this mapping is not allowed"
	}
	e.Message += "; allowed: " + allowed
	return e
}

// position is where a node begins. The library places a mapping at its first
// colon, where nobody would look for it.
func position(n ast.Node) *token.Position {
	mapping, ok := n.(*ast.MappingNode)
	if ok && len(mapping.Values) > 0 {
		return mapping.Values[0].Key.GetToken().Position
	}
	return n.GetToken().Position
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
