package scenarios

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"pushbench/results/metric"
)

//go:embed scenario.go
var scenarioDeclarations string

//go:embed case.go
var caseDeclarations string

// Schema is the scenario format as a JSON Schema (draft 2020-12) for editors.
// The rules are the reader's own; the descriptions are the comments in
// scenario.go. What it cannot say is checked by Read alone: limits of
// quantities with units, and agreements between fields.
func Schema() ([]byte, error) {
	s := defaults()
	root := fields(&s).schema()
	root.Version = jsonschema.Version
	root.Title = "pushbench scenario"
	sources := []string{scenarioDeclarations, caseDeclarations}
	for _, name := range []string{"assertion.go", "published.go"} {
		text, err := metric.Declarations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		sources = append(sources, string(text))
	}
	types, err := documented(sources...)
	if err != nil {
		return nil, err
	}
	types.describe(root, "Scenario")
	payload, _ := root.Properties.Get("payload") // the one agreement that a schema can state
	payload.OneOf = []*jsonschema.Schema{{Required: []string{"size"}}, {Required: []string{"sizes"}}}
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the scenario schema: %w", err)
	}
	return append(data, '\n'), nil
}

// documentation holds the comments of each type by its Go name.
type documentation map[string]typeDoc

// A typeDoc is the comment of a type and, where it is a struct, its fields by
// their YAML names.
type typeDoc struct {
	text   string
	fields map[string]fieldDoc
}

type fieldDoc struct{ text, typeName string }

// documented collects the comments of Go sources.
func documented(sources ...string) (documentation, error) {
	types := documentation{}
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("read the comments of a scenario's fields: %w", err)
		}
		for _, declaration := range file.Decls {
			if group, ok := declaration.(*ast.GenDecl); ok {
				types.add(group)
			}
		}
	}
	return types, nil
}

// add takes in a declaration: a type, or the constants of one, whose comment
// says what each of its words means.
func (types documentation) add(group *ast.GenDecl) {
	text := oneLine(group.Doc.Text())
	switch spec := group.Specs[0].(type) {
	case *ast.TypeSpec:
		types[spec.Name.Name] = typeDoc{text, fieldDocs(spec.Type)}
	case *ast.ValueSpec:
		if name := typeName(spec.Type); group.Tok == token.CONST && name != "" {
			types[name] = typeDoc{text: strings.TrimSpace(types[name].text + " " + text)}
		}
	}
}

func fieldDocs(t ast.Expr) map[string]fieldDoc {
	structure, ok := t.(*ast.StructType)
	if !ok {
		return nil
	}
	docs := map[string]fieldDoc{}
	for _, f := range structure.Fields.List {
		if f.Tag == nil {
			continue
		}
		tag := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml")
		name, _, _ := strings.Cut(tag, ",")
		docs[name] = fieldDoc{oneLine(f.Comment.Text()), typeName(f.Type)}
	}
	return docs
}

// typeName is the name of a type, or of the elements of a slice.
func typeName(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.ArrayType:
		return typeName(t.Elt)
	case *ast.SelectorExpr:
		return t.Sel.Name
	}
	return ""
}

// describe puts the comments of a type into the schema of its values: what a
// choice says of itself and then the field, else the field alone where it says anything.
func (types documentation) describe(s *jsonschema.Schema, name string) {
	s.Description = types[name].text
	if s.Properties == nil {
		return
	}
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		f, property := types[name].fields[pair.Key], pair.Value
		types.describe(property, f.typeName)
		switch {
		case f.text != "" && len(property.Enum) > 0:
			property.Description += " " + strings.ToUpper(f.text[:1]) + f.text[1:] + "."
		case f.text != "":
			property.Description = f.text
		}
		if property.Items != nil {
			types.describe(property.Items, f.typeName)
			if property.Items.Description == "" { // a type of Go's own has no comment
				property.Items.Description = "One of them: " + f.text
			}
		}
	}
}
