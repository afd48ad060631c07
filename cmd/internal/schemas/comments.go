package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
)

// comments maps names to comments: types by name, fields as in "Topics.Spread", and the constants of a
// type as in "Spread constants". The latter have the words of files in place of the names of constants.
type comments map[string]string

// readComments reads the comments of the Go files in folders of the module, without tests.
func readComments(folders ...string) (comments, error) {
	var files []string
	for _, folder := range folders {
		found, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	docs := comments{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("read the comments of fields: %w", err)
		}
		for _, d := range file.Decls {
			if group, ok := d.(*ast.GenDecl); ok {
				docs.add(group)
			}
		}
	}
	return docs, nil
}

func (docs comments) add(group *ast.GenDecl) {
	for _, spec := range group.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			name := spec.Name.Name
			docs[name] = group.Doc.Text()
			structure, ok := spec.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, f := range structure.Fields.List {
				for _, field := range f.Names {
					docs[name+"."+field.Name] = f.Comment.Text()
				}
			}
		case *ast.ValueSpec:
			if of, ok := spec.Type.(*ast.Ident); ok && group.Tok == token.CONST {
				key := of.Name + " constants"
				docs[key] = inWords(cmp.Or(docs[key], group.Doc.Text()), spec)
			}
		}
	}
}

// inWords replaces the names of constants by their values, as code.
func inWords(text string, spec *ast.ValueSpec) string {
	for i, value := range spec.Values {
		if literal, ok := value.(*ast.BasicLit); ok {
			name := regexp.MustCompile(`\b` + spec.Names[i].Name + `\b`)
			text = name.ReplaceAllString(text, strings.ReplaceAll(literal.Value, `"`, "`"))
		}
	}
	return text
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
