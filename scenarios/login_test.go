package scenarios

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// withLogins writes a target file whose clients have logins, with these lines, and reads it.
func withLogins(t *testing.T, lines string) (*Target, error) {
	t.Helper()
	folder := t.TempDir()
	path := filepath.Join(folder, "mine.yaml")
	text := strings.Replace(ownTarget, "login: [\"Authorization: Bearer {env:TOKEN}\"]", "login: [\"Authorization: Bearer {login}\"]\nlogin_file: tokens.txt", 1)
	for name, text := range map[string]string{"mine.yaml": text, "tokens.txt": lines} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read, err := LoadTarget(path)
	if err != nil {
		t.Fatal(err)
	}
	return read, read.ReadLogins()
}

func TestReadLogins(t *testing.T) {
	got, err := withLogins(t, "secret-1\nsecret 2\r\nsecret-3")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"secret-1", "secret 2", "secret-3"}, got.Logins); diff != "" {
		t.Error(diff)
	}
	asJSON, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(asJSON), string(asYAML), string(got.Source)} {
		if strings.Contains(text, "secret") {
			t.Errorf("a login is written: %s", text)
		}
	}
}

func TestReadLoginsRefusesLines(t *testing.T) {
	for name, c := range map[string]struct{ lines, want string }{
		"empty file":  {"", "has no line; allowed: a line per client"},
		"empty line":  {"secret\n\nsecret\n", "line 2 is not a login; allowed: visible ASCII characters, with spaces only inside"},
		"space":       {"secret \n", "line 1 is not a login; allowed: visible ASCII characters, with spaces only inside"},
		"header":      {"secret\rX: y\n", "line 1 is not a login; allowed: visible ASCII characters, with spaces only inside"},
		"no ASCII":    {"sécret\n", "line 1 is not a login; allowed: visible ASCII characters, with spaces only inside"},
		"too many":    {strings.Repeat("x\n", maxLogins+1), "has more than 1000000 lines; allowed: a line per client"},
		"a long line": {"secret\n" + strings.Repeat("x", maxLogin+1) + "\n", "line 2 cannot be read: bufio.Scanner: token too long; allowed: at most 8192 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			read, err := withLogins(t, c.lines)
			wantError(t, err, filepath.Join(filepath.Dir(read.Path), "tokens.txt")+": "+c.want)
		})
	}
	read, err := withLogins(t, "x")
	if err != nil {
		t.Fatal(err)
	}
	read.LoginFile = "absent.txt"
	wantError(t, read.ReadLogins(), filepath.Join(filepath.Dir(read.Path), "absent.txt")+": does not exist; allowed: the file of login_file, with a line per client")
}
