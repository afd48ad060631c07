package report

import (
	"errors"
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

// A Comparison states what changed between two runs of one workload: from the first, A, to the second, B.
// Each ratio is B over A.
type Comparison struct {
	Runs      [2]*results.Run
	Summaries [2]summary.Summary
	Analysis  compare.Analysis

	Repeat *Comparison // the second measurement of the same two builds; nil: there is none. See Confirm
}

// Compare compares run b with run a. It fails if they did not measure the same workload. Run a gets the prices
// of run b, so that the servers are compared and not the prices.
func Compare(a, b *results.Run) (*Comparison, error) {
	priced := *a
	priced.Manifest.Prices = b.Manifest.Prices
	a = &priced
	j, err := compare.Runs(a, b)
	if err != nil {
		return nil, err
	}
	return &Comparison{Runs: [2]*results.Run{a, b}, Summaries: [2]summary.Summary{summary.Of(a), summary.Of(b)}, Analysis: j}, nil
}

// Confirm checks what this comparison found worse against a second measurement of the same two builds. It
// fails if the other comparison is not such a measurement.
func (c *Comparison) Confirm(second *Comparison) error {
	if err := compare.CheckSecondMeasurement(c.Runs, second.Runs); err != nil {
		return err
	}
	c.Repeat, c.Analysis = second, c.Analysis.Confirm(second.Analysis)
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
		all = append(all, side{name, c.Runs[i], c.Summaries[i]})
	}
	if c.Repeat != nil {
		for _, second := range c.Repeat.sides() {
			second.name += ", second measurement"
			all = append(all, second)
		}
	}
	return all
}

// declared has a table per declared metric.
func (c *Comparison) declared() (all []section) {
	for _, name := range compare.Metrics(c.Analysis.Family) {
		m := metric.ByName(name)
		of := section{Title: results.Capital(m.Title), Heading: []string{strings.TrimSpace(m.Title + " " + m.Unit), "A", "B", "B / A", "95 %", ""}}
		for _, d := range compare.ByMetric(name, c.Analysis.Family) {
			of.add(compare.ConfigurationOf(d), c.values(d), ratioAndInterval(d), c.conclusion(d))
		}
		all = append(all, of)
	}
	return all
}

// values are the medians of both sides over the compared repetitions, or the pooled value of a side without
// a median.
func (c *Comparison) values(d compare.Difference) (both []string) {
	for _, s := range c.Summaries {
		text := "–"
		if row, ok := s.Row(compare.ConfigurationOf(d)); ok {
			text = medianOf(row, d.Metric).String()
		}
		both = append(both, text)
	}
	return both
}

// isUnbounded reports whether a warning is that a comparison has no interval.
func isUnbounded(w error) bool { return errors.Is(w, compare.ErrUnbounded) }

// conclusion is the verdict with its remarks.
func (c *Comparison) conclusion(d compare.Difference) string {
	text := string(d.Verdict)
	switch {
	case d.Verdict == compare.Withheld:
		return ""
	case among(c.Analysis.Regressions(), d):
		text = "different, worse"
	case d.Verdict == compare.Different:
		text = "different, better"
	}
	d.Warnings = slices.DeleteFunc(slices.Clone(d.Warnings), isUnbounded) // a dash shows it
	if what := remarks(d); what != "" {
		text += ": " + what
	}
	return text
}

// Sentences states whether the comparison has a verdict, what is different, and which runs were compared.
func (c *Comparison) Sentences() (lines []string) {
	a := c.Analysis
	if a.Withheld != "" {
		lines = append(lines, fmt.Sprintf("%s, no verdict: %s.", estimateLabel, a.Withheld))
	} else {
		lines = append(lines, terms(a))
		if !a.Decides() {
			lines = append(lines, fmt.Sprintf("No difference can be significant yet: %s need --repetitions %d or more.", some(len(a.Family), "comparison"), a.MinDecisive))
		}
		lines = append(lines, c.findings()...)
	}
	if slices.ContainsFunc(a.Family, func(d compare.Difference) bool {
		return slices.ContainsFunc(d.Warnings, isUnbounded)
	}) {
		lines = append(lines, "A dash instead of an interval: too few repetitions.")
	}
	for _, s := range c.sides() {
		lines = append(lines, fmt.Sprintf("%s: %s.", s.name, runText(s.run)))
	}
	return lines
}

// findings is a sentence per difference, regressions first. Each begins with its title, so that a CI system
// can pick it by its line.
func (c *Comparison) findings() (lines []string) {
	const worse, better = "Worse in B", "Better in B"
	titles := map[compare.Verdict]string{
		compare.Unconfirmed: "Worse in B, but inconclusive in the second measurement", compare.Refuted: "Worse in B, but not in the second measurement",
		compare.Different: better, compare.Small: "Detectable, below the margin", compare.Equivalent: "Equivalent",
		compare.Inconclusive: "Inconclusive", compare.TooFew: "Inconclusive",
	}
	regressions := c.Analysis.Regressions()
	title := func(d compare.Difference) string {
		if among(regressions, d) {
			return worse
		}
		return titles[d.Verdict]
	}
	for _, entry := range grouped(c.Analysis.Family, changed, title,
		worse, titles[compare.Unconfirmed], titles[compare.Refuted], better, titles[compare.Small], titles[compare.Equivalent], titles[compare.Inconclusive]) {
		lines = append(lines, entry+".")
	}
	if pairs, reasons := notComparable(c.Analysis.Family); len(pairs) > 0 {
		lines = append(lines, fmt.Sprintf("%s: %s.", results.Capital(string(compare.Incomparable)), strings.Join(pairs, ", ")))
		for _, reason := range reasons {
			lines = append(lines, item+reason)
		}
	}
	return lines
}

func among(all []compare.Difference, d compare.Difference) bool {
	return slices.ContainsFunc(all, func(o compare.Difference) bool { return o.Names == d.Names && o.Metric == d.Metric })
}

// changed is one comparison in a sentence: "WebSocket latency p99 × 1.21 (1.17–1.26, p 0.002)".
func changed(d compare.Difference) string {
	return fmt.Sprintf("%s %s × %s %s", prose(results.Plain(compare.ConfigurationOf(d))), metric.ByName(d.Metric).Title, ratioText(d.Ratio), evidence(d))
}

// commitText is a commit in short.
func commitText(commit string) string {
	known := results.Plain(commit)
	if known == "" {
		return "unknown"
	}
	return known[:min(12, len(known))]
}

// runText identifies a run for people.
func runText(run *results.Run) string {
	m := run.Manifest
	served := m.Tool
	if m.Served.SHA256 != "" {
		served = m.Served
	}
	commit := commitText(served.Commit)
	if served.Dirty {
		commit += " with uncommitted changes"
	}
	return fmt.Sprintf("%s, server commit %s, %s of %s, %s", results.Plain(run.Path), commit, some(summary.Of(run).ValidRepetitions, "valid repetition"), m.Workload.Scenario, m.Started.Format("2006-01-02 15:04 UTC"))
}

// Table writes the declared metrics, a row per configuration, then the sentences.
func (c *Comparison) Table(w io.Writer, opts TableOptions) error {
	return writeTable(w, opts, c.declared(), c.Sentences())
}

// Markdown writes the comparison as GitHub Markdown.
func (c *Comparison) Markdown(w io.Writer) error {
	return writeMarkdown(w, c.Runs[1].Manifest.Workload.Scenario+": B against A", "", c.Sentences(), c.declared())
}

// HTML writes the comparison as one page, with the chart.
func (c *Comparison) HTML(w io.Writer, charts []chart.Chart) error {
	m := c.Runs[1].Manifest
	var evidence, commands []string
	for _, s := range c.sides() {
		evidence = append(evidence, strings.Join(append([]string{s.name + ": validity checks: " + checks(s.sum, ". ")}, exclusions(s.sum)...), " "))
		all := repeat(s.run.Manifest)
		if one := all[len(all)-1]; !slices.Contains(commands, one) {
			commands = append(commands, one)
		}
	}
	return page{
		Title:    results.Plain(m.Workload.Scenario) + ": B against A",
		Question: "What changed between two runs of one workload? Each ratio is B over A.",
		Badges:   []string{label(c.Analysis)},
		Headline: c.Sentences(),
		Account: []qualification{
			{Title: "Scope", Lines: []string{scope(m)}},
			{Title: "Evidence", Lines: append(evidence, "A verdict requires that both runs were measured in turns on one machine. A repetition without a valid trial on either side is discarded.")},
			{Title: "How to repeat it", Lines: []string{"To measure two builds in turns: pushbench run SCENARIO --baseline OTHER."}, Code: commands},
		},
		Sections: append(c.declared(), c.others()),
		Charts:   charts,
	}.write(w)
}

// others are the metrics that were not declared, which have intervals and no verdict.
func (c *Comparison) others() section {
	all := section{
		Title:   "Metrics that were not declared",
		Note:    "Ratios with 95 % intervals. A metric that was not declared before the first trial has no verdict. One in twenty of these intervals misses the true ratio.",
		Heading: []string{"configuration", "metric", "A", "B", "B / A", "95 %"},
	}
	for _, d := range c.Analysis.Others {
		if d.Verdict != compare.Incomparable {
			m := metric.ByName(d.Metric)
			all.add(compare.ConfigurationOf(d), strings.TrimSpace(m.Title+" "+m.Unit), c.values(d), ratioAndInterval(d))
		}
	}
	return all
}

// CSV writes all ratios, as Report.Comparisons does.
func (c *Comparison) CSV(w io.Writer) error { return writeComparisons(w, c.Analysis) }

// Write writes compare.md, compare.html, comparisons.csv and the chart into a folder.
func (c *Comparison) Write(dir string, charts ...chart.Chart) error {
	return write(dir, "", charts,
		file{"compare.md", c.Markdown},
		file{"compare.html", func(w io.Writer) error { return c.HTML(w, charts) }},
		file{"comparisons.csv", c.CSV})
}
