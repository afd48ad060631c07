package tools_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A target fails because of an input, not because its time ended.
func TestFuzzFailsOnlyBecauseOfAnInput(t *testing.T) {
	for _, c := range []struct {
		name, prints string
		code         int
		want         string
	}{
		{"passed", "fuzz: elapsed: 3s, execs: 7 (2/sec)\nfuzz: elapsed: 4s, execs: 12 (2/sec)\nPASS\n", 0, "ok   ./scenarios FuzzRead: execs: 12\n"},
		{"its time ended", "fuzz: elapsed: 4s, execs: 12 (2/sec)\n--- FAIL: FuzzRead (4.01s)\n    context deadline exceeded\nFAIL\n", 0, "ok   ./scenarios FuzzRead: execs: 12\n"},
		{"an input", "--- FAIL: FuzzRead (4.01s)\n    read_test.go:350: got nothing\n    Failing input written to testdata/fuzz/FuzzRead/1\nFAIL\n", 1, "FAIL ./scenarios FuzzRead\n--- FAIL"},
		{"an input, as its time ended", "--- FAIL: FuzzRead (4.01s)\n    read_test.go:350: got nothing\n    context deadline exceeded\nFAIL\n", 1, "FAIL ./scenarios FuzzRead\n--- FAIL"},
		{"another error", "no such package\n", 1, "FAIL ./scenarios FuzzRead\nno such package"},
	} {
		folder := t.TempDir()
		stub := "#!/bin/sh\ncat \"$0.prints\"\nexit 1\n"
		if strings.HasSuffix(c.prints, "PASS\n") {
			stub = "#!/bin/sh\ncat \"$0.prints\"\n"
		}
		for file, text := range map[string]string{"go": stub, "go.prints": c.prints} {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		fuzz := exec.CommandContext(t.Context(), "./fuzz.sh", "30s", "./scenarios", "FuzzRead")
		fuzz.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
		out, err := fuzz.Output()
		code := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		}
		if code != c.code || !strings.HasPrefix(string(out), c.want) {
			t.Errorf("%s: exit code %d, want %d; printed\n%s", c.name, code, c.code, out)
		}
	}
}
