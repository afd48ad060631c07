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
	outputs := []string{"summary.md", "junit.xml", "run/report.html", "run/summary.json"}
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

// The action's exit code, with a stub of pushbench that exits with given codes: a regression counts
// if the second measurement confirms it, or is not possible.
func TestActionRepeatsRegressions(t *testing.T) {
	source := t.TempDir()
	for name, text := range map[string]string{
		"Makefile": "build:\n\t@mkdir -p bin && cp stub bin/pushbench && chmod +x bin/pushbench\n",
		"stub": `#!/usr/bin/env bash
command=$1 runs=0
while [ $# -gt 0 ]; do
	case $1 in
	--out) [ "$command" = compare ] || { mkdir -p "$2" "$2-baseline" && touch "$2/manifest.json" "$2-baseline/manifest.json"; } ;;
	--junit) junit=$2 ;;
	*run* | *again*) runs=$((runs + 1)) ;;
	esac
	shift
done
echo "- $command of $runs"
case $command in
run)
	case $RUN in
	4) echo '<failure message="failed: x" type="assertion"></failure>' ;;
	8) echo '<error message="undecided: x" type="assertion"></error>' ;;
	esac >"${junit:-/dev/null}"
	exit "${RUN#compared-}" ;;
*) if [ "$runs" -gt 2 ]; then exit "$SECOND"; else exit "$FIRST"; fi ;;
esac
`,
	} {
		if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "stub"}} {
		if text, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", source}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v: %s", args, err, text)
		}
	}
	script, err := filepath.Abs(filepath.Join(moduleRoot, "tools", "ci.sh"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		run, first, second, assertions string
		want                           int
		repeated                       bool
	}{
		{"0", "0", "1", "true", exitOK, false},
		{"0", "8", "1", "true", exitOK, false},      // undecided fails a job only with UNDECIDED=true
		{"0", "4", "4", "true", exitFailed, true},   // worse twice
		{"0", "4", "0", "true", exitOK, true},       // worse once
		{"0", "4", "8", "true", exitOK, true},       // worse, then undecided
		{"0", "4", "3", "true", exitFailed, true},   // worse, and the second measurement failed
		{"0", "3", "1", "true", exitInvalid, false}, // nothing to compare
		{"4", "3", "1", "true", exitFailed, false},  // a failed assertion takes precedence
		{"4", "0", "1", "false", exitOK, false},
		{"compared-4", "4", "0", "true", exitOK, true}, // run reports the regression that the second measurement refutes
		{"compared-4", "4", "4", "false", exitFailed, true},
		{"compared-8", "0", "1", "true", exitOK, false},
		{"4", "4", "4", "false", exitFailed, true},
	} {
		out := filepath.Join(t.TempDir(), "out")
		cmd := exec.CommandContext(t.Context(), script)
		cmd.Env = append(os.Environ(), "SOURCE="+source, "BASELINE=HEAD", "OUT="+out, "RUN="+c.run, "FIRST="+c.first, "SECOND="+c.second, "ASSERTIONS="+c.assertions, "GITHUB_STEP_SUMMARY=", "GITHUB_OUTPUT=")
		text, err := cmd.CombinedOutput()
		if codeOf(err) != c.want {
			t.Errorf("%+v: exit code %d: %s", c, codeOf(err), text)
		}
		if _, err := os.Stat(filepath.Join(out, "again.md")); (err == nil) != c.repeated {
			t.Errorf("%+v: measured twice: %v", c, err == nil)
		}
		summary, err := os.ReadFile(filepath.Join(out, "summary.md"))
		if err != nil || strings.Contains(string(summary), "- compare of ") != (c.first != "3") {
			t.Errorf("%+v: the summary is %q, %v", c, summary, err)
		}
	}
}
