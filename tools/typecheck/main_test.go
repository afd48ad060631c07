package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An error is found in the files of a system, in tests as well, and in calls of the standard library that the system lacks.
func TestErrorsOfASystemAreFound(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":            "module example\n\ngo 1.26\n",
		"main.go":           "package main\n\nfunc main() {}\n",
		"other_darwin.go":   "package main\n\nimport \"syscall\"\n\nvar _ = syscall.EpollCreate1\n",
		"one_arm64_test.go": "package main\n\nvar _ int = \"text\"\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for system, want := range map[string][]string{
		"linux/amd64":  nil,
		"linux/arm64":  {"one_arm64_test.go:3:13"},
		"darwin/arm64": {"one_arm64_test.go:3:13", "other_darwin.go:5:17"},
	} {
		found, err := check(folder, system)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(found)
		for i, line := range found {
			if i >= len(want) || !strings.Contains(line, want[i]) {
				t.Errorf("%s: %s is unexpected", system, line)
			}
		}
		if len(found) != len(want) {
			t.Errorf("%s: %d errors, want %d", system, len(found), len(want))
		}
	}
	if _, err := check(folder, "darwin"); err == nil || !strings.Contains(err.Error(), "allowed") {
		t.Errorf("a system without a processor: %v", err)
	}
}
