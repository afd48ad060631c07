package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pushbench/bench"
	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A Plan says, before the first trial, how long a run takes and what it can decide.
type Plan struct {
	Name                        string
	Configurations, Repetitions int
	Builds                      int // 2 with a baseline
	Duration                    time.Duration
	Comparisons                 int    // declared
	Compared                    string // what is compared, and by which metrics
	MinDecisive                 int    // repetitions that any of the comparisons requires to be significant
	Advised                     int    // repetitions that a verdict requires, with a balanced order
	SameBuild                   string
	Lacking                     []scenarios.Transport // not measured, as the baseline does not have them
	Unsettled                   string                // why some costs are too high; empty: they are not
}

// Plan checks that this machine can run the scenario, and plans the run.
func (e Env) Plan(s *scenarios.Scenario, o Options) (p Plan, err error) {
	if err := errors.Join(checkMetricsAddress(o.Metrics), e.preflight(s, o.ServersGiven)); err != nil {
		return p, err
	}
	p = Plan{Name: s.Name, Configurations: len(s.Configurations()), Repetitions: s.Repetitions, Builds: 1, Unsettled: s.Unsettled()}
	if o.Baseline != nil {
		p.Builds, p.SameBuild, p.Lacking = 2, o.Baseline.same(e.Tool()), o.Baseline.lacks
	}
	planned := bench.Planned(s, p.Builds)
	analysis := compare.Analyze(planned, summary.Of(planned))
	if o.Baseline != nil {
		if analysis, err = compare.Runs(planned, planned); err != nil {
			return p, err
		}
	}
	p.Duration = bench.Duration(s, p.Builds)
	p.Comparisons, p.MinDecisive = len(analysis.Family), analysis.MinDecisive
	p.Advised = analysis.Advised(p.Configurations)
	if p.Comparisons > 0 {
		p.Compared = compared(analysis, p.Builds)
	}
	return p, nil
}

// compared describes the declared comparisons.
func compared(a compare.Analysis, builds int) string {
	what := "every pair of transports"
	switch {
	case builds > 1:
		what = "each configuration with the baseline's"
	case targetOf(a.Family[0].Names[0]) != targetOf(a.Family[0].Names[1]):
		what = "each target with " + targetOf(a.Family[0].Names[1]) + ", over the same transport,"
	case a.Declared.Against != "":
		what = "each transport with " + transports.Or(partners(a))
	}
	var titles []string
	for _, name := range compare.Metrics(a.Family) {
		titles = append(titles, metric.ByName(name).Title)
	}
	return what + " by " + strings.Join(titles, " and by ")
}

// targetOf is the target in the name of a configuration.
func targetOf(name string) string {
	_, after, _ := strings.Cut(name, " target=")
	target, _, _ := strings.Cut(after, " ")
	return target
}

// partners are the transports with which the others are compared: the declared one, and the last of the
// configurations that it does not have.
func partners(a compare.Analysis) (titles []string) {
	for _, d := range a.Family {
		first, last := strings.Fields(d.Names[0])[0], strings.Fields(d.Names[1])[0]
		if first == a.Declared.Against {
			last = first
		}
		if title := transports.Of(last).Title; !slices.Contains(titles, title) {
			titles = append(titles, title)
		}
	}
	return titles
}

// sameBuild names what shows that two builds are the same: their commit or checksum. It returns ""
// if they may differ: a target file does not tell.
func sameBuild(a, b results.Tool) string {
	switch {
	case a.Target != "" && a.SHA256 != b.SHA256:
		return "" // two target files in one repository
	case a.Commit != "" && a.Commit == b.Commit && !a.Dirty && !b.Dirty:
		return "commit " + a.Commit[:min(12, len(a.Commit))]
	case a.SHA256 != "" && a.SHA256 == b.SHA256 && a.Target == "":
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
		lines = append(lines, "Nothing to compare: no two configurations differ only in their transport, or only in their target.")
	case p.Decides():
		lines = append(lines, p.declared(), fmt.Sprintf("Can decide them from %d repetitions on; this run has %d.", p.MinDecisive, p.Repetitions))
	default:
		lines = append(lines, p.declared(), fmt.Sprintf("Can decide them from %d repetitions on; this run has %d: an estimate. For a verdict: --repetitions %d (%s).",
			p.MinDecisive, p.Repetitions, p.Advised, InMinutes(p.with(p.Advised))))
	}
	if p.Unsettled != "" {
		lines = append(lines, results.Capital(p.Unsettled)+".")
	}
	for _, t := range p.Lacking {
		lines = append(lines, results.Capital(transports.Of(t).Title)+" is not measured: the baseline does not have it.")
	}
	if p.SameBuild != "" {
		lines = append(lines, fmt.Sprintf("The baseline is the same build (%s): any difference is noise.", p.SameBuild))
	}
	return lines
}

// declared names the comparisons that can have a verdict.
func (p Plan) declared() string {
	return fmt.Sprintf("%s: %s.", results.Capital(some(p.Comparisons, "declared comparison")), p.Compared)
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
