package scenarios

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzReadLogins checks that the logins of a file are those of its lines, and that an error shows none of them.
func FuzzReadLogins(f *testing.F) {
	f.Add([]byte("Bearer abc\r\nBearer def\n"))
	f.Add([]byte("one\n\ntwo"))
	f.Add([]byte("one\n\x1b]0;two\n"))
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(filepath.Join(folder, "logins"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		target := Target{Path: filepath.Join(folder, "target.yaml"), LoginFile: "logins"}
		if err := target.ReadLogins(); err != nil {
			checkSentence(t, err)
			return
		}
		lines := strings.Split(strings.ReplaceAll(strings.TrimSuffix(string(data), "\n"), "\r\n", "\n"), "\n")
		lines[len(lines)-1] = strings.TrimSuffix(lines[len(lines)-1], "\r")
		if !slices.Equal(target.Logins, lines) || slices.ContainsFunc(lines, func(l string) bool { return strings.ContainsFunc(l, hidden) }) {
			t.Errorf("%q has the logins %q", data, target.Logins)
		}
	})
}
