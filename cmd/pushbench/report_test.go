package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pushbench/cmd/internal/app"
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

// The report regenerates the files of a run that are not committed.
func TestReportRedrawsAReference(t *testing.T) {
	reference, dir := filepath.Join("..", "..", "results", "reference", "chat"), filepath.Join(t.TempDir(), "chat")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"SHA256SUMS", "manifest.json", "scenario.yaml", "trials.jsonl", "intervals.jsonl"} {
		data, err := os.ReadFile(filepath.Join(reference, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"report", dir}, strings.NewReader(""), &stdout, &stderr); code != int(app.OK) && code != int(app.Inconclusive) {
		t.Fatalf("got exit code %d: %s", code, &stderr)
	}
	sums, err := os.ReadFile(filepath.Join(reference, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range regexp.MustCompile(`(?m)^[0-9a-f]{64}  (.+)$`).FindAllSubmatch(sums, -1) {
		name := string(line[1])
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("the report does not regenerate a file of the run: %v", err)
		}
	}
}
