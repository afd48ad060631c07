package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// A Comparison says what changed between two runs of one workload: from the first, A, to the
// second, B. Each ratio is B over A.
type Comparison struct {
	Runs      [2]*results.Run
	Sums      [2]summary.Summary
	Judgement compare.Analysis

	Repeat *Comparison // the same two builds, measured again; nil: they were not. See Confirm
}

// Compare compares run b with run a. It fails where they did not measure the same.
func Compare(a, b *results.Run) (*Comparison, error) {
	j, err := compare.Runs(a, b)
	if err != nil {
		return nil, err
	}
	return &Comparison{Runs: [2]*results.Run{a, b}, Sums: [2]summary.Summary{summary.Of(a), summary.Of(b)}, Judgement: j}, nil
}

// Confirm checks what this comparison found worse against another one of the same two builds,
// measured another time. It fails where that is not what the other is.
func (c *Comparison) Confirm(again *Comparison) error {
	if err := compare.SameAgain(c.Runs, again.Runs); err != nil {
		return err
	}
	c.Repeat, c.Judgement = again, c.Judgement.Confirm(again.Judgement)
	return nil
}

// A side is one of the runs that are compared.
type side struct {
	name string
	run  *results.Run
	sum  summary.Summary
}

// sides are both runs, and those of the second measurement.
func (c *Comparison) sides() (all []side) {
	for i, name := range compare.Sides {
		all = append(all, side{name, c.Runs[i], c.Sums[i]})
	}
	if c.Repeat != nil {
		for _, again := range c.Repeat.sides() {
			again.name += " again"
			all = append(all, again)
		}
	}
	return all
}

// declared has a table per declared metric.
func (c *Comparison) declared() (all []section) {
	for _, name := range compare.Metrics(c.Judgement.Family) {
		m := metric.ByName(name)
		of := section{Title: results.Capital(m.Title), Heading: []string{strings.TrimSpace(m.Title + " " + m.Unit), "A", "B", "B / A", "95 %", ""}}
		for _, d := range compare.Of(name, c.Judgement.Family) {
			of.add(compare.ConfigurationOf(d), c.values(d), ratioAndInterval(d), c.concluded(d))
		}
		all = append(all, of)
	}
	return all
}

// values are the medians of both sides over the blocks that are compared, or of a side that has
// none what there is.
func (c *Comparison) values(d compare.Difference) (both []string) {
	for _, s := range c.Sums {
		said := "–"
		if row, ok := s.Row(compare.ConfigurationOf(d)); ok {
			said = medianOf(row, d.Metric).String()
		}
		both = append(both, said)
	}
	return both
}

// concluded is the verdict, and what qualifies it.
func (c *Comparison) concluded(d compare.Difference) string {
	said := string(d.Verdict)
	switch {
	case d.Verdict == compare.Withheld:
		return ""
	case among(c.Judgement.Regressions(), d):
		said = "different, worse"
	case d.Verdict == compare.Different:
		said = "different, better"
	}
	if what := remarks(d); what != "" {
		said += ": " + what
	}
	return said
}

// Sentences say what the comparison is worth, what is different, and what was compared.
func (c *Comparison) Sentences() (said []string) {
	j := c.Judgement
	if j.Withheld != "" {
		said = append(said, fmt.Sprintf("%s, no verdict: %s.", estimateLabel, j.Withheld))
	} else {
		said = append(said, fixed(j))
		if !j.Decides() {
			said = append(said, fmt.Sprintf("No difference can be significant yet, however large: of %s that takes %d blocks.", some(len(j.Family), "comparison"), j.Decisive))
		}
		said = append(said, c.findings()...)
	}
	for _, s := range c.sides() {
		said = append(said, fmt.Sprintf("%s: %s.", s.name, whichRun(s.run)))
	}
	return said
}

// findings are the verdicts, what is worse first.
func (c *Comparison) findings() (said []string) {
	const worse, better = "Worse in B", "Better in B"
	titles := map[compare.Verdict]string{
		compare.Unconfirmed: "Worse in B, but undecided when measured again", compare.Refuted: "Worse in B, but not when measured again",
		compare.Different: better, compare.Small: "Detectable, below the margin", compare.Equivalent: "Equivalent",
		compare.Inconclusive: "Inconclusive", compare.TooFew: "Inconclusive",
	}
	regressions := c.Judgement.Regressions()
	title := func(d compare.Difference) string {
		if among(regressions, d) {
			return worse
		}
		return titles[d.Verdict]
	}
	for _, group := range grouped(c.Judgement.Family, changed, "; ", title,
		worse, titles[compare.Unconfirmed], titles[compare.Refuted], better, titles[compare.Small], titles[compare.Equivalent], titles[compare.Inconclusive]) {
		said = append(said, results.Capital(group)+".")
	}
	return said
}

func among(all []compare.Difference, d compare.Difference) bool {
	return slices.ContainsFunc(all, func(o compare.Difference) bool { return o.Names == d.Names && o.Metric == d.Metric })
}

// changed is one comparison in a sentence: "websocket latency p99 × 1.21 (1.17–1.26, p 0.002)".
func changed(d compare.Difference) string {
	return fmt.Sprintf("%s %s × %s %s", results.Plain(compare.ConfigurationOf(d)), metric.ByName(d.Metric).Title, ratioSaid(d.Ratio), evidence(d))
}

// whichRun identifies a run to a person.
func whichRun(run *results.Run) string {
	m := run.Manifest
	served := m.Tool
	if m.Served.SHA256 != "" {
		served = m.Served
	}
	of := "of an unknown commit"
	if commit := results.Plain(served.Commit); commit != "" {
		of = "of commit " + commit[:min(12, len(commit))]
	}
	if served.Dirty {
		of += " with changes"
	}
	return fmt.Sprintf("%s, servers %s, %s of %s, %s", results.Plain(run.Path), of, some(summary.Of(run).ValidRepetitions, "valid block"), m.Workload.Scenario, m.Started.Format("2006-01-02 15:04 UTC"))
}

// Table writes the declared metrics, a row per configuration, then what was compared and what follows.
func (c *Comparison) Table(w io.Writer, opts TableOptions) error {
	return writeTable(w, opts, c.declared(), c.Sentences())
}

// Markdown writes the comparison as GitHub renders it.
func (c *Comparison) Markdown(w io.Writer) error {
	return writeMarkdown(w, c.Runs[1].Manifest.Workload.Scenario+": B against A", "", c.Sentences(), c.declared())
}

// HTML writes the comparison as one page, with the figure as report.html has its own.
func (c *Comparison) HTML(w io.Writer, figures []chart.Chart) error {
	m := c.Runs[1].Manifest
	var trust, commands []string
	for _, s := range c.sides() {
		trust = append(trust, strings.Join(append([]string{s.name + ": " + checks(s.sum, "; ")}, exclusions(s.sum)...), " "))
		all := repeat(s.run.Manifest)
		if one := all[len(all)-1]; !slices.Contains(commands, one) {
			commands = append(commands, one)
		}
	}
	return page{
		Title:    results.Plain(m.Workload.Scenario) + ": B against A",
		Question: "What changed between two runs of one workload? Each ratio is B over A.",
		Badges:   []string{label(c.Judgement)},
		Headline: c.Sentences(),
		Account: []part{
			{Title: "What it holds for", Lines: []string{holdsFor(m)}},
			{Title: "Why believe it", Lines: append(trust, "Only trials that took turns on one machine are judged; a block is left out whole where either side has none that is valid.")},
			{Title: "How to repeat it", Lines: []string{"From two builds, whose servers are measured in turns: pushbench run SCENARIO --beside OTHER."}, Code: commands},
		},
		Sections: append(c.declared(), c.others()),
		Charts:   figures,
	}.write(w)
}

// others are the metrics that were not declared, which have intervals and no verdict.
func (c *Comparison) others() section {
	all := section{
		Title:   "What was not declared",
		Note:    "Ratios with 95 % intervals; of what was not declared before the first trial nothing is judged. Of so many intervals one in twenty misses the truth.",
		Heading: []string{"case", "metric", "A", "B", "B / A", "95 %"},
	}
	for _, d := range c.Judgement.Others {
		if d.Verdict != compare.Incomparable {
			m := metric.ByName(d.Metric)
			all.add(compare.ConfigurationOf(d), strings.TrimSpace(m.Title+" "+m.Unit), c.values(d), ratioAndInterval(d))
		}
	}
	return all
}

// CSV writes every ratio, as Report.Comparisons does.
func (c *Comparison) CSV(w io.Writer) error { return writeComparisons(w, c.Judgement) }

// Write writes compare.md, compare.html, comparisons.csv and the figure into a folder.
func (c *Comparison) Write(dir string, figures ...chart.Chart) error {
	return write(dir, "", figures,
		file{"compare.md", c.Markdown},
		file{"compare.html", func(w io.Writer) error { return c.HTML(w, figures) }},
		file{"comparisons.csv", c.CSV})
}
