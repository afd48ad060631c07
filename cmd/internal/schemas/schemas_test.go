package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pushbench/scenarios"
)

func TestSchemasMatchTheTypes(t *testing.T) {
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s does not match the types: run go generate ./... (-types +file):\n%s", name, diff)
		}
	}
}

// The default that the comment of a field states is that of its tag.
func TestCommentsStateTheDefaults(t *testing.T) {
	docs, err := readComments("scenarios", "results/metric", "results/price")
	if err != nil {
		t.Fatal(err)
	}
	stated := 0
	var visit func(r *scenarios.Rule)
	visit = func(r *scenarios.Rule) {
		for _, f := range r.Fields {
			name := r.Type.Name() + "." + f.GoName
			m := statedDefault.FindStringSubmatch(oneLine(docs[name]))
			if m != nil && f.Default != "" {
				stated++
				if got, _, _ := strings.Cut(m[1], " = "); got != strings.Trim(f.Default, "[]") {
					t.Errorf("the comment of %s states the default %q, the tag %q", name, got, f.Default)
				}
			}
			visit(f)
		}
	}
	if visit(scenarios.Rules()); stated < 20 {
		t.Errorf("%d comments state a default, want 20 or more", stated)
	}
}
