package report

import (
	"errors"
	"fmt"
	"io"
	"math"
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

	compared [2]summary.Summary // of the compared repetitions only, as the ratios

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
	c := &Comparison{Runs: [2]*results.Run{a, b}, Summaries: [2]summary.Summary{summary.Of(a), summary.Of(b)}, Analysis: j}
	for i, run := range c.Runs {
		c.compared[i] = ofRepetitions(run, j.Repetitions)
	}
	return c, nil
}

// ofRepetitions summarizes some repetitions of a run.
func ofRepetitions(run *results.Run, repetitions []int) summary.Summary {
	part := *run
	part.Trials = slices.DeleteFunc(slices.Clone(run.Trials), func(t results.Trial) bool { return !slices.Contains(repetitions, t.Repetition) })
	return summary.Of(&part)
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

// declared has a row per declared comparison, regressions first: each metric before and after the change.
func (c *Comparison) declared() Section {
	all := Section{
		Title:   "Declared comparisons",
		Shown:   true,
		Chart:   "compared",
		Columns: append(columns("configuration", "metric", "before → after", "B / A"), Column{"95 %", "", Wide}, Column{Title: "conclusion"}),
	}
	if n := len(c.Analysis.Repetitions); n > 0 {
		all.Note = fmt.Sprintf("Before and after: medians over %s with a valid trial on both sides. "+
			"B / A: the Hodges-Lehmann estimate of the ratios within these repetitions. It can differ from the ratio of the medians.", some(n, "repetition"))
	}
	worse := c.Analysis.Regressions()
	family := slices.Clone(c.Analysis.Family)
	slices.SortStableFunc(family, func(a, b compare.Difference) int {
		return map[bool]int{true: -1}[among(worse, a)] - map[bool]int{true: -1}[among(worse, b)]
	})
	for _, d := range family {
		conclusion := Cell{Text: c.conclusion(d)}
		if among(worse, d) {
			conclusion.Tone = Bad
		}
		all.add(results.Label(compare.ConfigurationOf(d)), metric.ByName(d.Metric).Title, c.beforeAndAfter(d), ratioAndInterval(d), conclusion)
	}
	return all
}

// values are the medians of both sides over the compared repetitions, or the pooled value of a side without
// a median.
func (c *Comparison) values(d compare.Difference) (both []string) {
	for _, s := range c.compared {
		text := "–"
		if row, ok := s.Row(compare.ConfigurationOf(d)); ok {
			text = row.Typical(d.Metric).String()
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
	case c.Analysis.Withheld != "" && d.Verdict != compare.Incomparable:
		return "" // the headline states why
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

// Document is the content of the comparison.
func (c *Comparison) Document() Document {
	m := c.Runs[1].Manifest
	badge, answer := c.outcome()
	d := Document{
		Title:    results.Plain(m.Workload.Scenario) + ": B against A",
		Question: "What changed between two runs of one workload? Each ratio is B over A.",
		Badge:    badge, Basis: some(len(c.Analysis.Repetitions), "repetition"),
		Origin:   origin(m.Started, m.Host, m.Tool),
		Headline: append([]Paragraph{answer}, c.findings()...),
		Sections: []Section{c.declared(), c.others()},
	}
	var runs, evidence, commands []string
	for _, s := range c.sides() {
		runs = append(runs, fmt.Sprintf("%s: %s.", s.name, runText(s.run)))
		evidence = append(evidence, strings.Join(append([]string{s.name + ": validity checks: " + checks(s.sum, ". ")}, exclusions(s.sum)...), " "))
		all := repeat(s.run.Manifest)
		if one := all[len(all)-1]; !slices.Contains(commands, one) {
			commands = append(commands, one)
		}
	}
	d.Headline = append(d.Headline, text(append(runs, scope(m))...)...)
	if d.Badge == string(results.Invalid) {
		d.Basis = ""
	}
	if c.Analysis.Withheld == "" {
		evidence = append(evidence, terms(c.Analysis))
	}
	d.Sections = append(d.Sections,
		Section{Title: "Evidence", Detail: Full, Paragraphs: text(append(evidence, "A verdict requires that both runs were measured in turns on one machine. A repetition without a valid trial on either side is discarded.")...)},
		Section{Title: "How to repeat it", Detail: Full, Paragraphs: text("To measure two builds in turns: pushbench run SCENARIO --baseline OTHER."), Code: commands})
	return d
}

// outcome is the comparison in one sentence, with its badge.
func (c *Comparison) outcome() (badge string, answer Paragraph) {
	a := c.Analysis
	declared := some(len(a.Family), "declared comparison")
	for _, s := range c.sides() {
		if m := s.run.Manifest; m.Status == results.Invalid {
			return string(m.Status), Paragraph{fmt.Sprintf("INVALID: run %s: %s. No value of it may be quoted.", s.name, Cause(s.run)), []string{"Measure it again. " + remedy(s.run)}}
		}
	}
	switch worse, open := len(a.Regressions()), len(a.Unresolved()); {
	case a.Withheld != "":
		answer = Paragraph{Text: fmt.Sprintf("Inconclusive: %s.", a.Withheld)}
		if a.TooFewOnly {
			answer.Items = []string{fmt.Sprintf("Run with --repetitions %d or more.", a.MinDecisive)}
		}
		return inconclusive, answer
	case worse > 0:
		return verdictLabel, Paragraph{Text: fmt.Sprintf("Regression: B is worse in %d of %s.", worse, declared)}
	case open > 0:
		answer = Paragraph{Text: fmt.Sprintf("Inconclusive: %d of %s have no conclusion.", open, declared)}
		needed := a.MinDecisive
		for _, d := range a.Unresolved() {
			needed = max(needed, d.Needed)
		}
		if needed > len(a.Repetitions) {
			answer.Items = []string{fmt.Sprintf("Run with about --repetitions %d.", needed)}
		}
		return inconclusive, answer
	default:
		return verdictLabel, Paragraph{Text: fmt.Sprintf("No regression in %s.", declared)}
	}
}

// findings is a sentence per difference, regressions first. Each begins with its title, so that a CI system
// can pick it by its line. Comparisons without a difference are counted.
func (c *Comparison) findings() (all []Paragraph) {
	a := c.Analysis
	if a.Withheld != "" {
		return nil
	}
	regressions := a.Regressions()
	add := func(title string, of func(compare.Difference) bool) {
		for _, d := range a.Family {
			if of(d) {
				all = append(all, text(fmt.Sprintf("%s: %s.", title, c.changed(d)))...)
			}
		}
	}
	is := func(v compare.Verdict) func(compare.Difference) bool {
		return func(d compare.Difference) bool { return d.Verdict == v }
	}
	add("Worse in B", func(d compare.Difference) bool { return among(regressions, d) })
	add("Worse in B, confirmation inconclusive", is(compare.Unconfirmed))
	add("Worse in B, but not confirmed", is(compare.Refuted))
	add("Better in B", func(d compare.Difference) bool { return d.Verdict == compare.Different && !among(regressions, d) })
	var others []string
	for _, v := range []compare.Verdict{compare.Small, compare.Equivalent, compare.Inconclusive, compare.TooFew, compare.Incomparable} {
		n := 0
		for _, d := range a.Family {
			n += map[bool]int{true: 1}[d.Verdict == v]
		}
		if n > 0 {
			others = append(others, fmt.Sprintf("%s: %d", v, n))
		}
	}
	if len(others) > 0 {
		all = append(all, text("Other comparisons: "+strings.Join(others, ", ")+".")...)
	}
	return all
}

func among(all []compare.Difference, d compare.Difference) bool {
	return slices.ContainsFunc(all, func(o compare.Difference) bool { return o.Names == d.Names && o.Metric == d.Metric })
}

// changed is one comparison in a sentence: "WebSocket latency p99 8 → 9.6 ms, 1.2× (1.17–1.26, p 0.002)".
func (c *Comparison) changed(d compare.Difference) string {
	times := "∞"
	if !math.IsInf(d.Ratio, 1) && d.Ratio > 0 {
		times = ratio(d.Ratio)
	}
	inside := append([]string{interval(d.Lo, d.Hi), pText(d.Adjusted)}, infinities(d)...)
	return fmt.Sprintf("%s %s %s, %s× (%s)", prose(results.Plain(compare.ConfigurationOf(d))), metric.ByName(d.Metric).Title, c.beforeAndAfter(d), times, strings.Join(inside, ", "))
}

// beforeAndAfter are the values of both sides: "8 → 9.6 ms".
func (c *Comparison) beforeAndAfter(d compare.Difference) string {
	both := c.values(d)
	return strings.TrimSpace(both[0] + " → " + both[1] + " " + metric.ByName(d.Metric).Unit)
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
	measured := m.Measured()
	commit := commitText(measured.Commit)
	if measured.Dirty {
		commit += " with uncommitted changes"
	}
	server := "server"
	if measured.Target != "" {
		server = string(m.Side) + " of " + results.Plain(measured.Target) + ","
	}
	return fmt.Sprintf("%s, %s commit %s, %s, %s", results.Plain(run.Path), server, commit, some(summary.Of(run).ValidRepetitions, "valid repetition"), m.Started.Format("2006-01-02 15:04 UTC"))
}

// others are the metrics that were not declared, which have intervals and no verdict.
func (c *Comparison) others() Section {
	all := Section{
		Title:   "Metrics that were not declared",
		Detail:  Full,
		Note:    "Ratios with 95 % intervals. A metric that was not declared before the first trial has no verdict. One in twenty of these intervals misses the true ratio.",
		Columns: columns("configuration", "metric", "A", "B", "B / A", "95 %"),
	}
	for _, d := range c.Analysis.Others {
		if d.Verdict != compare.Incomparable {
			m := metric.ByName(d.Metric)
			all.add(results.Label(compare.ConfigurationOf(d)), strings.TrimSpace(m.Title+" "+m.Unit), c.values(d), ratioAndInterval(d))
		}
	}
	return all
}

// CSV writes all ratios, as Report.Comparisons does.
func (c *Comparison) CSV(w io.Writer) error { return writeComparisons(w, c.Analysis) }

// Write writes compare.md, compare.html, comparisons.csv and the chart into a folder.
func (c *Comparison) Write(dir string, charts ...chart.Chart) error {
	return write(dir, ".", charts,
		file{"compare.md", c.Document().Markdown},
		file{"compare.html", func(w io.Writer) error { return c.Document().HTML(w, charts) }},
		file{"comparisons.csv", c.CSV})
}
