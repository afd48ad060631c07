package chart

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// A source computes a chart of runs. The chart has no panels if the run has no values for it.
type source struct {
	name  string
	of    func(*results.Run, summary.Summary) Chart
	lacks string // why the chart can lack a configuration; empty: it has no series per configuration
}

// sources lists every chart of runs, in the order of the report.
func sources() []source {
	all := []source{
		{latency.name, latency.of, "too few messages delivered for a percentile"},
		{age.name, age.of, "too few observations of the age"},
		{"pareto", pareto, "no finite p99, or no price"},
	}
	for _, a := range axes {
		all = append(all, source{a.chart, a.of, ""})
	}
	return append(all, source{"crossover", crossover, ""}, source{"timeline", timeline, ""},
		source{"cost", cost, "no message delivered"}, source{"writes", writes, "no message delivered"},
		source{"memory", memory, "memory not measured"}, source{"connect", connect, "no client connected"})
}

// missing names the configurations that the chart lacks, and the reason.
func (s source) missing(c Chart, rows []summary.Row) string {
	var names []string
	for _, r := range rows {
		if !slices.ContainsFunc(c.Panels, func(p Panel) bool {
			return slices.ContainsFunc(p.Series, func(s Series) bool { return s.Configuration == r.Label() })
		}) {
			names = append(names, r.Label())
		}
	}
	if s.lacks == "" || len(names) == 0 {
		return ""
	}
	return "not shown (" + s.lacks + "): " + strings.Join(names, ", ") + " · "
}

// Names lists the charts that Draw and Several can draw, in the order of the report.
func Names() (names []string) {
	for _, s := range sources() {
		names = append(names, s.name)
	}
	return names
}

// charts returns every chart for which the run has values. badge is its mark, except VERDICT.
func charts(run *results.Run, s summary.Summary, basis, badge string) (all []Chart) {
	for _, from := range sources() {
		c := from.of(run, s).complete()
		if c.ranged() {
			c.Keys = append(c.Keys, Key{"range of the repetitions", ranges, plain})
		}
		c.Name, c.Basis, c.Mark = from.name, from.missing(c, s.Rows)+basis, markOf(badge)
		if len(c.Panels) > 0 {
			all = append(all, c)
		}
	}
	return all
}

// Draw draws every chart for which the run's valid trials, summarized in s, have values, in the
// order of the report; or only the named ones, in the given order. badge is the state of the run:
// each chart shows it, except a VERDICT. An unknown name is an *UnknownError.
func Draw(run *results.Run, s summary.Summary, badge string, only ...string) ([]Chart, error) {
	return drawAll(charts(run, s, basis(run, s), badge), only)
}

// UnknownError reports that a run has no chart with a name.
type UnknownError struct {
	Name string
	Has  []string // the available charts
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("no chart %q; available: %s", e.Name, strings.Join(e.Has, ", "))
}

// drawAll draws charts concurrently, as each picture is expensive.
func drawAll(all []Chart, only []string) ([]Chart, error) {
	if len(only) > 0 {
		var has []string
		for _, c := range all {
			has = append(has, c.Name)
		}
		var kept []Chart
		for _, name := range only {
			i := slices.Index(has, name)
			if i < 0 {
				return nil, &UnknownError{name, has}
			}
			kept = append(kept, all[i])
		}
		all = kept
	}
	errs := make([]error, len(all))
	var drawing sync.WaitGroup
	for i, c := range all {
		drawing.Go(func() { all[i], errs[i] = c.drawn() })
	}
	drawing.Wait()
	return all, errors.Join(errs...)
}

// basis returns the line below each chart: the evidence for it.
func basis(run *results.Run, s summary.Summary) string {
	m := run.Manifest
	lowest, highest := m.Deliveries()
	var fewest, most int64 // publishes of any row
	for i, r := range s.Rows {
		n := r.Pooled.Publishes.Planned
		if i == 0 || n < fewest {
			fewest = n
		}
		most = max(most, n)
	}
	row := "transport"
	if m.Sweeps() {
		row = "configuration"
	}
	text := fmt.Sprintf("%s · %s deliveries/s offered · n = %s publishes per %s · %d of %d repetitions valid · validity checks %s of %s passed · seed %d",
		results.Plain(m.Workload.Scenario), between(metric.Number(lowest), metric.Number(highest)),
		between(metric.Count(fewest), metric.Count(most)), row, s.ValidRepetitions, s.Repetitions,
		metric.Count(int64(s.ChecksPassed)), metric.Count(int64(s.Checks)), m.Seed)
	if commit := shortCommit(m.Tool.Commit); commit != "" {
		text += " · commit " + commit
	}
	if floor := compare.NoiseFloor(compare.SelfComparisons(run, s)); len(floor) > 0 {
		text += " · noise floor: " + strings.Join(floor, ", ")
	}
	return text
}

// shortCommit returns the beginning of a commit's hash.
func shortCommit(commit string) string {
	commit = results.Plain(commit)
	return commit[:min(10, len(commit))]
}

// between returns a range, or its single value.
func between(lo, hi string) string {
	if lo == hi {
		return hi
	}
	return lo + "–" + hi
}

// describe returns the alternative text for rows: a clause per row, with its name and the metrics in
// the order of the format.
func describe(rows []summary.Row, format string, metrics ...string) string {
	var clauses []string
	for _, r := range rows {
		values := []any{r.Label()}
		for _, m := range metrics {
			values = append(values, r.Typical(m))
		}
		clauses = append(clauses, fmt.Sprintf(format, values...))
	}
	return strings.Join(clauses, "; ") + "."
}

// markOf is the mark of a chart: its badge, unless that is the normal state.
func markOf(badge string) string { return strings.TrimPrefix(badge, "VERDICT") }

// restricted are the badges of values that may be quoted with their restriction.
var restricted = []string{"ESTIMATE", "INCONCLUSIVE", "OVERLOADED"}
