package main

import (
	"encoding"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"pushbench/scenarios"
)

// scenario returns the schema of the scenario format: a scenario's rules, described by the comments of
// its types.
func (docs comments) scenario() *jsonschema.Schema {
	root := docs.value(scenarios.Rules())
	root.Version = jsonschema.Version
	root.Title = "pushbench scenario"
	payload, _ := root.Properties.Get("payload") // the only condition between fields that a schema can express
	payload.OneOf = []*jsonschema.Schema{{Required: []string{"size"}}, {Required: []string{"sizes"}}}
	return root
}

// target returns the schema of a target file.
func (docs comments) target() *jsonschema.Schema {
	root := docs.value(scenarios.TargetRules())
	root.Version = jsonschema.Version
	root.Title = "pushbench target"
	return root
}

// value returns the schema of the values that a rule allows.
func (docs comments) value(r *scenarios.Rule) *jsonschema.Schema {
	s := docs.plain(r)
	s.Description = docs.typed(r.Type)
	return s
}

func (docs comments) plain(r *scenarios.Rule) *jsonschema.Schema {
	if reflect.PointerTo(r.Type).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return &jsonschema.Schema{Type: "string", Pattern: r.Pattern} // a quantity with its unit
	}
	limited := jsonschema.Schema{Type: "integer", Minimum: json.Number(r.Min), Maximum: json.Number(r.Max)}
	switch {
	case r.Fields != nil:
		return docs.object(r)
	case r.Item != nil:
		least, most := uint64(1), uint64(r.MaxItems)
		return &jsonschema.Schema{Type: "array", Items: docs.value(r.Item), MinItems: &least, MaxItems: &most, UniqueItems: !r.Repeats}
	case r.Type.Kind() == reflect.Bool:
		return &jsonschema.Schema{Type: "boolean"}
	case r.Type.Kind() == reflect.String || r.Pattern == "":
		return text(r)
	case r.Type.Kind() == reflect.Float64:
		limited.Type = "number"
	}
	return &limited
}

func text(r *scenarios.Rule) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string", Pattern: r.Pattern}
	for _, word := range r.Words {
		s.Enum = append(s.Enum, word)
	}
	for _, word := range slices.Sorted(maps.Keys(r.Renamed)) { // JSON Schema cannot mark one word as deprecated
		s.Enum = append(s.Enum, word)
	}
	if r.Length > 0 {
		most := uint64(r.Length)
		s.MaxLength = &most
	}
	return s
}

func (docs comments) object(r *scenarios.Rule) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), AdditionalProperties: jsonschema.FalseSchema}
	for _, f := range r.Fields {
		property := docs.value(f)
		if f.Default != "" {
			property.Default = f.Initial()
		}
		docs.describe(property, oneLine(docs[r.Type.Name()+"."+f.GoName]))
		switch {
		case f.Required && f.Was != "":
			s.AllOf = append(s.AllOf, &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Required: []string{f.Name}}, {Required: []string{f.Was}}}})
		case f.Required:
			s.Required = append(s.Required, f.Name)
		}
		s.Properties.Set(f.Name, property)
	}
	for _, f := range r.Fields {
		if f.Was != "" {
			property, _ := s.Properties.Get(f.Name)
			old := *property
			old.Deprecated, old.Description = true, "deprecated: use "+f.Name
			s.Properties.Set(f.Was, &old)
		}
	}
	return s
}

// describe adds the comment of a field. It follows the comment of a type that is a choice of words, and
// replaces that of any other type.
func (docs comments) describe(s *jsonschema.Schema, comment string) {
	switch {
	case comment == "":
	case len(s.Enum) > 0:
		s.Description += " " + strings.ToUpper(comment[:1]) + comment[1:] + "."
	default:
		s.Description = comment
	}
	if s.Items != nil && s.Items.Description == "" { // a built-in type has no comment
		s.Items.Description = "One of them: " + comment
	}
}

// typed returns the comment of a type or of a list's items; for words, also that of the constants.
func (docs comments) typed(t reflect.Type) string {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	comment := docs[t.Name()]
	if t.Kind() == reflect.String {
		comment += " " + docs[t.Name()+" constants"]
	}
	return oneLine(comment)
}
