package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
)

// The first words of a sentence that judges, and of one that does not.
const (
	verdictLabel  = "VERDICT"
	estimateLabel = "ESTIMATE"
)

// fixed are the terms of every judgement, which were fixed before the first trial.
func fixed(j compare.Analysis) string {
	return fmt.Sprintf("%s from %d blocks: differences of less than %s do not matter, and p is adjusted (Holm) for the %s declared.",
		verdictLabel, len(j.Repetitions), percent(j.Declared.Margin), some(len(j.Family), "comparison"))
}

// verdicts are the terms, then a sentence per declared metric. They are for a judgement that
// nothing withholds.
func verdicts(j compare.Analysis) []string {
	terms := fixed(j) + " In brackets: the 95 % interval of the ratio, then p."
	if j.Variants > 1 {
		terms += fmt.Sprintf(" Only cases of the same variant are compared; there are %d variants.", j.Variants)
	}
	if n := len(j.Repetitions); !j.Decides() {
		terms += fmt.Sprintf(" No difference can be significant yet: %d blocks have no p below %s, and one of %d comparisons must have less than %s; that takes %d blocks. Until then an order is by ranges alone.",
			n, figure(math.Ldexp(2, -n)), len(j.Family), figure(0.05/float64(len(j.Family))), j.Decisive)
	}
	all := []string{terms}
	for _, name := range compare.Metrics(j.Family) {
		of := compare.Of(name, j.Family)
		parts := grouped(of, pairSaid, ", ", func(d compare.Difference) string { return string(d.Verdict) },
			string(compare.Different), string(compare.Equivalent), string(compare.Small), string(compare.Inconclusive)) // what can be acted on comes first
		all = append(all, fmt.Sprintf("%s on %s: %s.", verdictLabel, metric.ByName(name).Title, strings.Join(parts, "; ")))
	}
	return all
}

// grouped lists differences below the titles that have some, in their order, and then those without a ratio.
func grouped(all []compare.Difference, said func(compare.Difference) string, separator string, titleOf func(compare.Difference) string, titles ...string) (parts []string) {
	for _, title := range titles {
		var each []string
		for _, d := range all {
			if titleOf(d) == title {
				each = append(each, said(d))
			}
		}
		if len(each) > 0 {
			parts = append(parts, title+": "+strings.Join(each, separator))
		}
	}
	if not := notComparable(all); not != "" {
		parts = append(parts, not)
	}
	return parts
}

// pairSaid is a pair in a sentence: "sse 0.52 × longpoll (0.50–0.54, p 0.009)".
func pairSaid(d compare.Difference) string {
	return fmt.Sprintf("%s %s × %s %s", results.Plain(d.Names[1]), ratioSaid(d.Ratio), results.Plain(d.Names[0]), evidence(d))
}

// evidence qualifies a ratio, in brackets: its interval, p, and how far it is from a decision.
func evidence(d compare.Difference) string {
	inside := append([]string{interval(d.Lo, d.Hi), pSaid(d.Adjusted)}, infinities(d)...)
	switch {
	case d.Verdict != compare.Inconclusive && d.Verdict != compare.Small:
	case d.Needed == 0:
		inside = append(inside, "blocks needed: cannot be said")
	default:
		inside = append(inside, fmt.Sprintf("about %s blocks needed, %s more", metric.Count(int64(d.Needed)), metric.Count(int64(d.Needed-d.Repetitions))))
	}
	return "(" + strings.Join(inside, ", ") + ")"
}

// notComparable lists the pairs without a ratio, with each reason once.
func notComparable(all []compare.Difference) string {
	var pairs, reasons []string
	for _, d := range all {
		if d.Verdict != compare.Incomparable {
			continue
		}
		pairs = append(pairs, pairName(d))
		for _, reason := range d.Warnings {
			if said := results.Plain(reason.Error()); !slices.Contains(reasons, said) {
				reasons = append(reasons, said)
			}
		}
	}
	if len(pairs) == 0 {
		return ""
	}
	return fmt.Sprintf("%s: %s (%s)", compare.Incomparable, strings.Join(pairs, ", "), strings.Join(reasons, "; "))
}

// infinities counts the blocks in which a side is infinite.
func infinities(d compare.Difference) (said []string) {
	for side, n := range d.Infinite {
		if n > 0 {
			said = append(said, fmt.Sprintf("%s inf in %d of %d", results.Plain(d.Names[side]), n, d.Repetitions))
		}
	}
	return said
}

// remarks qualify a comparison.
func remarks(d compare.Difference) string {
	said := infinities(d)
	for _, w := range d.Warnings {
		said = append(said, results.Plain(w.Error()))
	}
	return strings.Join(said, "; ")
}

func pairName(d compare.Difference) string {
	return results.Plain(d.Names[1]) + " / " + results.Plain(d.Names[0])
}

// ratioAndInterval are two cells; dashes where there is no ratio.
func ratioAndInterval(d compare.Difference) []string {
	if d.Verdict == compare.Incomparable {
		return []string{"–", "–"}
	}
	return []string{ratioSaid(d.Ratio), interval(d.Lo, d.Hi)}
}

// ratioCell is the ratio with its interval in brackets.
func ratioCell(d compare.Difference) string {
	if d.Verdict == compare.Incomparable {
		return "–"
	}
	return fmt.Sprintf("%s (%s)", ratioSaid(d.Ratio), interval(d.Lo, d.Hi))
}

// verdictSign stands for a verdict where the width is short.
var verdictSign = map[compare.Verdict]string{
	compare.Different: "≠ ", compare.Equivalent: "≈ ", compare.Small: "≲ ", compare.Inconclusive: "? ",
}

// verdictLegend explains the signs and the figures beside them.
const verdictLegend = "ratio (95 % interval): ≠ different · ≈ equivalent · ≲ detectable but below margin · ? inconclusive · – not comparable"

// verdictGrid is the judgement for a terminal: a row per pair, a column per declared metric.
func verdictGrid(j compare.Analysis) section {
	all := section{Heading: []string{"ratio"}, Left: true}
	for i, name := range compare.Metrics(j.Family) {
		all.Heading = append(all.Heading, metric.ByName(name).Title)
		for row, d := range compare.Of(name, j.Family) {
			if i == 0 {
				all.add(pairName(d))
			}
			all.Rows[row].Cells = append(all.Rows[row].Cells, verdictSign[d.Verdict]+ratioCell(d))
		}
	}
	return all
}

// verdictsSection is the judgement as a table of a page: a row per comparison.
func verdictsSection(j compare.Analysis) section {
	all := section{
		Title: "Verdicts on the declared metrics",
		Note: fmt.Sprintf("Ratio: the Hodges-Lehmann estimate over %s, each side of a block by the other; its interval inverts Wilcoxon's signed-rank test. "+
			"p: sign-flip test of the mean log ratio, over all signs (beyond 20 blocks of rounded sizes; where a block is infinite, of ranks), adjusted by Holm over these %d. Equivalent: the 90 %% interval lies within the margin of %s.\n"+
			"Different takes all three: p below 0.05, an interval without 1, and a ratio beyond the margin. Below margin: there is a difference, which is not shown to exceed the margin, nor to stay within it.",
			some(len(j.Repetitions), "block"), len(j.Family), percent(j.Declared.Margin)),
		Heading: []string{"metric", "ratio of", "ratio", "95 %", "90 %", "p", "verdict", "blocks needed", "remarks"},
	}
	for _, d := range j.Family {
		over90, p, needed := "–", "–", any("")
		if d.Verdict != compare.Incomparable {
			over90, p = interval(d.Lo90, d.Hi90), strings.TrimPrefix(pSaid(d.Adjusted), "p ")
			if d.Needed > 0 {
				needed = d.Needed
			}
		}
		all.add(metric.ByName(d.Metric).Title, pairName(d), ratioAndInterval(d), over90, p, d.Verdict, needed, remarks(d))
	}
	return all
}

// maxPairColumns is how many pairs a table can hold side by side.
const maxPairColumns = 6

// othersSection has the ratios of the metrics that were not declared.
func othersSection(j compare.Analysis) section {
	all := section{
		Title: "Ratios of the other metrics",
		Note: "With 95 % intervals, each by itself. These metrics were not declared, so they get no p and no verdict: " +
			"among so many, some would be significant by chance. All are in comparisons.csv.",
		Heading: []string{"metric"},
	}
	for i, name := range compare.Metrics(j.Others) {
		row := []string{metric.ByName(name).Title}
		for _, d := range compare.Of(name, j.Others) {
			if i == 0 {
				all.Heading = append(all.Heading, pairName(d))
			}
			row = append(row, ratioCell(d))
		}
		if len(all.Heading)-1 > maxPairColumns {
			return section{}
		}
		if slices.ContainsFunc(row[1:], func(cell string) bool { return cell != "–" }) {
			all.add(row)
		}
	}
	return all
}
