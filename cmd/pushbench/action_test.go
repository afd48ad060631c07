package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The action's script, run by hand as its step runs it: what it says that it leaves is there.
// That the machine was too busy for a sound run (3) is forgiven.
func TestActionLeavesWhatItSays(t *testing.T) {
	source, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	scenario := filepath.Join(work, "small.yaml")
	if err := os.WriteFile(scenario, []byte(`version: 1
name: small
question: Does the action leave what it says?
transports: [sse, websocket]
clients: {count: 10}
publish: {by: backend, rate: 40/s, arrivals: periodic}
payload: {size: 64B}
idle: 10ms
warmup: 0s
window: 1s
drain: 1s
claims: [lost == 0, p(50) > 60s]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(claims string) (code int, said string) {
		out := filepath.Join(work, "claims-"+claims)
		c := exec.CommandContext(t.Context(), filepath.Join(source, "tools", "ci.sh"))
		c.Dir = work
		c.Env = append(os.Environ(), "SOURCE="+source, "SCENARIO="+scenario, "BLOCKS=1", "CLAIMS="+claims, "OUT="+out,
			"GITHUB_STEP_SUMMARY="+filepath.Join(work, "step-summary.md"), "GITHUB_OUTPUT="+filepath.Join(work, "output"))
		text, err := c.CombinedOutput()
		for _, left := range []string{"summary.md", "junit.xml", "run/report.html", "run/charts/latency.svg", "run/summary.json"} {
			if _, err := os.Stat(filepath.Join(out, left)); err != nil {
				t.Errorf("CLAIMS=%s leaves no %s: %s", claims, left, text)
			}
		}
		return codeOf(err), string(text)
	}
	switch code, said := run("true"); {
	case code == exitInvalid:
	case code != exitBroken || !strings.Contains(said, "::error title=pushbench::BROKEN: "):
		t.Errorf("with a broken claim it exits %d and says %s", code, said)
	}
	if code, said := run("false"); code != exitOK && code != exitInvalid {
		t.Errorf("without claims it exits %d and says %s", code, said)
	}
	for name, want := range map[string]string{"step-summary.md": "# small: ", "output": "exit-code="} {
		if text, err := os.ReadFile(filepath.Join(work, name)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s has no %q: %v", name, want, err)
		}
	}
}
