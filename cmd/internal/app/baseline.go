package app

import (
	"crypto/sha256"
	"encoding/hex"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"pushbench/bench"
	"pushbench/results"
	"pushbench/scenarios"
)

// A Baseline has the servers that a run measures in turns with its own: those of another executable of
// pushbench, or, if the run has a target, that of another target file.
type Baseline struct {
	Served     results.Tool
	Executable string
	Flags      func(argv []string) []string // the command line of serve in names that the executable knows

	target *scenarios.Target     // nil: the servers are those of the executable
	head   results.Tool          // the version of the run's target
	lacks  []scenarios.Transport // transports of the run's target that the baseline's does not have
}

// TargetBaseline reads the target file of a baseline.
func TargetBaseline(name string) (*Baseline, error) {
	t, err := loadTarget("--baseline", name)
	if err != nil {
		return nil, Usagef("with --target, --baseline is a target file: %w", err)
	}
	return &Baseline{Served: versionOf(t), target: t}, nil
}

// HasTarget reports whether servers other than pushbench's are measured.
func (o *Options) HasTarget() bool {
	return slices.ContainsFunc(o.Targets, func(name string) bool { return name != string(scenarios.ReferenceTarget) })
}

// pair checks that the run's target can be compared with the baseline's, and limits the run to the transports that
// both have.
func (b *Baseline) pair(s *scenarios.Scenario) error {
	if b == nil || b.target == nil {
		return nil
	}
	if len(s.Sweep.Target) != 1 {
		return Usagef("--baseline: %d targets are compared with each other; allowed with --baseline: one --target", len(s.Sweep.Target))
	}
	head := s.Targets[s.Sweep.Target[0]]
	if head.URL != "" && head.URL == b.target.URL {
		return Usagef("--baseline: both target files are of the same running server, %s; allowed: two servers", head.URL)
	}
	if head.Remote() || b.target.Remote() {
		return Usagef("--baseline: a server on another host has no CPU to compare; allowed with --baseline: targets of this machine")
	}
	s.Transports = slices.DeleteFunc(slices.Clone(s.Transports), func(t scenarios.Transport) bool {
		lacking := head.Offers(t) && !b.target.Offers(t)
		if lacking {
			b.lacks = append(b.lacks, t)
		}
		return lacking
	})
	if len(s.Configurations()) == 0 {
		return Usagef("--baseline: %s has none of the transports that --target has and the run measures: %s", b.target.Path, b.lacks)
	}
	b.head = versionOf(head)
	return fits("--baseline", s, b.target)
}

// run returns the same run with the servers of the baseline.
func (b *Baseline) run(head *bench.Run) *bench.Run {
	other := *head
	other.Served, other.Side = b.Served, results.BaselineSide
	if b.target != nil {
		s := *head.Scenario
		s.Targets = map[scenarios.TargetName]*scenarios.Target{s.Sweep.Target[0]: b.target} // by the name of the head's, so that configurations have one name
		other.Scenario = &s
	}
	return &other
}

// same names what shows that head and baseline are the same build: see sameBuild.
func (b *Baseline) same(tool results.Tool) string {
	if b.target != nil {
		tool = b.head
	}
	return sameBuild(tool, b.Served)
}

// versionOf identifies the server of a target by the commit of the folder of its file.
func versionOf(t *scenarios.Target) results.Tool {
	sum := sha256.Sum256(t.Source)
	v := results.Tool{Target: string(t.Name), SHA256: hex.EncodeToString(sum[:])}
	git := func(args ...string) string {
		out, err := exec.Command("git", append([]string{"--no-optional-locks", "-C", filepath.Dir(t.Path)}, args...)...).Output() //nolint:noctx // it reads a few files
		if err != nil {
			return "" // no git, or no repository
		}
		return strings.TrimSpace(string(out))
	}
	v.Commit = git("rev-parse", "--verify", "--quiet", "HEAD")
	v.Dirty = git("status", "--porcelain", "--untracked-files=no") != ""
	return v
}
