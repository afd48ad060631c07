package endtoend

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The action's script, run as its step runs it, must write the documented files.
func TestActionWritesItsOutputs(t *testing.T) {
	source, err := filepath.Abs(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	scenario := filepath.Join(work, "small.yaml")
	if err := os.WriteFile(scenario, []byte(`version: 1
name: small
question: Does the action write its outputs?
transports: [websocket]
clients: {count: 10}
publish: {by: backend, rate: 40/s, arrivals: periodic}
payload: {size: 64B}
idle: 10ms
warmup: 0s
window: 1s
drain: 1s
assertions: [lost == 0, p(50) > 60s]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(work, "out")
	c := exec.CommandContext(t.Context(), filepath.Join(source, "tools", "ci.sh"))
	c.Dir = work
	c.Env = append(os.Environ(), "SOURCE="+source, "SCENARIO="+scenario, "REPETITIONS=1", "ASSERTIONS=true", "OUT="+out,
		"GITHUB_STEP_SUMMARY="+filepath.Join(work, "step-summary.md"), "GITHUB_OUTPUT="+filepath.Join(work, "output"))
	text, err := c.CombinedOutput()
	valid, err := settle(t.Name(), codeOf(err), exitFailed, filepath.Join(out, "run"))
	if err != nil {
		t.Errorf("%v: %s", err, text)
	}
	outputs := []string{"plan.txt", "summary.md", "comment.md", "junit.xml", "run/report.html", "run/summary.json"}
	if valid { // without a valid trial there are no charts
		outputs = append(outputs, "run/charts/latency.svg")
	}
	for _, name := range outputs {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Errorf("the action did not write %s: %s", name, text)
		}
	}
	if valid && !strings.Contains(string(text), "::error title=pushbench::FAILED: ") {
		t.Errorf("a failed assertion has no annotation: %s", text)
	}
	for name, want := range map[string]string{"step-summary.md": "# small: ", "output": "exit-code="} {
		if text, err := os.ReadFile(filepath.Join(work, name)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s does not contain %q: %v", name, want, err)
		}
	}
}
