package app

import (
	"fmt"
	"time"

	"pushbench/bench"
	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios"
)

// A Plan says, before the first trial, how long a run takes and what it can decide.
type Plan struct {
	Name                        string
	Configurations, Repetitions int
	Builds                      int // 2 with a baseline
	Duration                    time.Duration
	Comparisons                 int // declared
	MinDecisive                 int // repetitions that any of the comparisons requires to be significant
	SameBuild                   string
}

// Plan checks that this machine can run the scenario, and plans the run.
func (e Env) Plan(s *scenarios.Scenario, o Options) (p Plan, err error) {
	if err := e.preflight(s, o.ServersGiven); err != nil {
		return p, err
	}
	p = Plan{Name: s.Name, Configurations: len(s.Configurations()), Repetitions: s.Repetitions, Builds: 1}
	planned := bench.Planned(s)
	analysis := compare.Analyze(planned, summary.Of(planned))
	if o.Baseline != nil {
		p.Builds, p.SameBuild = 2, sameBuild(e.Tool(), o.Baseline.Tool)
		if analysis, err = compare.Runs(planned, planned); err != nil {
			return p, err
		}
	}
	p.Duration = bench.Duration(s, p.Builds)
	p.Comparisons, p.MinDecisive = len(analysis.Family), analysis.MinDecisive
	return p, nil
}

// sameBuild names what shows that two builds are the same: their commit or checksum. It returns ""
// if they may differ.
func sameBuild(a, b results.Tool) string {
	switch {
	case a.Commit != "" && a.Commit == b.Commit && !a.Dirty && !b.Dirty:
		return "commit " + a.Commit[:min(12, len(a.Commit))]
	case a.SHA256 != "" && a.SHA256 == b.SHA256:
		return "checksum " + a.SHA256[:min(12, len(a.SHA256))]
	default:
		return ""
	}
}

// Decides reports whether a declared comparison can be significant.
func (p Plan) Decides() bool { return p.Comparisons > 0 && p.Repetitions >= p.MinDecisive }

// Lines describes the plan, a sentence per line.
func (p Plan) Lines() []string {
	builds := ""
	if p.Builds > 1 {
		builds = fmt.Sprintf(" of %d builds", p.Builds)
	}
	lines := []string{fmt.Sprintf("%s: %s, %s%s, about %s.", p.Name, some(p.Configurations, "configuration"), some(p.Repetitions, "repetition"), builds, InMinutes(p.Duration))}
	switch {
	case p.Comparisons == 0:
		lines = append(lines, "Nothing to compare: no two configurations differ only in their transport.")
	case p.Decides():
		lines = append(lines, fmt.Sprintf("Enough repetitions to decide the %s (minimum: %d).", some(p.Comparisons, "declared comparison"), p.MinDecisive))
	default:
		lines = append(lines, fmt.Sprintf("An estimate, without a verdict. To decide the %s: --repetitions %d or more (%s).",
			some(p.Comparisons, "declared comparison"), p.MinDecisive, InMinutes(p.with(p.MinDecisive))))
	}
	if p.SameBuild != "" {
		lines = append(lines, fmt.Sprintf("The baseline is the same build (%s): any difference is noise.", p.SameBuild))
	}
	return lines
}

// Undecidable is the error of a plan that cannot decide any declared comparison; nil if it can.
func (p Plan) Undecidable() error {
	switch {
	case p.Decides():
		return nil
	case p.Comparisons == 0:
		return Usagef("%s: nothing to compare, so there can be no verdict; allowed: several transports, or --baseline", p.Name)
	default:
		return Usagef("%s: %s cannot decide %s; allowed: --repetitions %d or more (%s)",
			p.Name, some(p.Repetitions, "repetition"), some(p.Comparisons, "declared comparison"), p.MinDecisive, InMinutes(p.with(p.MinDecisive)))
	}
}

// with is the duration with another number of repetitions.
func (p Plan) with(repetitions int) time.Duration {
	return p.Duration / time.Duration(p.Repetitions) * time.Duration(repetitions)
}

// some is a count with its noun.
func some(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return metric.Count(int64(n)) + " " + noun + "s"
}

// InMinutes is a duration in the unit that people plan with.
func InMinutes(d time.Duration) string {
	if d < 100*time.Second {
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f min", d.Minutes())
}
