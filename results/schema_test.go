//go:build !race

package results_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compiled returns a published schema, compiled by an independent validator.
func compiled(t *testing.T, of string) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile(of + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(of, value); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(of)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The schemas accept the committed runs, written in the current format, and reject corrupt ones. The race detector makes
// reading them slow.
func TestSchemasAcceptTheReferences(t *testing.T) {
	for _, reference := range append(references(t), version1) {
		dir := rewritten(t, reference)
		for of, file := range map[string]string{"manifest": "manifest.json", "trial": "trials.jsonl", "interval": "intervals.jsonl"} {
			path, s := filepath.Join(dir, file), compiled(t, of)
			for i, text := range values(t, path, of) {
				value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Validate(value); err != nil {
					t.Errorf("%s, value %d: %v", path, i+1, err)
				}
				fields := value.(map[string]any)
				inner := fields[of].(map[string]any)
				for _, corrupt := range []func(){
					func() { inner["transport"], inner["transports"] = 7, 7 },
					func() { fields["crc32c"] = "no" },
				} {
					corrupt()
					if s.Validate(value) == nil {
						t.Errorf("%s, value %d: a corrupt value is accepted", path, i+1)
					}
				}
			}
		}
	}
}
