package scenarios

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// check rejects the first node that the rule does not allow, and returns the value of a scalar in
// its shortest form: 1024B and 1KiB are equal. It runs before the YAML library's decoder, which has
// no position for most mistakes, reports several unknown fields in random order, and accepts null,
// a quoted number, and 010.
func (d *document) check(r *Rule, path string, n ast.Node) (string, error) {
	switch {
	case r.Fields != nil:
		return d.checkMapping(r, path, n)
	case r.Item != nil:
		return "", d.checkList(r, path, n)
	default:
		return d.checkScalar(r, path, n)
	}
}

// checkMapping returns the value of the first field, by which the items of a list differ.
func (d *document) checkMapping(r *Rule, path string, n ast.Node) (first string, err error) {
	mapping, ok := n.(*ast.MappingNode)
	if !ok {
		return "", d.reject(path, n, r.allowed, "")
	}
	if len(mapping.Values) == 0 && r.Min != "" {
		return "", d.reject(path, n, r.allowed+", at least one of them", "")
	}
	lines, spelled := map[string]int{}, map[string]string{} // by field in the file
	for _, pair := range mapping.Values {
		key := pair.Key.GetToken()
		here := join(path, bare(key.Value))
		written := key.Value
		i := slices.Index(r.names(), key.Value)
		if i < 0 {
			i = slices.IndexFunc(r.Fields, func(f *Rule) bool { return f.Was != "" && f.Was == key.Value })
			if i >= 0 {
				d.modernKey(pair.Key, r.Fields[i])
			}
		}
		if i < 0 {
			e := d.atToken(key, here, "", "no such field; allowed: "+strings.Join(r.names(), ", "))
			e.Hint = didYouMean(key.Value, r.names())
			return "", e
		}
		if line, twice := lines[key.Value]; twice && spelled[key.Value] != written {
			return "", d.atToken(key, here, "", fmt.Sprintf("names the same field as %s in line %d; allowed: %s only", spelled[key.Value], line, key.Value))
		} else if twice {
			return "", d.atToken(key, here, "", fmt.Sprintf("is given twice, first in line %d; allowed: once", line))
		}
		spelled[key.Value] = written
		lines[key.Value] = key.Position.Line
		value, err := d.check(r.Fields[i], here, pair.Value)
		if err != nil {
			return "", err
		}
		if i == 0 {
			first = value
		}
	}
	for _, f := range r.Fields {
		if _, given := lines[f.Name]; f.Required && !given {
			return "", d.atToken(start(n), join(path, f.Name), "", "is missing; allowed: "+f.allowed)
		}
	}
	return first, nil
}

func (d *document) checkList(r *Rule, path string, n ast.Node) error {
	sequence, ok := n.(*ast.SequenceNode)
	if !ok || len(sequence.Values) == 0 || len(sequence.Values) > r.MaxItems {
		return d.reject(path, n, r.allowed, "")
	}
	seen := map[string]bool{}
	for i, item := range sequence.Values {
		here := fmt.Sprintf("%s[%d]", path, i)
		value, err := d.check(r.Item, here, item)
		if err != nil {
			return err
		}
		if seen[value] && !r.Repeats {
			return d.reject(here, item, "each once, but "+bare(value)+" is in the list already", "")
		}
		seen[value] = true
	}
	return nil
}

func (d *document) checkScalar(r *Rule, path string, n ast.Node) (string, error) {
	text := scalar(n)
	if text == nil {
		return "", d.reject(path, n, r.allowed, "")
	}
	content := *text
	if r.prose() {
		content = oneLine(content)
	}
	content = d.modern(r, n.GetToken(), content)
	value, err := r.parse(content)
	if err != nil || !r.allows(value) || !r.styled(n) {
		return "", d.reject(path, n, r.allowed, r.hint(n, *text))
	}
	if r.grammar != nil {
		if err := r.grammar(content); err != nil {
			e := d.reject(path, n, "", "")
			e.Message = err.Error()
			return "", e
		}
	}
	*text = content // read by the decoder
	return fmt.Sprint(value), nil
}

// styled reports whether a value is written so that people and other YAML readers agree on its type:
// a number or boolean without quotes, and a text that YAML reads as a text.
func (r *Rule) styled(n ast.Node) bool {
	literal, t := n.Type() == ast.LiteralType, n.GetToken().Type
	switch {
	case r.unit != "":
		return true
	case r.textual():
		return literal || n.Type() == ast.StringType
	}
	return !literal && t != token.SingleQuoteType && t != token.DoubleQuoteType
}

// booleans are spellings of true and false in YAML 1.1.
var booleans = map[string]string{"on": "true", "yes": "true", "y": "true", "1": "true", "off": "false", "no": "false", "n": "false", "0": "false"}

// accepts reports whether a text is an allowed value.
func (r *Rule) accepts(text string) bool {
	value, err := r.parse(text)
	return err == nil && r.allows(value)
}

// hint suggests the intended value, if there is an allowed one.
func (r *Rule) hint(n ast.Node, text string) string {
	_, complete := r.parse(text)
	_, withUnit := r.parse(text + r.unit)
	switch {
	case r.unit != "" && complete != nil && r.accepts(text+r.unit):
		return "the unit is missing, " + meant(text+r.unit)
	case r.unit != "" && complete != nil && withUnit == nil:
		return "the unit is missing"
	case r.unit != "":
		if other := respelled(r.Type, text); r.accepts(other) {
			return meant(other)
		}
		return ""
	case r.Type.Kind() == reflect.Bool && booleans[strings.ToLower(text)] != "":
		return meant(booleans[strings.ToLower(text)])
	case r.textual() && r.Words != nil:
		return didYouMean(text, r.Words)
	case r.styled(n) || r.grammar != nil:
		return ""
	case r.textual():
		return "YAML does not read it as text: write it in quotes"
	}
	return "write it without quotes"
}

// scalar returns the text of a node with one value; nil: the node has none or several.
func scalar(n ast.Node) *string {
	switch n := n.(type) {
	case *ast.StringNode:
		return &n.Value
	case *ast.LiteralNode:
		return &n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return &n.GetToken().Value
	}
	return nil
}

// reject returns the error about a node that its rule does not allow.
func (d *document) reject(path string, n ast.Node, allowed, hint string) *Error {
	value, message := "", "this mapping is not allowed"
	switch text := scalar(n); {
	case text != nil:
		value, message = quote(*text), "is not allowed"
	case n.Type() == ast.NullType:
		message = "has no value"
	case n.Type() == ast.SequenceType:
		message = "this list is not allowed"
	}
	p := start(n).Position
	return &Error{
		File: d.file, Line: p.Line, Column: p.Column, Field: path, Value: value,
		Message: message + "; allowed: " + allowed, Hint: hint,
	}
}

// conflict returns the error about fields that are each allowed by themselves.
func (d *document) conflict(c *conflict) *Error {
	n := d.nearest(c.field)
	value := c.value // if it is not in the file
	if written := scalar(n); written != nil {
		value = *written
	}
	return d.atToken(start(n), c.field, value, c.message)
}

// nearest returns the field of a path or, if it is not in the file, the innermost mapping around it.
func (d *document) nearest(path string) ast.Node {
	for ; path != ""; path = path[:max(0, strings.LastIndexByte(path, '.'))] {
		if n, err := must(yaml.PathString("$." + path)).FilterNode(d.root); err == nil && n != nil {
			return n
		}
	}
	return d.root
}

// start returns the first token of a node. The library reports the first colon as the position of a
// mapping, which no reader expects.
func start(n ast.Node) *token.Token {
	mapping, ok := n.(*ast.MappingNode)
	if ok && len(mapping.Values) > 0 {
		return mapping.Values[0].Key.GetToken()
	}
	return n.GetToken()
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
