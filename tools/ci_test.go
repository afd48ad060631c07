package tools_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// runAction runs ci.sh on a pushbench that writes its arguments and fails as if an assertion had failed.
func runAction(t *testing.T, variables ...string) (code int, output, summary string) {
	t.Helper()
	source := t.TempDir()
	for name, text := range map[string]string{
		"Makefile": "build:\n\t@mkdir -p bin && cp stub bin/pushbench && chmod +x bin/pushbench\n",
		"stub":     "#!/usr/bin/env bash\necho \"arguments: $*\"\nexit 4\n",
	} {
		if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script, err := filepath.Abs("ci.sh")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	c := exec.CommandContext(t.Context(), script)
	c.Env = append(os.Environ(), append([]string{"SOURCE=" + source, "OUT=" + out, "GITHUB_STEP_SUMMARY=", "GITHUB_OUTPUT="}, variables...)...)
	text, _ := c.CombinedOutput()
	read, _ := os.ReadFile(filepath.Join(out, "summary.md"))
	return c.ProcessState.ExitCode(), string(text), string(read)
}

func TestActionAcceptsDeprecatedInputs(t *testing.T) {
	for _, c := range []struct {
		variables string
		code      int
		arguments string
		warnings  int
	}{
		{"", 4, "", 0},
		{"REPETITIONS=3", 4, " --repetitions 3", 0},
		{"BLOCKS=3", 4, " --repetitions 3", 1},
		{"ASSERTIONS=false", 0, "", 0},
		{"CLAIMS=false", 0, "", 1},
		{"BLOCKS=3 CLAIMS=false", 0, " --repetitions 3", 2},
	} {
		code, output, summary := runAction(t, strings.Fields(c.variables)...)
		if code != c.code || !strings.HasSuffix(summary, "--format markdown"+c.arguments+"\n") || strings.Count(output, "::warning title=pushbench::deprecated: ") != c.warnings {
			t.Errorf("%s: got exit code %d, summary %q, output %q; want %+v", c.variables, code, summary, output, c)
		}
	}
	for _, both := range []string{"BLOCKS=3 REPETITIONS=3", "CLAIMS=true ASSERTIONS=true"} {
		if code, output, _ := runAction(t, strings.Fields(both)...); code != 2 || !strings.Contains(output, " is the deprecated name of ") {
			t.Errorf("%s: got exit code %d and %q, want exit code 2", both, code, output)
		}
	}
}
