package main

import (
	"go/doc"
	"reflect"

	"github.com/invopop/jsonschema"

	"pushbench/results"
)

// result returns the schema of a manifest, a trial or an interval in its file, with the checksum.
func (docs comments) result(of string, t reflect.Type) *jsonschema.Schema {
	reflector := jsonschema.Reflector{AllowAdditionalProperties: true, LookupComment: docs.synopsis, Mapper: mapped}
	inner := reflector.ReflectFromType(t)
	root := &jsonschema.Schema{
		Version:     jsonschema.Version,
		Title:       "pushbench " + of,
		Description: "A " + of + " of a run folder, with the CRC32C of the JSON text of its value.",
		Type:        "object",
		Properties:  jsonschema.NewProperties(),
		Required:    []string{"crc32c", of},
		Definitions: inner.Definitions,
	}
	root.Properties.Set("crc32c", &jsonschema.Schema{Type: "string", Pattern: "^[0-9a-f]{8}$"})
	root.Properties.Set(of, &jsonschema.Schema{Ref: inner.Ref})
	for _, d := range root.Definitions {
		nullable(d)
	}
	return root
}

// synopsis returns the first sentence of the comment of a type or, if field is not "", of its field.
func (docs comments) synopsis(t reflect.Type, field string) string {
	name := t.Name()
	if field != "" {
		name += "." + field
	}
	return oneLine(new(doc.Package).Synopsis(docs[name]))
}

// mapped returns the schema of a type with its own encoding.
func mapped(t reflect.Type) *jsonschema.Schema {
	if t != reflect.TypeFor[results.Histogram]() {
		return nil
	}
	s := (&jsonschema.Reflector{AllowAdditionalProperties: true, DoNotReference: true, Anonymous: true}).Reflect(results.Histogram{}.Persisted())
	s.Version, s.Description = "", "A distribution of durations in nanoseconds; hdr is HdrHistogram's V2 compressed encoding in base64. Values outside its bounds are only in count and overflow."
	return s
}

// nullable allows null for lists and maps: Go writes nil ones as null.
func nullable(s *jsonschema.Schema) {
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		field := p.Value
		if (field.Type == "array" || field.Type == "object") && (field.Properties == nil || field.Properties.Len() == 0) {
			open := *field
			open.Description = ""
			*field = jsonschema.Schema{Description: field.Description, AnyOf: []*jsonschema.Schema{&open, {Type: "null"}}}
		}
	}
}
