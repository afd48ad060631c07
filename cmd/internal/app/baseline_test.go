package app

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pushbench/bench"
	"pushbench/bench/agent"
	"pushbench/bench/trial"
	"pushbench/results"
	"pushbench/scenarios"
)

// inFolder writes a target file with these transports to a folder of its own.
func inFolder(t *testing.T, name string, transports ...string) string {
	t.Helper()
	text := "version: 1\nname: " + name + "\nstart: {run: [server, \"{port}\"]}\npublish: {post: \"/{topic}\"}\ntransports:\n"
	for _, transport := range transports {
		text += "  " + transport + ": {path: \"/{topic}\"}\n"
	}
	path := filepath.Join(t.TempDir(), "target.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// paired loads the scenario of two target files.
func paired(t *testing.T, baseline string, targets ...string) (*scenarios.Scenario, Options, error) {
	t.Helper()
	b, err := TargetBaseline(baseline)
	if err != nil {
		t.Fatal(err)
	}
	o, s := Options{Targets: targets, Baseline: b}, planned(t, "")
	return s, o, o.loadTargets(s)
}

// Both versions of a server have the same name and configurations, and each is started from its own file.
func TestBaselineOfATargetIsStartedFromItsOwnFile(t *testing.T) {
	for _, name := range []string{"mine", "renamed"} {
		base, file := inFolder(t, name, "sse", "websocket"), inFolder(t, "mine", "sse", "websocket")
		s, o, err := paired(t, base, file)
		if err != nil {
			t.Fatal(err)
		}
		head := &bench.Run{Scenario: s, Setup: &trial.Setup{}}
		other := o.Baseline.run(head)
		for i, c := range other.Scenario.Configurations() {
			if own := s.Configurations()[i]; own.Name() != c.Name() {
				t.Errorf("configurations %q and %q", own.Name(), c.Name())
			}
			for path, run := range map[string]*bench.Run{file: head, base: other} {
				if argv, want := o.serve("self")(agent.Job{Scenario: run.Scenario, Measured: c, Side: run.Side}, "127.0.0.1"), []string{"self", "supervise", path, "--address", ""}; !slices.Equal(argv, want) || run.Scenario.TargetOf(c).Path != path {
					t.Errorf("%s is started by %q, want %q", c.Name(), argv, want)
				}
			}
		}
		if other.Side != results.BaselineSide || other.Served.Target != name || head.Side != "" {
			t.Errorf("sides %q and %q, served %+v", head.Side, other.Side, other.Served)
		}
	}
}

func TestBaselineLimitsARunToCommonTransports(t *testing.T) {
	s, o, err := paired(t, inFolder(t, "mine", "websocket"), inFolder(t, "mine", "sse", "websocket"))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Configurations(); len(got) != 1 || got[0].Transport != "websocket" {
		t.Errorf("configurations %v, want websocket only", got)
	}
	if lines := (Plan{Lacking: o.Baseline.lacks}).Lines(); !slices.Contains(lines, "SSE is not measured: the baseline does not have it.") {
		t.Errorf("the plan does not say what is missing: %q", lines)
	}
}

func TestBaselineThatCannotBeCompared(t *testing.T) {
	sse, websocket := inFolder(t, "mine", "sse"), inFolder(t, "other", "websocket")
	for want, targets := range map[string][]string{
		"2 targets are compared with each other; allowed with --baseline: one --target": {sse, websocket},
		"has none of the transports that --target has and the run measures: [sse]":      {sse},
	} {
		if _, _, err := paired(t, websocket, targets...); CodeOf(err) != Usage || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Versions that cannot differ, or whose CPU cannot be read, are refused.
func TestBaselineIsAnotherServerOfThisMachine(t *testing.T) {
	running := func(url string) string {
		path := inFolder(t, "mine", "sse")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), "start: {run: [server, \"{port}\"]}", "url: "+url, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	local, remote := running("http://127.0.0.1:3000"), running("http://192.0.2.1:3000")
	for _, c := range []struct{ baseline, target, want string }{
		{local, local, "--baseline: both target files are of the same running server, http://127.0.0.1:3000; allowed: two servers"},
		{remote, local, "--baseline: a server on another host has no CPU to compare"},
		{local, remote, "--baseline: a server on another host has no CPU to compare"},
	} {
		if _, _, err := paired(t, c.baseline, c.target); CodeOf(err) != Usage || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if _, _, err := paired(t, running("http://127.0.0.1:3001"), local); err != nil {
		t.Error(err)
	}
}

// The version of a server is the commit of its folder; files that git ignores or does not know, such as the server
// that a build writes, do not change it.
func TestVersionOfATargetIsItsCommit(t *testing.T) {
	file := inFolder(t, "mine", "sse")
	target, err := scenarios.LoadTarget(file)
	if err != nil {
		t.Fatal(err)
	}
	if v := versionOf(target); v.Commit != "" || v.Dirty || v.Target != "mine" || len(v.SHA256) != 64 {
		t.Errorf("without a repository: %+v", v)
	}
	folder := filepath.Dir(file)
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "one"}} {
		if text, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", folder}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v: %s", args, err, text)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "built"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if v := versionOf(target); len(v.Commit) != 40 || v.Dirty {
		t.Errorf("after a commit and a build: %+v", v)
	}
	if err := os.WriteFile(file, append(target.Source, '#'), 0o600); err != nil {
		t.Fatal(err)
	}
	if v := versionOf(target); !v.Dirty {
		t.Errorf("after a change: %+v", v)
	}
}
