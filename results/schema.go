package results

import (
	"embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"pushbench/results/metric"
)

// declarations are the files whose comments describe what is written to disk.
//
//go:embed types.go case.go answers.go declared.go freshness.go visits.go
var declarations embed.FS

// Schemas names what has a schema: a manifest.json, a line of trials.jsonl, one of
// intervals.jsonl.
var Schemas = []string{"manifest", "trial", "interval"}

// JSONSchema is the schema (draft 2020-12) of one of Schemas, as it stands in its file: sealed
// by a checksum. Fields may be added in later versions; none changes its meaning. The
// descriptions are the comments in the Go sources.
func JSONSchema(of string) ([]byte, error) {
	value, ok := map[string]any{"manifest": Manifest{}, "trial": Trial{}, "interval": Interval{}}[of]
	if !ok {
		return nil, fmt.Errorf("no schema of %q; there are %s", of, strings.Join(Schemas, ", "))
	}
	comments := map[string]string{}
	if err := describedIn(comments, declarations, reflect.TypeFor[Manifest]().PkgPath()); err != nil {
		return nil, err
	}
	if err := describedIn(comments, metric.Declarations, reflect.TypeFor[metric.Assertion]().PkgPath()); err != nil {
		return nil, err
	}
	reflector := jsonschema.Reflector{AllowAdditionalProperties: true, CommentMap: comments, Mapper: mapped}
	inner := reflector.ReflectFromType(reflect.TypeOf(value))
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
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the schema of a %s: %w", of, err)
	}
	return append(data, '\n'), nil
}

// mapped is the schema of what writes itself.
func mapped(t reflect.Type) *jsonschema.Schema {
	if t != reflect.TypeFor[Histogram]() {
		return nil
	}
	s := (&jsonschema.Reflector{AllowAdditionalProperties: true, DoNotReference: true, Anonymous: true}).Reflect(&persisted{})
	s.Version, s.Description = "", "A distribution of durations in nanoseconds; hdr is HdrHistogram's V2 compressed encoding in base64. Values outside its bounds are in count and overflow alone."
	return s
}

// nullable lets lists and maps be null, which is how Go writes those that are empty, and takes
// fields that are left out when they are zero from those that are required.
func nullable(s *jsonschema.Schema) {
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		switch field := p.Value; field.Type {
		case "array", "object":
			if field.Properties == nil || field.Properties.Len() == 0 {
				open := *field
				open.Description = ""
				*field = jsonschema.Schema{Description: field.Description, AnyOf: []*jsonschema.Schema{&open, {Type: "null"}}}
			}
		}
	}
}

// describedIn collects the comments of a package's types and of their fields, by the names
// that the reflector gives them.
func describedIn(comments map[string]string, sources embed.FS, own string) error {
	files, err := sources.ReadDir(".")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := sources.ReadFile(file.Name())
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Name(), text, parser.ParseComments)
		if err != nil {
			return fmt.Errorf("read the comments of %s: %w", path.Base(file.Name()), err)
		}
		for _, d := range parsed.Decls {
			general, ok := d.(*ast.GenDecl)
			if !ok || general.Tok != token.TYPE {
				continue
			}
			for _, spec := range general.Specs {
				t := spec.(*ast.TypeSpec)
				comments[own+"."+t.Name.Name] = oneLine(general.Doc.Text())
				fields, ok := t.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, f := range fields.Fields.List {
					said := oneLine(strings.TrimSpace(f.Doc.Text() + " " + f.Comment.Text()))
					for _, name := range f.Names {
						comments[own+"."+t.Name.Name+"."+name.Name] = said
					}
				}
			}
		}
	}
	return nil
}

// oneLine is the first paragraph of a comment.
func oneLine(comment string) string {
	return strings.Join(slices.Collect(strings.FieldsSeq(new(doc.Package).Synopsis(comment))), " ")
}
