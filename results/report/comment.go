package report

import (
	"fmt"
	"io"
	"slices"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
)

// commentRows limits the table of a comment: GitHub refuses comments of more than 65,536 characters.
const commentRows = 200

// Comment writes the result of a run as a short comment on a pull request, in GitHub Markdown. An invalid run
// has no table, as its values must not be quoted.
func (r *Report) Comment(w io.Writer) error {
	m := r.Run.Manifest
	var tables []section
	if m.Status != results.Invalid {
		overview := shortened(r.overviewSection())
		overview.Note = ""
		tables = append(tables, overview)
	}
	return writeMarkdown(w, fmt.Sprintf("%s: %s", m.Workload.Scenario, statusText(m.Status)), "", r.conclusion(), tables)
}

// Comment writes the comparison as a short comment on a pull request, in GitHub Markdown: each declared
// metric before and after the change, in absolute values and as a ratio.
func (c *Comparison) Comment(w io.Writer) error {
	lines := []string{c.outcome()}
	for i, when := range []string{"Before", "After"} {
		lines = append(lines, fmt.Sprintf("%s: %s.", when, runText(c.Runs[i])))
	}
	return writeMarkdown(w, c.Runs[1].Manifest.Workload.Scenario+": before → after", "", lines, []section{shortened(c.changes())})
}

// outcome is the comparison in one sentence.
func (c *Comparison) outcome() string {
	a := c.Analysis
	declared := some(len(a.Family), "declared comparison")
	switch worse, open := len(a.Regressions()), len(a.Unresolved()); {
	case a.Withheld != "":
		return fmt.Sprintf("%s, no verdict: %s.", estimateLabel, a.Withheld)
	case worse > 0:
		return fmt.Sprintf("%s: worse in %d of %s.", verdictLabel, worse, declared)
	case open > 0:
		return fmt.Sprintf("Inconclusive: %d of %s have no conclusion.", open, declared)
	default:
		return fmt.Sprintf("%s: no regression in %s.", verdictLabel, declared)
	}
}

// changes has a row per declared comparison, regressions first.
func (c *Comparison) changes() section {
	family := slices.Clone(c.Analysis.Family)
	worse := c.Analysis.Regressions()
	slices.SortStableFunc(family, func(a, b compare.Difference) int {
		switch a, b := among(worse, a), among(worse, b); {
		case a == b:
			return 0
		case a:
			return -1
		default:
			return 1
		}
	})
	all := section{Title: "Before → after", Heading: []string{"configuration", "metric", "before → after", "ratio", "95 %", "conclusion"}}
	for _, d := range family {
		m := metric.ByName(d.Metric)
		values := c.values(d)
		absolute := values[0] + " → " + values[1]
		if m.Unit != "" {
			absolute += " " + m.Unit
		}
		all.add(compare.ConfigurationOf(d), m.Title, absolute, ratioAndInterval(d), c.conclusion(d))
	}
	return all
}

// shortened is a section that a comment has room for.
func shortened(s section) section {
	if more := len(s.Rows) - commentRows; more > 0 {
		s.Rows = s.Rows[:commentRows]
		s.Note = some(more, "more row") + " in the run's report."
	}
	return s
}
