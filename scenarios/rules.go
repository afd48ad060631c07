package scenarios

import (
	"fmt"
	"slices"
	"strings"

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

// someOf is an object of optional fields of which at least one must be written.
type someOf object

func (o someOf) read(d *document, path string, n ast.Node) error {
	if mapping, ok := n.(*ast.MappingNode); ok && len(mapping.Values) == 0 {
		return d.refuse(path, n, object(o).allows()+", at least one of them", "")
	}
	return object(o).read(d, path, n)
}

func (o someOf) schema() *jsonschema.Schema { return object(o).schema() }

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
