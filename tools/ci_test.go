package tools_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// stub is a pushbench that writes its arguments to $LOG, and the files of a run. Its exit codes are in PLAN, RUN
// (compared- for an exit code that the comparison alone has), FIRST and SECOND (for the comparison of two pairs of runs). The n-th run has the n-th status of STATUSES, and COMPLETE after the last.
const stub = `#!/usr/bin/env bash
echo "${0##*/}: $*" >>"$LOG"
command=$1 runs=0 out= comment= junit= dry=
for ((i = 1; i <= $#; i++)); do
	next=$((i + 1))
	case ${!i} in
	--out) out=${!next} ;;
	--comment) comment=${!next} ;;
	--junit) junit=${!next} ;;
	--dry-run) dry=1 ;;
	--baseline) [ "$command" != run ] || [[ ${!next} != *.yaml ]] || echo "baseline file: $(cat "${!next}")" >>"$LOG" ;;
	*/run | */again | */*-baseline) runs=$((runs + 1)) ;;
	esac
done
if [ -n "$dry" ]; then
	[ "$PLAN" = 0 ] && echo "about 14 min. $SAME" || echo "pushbench: 4 repetitions cannot decide" >&2
	exit "$PLAN"
fi
if [ "$command" = run ]; then
	[ "$RUN" != refused ] || exit 5
	statuses=($STATUSES)
	n=$(grep ': run ' "$LOG" | grep -vc -- --dry-run)
	status=${statuses[n - 1]:-COMPLETE}
	for folder in "$out" "$out-baseline"; do
		mkdir "$folder"
		printf '{"manifest":\n{\n  "schema": 1,\n  "status": "%s"\n}}\n' "$status" >"$folder/manifest.json"
	done
	echo "# the run"
	[ "$status" != INVALID ] || { printf '%s\n' "- INVALID: 100% late" "" "INVALID: 100% late" "- INVALID: 100% late"; exit 3; }
	[ -z "$comment" ] || echo "# comment on the run" >"$comment"
	case $RUN in
	4) echo '<failure message="failed: x" type="assertion"></failure>' ;;
	8) echo '<skipped message="undecided: x"></skipped>' ;;
	esac >"${junit:-/dev/null}"
	exit "${RUN#compared-}"
fi
echo "# the comparison of $runs runs"
code=$FIRST
[ "$runs" -le 2 ] || code=$SECOND
case $code in 0 | 4 | 8) echo "| p50 | 1 → 2 ms |" >"$comment" ;; esac
exit "$code"
`

// A ci is one call of ci.sh with a stub of pushbench.
type ci struct {
	source, out string
	folder      string // in which it is called; empty: an empty folder
	variables   []string
}

// newCI creates a source tree with the stub, without a repository.
func newCI(t *testing.T, variables ...string) *ci {
	t.Helper()
	c := &ci{source: filepath.Join(t.TempDir(), "source"), out: filepath.Join(t.TempDir(), "out"), variables: variables}
	write(t, filepath.Join(c.source, "Makefile"), "build:\n\t@mkdir -p bin && cp stub bin/pushbench && chmod +x bin/pushbench\n")
	write(t, filepath.Join(c.source, "stub"), stub)
	return c
}

// committed makes the source tree a repository with the branch base one commit before HEAD.
func (c *ci) committed(t *testing.T) *ci {
	t.Helper()
	git(t, c.source, "init", "-q", "-b", "main")
	git(t, c.source, "add", "Makefile", "stub")
	git(t, c.source, "commit", "-qm", "base")
	git(t, c.source, "branch", "base")
	git(t, c.source, "commit", "-qm", "head", "--allow-empty")
	return c
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	args = append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "protocol.file.allow=always"}, args...)
	if text, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
		t.Fatalf("git %q: %v: %s", args, err, text)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run calls ci.sh and returns its exit code and its output.
func (c *ci) run(t *testing.T) (code int, output string) {
	t.Helper()
	script, err := filepath.Abs("ci.sh")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), script)
	cmd.Dir = cmp.Or(c.folder, t.TempDir())
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GITHUB_") })
	cmd.Env = append(cmd.Env, "SOURCE="+c.source, "OUT="+c.out, "LOG="+c.path("log"), "GITHUB_OUTPUT="+c.path("output"), "GITHUB_STEP_SUMMARY="+c.path("step.md"),
		"PLAN=0", "RUN=0", "FIRST=0", "SECOND=0", "STATUSES=", "SAME=")
	cmd.Env = append(cmd.Env, c.variables...)
	text, _ := cmd.CombinedOutput()
	return cmd.ProcessState.ExitCode(), string(text)
}

// path is the path of a file that a call writes outside of OUT.
func (c *ci) path(name string) string { return filepath.Join(filepath.Dir(c.out), name) }

// read returns a file of OUT, or of another folder; empty if it does not exist.
func (c *ci) read(name string) string {
	if !filepath.IsAbs(name) {
		name = filepath.Join(c.out, name)
	}
	text, _ := os.ReadFile(name)
	return string(text)
}

// measured returns the command lines that measure.
func (c *ci) measured() (lines []string) {
	for line := range strings.Lines(c.read(c.path("log"))) {
		if strings.HasPrefix(line, "pushbench: run ") && !strings.Contains(line, " --dry-run") {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestActionAcceptsDeprecatedInputs(t *testing.T) {
	for _, c := range []struct {
		variables string
		code      int
		arguments string
		warnings  int
	}{
		{"", 4, " --format markdown --junit ", 0},
		{"REPETITIONS=3", 4, " --repetitions 3 ", 0},
		{"BLOCKS=3", 4, " --repetitions 3 ", 1},
		{"ASSERTIONS=false", 0, " --format markdown --junit ", 0},
		{"CLAIMS=false", 0, " --format markdown --junit ", 1},
		{"BLOCKS=3 CLAIMS=false", 0, " --repetitions 3 ", 2},
	} {
		a := newCI(t, append(strings.Fields(c.variables), "RUN=4")...)
		code, output := a.run(t)
		if runs := a.measured(); code != c.code || len(runs) != 1 || !strings.Contains(runs[0], c.arguments) || !strings.HasSuffix(runs[0], " -- chat\n") ||
			strings.Count(output, "::warning title=pushbench::deprecated: ") != c.warnings {
			t.Errorf("%s: got exit code %d, runs %q, output %q; want %+v", c.variables, code, runs, output, c)
		}
	}
	for _, both := range []string{"BLOCKS=3 REPETITIONS=3", "CLAIMS=true ASSERTIONS=true"} {
		if code, output := newCI(t, strings.Fields(both)...).run(t); code != 2 || !strings.Contains(output, " is the deprecated name of ") {
			t.Errorf("%s: got exit code %d and %q, want exit code 2", both, code, output)
		}
	}
}

// A value that begins with a hyphen would be an option of pushbench or git; one with a line break could set outputs.
func TestActionRefusesValuesThatAreOptions(t *testing.T) {
	for _, name := range []string{"SCENARIO", "TARGET", "BASELINE", "REPOSITORY", "REPETITIONS", "OUT", "ARTIFACT", "SOURCE"} {
		for _, value := range []string{"--lock", "--help", "-", "chat\nexit-code=0", "chat\rx"} {
			a := newCI(t, name+"="+value).committed(t)
			code, output := a.run(t)
			if code != 2 || !strings.Contains(output, "ci.sh: "+name+": ") || strings.Count(output, "\n") != 2 || a.read(a.path("log")) != "" || a.read(a.path("output")) != "exit-code=2\n" {
				t.Errorf("%s=%q: exit code %d, output %q, outputs %q", name, value, code, output, a.read(a.path("output")))
			}
		}
	}
	for _, variable := range []string{"ASSERTIONS=True", "UNDECIDED=1"} {
		if code, output := newCI(t, variable).run(t); code != 2 || !strings.Contains(output, "; allowed: true, false\n") {
			t.Errorf("%s: exit code %d, output %q", variable, code, output)
		}
	}
}

// The shell expands no ~ in the value of a variable.
func TestActionRefusesFoldersThatItCannotCreate(t *testing.T) {
	for _, folder := range []string{"~/results", "/dev/null", "/dev/null/results"} {
		a := newCI(t, "OUT="+folder).committed(t)
		code, output := a.run(t)
		if code != 2 || !strings.Contains(output, "ci.sh: OUT: ") || strings.Count(output, "\n") != 2 || a.read(a.path("log")) != "" {
			t.Errorf("%s: exit code %d, output %q", folder, code, output)
		}
	}
}

func TestActionMeasuresTwelveRepetitionsWithABaseline(t *testing.T) {
	for _, c := range []struct{ variables, want string }{
		{"BASELINE=base", " --repetitions 12 "},
		{"BASELINE=base REPETITIONS=20", " --repetitions 20 "},
	} {
		a := newCI(t, strings.Fields(c.variables)...).committed(t)
		if code, output := a.run(t); code != 0 || len(a.measured()) != 1 || !strings.Contains(a.measured()[0], c.want) {
			t.Errorf("%s: exit code %d, runs %q: %s", c.variables, code, a.measured(), output)
		}
	}
}

// The binary decides what cannot decide: see run --require-verdict.
func TestActionRefusesWhatCannotDecideBeforeItMeasures(t *testing.T) {
	a := newCI(t, "BASELINE=base", "REPETITIONS=4", "PLAN=2").committed(t)
	code, output := a.run(t)
	if code != 2 || !strings.Contains(output, "\n::error title=pushbench::pushbench: 4 repetitions cannot decide\n") || len(a.measured()) != 0 {
		t.Errorf("exit code %d, runs %q: %s", code, a.measured(), output)
	}
	if plan := a.read(a.path("log")); !strings.Contains(plan, " --repetitions 4 --dry-run --require-verdict -- chat\n") {
		t.Errorf("the plan was requested by %q", plan)
	}
	if outputs := a.read(a.path("output")); !strings.HasSuffix(outputs, "\nexit-code=2\n") {
		t.Errorf("outputs %q", outputs)
	}
	// Without a baseline only the assertions decide.
	a = newCI(t)
	if code, output := a.run(t); code != 0 || strings.Contains(a.read(a.path("log")), "--require-verdict") {
		t.Errorf("exit code %d, %q: %s", code, a.read(a.path("log")), output)
	}
}

func TestActionSaysBeforehandHowLongItTakes(t *testing.T) {
	a := newCI(t, "BASELINE=HEAD", "SAME=The baseline is the same build").committed(t)
	_, output := a.run(t)
	for _, want := range []string{
		"about 14 min. ", "An INVALID measurement is repeated once, and so is a regression, to confirm it: each takes as long again.\n",
		"::warning title=pushbench::about 14 min. The baseline is the same build\n",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("no %q in %s", want, output)
		}
	}
}

func TestActionRepeatsAnInvalidMeasurementOnce(t *testing.T) {
	for _, c := range []struct {
		statuses string
		baseline string
		first    string
		code     int
		runs     int
		kept     []string
	}{
		{"INVALID", "", "0", 0, 2, []string{"run", "run-invalid"}},
		{"INVALID INVALID COMPLETE", "", "0", 3, 2, []string{"run", "run-invalid"}},
		{"INVALID", "base", "0", 0, 2, []string{"run", "run-baseline", "run-invalid", "run-invalid-baseline"}},
		{"COMPLETE INVALID", "base", "4", 4, 3, []string{"run", "again", "again-invalid"}}, // the second measurement, to confirm
		{"COMPLETE", "", "0", 0, 1, []string{"run"}},
		{"OVERLOADED", "", "0", 0, 1, []string{"run"}}, // a result of the servers
	} {
		a := newCI(t, "STATUSES="+c.statuses, "BASELINE="+c.baseline, "FIRST="+c.first, "SECOND="+c.first).committed(t)
		code, output := a.run(t)
		if code != c.code || len(a.measured()) != c.runs {
			t.Errorf("%+v: exit code %d, %d runs: %s", c, code, len(a.measured()), output)
		}
		for _, name := range c.kept {
			if a.read(name+"/manifest.json") == "" {
				t.Errorf("%+v: there is no %s", c, name)
			}
		}
		if c.code == 3 && strings.Count(output, "::error title=pushbench::INVALID: 100%25 late\n") != 1 {
			t.Errorf("%+v: not annotated once: %s", c, output)
		}
		repeated := strings.Contains(output, "::warning title=pushbench::The measurement was INVALID and is repeated.\n::warning title=pushbench::INVALID: 100%25 late\n")
		noted := strings.Contains(a.read("summary.md")+a.read("again.md"), "\n- The first measurement was INVALID and was repeated: see ")
		if want := slices.ContainsFunc(c.kept, func(name string) bool { return strings.HasSuffix(name, "-invalid") }); repeated != want || noted != want {
			t.Errorf("%+v: announced %v, noted %v: %s", c, repeated, noted, output)
		}
	}
}

// A regression counts if the second measurement confirms it, or is not possible.
func TestActionRepeatsRegressions(t *testing.T) {
	for _, c := range []struct {
		run, first, second, assertions string
		want                           int
		output                         string
		repeated                       bool
	}{
		{"0", "0", "1", "true", 0, "0", false},
		{"0", "8", "1", "true", 0, "8", false}, // undecided fails a job only with UNDECIDED=true
		{"0", "4", "4", "true", 4, "4", true},  // worse twice
		{"0", "4", "0", "true", 0, "0", true},  // worse once
		{"0", "4", "8", "true", 0, "8", true},  // worse, then undecided
		{"0", "4", "3", "true", 4, "4", true},  // worse, and the second measurement failed
		{"0", "3", "1", "true", 3, "3", false}, // nothing to compare
		{"4", "3", "1", "true", 4, "4", false}, // a failed assertion takes precedence
		{"4", "0", "1", "false", 0, "4", false},
		{"4", "4", "4", "false", 4, "4", true},
		{"8", "0", "1", "true", 0, "8", false},
		{"compared-4", "4", "0", "true", 0, "0", true}, // run reports the regression that the second measurement refutes
		{"compared-4", "4", "4", "false", 4, "4", true},
		{"compared-8", "0", "1", "true", 0, "0", false},
	} {
		a := newCI(t, "BASELINE=base", "RUN="+c.run, "FIRST="+c.first, "SECOND="+c.second, "ASSERTIONS="+c.assertions).committed(t)
		code, output := a.run(t)
		if code != c.want || !strings.HasSuffix(a.read(a.path("output")), "\nexit-code="+c.output+"\n") {
			t.Errorf("%+v: exit code %d, outputs %q: %s", c, code, a.read(a.path("output")), output)
		}
		if repeated := len(a.measured()) == 2; repeated != c.repeated || repeated && !strings.Contains(a.measured()[1], " --seed 7919 ") {
			t.Errorf("%+v: runs %q", c, a.measured())
		}
		const missing = "No comparison with the baseline: pushbench compare ended with exit code 3, see the log.\n"
		for _, text := range []string{a.read("summary.md"), a.read("comment.md"), output} {
			if strings.Contains(text, missing) != (c.first == "3") {
				t.Errorf("%+v: whether the comparison is missing is not said: %s", c, text)
			}
		}
		if compared := strings.Contains(a.read("summary.md"), "\n# the comparison of "); compared != (c.first != "3") {
			t.Errorf("%+v: the summary is %q", c, a.read("summary.md"))
		}
	}
}

// The step summary begins with the values before and after; the comment has nothing else.
func TestActionShowsAbsoluteValuesBeforeAndAfter(t *testing.T) {
	a := newCI(t, "BASELINE=base", "GITHUB_JOB=bench", "ARTIFACT=name", "GITHUB_SERVER_URL=https://host", "GITHUB_REPOSITORY=owner/app", "GITHUB_RUN_ID=7").committed(t)
	if code, output := a.run(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, output)
	}
	if got, want := a.read(a.path("step.md")), "| p50 | 1 → 2 ms |\n\n# the run\n\n# the comparison of 2 runs\n"; got != want {
		t.Errorf("the step summary is %q, want %q", got, want)
	}
	if got, want := a.read("comment.md"), "<!-- name -->\n| p50 | 1 → 2 ms |\n\nThe whole report: artefact name of [this workflow run](https://host/owner/app/actions/runs/7).\n"; got != want {
		t.Errorf("the comment is %q, want %q", got, want)
	}
	if got, want := a.read(a.path("output")), "artifact=name\nfolder="+a.out+"\ncomment="+a.out+"/comment.md\nexit-code=0\n"; got != want {
		t.Errorf("the outputs are %q, want %q", got, want)
	}

	a = newCI(t)
	if code, output := a.run(t); code != 0 || !strings.HasSuffix(a.read("comment.md"), " -->\n# comment on the run\n") || a.read(a.path("step.md")) != "# the run\n" {
		t.Errorf("without a baseline: exit code %d, comment %q, summary %q: %s", code, a.read("comment.md"), a.read(a.path("step.md")), output)
	}
}

// GitHub refuses a second artefact of a name, and slashes among others.
func TestActionNamesArtefactsUniquely(t *testing.T) {
	seen := map[string]string{}
	for _, variables := range [][]string{
		{},
		{"SCENARIO=papers/lubbers"},
		{"SCENARIO=papers-lubbers"},
		{"SCENARIO=./mine.yaml"},
		{"SCENARIO=../mine.yaml"},
		{"OUT=other"},
		{"GITHUB_JOB=a"},
		{"GITHUB_JOB=b"},
		{"MATRIX={\n  \"os\": \"a\"\n}"},
		{"MATRIX={\n  \"os\": \"b\"\n}"},
		{"MATRIX={\n  \"os\": \"a\",\n  \"go\": [1, 2]\n}"},
		{"GITHUB_RUN_ATTEMPT=2"},
		{"ARTIFACT=a b"},
		{"ARTIFACT=a/b"},
		{"ARTIFACT=a:b"},
		{"MATRIX={\"x\": \"" + strings.Repeat("long", 100) + "1\"}"},
		{"MATRIX={\"x\": \"" + strings.Repeat("long", 100) + "2\"}"},
	} {
		a := newCI(t, append([]string{"OUT=results"}, variables...)...)
		code, output := a.run(t)
		name, _, _ := strings.Cut(strings.TrimPrefix(a.read(a.path("output")), "artifact="), "\n")
		if code != 0 || name == "" || len(name) > 120 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" {
			t.Errorf("%q: exit code %d, name %q: %s", variables, code, name, output)
		}
		if other, twice := seen[name]; twice {
			t.Errorf("%q has the name %s of %s", variables, name, other)
		}
		seen[name] = strings.Join(variables, " ")
	}
	for _, name := range []string{"results-chat", "results-chat-a", "other-chat"} {
		if _, ok := seen[name]; !ok {
			t.Errorf("no artefact is named %s: %v", name, seen)
		}
	}
	for _, variables := range []string{"MATRIX=null", "MATRIX={}"} {
		a := newCI(t, "OUT=results", variables)
		if a.run(t); !strings.HasPrefix(a.read(a.path("output")), "artifact=results-chat\n") {
			t.Errorf("%s: %q", variables, a.read(a.path("output")))
		}
	}
}

// GitHub downloads an action of another repository to _actions/OWNER/NAME/REF, without .git.
func TestActionWorksFromAnotherRepository(t *testing.T) {
	server := t.TempDir()
	origin := newCI(t).committed(t)
	git(t, origin.source, "clone", "-q", "--bare", ".", filepath.Join(server, "owner", "name"))
	action := func(variables ...string) *ci {
		a := newCI(t, append([]string{"GITHUB_SERVER_URL=file://" + server, "BASELINE=base"}, variables...)...)
		folder := filepath.Join(t.TempDir(), "_actions", "owner", "name", "v1")
		write(t, filepath.Join(folder, "Makefile"), a.readFile(t, "Makefile"))
		write(t, filepath.Join(folder, "stub"), a.readFile(t, "stub"))
		a.source = folder
		return a
	}
	a := action()
	if code, output := a.run(t); code != 0 || len(a.measured()) != 1 || !strings.Contains(a.measured()[0], " --baseline ") {
		t.Errorf("exit code %d, runs %q: %s", code, a.measured(), output)
	}
	for _, c := range []struct{ variable, want string }{
		{"BASELINE=nowhere", "BASELINE: nowhere is no commit of file://" + server + "/owner/name; "},
		{"GITHUB_SERVER_URL=file://" + server + "/missing", "BASELINE: cannot clone file://" + server + "/missing/owner/name; "},
		{"REPOSITORY=" + server + "/missing", "BASELINE: cannot clone " + server + "/missing; "},
	} {
		a := action(c.variable)
		if code, output := a.run(t); code != 2 || !strings.Contains(output, "ci.sh: "+c.want) || len(a.measured()) != 0 {
			t.Errorf("%s: exit code %d: %s", c.variable, code, output)
		}
	}
	// A folder that is no action's needs the repository's name.
	a = newCI(t, "BASELINE=base")
	if code, output := a.run(t); code != 2 || !strings.Contains(output, " has no .git; allowed with REPOSITORY, ") {
		t.Errorf("exit code %d: %s", code, output)
	}
	a = newCI(t, "BASELINE=base", "REPOSITORY="+origin.source)
	if code, output := a.run(t); code != 0 {
		t.Errorf("with REPOSITORY: exit code %d: %s", code, output)
	}
	// A checkout without history names what it lacks.
	a = newCI(t, "BASELINE=origin/main").committed(t)
	if code, output := a.run(t); code != 2 || !strings.Contains(output, "(actions/checkout with fetch-depth: 0)") {
		t.Errorf("exit code %d: %s", code, output)
	}
}

// inRepository makes the caller's folder a repository of a server: the branch base is one commit before main. The action
// has no repository, as GitHub downloads it.
func (c *ci) inRepository(t *testing.T) *ci {
	t.Helper()
	c.folder = t.TempDir()
	git(t, c.folder, "init", "-q", "-b", "main")
	for _, version := range []string{"base", "head"} {
		write(t, filepath.Join(c.folder, "server", "version"), version)
		write(t, filepath.Join(c.folder, "server", "target.yaml"), "the target of "+version)
		git(t, c.folder, "add", ".")
		git(t, c.folder, "commit", "-qm", version)
		git(t, c.folder, "branch", version)
	}
	write(t, filepath.Join(c.folder, "server", "new.yaml"), "a new target")
	return c
}

// The servers are those of the caller: base and head of its repository, which BUILD prepares, without the variables of
// the action, whose names a build may use.
func TestActionMeasuresBaseAndHeadOfATarget(t *testing.T) {
	for _, c := range []struct{ target, baseline, file, warning string }{
		{"server/target.yaml", "base", "the target of base", ""},
		{"./server/target.yaml", "base", "the target of base", ""},
		{"server/new.yaml", "base", "a new target", "::warning title=pushbench::BASELINE: base has no server/new.yaml: the file of the head describes both servers\n"},
	} {
		a := newCI(t, "TARGET="+c.target, "BASELINE="+c.baseline, `BUILD=echo "built: $(cat server/version) ${OUT-without OUT}${TARGET-}${BUILD-}" >>"$LOG"`+"\ntrue").inRepository(t)
		code, output := a.run(t)
		log := a.read(a.path("log"))
		if code != 0 || !strings.Contains(log, "built: base without OUT\nbuilt: head without OUT\n") || strings.Contains(output, "::warning ") != (c.warning != "") || !strings.Contains(output, c.warning) {
			t.Errorf("%+v: exit code %d, log %q: %s", c, code, log, output)
		}
		pattern := ` --target ` + regexp.QuoteMeta(c.target) + ` --baseline \S+/tree/` + regexp.QuoteMeta(strings.TrimPrefix(c.target, "./")) + ` --repetitions 12 `
		if measured := a.measured(); len(measured) != 1 || !regexp.MustCompile(pattern).MatchString(measured[0]) || !strings.Contains(log, "baseline file: "+c.file+"\n") {
			t.Errorf("%+v: runs %q, log %q", c, measured, log)
		}
		if plan := strings.Index(log, " --dry-run --require-verdict "); plan < 0 || plan > strings.Index(log, "built: ") {
			t.Errorf("%+v: built before the plan: %q", c, log)
		}
	}
	// Without a baseline, the target alone is measured.
	a := newCI(t, "TARGET=server/target.yaml").inRepository(t)
	if code, output := a.run(t); code != 0 || !strings.Contains(a.measured()[0], " --target server/target.yaml --junit ") {
		t.Errorf("exit code %d, runs %q: %s", code, a.measured(), output)
	}
	// A regression of a target is confirmed as one of pushbench.
	a = newCI(t, "TARGET=server/target.yaml", "BASELINE=base", "RUN=compared-4", "FIRST=4", "SECOND=4").inRepository(t)
	if code, output := a.run(t); code != 4 || len(a.measured()) != 2 || strings.Count(strings.Join(a.measured(), ""), " --target server/target.yaml --baseline ") != 2 {
		t.Errorf("exit code %d, runs %q: %s", code, a.measured(), output)
	}
}

func TestActionRefusesTargetsThatItCannotCompare(t *testing.T) {
	alone := filepath.Join(t.TempDir(), "target.yaml") // in no repository
	write(t, alone, "a target")
	for _, c := range []struct {
		variables []string
		code      int
		message   string
	}{
		{[]string{"TARGET=missing.yaml"}, 2, "TARGET: missing.yaml is no file; allowed: the path of one target file, without a comma"},
		{[]string{"TARGET=server"}, 2, "TARGET: server is no file; "},
		{[]string{"TARGET=" + alone, "BASELINE=base"}, 2, "TARGET: " + alone + " is in no repository; allowed with BASELINE or BUILD: a file in a checkout of its server"},
		{[]string{"BUILD=make"}, 2, "BUILD: builds the server of a target; allowed: together with TARGET"},
		{[]string{"TARGET=server/target.yaml", "BASELINE=nowhere"}, 2, "BASELINE: nowhere is no commit of "},
		{[]string{"TARGET=server/target.yaml", "BASELINE=base", "BUILD=grep -q head server/version"}, 5, "BUILD failed for the baseline"},
		{[]string{"TARGET=server/target.yaml", "BASELINE=base", "BUILD=grep -q base server/version"}, 5, "BUILD failed for the head"},
		{[]string{"TARGET=server/target.yaml", "BASELINE=base", "BUILD=false\ntrue"}, 5, "BUILD failed for the baseline"},
	} {
		a := newCI(t, c.variables...).inRepository(t)
		if code, output := a.run(t); code != c.code || len(a.measured()) != 0 || !strings.Contains(output, "\nci.sh: "+c.message) && !strings.HasPrefix(output, "ci.sh: "+c.message) || !strings.Contains(output, "::error title=pushbench::"+c.message) {
			t.Errorf("%q: exit code %d, runs %q: %s", c.variables, code, a.measured(), output)
		}
	}
}

// A server that does not pass its checks is not measured: pushbench names it in the log.
func TestActionSaysThatNothingWasMeasured(t *testing.T) {
	a := newCI(t, "TARGET=server/target.yaml", "BASELINE=base", "RUN=refused").inRepository(t)
	const want = "Nothing was measured: pushbench run ended with exit code 5, see the log.\n"
	if code, output := a.run(t); code != 5 || !strings.Contains(output, "::error title=pushbench::"+want) || a.read(a.path("step.md")) != want {
		t.Errorf("exit code %d, summary %q: %s", code, a.read(a.path("step.md")), output)
	}
}

func (c *ci) readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.source, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A build that fails is no usage error, although make exits with 2.
func TestActionBuildFailureIsAnInternalError(t *testing.T) {
	a := newCI(t)
	write(t, filepath.Join(a.source, "Makefile"), "build:\n\t@false\n")
	if code, output := a.run(t); code != 1 || !strings.Contains(output, "ci.sh: cannot build pushbench in ") {
		t.Errorf("exit code %d: %s", code, output)
	}
}

// The action and the workflows use one version of each action, and each input of the action reaches ci.sh.
func TestActionAndWorkflowsAreConsistent(t *testing.T) {
	workflows, err := filepath.Glob(filepath.Join("..", ".github", "workflows", "*.yml"))
	if err != nil || len(workflows) < 2 {
		t.Fatalf("%q, %v", workflows, err)
	}
	versions := map[string]string{}
	for _, path := range append(workflows, filepath.Join("..", "action.yml")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`uses: (\S+)@(\S+ # \S+)`).FindAllStringSubmatch(string(text), -1) {
			if other, ok := versions[m[1]]; ok && other != m[2] {
				t.Errorf("%s uses %s at %s, another file at %s", path, m[1], m[2], other)
			}
			versions[m[1]] = m[2]
		}
	}
	action, err := os.ReadFile(filepath.Join("..", "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("ci.sh")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	inputs, outputs, _ := strings.Cut(string(action), "\noutputs:")
	outputs, _, _ = strings.Cut(outputs, "\nruns:")
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z-]+):$`).FindAllStringSubmatch(inputs+outputs, -1) {
		if name := m[1]; name != "blocks" && name != "claims" && !strings.Contains(string(page), "\n| `"+name+"` | ") {
			t.Errorf("docs/ci.md does not explain %s", name)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+):$`).FindAllStringSubmatch(inputs, -1) {
		variable := strings.ToUpper(m[1])
		if !strings.Contains(string(action), "        "+variable+": ${{ inputs."+m[1]+" }}\n") || !strings.Contains(string(script), variable) {
			t.Errorf("the input %s does not reach ci.sh", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`steps\.measure\.outputs\.([a-z-]+)`).FindAllStringSubmatch(string(action), -1) {
		if !strings.Contains(string(script), `"`+m[1]+"=") {
			t.Errorf("ci.sh does not write the output %s", m[1])
		}
	}
}

// A job that ended before its tests' limit would not name the test that hangs.
func TestJobsOutlastTheirTests(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	recipes := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):(.*\n(?:\t.*\n)*)`).FindAllStringSubmatch(string(makefile), -1) {
		recipes[m[1]] = m[2]
	}
	limit, plain := regexp.MustCompile(`-timeout (\d+)m`), regexp.MustCompile(`go (-C \S+ )?test `)
	var longest func(target string) int // minutes of a test that hangs
	longest = func(target string) (minutes int) {
		for line := range strings.Lines(recipes[target]) {
			if m := limit.FindStringSubmatch(line); m != nil {
				n, _ := strconv.Atoi(m[1])
				minutes = max(minutes, n)
			} else if plain.MatchString(line) && !strings.Contains(line, " -list ") {
				minutes = max(minutes, 10) // the default
			}
			if _, targets, found := strings.Cut(line, "$(MAKE) "); found {
				for _, other := range strings.Fields(targets) {
					if recipes[other] != "" {
						minutes = max(minutes, longest(other))
					}
				}
			}
		}
		return minutes
	}
	tested := 0
	for _, name := range []string{"ci.yml", "nightly.yml"} {
		text, err := os.ReadFile(filepath.Join("..", ".github", "workflows", name))
		if err != nil {
			t.Fatal(err)
		}
		for job := range strings.SplitSeq(string(text), "runs-on:") {
			m := regexp.MustCompile(`timeout-minutes: (\d+)`).FindStringSubmatch(job)
			if m == nil {
				continue
			}
			most, _ := strconv.Atoi(m[1])
			for _, made := range regexp.MustCompile(`run: .*make ([a-z-]+|\$\{\{ matrix\.part \}\})`).FindAllStringSubmatch(job, -1) {
				targets := []string{made[1]}
				if strings.HasPrefix(made[1], "$") {
					_, parts, _ := strings.Cut(string(text), "part: [")
					parts, _, _ = strings.Cut(parts, "]")
					targets = strings.Split(parts, ", ")
				}
				for _, target := range targets {
					minutes := longest(target)
					if minutes >= most || recipes[target] == "" {
						t.Errorf("%s: make %s may take %d min for one test, its job %d min", name, target, minutes, most)
					}
					if minutes > 0 {
						tested++
					}
				}
			}
		}
	}
	if tested < 5 {
		t.Errorf("only %d jobs with tests were found", tested)
	}
}

// make charts redraws the newest run, and says what to do if there is none.
func TestMakeCharts(t *testing.T) {
	makefile, err := filepath.Abs(filepath.Join("..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	charts := func() string {
		output, _ := exec.CommandContext(t.Context(), "make", "-s", "-C", folder, "-f", makefile, "-o", "build", "charts").CombinedOutput()
		return string(output)
	}
	if output := charts(); !strings.Contains(output, "make: no run in results/runs: run make bench first") {
		t.Errorf("without a run: %s", output)
	}
	write(t, filepath.Join(folder, "results", "runs", "one", "manifest.json"), "")
	write(t, filepath.Join(folder, "bin", "pushbench"), "#!/bin/sh\necho \"$@\"\n")
	if err := os.Chmod(filepath.Join(folder, "bin", "pushbench"), 0o755); err != nil {
		t.Fatal(err)
	}
	if output := charts(); output != "report results/runs/one/\n" {
		t.Errorf("with a run: %q", output)
	}
}
