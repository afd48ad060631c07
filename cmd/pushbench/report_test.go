package main

import (
	"path/filepath"
	"testing"

	"pushbench/results"
)

// A committed run opens without a warning.
func TestReferencesAreIntact(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join("..", "..", "results", "reference", "*", "manifest.json"))
	if err != nil || len(folders) < 5 {
		t.Fatalf("%d references, %v", len(folders), err)
	}
	for _, manifest := range folders {
		run, err := results.Open(filepath.Dir(manifest))
		if err != nil {
			t.Errorf("%s: %v", manifest, err)
			continue
		}
		if len(run.Warnings) > 0 {
			t.Errorf("%s: got the warnings %q, want none", manifest, run.Warnings)
		}
	}
}
