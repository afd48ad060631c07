package report

import (
	"encoding/csv"
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

// A Comparison says what changed between two runs of one workload. Of the first it speaks
// as A, of the second as B, and each ratio is B over A.
type Comparison struct {
	Runs      [2]*results.Run
	Sums      [2]summary.Summary
	Judgement compare.Judgement

	Again *Comparison // the same two builds, measured again; nil: they were not. See Confirm
}

// Compare holds run b against run a. It fails where they did not measure the same.
func Compare(a, b *results.Run) (*Comparison, error) {
	j, err := compare.Runs(a, b)
	if err != nil {
		return nil, err
	}
	return &Comparison{Runs: [2]*results.Run{a, b}, Sums: [2]summary.Summary{summary.Of(a), summary.Of(b)}, Judgement: j}, nil
}

// Confirm holds a comparison of the same two builds, measured another time, against what this one
// found worse. It fails where that is not what the other is.
func (c *Comparison) Confirm(again *Comparison) error {
	if err := compare.SameAgain(c.Runs, again.Runs); err != nil {
		return err
	}
	c.Again, c.Judgement = again, c.Judgement.Confirm(again.Judgement)
	return nil
}

// Table writes the declared metrics, a row a case, then what was compared and what follows.
func (c *Comparison) Table(w io.Writer, opts TableOptions) error {
	return writeTable(w, opts, c.declared(), c.Sentences())
}

// declared are the declared metrics.
func (c *Comparison) declared() (all []section) {
	for _, metric := range compare.Metrics(c.Judgement.Family) {
		all = append(all, c.section(metric))
	}
	return all
}

// section is one declared metric of all cases.
func (c *Comparison) section(key string) section {
	m := metric.ByName(key)
	all := section{Title: results.Capital(m.Title), Head: []string{strings.TrimSpace(m.Title + " " + m.Unit), "A", "B", "B / A", "95 %", ""}}
	for _, d := range compare.Of(key, c.Judgement.Family) {
		name := compare.CaseOf(d)
		cells := []string{results.Plain(name), c.value(0, name, key), c.value(1, name, key), "–", "–", c.concluded(d)}
		if d.Verdict != compare.Incomparable {
			cells[3], cells[4] = ratioSaid(d.Ratio), interval(d.Lo, d.Hi)
		}
		all.Rows = append(all.Rows, line{Cells: cells})
	}
	return all
}

// value is the median over the blocks that are compared, or of a side that has none what
// there is.
func (c *Comparison) value(side int, name, metric string) string {
	row, ok := c.Sums[side].Row(name)
	if !ok {
		return "–"
	}
	return medianOf(row, metric).String()
}

// concluded is the verdict, and what qualifies it.
func (c *Comparison) concluded(d compare.Difference) string {
	said := string(d.Verdict)
	if d.Verdict == compare.Different {
		said = "different, better"
		if among(c.Judgement.Regressions(), d) {
			said = "different, worse"
		}
	}
	if d.Verdict == compare.Withheld {
		return ""
	}
	if what := remarks(d); what != "" {
		said += ": " + what
	}
	return said
}

// Sentences say what the comparison is worth, what is different, and what was compared.
func (c *Comparison) Sentences() []string {
	j := c.Judgement
	var said []string
	if j.Withheld != "" {
		said = append(said, fmt.Sprintf("%s, no verdict: %s.", estimateLabel, j.Withheld))
	} else {
		said = append(said, fmt.Sprintf("%s from %d blocks: differences of less than %s do not matter, and p is adjusted (Holm) for the %s declared.",
			verdictLabel, len(j.Blocks), percent(j.Declared.Margin), some(len(j.Family), "comparison")))
		if !j.Decides() {
			said = append(said, fmt.Sprintf("No difference can be significant yet, however large: of %s that takes %d blocks.", some(len(j.Family), "comparison"), j.Decisive))
		}
		said = append(said, c.findings()...)
	}
	for side, run := range c.Runs {
		said = append(said, fmt.Sprintf("%s: %s.", compare.Sides[side], whichRun(run)))
	}
	if c.Again != nil {
		for side, run := range c.Again.Runs {
			said = append(said, fmt.Sprintf("%s again: %s.", compare.Sides[side], whichRun(run)))
		}
	}
	return said
}

// findings are the verdicts, what is worse first.
func (c *Comparison) findings() []string {
	worse := c.Judgement.Regressions()
	groups := []struct {
		title string
		of    func(compare.Difference) bool
	}{
		{"Worse in B", func(d compare.Difference) bool { return among(worse, d) }},
		{"Worse in B, but undecided when measured again", func(d compare.Difference) bool { return d.Verdict == compare.Unconfirmed }},
		{"Worse in B, but not when measured again", func(d compare.Difference) bool { return d.Verdict == compare.Refuted }},
		{"Better in B", func(d compare.Difference) bool { return d.Verdict == compare.Different && !among(worse, d) }},
		{"Detectable, below the margin", func(d compare.Difference) bool { return d.Verdict == compare.Small }},
		{"Equivalent", func(d compare.Difference) bool { return d.Verdict == compare.Equivalent }},
		{"Inconclusive", func(d compare.Difference) bool {
			return d.Verdict == compare.Inconclusive || d.Verdict == compare.TooFew
		}},
	}
	var said []string
	for _, g := range groups {
		var each []string
		for _, d := range c.Judgement.Family {
			if g.of(d) {
				each = append(each, changed(d))
			}
		}
		if len(each) > 0 {
			said = append(said, fmt.Sprintf("%s: %s.", g.title, strings.Join(each, "; ")))
		}
	}
	if not := notComparable(c.Judgement.Family); not != "" {
		said = append(said, results.Capital(not)+".")
	}
	return said
}

func among(all []compare.Difference, d compare.Difference) bool {
	return slices.ContainsFunc(all, func(o compare.Difference) bool { return o.Names == d.Names && o.Metric == d.Metric })
}

// changed is one comparison in a sentence: "websocket latency p99 × 1.21 (1.17–1.26, p 0.002)".
func changed(d compare.Difference) string {
	inside := append([]string{interval(d.Lo, d.Hi), pSaid(d.Adjusted)}, infinities(d)...)
	if d.Verdict == compare.Inconclusive || d.Verdict == compare.Small {
		inside = append(inside, moreBlocks(d))
	}
	return fmt.Sprintf("%s %s × %s (%s)", results.Plain(compare.CaseOf(d)), metric.ByName(d.Metric).Title, ratioSaid(d.Ratio), strings.Join(inside, ", "))
}

// whichRun identifies a run to a person.
func whichRun(run *results.Run) string {
	m := run.Manifest
	served := m.Tool
	if m.Served.SHA256 != "" {
		served = m.Served
	}
	commit := results.Plain(served.Commit)
	if commit == "" {
		commit = "of an unknown commit"
	} else {
		commit = "of commit " + commit[:min(12, len(commit))]
	}
	if served.Dirty {
		commit += " with changes"
	}
	return fmt.Sprintf("%s, servers %s, %s of %s, %s", results.Plain(run.Path), commit, some(summary.Of(run).ValidBlocks, "valid block"), m.Workload.Scenario, m.Started.Format("2006-01-02 15:04 UTC"))
}

// Markdown writes the comparison as GitHub renders it.
func (c *Comparison) Markdown(w io.Writer) error {
	return writeDocument(w, c.Runs[1].Manifest.Workload.Scenario+": B against A", "", c.Sentences(), c.declared())
}

// HTML writes the comparison as one page, with the figure as report.html has its own.
func (c *Comparison) HTML(w io.Writer, figures []chart.Figure) error {
	j, m := c.Judgement, c.Runs[1].Manifest
	p := page{
		Title:    results.Plain(m.Workload.Scenario) + ": B against A",
		Question: "What changed between two runs of one workload? Each ratio is B over A.",
		Badges:   []string{verdictLabel},
		Answer:   c.Sentences(),
		Account: []part{
			{Title: "What it holds for", Lines: []string{holdsFor(m)}},
			{Title: "Why believe it", Lines: c.trust()},
			{Title: "How to repeat it", Lines: []string{"From two builds, whose servers are measured in turns: pushbench run SCENARIO --beside OTHER."}, Code: c.repeat()},
		},
	}
	if j.Withheld != "" {
		p.Badges = []string{estimateLabel}
	}
	p.Sections = append(c.declared(), c.others())
	p.Overview, p.Sections = p.Sections[0], p.Sections[1:]
	return p.write(w, figures, "")
}

// trust is what speaks for the comparison, of each side.
func (c *Comparison) trust() (said []string) {
	sums, sides := c.Sums[:], compare.Sides[:]
	if c.Again != nil {
		sums, sides = slices.Concat(sums, c.Again.Sums[:]), append(slices.Clone(sides), sides[0]+" again", sides[1]+" again")
	}
	for side, s := range sums {
		line := fmt.Sprintf("%s: %s of %s checks of the rig passed; %d of %s are valid.", sides[side],
			metric.Count(int64(s.GatesPassed)), metric.Count(int64(s.Gates)), s.ValidBlocks, some(s.Blocks, "block"))
		said = append(said, strings.Join(append([]string{line}, exclusions(s)...), " "))
	}
	return append(said, "Only trials that took turns on one machine are judged; a block is left out whole where either side has none that is valid.")
}

// repeat are the commands of both runs; one where one made both.
func (c *Comparison) repeat() (commands []string) {
	runs := c.Runs[:]
	if c.Again != nil {
		runs = slices.Concat(runs, c.Again.Runs[:])
	}
	for _, run := range runs {
		said := repeat(run.Manifest)
		if one := said[len(said)-1]; !slices.Contains(commands, one) {
			commands = append(commands, one)
		}
	}
	return commands
}

// others are the metrics that were not declared, which have intervals and no verdict.
func (c *Comparison) others() section {
	all := section{
		Title: "What was not declared",
		Note:  "Ratios with 95 % intervals; of what was not declared before the first trial nothing is judged. Of so many intervals one in twenty misses the truth.",
		Head:  []string{"case", "metric", "A", "B", "B / A", "95 %"},
	}
	for _, d := range c.Judgement.Others {
		if d.Verdict == compare.Incomparable {
			continue
		}
		m, name := metric.ByName(d.Metric), compare.CaseOf(d)
		all.Rows = append(all.Rows, line{Cells: []string{
			results.Plain(name), strings.TrimSpace(m.Title + " " + m.Unit), c.value(0, name, d.Metric), c.value(1, name, d.Metric), ratioSaid(d.Ratio), interval(d.Lo, d.Hi),
		}})
	}
	return all
}

// CSV writes every ratio, as Report.Comparisons does.
func (c *Comparison) CSV(w io.Writer) error { return writeComparisons(w, c.Judgement) }

// writeComparisons writes every pair and metric, for machines. Of metrics that were not
// declared, p, p_holm and verdict are empty.
func writeComparisons(w io.Writer, j compare.Judgement) error {
	rows := [][]string{{
		"metric", "a", "b", "declared", "blocks", "ratio_b_over_a", "lo_95", "hi_95", "lo_90", "hi_90",
		"p", "p_holm", "verdict", "blocks_needed", "a_inf_blocks", "b_inf_blocks", "remarks",
	}}
	for _, d := range slices.Concat(j.Family, j.Others) {
		rows = append(rows, comparisonRecord(d, slices.Contains(j.Declared.Primary, d.Metric)))
	}
	return csv.NewWriter(w).WriteAll(rows)
}
