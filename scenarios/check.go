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

// check refuses the first node that the rule does not allow, and returns what a scalar means
// in its shortest form: 1024B and 1KiB mean the same. It comes before the YAML library's
// decoder, which has no position for most mistakes, reports several unknown fields in random
// order, and accepts null, a quoted number, and 010.
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

// checkMapping returns what the first field means, by which the items of a list differ.
func (d *document) checkMapping(r *Rule, path string, n ast.Node) (first string, err error) {
	mapping, ok := n.(*ast.MappingNode)
	if !ok {
		return "", d.refuse(path, n, r.allowed, "")
	}
	if len(mapping.Values) == 0 && r.Min != "" {
		return "", d.refuse(path, n, r.allowed+", at least one of them", "")
	}
	lines, spelled := map[string]int{}, map[string]string{} // of the fields that are written
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
			e := d.atToken(key, here, "", "is not a field; allowed: "+strings.Join(r.names(), ", "))
			e.Hint = didYouMean(key.Value, r.names())
			return "", e
		}
		if line, twice := lines[key.Value]; twice && spelled[key.Value] != written {
			return "", d.atToken(key, here, "", fmt.Sprintf("and %s are two names of one field, and %[1]s is in line %d; allowed: %s alone", spelled[key.Value], line, key.Value))
		} else if twice {
			return "", d.atToken(key, here, "", fmt.Sprintf("is given twice, first in line %d; allowed: once", line))
		}
		spelled[key.Value] = written
		lines[key.Value] = key.Position.Line
		means, err := d.check(r.Fields[i], here, pair.Value)
		if err != nil {
			return "", err
		}
		if i == 0 {
			first = means
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
		return d.refuse(path, n, r.allowed, "")
	}
	seen := map[string]bool{}
	for i, item := range sequence.Values {
		here := fmt.Sprintf("%s[%d]", path, i)
		means, err := d.check(r.Item, here, item)
		if err != nil {
			return err
		}
		if seen[means] {
			return d.refuse(here, item, "each once, but "+bare(means)+" was there before", "")
		}
		seen[means] = true
	}
	return nil
}

func (d *document) checkScalar(r *Rule, path string, n ast.Node) (string, error) {
	text := scalar(n)
	if text == nil {
		return "", d.refuse(path, n, r.allowed, "")
	}
	content := *text
	if r.prose() {
		content = oneLine(content)
	}
	content = d.modern(r, n.GetToken(), content)
	value, err := r.parse(content)
	if err != nil || !r.allows(value) || !r.styled(n) {
		return "", d.refuse(path, n, r.allowed, r.hint(n, *text))
	}
	if r.grammar != nil {
		if err := r.grammar(content); err != nil {
			e := d.refuse(path, n, "", "")
			e.Message = err.Error()
			return "", e
		}
	}
	*text = content // is what the decoder reads
	return fmt.Sprint(value), nil
}

// styled reports whether a value is written so that people and other YAML readers agree on what
// it is: a number or truth value without quotes, and a text that YAML takes for a text.
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

// truths are spellings of true and false that YAML 1.1 takes for them.
var truths = map[string]string{"on": "true", "yes": "true", "y": "true", "1": "true", "off": "false", "no": "false", "n": "false", "0": "false"}

// hint says what was probably meant, if anything.
func (r *Rule) hint(n ast.Node, text string) string {
	meant := truths[strings.ToLower(text)]
	_, withUnit := r.parse(text + r.unit)
	switch {
	case r.unit != "" && withUnit == nil:
		return fmt.Sprintf("it has no unit, did you mean `%s`?", text+r.unit)
	case r.Type.Kind() == reflect.Bool && meant != "":
		return fmt.Sprintf("did you mean `%s`?", meant)
	case r.textual() && r.Words != nil:
		return didYouMean(text, r.Words)
	case r.styled(n) || r.grammar != nil:
		return ""
	case r.textual():
		return "YAML does not read it as text, write it in quotes"
	}
	return "write it without quotes"
}

// scalar is the text of a node that holds one value; nil: it does not.
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

// refuse is the error of a node that its rule does not allow.
func (d *document) refuse(path string, n ast.Node, allowed, hint string) *Error {
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

// conflict is the error of fields that are each allowed by themselves.
func (d *document) conflict(c *conflict) *Error {
	n := d.nearest(c.field)
	value := c.value // as it is shown where the author did not write it
	if written := scalar(n); written != nil {
		value = *written
	}
	return d.atToken(start(n), c.field, value, c.message)
}

// nearest is the field of a path or, where it is left to its default, the innermost mapping
// around it.
func (d *document) nearest(path string) ast.Node {
	for ; path != ""; path = path[:max(0, strings.LastIndexByte(path, '.'))] {
		if n, err := must(yaml.PathString("$." + path)).FilterNode(d.root); err == nil && n != nil {
			return n
		}
	}
	return d.root
}

// start is the first token of a node. The library places a mapping at its first
// colon, where no reader would look for it.
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
