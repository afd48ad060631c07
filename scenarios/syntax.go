package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits on the cost of a hostile file. They are far above any scenario: the longest one that ships
// has about 150 tokens and nests 4 levels deep.
const (
	maxBytes  = 1 << 20
	maxText   = 64 << 10 // bytes besides comment lines; a token takes some 300 bytes of memory
	maxTokens = 10_000
	maxDepth  = 64
)

// A document is a YAML file that is read into a Scenario or into Prices.
type document struct {
	file    string
	root    ast.Node
	renamed []rename // in the order of the file
}

// newDocument reads r to its end, at most maxBytes, and parses the text.
func newDocument(file string, r io.Reader) (*document, error) {
	d := &document{file: file}
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, unreadable(file, err)
	}
	if len(data) > maxBytes {
		return nil, d.wholeFile("is larger than 1 MiB, the limit for a file")
	}
	text, err := d.clean(data)
	if err != nil {
		return nil, err
	}
	if substance(text) > maxText {
		return nil, d.wholeFile("is larger than 64 KiB without comments, the limit for a file")
	}
	tokens := lexer.Tokenize(text)
	if err := d.admit(tokens); err != nil {
		return nil, err
	}
	if err := d.parse(tokens); err != nil {
		if at := oddSeparator.FindStringIndex(text); at != nil {
			return nil, d.oddSpace([]byte(text), at[1], "is a space that YAML does not read as the end of a key")
		}
		return nil, err
	}
	return d, nil
}

// wholeFile returns an error without a position.
func (d *document) wholeFile(message string) *Error {
	return &Error{File: d.file, Message: message}
}

// trailing is the white space before a line end. It has no meaning, but the YAML library counts the
// column of a value from its end.
var trailing = regexp.MustCompile(`(?m)[ \t]+$`)

// clean removes a byte order mark, the CR of CRLF and trailing white space. It rejects text that an
// editor would hide from the reader: control characters and reversed text.
func (d *document) clean(data []byte) (string, error) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	line, column := 1, 0
	for rest := data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		column++
		if r == utf8.RuneError && size == 1 {
			return "", d.character(line, column, string(rest[:1]), "is not UTF-8")
		}
		if hidden(r) && r != '\n' && r != '\t' {
			return "", d.character(line, column, string(r), "is an invisible character")
		}
		if r == '\n' {
			line, column = line+1, 0
		}
		rest = rest[size:]
	}
	if at := oddIndentation.FindIndex(data); at != nil {
		return "", d.oddSpace(data, at[1], "is a space that YAML does not read as indentation")
	}
	return string(trailing.ReplaceAll(data, nil)), nil
}

// Spaces other than U+0020, such as no-break spaces, are text in YAML. They look like indentation, or
// like the space behind a key.
var (
	oddIndentation = regexp.MustCompile(`(?m)^ *[\x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]`)
	oddSeparator   = regexp.MustCompile(`(?m)^ *(?:- )*[a-z_]+:[\x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]`)
)

// oddSpace returns the error about the space that ends at an offset.
func (d *document) oddSpace(data []byte, end int, message string) *Error {
	before := data[:end]
	r, size := utf8.DecodeLastRune(before)
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return &Error{
		File: d.file, Line: 1 + bytes.Count(before, []byte("\n")), Column: utf8.RuneCount(line[:len(line)-size]) + 1,
		Value: quote(string(r)), Message: message + "; allowed: plain spaces (U+0020)",
	}
}

func (d *document) character(line, column int, value, message string) *Error {
	return &Error{
		File: d.file, Line: line, Column: column, Value: quote(value),
		Message: message + "; allowed: visible UTF-8 text, spaces, tabs and line ends",
	}
}

// hidden reports whether a character is not text, but changes the text around it: C0 and C1 controls,
// line separators, and the bidirectional overrides that show a name backwards (CVE-2021-42574).
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) || r == '\uFEFF'
}

// substance counts the bytes of the lines that are not comments.
func substance(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimLeft(line, " "), "#") {
			n += len(line)
		}
	}
	return n
}

// forbidden lists the parts of YAML that obscure the meaning of a file.
var forbidden = map[token.Type]string{
	token.AnchorType:      "is an anchor; allowed: the value itself, repeated in each place",
	token.AliasType:       "is an alias; allowed: the value itself, repeated in each place",
	token.MergeKeyType:    "is a merge key; allowed: the fields themselves",
	token.TagType:         "is a tag; allowed: the value without it",
	token.DirectiveType:   "is a directive; allowed: the fields without it",
	token.MappingKeyType:  "is a complex key; allowed: name: value",
	token.DocumentEndType: "ends the document; allowed: one document per file, without it",
}

// admit rejects the first token that is not allowed in a file, before the parser spends time on
// it.
func (d *document) admit(tokens token.Tokens) error {
	var n nesting
	started := false
	for i, t := range tokens {
		if message, ok := forbidden[t.Type]; ok {
			return d.atToken(t, "", t.Value, message)
		}
		if t.Type == token.DocumentHeaderType && started {
			return d.atToken(t, "", t.Value, "starts another document; allowed: one document per file")
		}
		if i == maxTokens {
			return d.atToken(t, "", t.Value, fmt.Sprintf("exceeds the limit; allowed: %d YAML tokens per file", maxTokens))
		}
		if n.add(t); n.depth() > maxDepth {
			return d.atToken(t, "", t.Value, fmt.Sprintf("is nested too deeply; allowed: %d levels", maxDepth))
		}
		started = started || t.Type != token.CommentType
	}
	return nil
}

// nesting measures depth from tokens alone: the open brackets and, outside of brackets, the columns
// at which enclosing nodes began.
type nesting struct {
	columns []int
	open    int
}

func (n *nesting) add(t *token.Token) {
	switch t.Type {
	case token.SequenceStartType, token.MappingStartType:
		n.open++
	case token.SequenceEndType, token.MappingEndType:
		n.open = max(0, n.open-1)
	}
	if n.open > 0 {
		return
	}
	for len(n.columns) > 0 && n.columns[len(n.columns)-1] >= t.Position.Column {
		n.columns = n.columns[:len(n.columns)-1]
	}
	n.columns = append(n.columns, t.Position.Column)
}

func (n *nesting) depth() int { return n.open + len(n.columns) }

// parse builds the tree. It accepts duplicate keys: check rejects them with its own message.
func (d *document) parse(tokens token.Tokens) (err error) {
	defer d.recoverInto(&err)
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return d.syntax(err)
	}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			d.root = doc.Body
			return nil
		}
	}
	return nil
}

// decode sets target, whose rule is r. Fields that are not in the file keep their values.
func (d *document) decode(r *Rule, target any) (err error) {
	if d.root == nil {
		return d.wholeFile("has no content; allowed: a YAML mapping that starts with " + r.Fields[0].Name + ":")
	}
	if _, err := d.check(r, "", d.root); err != nil {
		return err
	}
	defer d.recoverInto(&err)
	if err := yaml.NodeToValue(d.root, target, yaml.Strict(), yaml.CustomUnmarshaler(fromText)); err != nil {
		return d.syntax(err)
	}
	return nil
}

// recoverInto turns a panic into an error. The library has panicked on malformed input before.
func (d *document) recoverInto(err *error) {
	if p := recover(); p != nil {
		*err = d.wholeFile("is not valid YAML")
	}
}

// syntax converts an error of the YAML library into an Error.
func (d *document) syntax(err error) *Error {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return &Error{File: d.file, Message: "is not valid YAML: " + tame(err.Error()), cause: err}
	}
	e := d.atToken(at.GetToken(), "", "", "is not valid YAML: "+tame(at.GetMessage()))
	e.cause = err
	return e
}

// tame makes a message of the YAML library, which may quote any part of the file, safe to print in a
// sentence.
func tame(message string) string {
	line := []rune(oneLine(strings.ReplaceAll(message, "\t", `\t`)))
	if len(line) > 2*quoteLimit {
		line = append(line[:2*quoteLimit], '…')
	}
	return strings.Map(func(r rune) rune {
		if hidden(r) {
			return utf8.RuneError
		}
		return r
	}, string(line))
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// atToken returns an error at t about a field, a value, or another part of YAML.
func (d *document) atToken(t *token.Token, field, value, message string) *Error {
	e := &Error{File: d.file, Line: t.Position.Line, Column: t.Position.Column, Field: field, Message: message}
	if value != "" {
		e.Value = quote(strings.TrimSpace(value))
	}
	return e
}
