//go:build nightly

package endtoend

import (
	_ "embed"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/scenarios"
)

// TestLabs runs every command of docs/labs in shortened form, page by page: see testdata/labs.sh.
// It also checks that a run as printed takes at most two minutes.
func TestLabs(t *testing.T) { runLabs(t, false) }

// TestLabsAsRoot does the same for the exercises that create networks.
func TestLabsAsRoot(t *testing.T) { runLabs(t, true) }

func runLabs(t *testing.T, asRoot bool) {
	for _, page := range exercises(t) {
		if page.asRoot == asRoot {
			t.Run(page.name, func(t *testing.T) { page.run(t) })
		}
	}
}

// An exercise is one page of docs/labs.
type exercise struct {
	name, text string
	commands   []string // lines of its blocks of type sh
	asRoot     bool     // its scenarios create networks
}

// shell finds the blocks of commands, and measured the command lines that measure a scenario.
var (
	shell    = regexp.MustCompile("(?s)```sh\n(.*?)```")
	measured = regexp.MustCompile(`^pushbench run (\S+)(?:.* --window (\S+))?`)
)

// exercises reads the ten exercises.
func exercises(t *testing.T) (all []exercise) {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join("..", "..", "..", "docs", "labs", "[0-9]*.md"))
	if err != nil || len(pages) != 10 {
		t.Fatalf("%d exercises, %v; want 10", len(pages), err)
	}
	for _, path := range pages {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		l := exercise{name: strings.TrimSuffix(filepath.Base(path), ".md"), text: string(text)}
		for _, block := range shell.FindAllStringSubmatch(l.text, -1) {
			l.commands = append(l.commands, strings.Split(strings.TrimSpace(block[1]), "\n")...)
		}
		for _, s := range l.scenarios(t) {
			l.asRoot = l.asRoot || s.Network.Link == scenarios.PacketLink
		}
		all = append(all, l)
	}
	return all
}

// scenarios are the built-in scenarios that an exercise measures, with its --window.
func (l exercise) scenarios(t *testing.T) (all []*scenarios.Scenario) {
	t.Helper()
	for _, command := range l.commands {
		m := measured.FindStringSubmatch(command)
		if m == nil || strings.HasPrefix(m[1], "./") {
			continue
		}
		s, err := scenarios.Load(m[1])
		if err != nil {
			t.Fatalf("%s: %v", l.name, err)
		}
		if m[2] != "" {
			window, err := time.ParseDuration(m[2])
			if err != nil {
				t.Fatalf("%s: %v", l.name, err)
			}
			s.Window = scenarios.Duration(window)
		}
		all = append(all, s)
	}
	return all
}

//go:embed testdata/labs.sh
var shortened string

// run runs the commands with a pushbench that shortens them, on a free port.
func (l exercise) run(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pushbench"), []byte(shortened), 0o755); err != nil {
		t.Fatal(err)
	}
	const endServer = "trap 'kill ${!:-} 2>/dev/null || true' EXIT\n" // also after a failure
	own := strings.NewReplacer("127.0.0.1:8080", freeAddress(t), "$(command -v pushbench)", pushbench)
	script := endServer + own.Replace(strings.Join(l.commands, "\n"))
	command := exec.Command("sh", "-e", "-u", "-c", script)
	command.Dir = dir
	command.Env = append(os.Environ(), "REAL="+pushbench, "PATH="+dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l.checkRuns(t, dir)
	l.checkTimes(t, filepath.Join(dir, "plans"))
}

// checkRuns requires that every run is valid, or was disturbed only by the machine.
func (l exercise) checkRuns(t *testing.T, dir string) {
	t.Helper()
	manifests, err := filepath.Glob(filepath.Join(dir, "*", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, manifest := range manifests {
		run, err := results.Open(filepath.Dir(manifest))
		if err != nil {
			t.Fatal(err)
		}
		code := exitOK
		if run.Manifest.Status == results.Invalid {
			code = exitInvalid
		}
		if _, err := settle(t.Name(), code, exitOK, filepath.Dir(manifest)); err != nil {
			t.Error(err)
		}
	}
}

var planned = regexp.MustCompile(`, about (\d+) (s|min)\.`)

// checkTimes reads the planned times of the runs as printed in the exercise.
func (l exercise) checkTimes(t *testing.T, plans string) {
	t.Helper()
	runs := 0
	for _, c := range l.commands {
		if strings.HasPrefix(c, "pushbench run ") {
			runs++
		}
	}
	text, err := os.ReadFile(plans)
	if err != nil && runs > 0 {
		t.Fatal(err)
	}
	times := planned.FindAllStringSubmatch(string(text), -1)
	if len(times) != runs {
		t.Fatalf("%d planned times for %d runs:\n%s", len(times), runs, text)
	}
	for i, m := range times {
		if n, err := strconv.Atoi(m[1]); err != nil || m[2] == "min" && n > 2 {
			t.Errorf("run %d of the exercise takes %s %s; allowed: 2 min", i+1, m[1], m[2])
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// An exercise names its privileges, and every trial has the 1,000 independent observations of a p99,
// with a tenth to spare for random arrivals.
func TestLabsStatePrivilegesAndHaveP99(t *testing.T) {
	for _, l := range exercises(t) {
		if strings.Contains(l.text, "root required") != l.asRoot {
			t.Errorf("%s: its scenarios create networks: %t; the page must say \"root required\" only then", l.name, l.asRoot)
		}
		for _, s := range l.scenarios(t) {
			window := time.Duration(s.Window).Seconds()
			if n := float64(s.Publish.Rate) * window; n < 1100 {
				t.Errorf("%s: %s publishes %.0f messages in %v, want at least 1,100", l.name, s.Name, n, time.Duration(s.Window))
			}
		}
		if n := strings.Count(l.text, "<details>"); n != 1 {
			t.Errorf("%s: %d folded answers, want 1", l.name, n)
		}
		for _, part := range []string{"**Goal.**", "## Commands", "## Formula", "## What to look at", "## Questions"} {
			if !strings.Contains(l.text, part) {
				t.Errorf("%s has no %q", l.name, part)
			}
		}
	}
}
