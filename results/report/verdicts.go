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

// The labels of a sentence that a verdict supports, and of one that none supports.
const (
	verdictLabel  = "VERDICT"
	estimateLabel = "ESTIMATE"
)

// terms are the terms of every analysis, which were fixed before the first trial.
func terms(a compare.Analysis) string {
	return fmt.Sprintf("%s from %d repetitions. Differences below %s do not matter. p is adjusted (Holm) for the %s.",
		verdictLabel, len(a.Repetitions), percent(a.Declared.Margin), some(len(a.Family), "declared comparison"))
}

// verdicts are the terms, then the differences by each declared metric. They are for an analysis whose
// verdicts are not withheld.
func verdicts(a compare.Analysis) []string {
	text := terms(a) + " In brackets: the 95 % interval of the ratio, then p."
	if a.Variants > 1 {
		text += fmt.Sprintf(" Only configurations of the same variant are compared; there are %d variants.", a.Variants)
	}
	lines := []string{text}
	if n := len(a.Repetitions); !a.Decides() {
		lines = append(lines, fmt.Sprintf("No difference can be significant yet: %d repetitions have no p below %s. "+
			"One of %d comparisons must have less than %s. Run with --repetitions %d or more. Until then only ranges order the transports.",
			n, twoDigits(math.Ldexp(2, -n)), len(a.Family), twoDigits(0.05/float64(len(a.Family))), a.MinDecisive))
	}
	for _, name := range compare.Metrics(a.Family) {
		of := compare.ByMetric(name, a.Family)
		entries := grouped(of, pairText, func(d compare.Difference) string { return string(d.Verdict) },
			string(compare.Different), string(compare.Equivalent), string(compare.Small), string(compare.Inconclusive)) // an actionable verdict is listed first
		if pairs, reasons := notComparable(of); len(pairs) > 0 {
			entries = append(append(entries, fmt.Sprintf("%s: %s", compare.Incomparable, strings.Join(pairs, ", "))), reasons...)
		}
		lines = append(lines, items(fmt.Sprintf("%s on %s", verdictLabel, metric.ByName(name).Title), entries)...)
	}
	return lines
}

// grouped is an entry per difference, each with its title, in the order of the titles. It leaves out the
// pairs without a ratio.
func grouped(all []compare.Difference, text func(compare.Difference) string, titleOf func(compare.Difference) string, titles ...string) (entries []string) {
	for _, title := range titles {
		for _, d := range all {
			if titleOf(d) == title {
				entries = append(entries, title+": "+text(d))
			}
		}
	}
	return entries
}

// pairText is a pair in a sentence: "SSE 0.52 × long polling (0.50–0.54, p 0.009)".
func pairText(d compare.Difference) string {
	return fmt.Sprintf("%s %s × %s %s", prose(results.Plain(d.Names[1])), ratioText(d.Ratio), prose(results.Plain(d.Names[0])), evidence(d))
}

// evidence qualifies a ratio, in brackets: its interval, p, and the number of repetitions that would decide
// it.
func evidence(d compare.Difference) string {
	inside := append([]string{interval(d.Lo, d.Hi), pText(d.Adjusted)}, infinities(d, prose)...)
	switch {
	case d.Verdict != compare.Inconclusive && d.Verdict != compare.Small:
	case d.Needed == 0:
		inside = append(inside, "repetitions needed: unknown")
	default:
		inside = append(inside, fmt.Sprintf("needs about %s repetitions, %s more", metric.Count(int64(d.Needed)), metric.Count(int64(d.Needed-d.Repetitions))))
	}
	return "(" + strings.Join(inside, ", ") + ")"
}

// notComparable lists the pairs without a ratio, and each reason once.
func notComparable(all []compare.Difference) (pairs, reasons []string) {
	for _, d := range all {
		if d.Verdict != compare.Incomparable {
			continue
		}
		pairs = append(pairs, prose(results.Plain(d.Names[1]))+" / "+prose(results.Plain(d.Names[0])))
		for _, reason := range d.Warnings {
			if text := "reason: " + results.Plain(reason.Error()); !slices.Contains(reasons, text) {
				reasons = append(reasons, text)
			}
		}
	}
	return pairs, reasons
}

// infinities counts the repetitions in which a side is infinite. nameOf is how a side is called.
func infinities(d compare.Difference, nameOf func(string) string) (texts []string) {
	for side, n := range d.Infinite {
		if n > 0 {
			texts = append(texts, fmt.Sprintf("%s inf in %d of %d", nameOf(results.Plain(d.Names[side])), n, d.Repetitions))
		}
	}
	return texts
}

// remarks qualify a comparison.
func remarks(d compare.Difference) string {
	texts := infinities(d, func(configuration string) string { return configuration })
	for _, w := range d.Warnings {
		texts = append(texts, results.Plain(w.Error()))
	}
	return strings.Join(texts, "; ")
}

func pairName(d compare.Difference) string {
	return results.Plain(d.Names[1]) + " / " + results.Plain(d.Names[0])
}

// ratioAndInterval are two cells; dashes if there is no ratio.
func ratioAndInterval(d compare.Difference) []string {
	if d.Verdict == compare.Incomparable {
		return []string{"–", "–"}
	}
	return []string{ratioText(d.Ratio), interval(d.Lo, d.Hi)}
}

// ratioCell is the ratio with its interval in brackets.
func ratioCell(d compare.Difference) string {
	if d.Verdict == compare.Incomparable {
		return "–"
	}
	return fmt.Sprintf("%s (%s)", ratioText(d.Ratio), interval(d.Lo, d.Hi))
}

// verdictSign stands for a verdict in a narrow column.
var verdictSign = map[compare.Verdict]string{
	compare.Different: "≠ ", compare.Equivalent: "≈ ", compare.Small: "≲ ", compare.Inconclusive: "? ",
}

// verdictLegend explains the signs and the values next to them.
const verdictLegend = "ratio (95 % interval): ≠ different · ≈ equivalent · ≲ detectable but below margin · ? inconclusive · – not comparable"

// verdictGrid shows the verdicts for a terminal: a row per pair, a column per declared metric.
func verdictGrid(a compare.Analysis) section {
	all := section{Heading: []string{"ratio"}, Left: true}
	for i, name := range compare.Metrics(a.Family) {
		all.Heading = append(all.Heading, metric.ByName(name).Title)
		for row, d := range compare.ByMetric(name, a.Family) {
			if i == 0 {
				all.add(pairName(d))
			}
			all.Rows[row].Cells = append(all.Rows[row].Cells, verdictSign[d.Verdict]+ratioCell(d))
		}
	}
	return all
}

// verdictsSection shows the verdicts as a table of a page: a row per comparison.
func verdictsSection(a compare.Analysis) section {
	all := section{
		Title: "Verdicts on the declared metrics",
		Note: fmt.Sprintf("Ratio: the Hodges-Lehmann estimate over %s, each side of a repetition divided by the other. Its interval inverts Wilcoxon's signed-rank test.\n"+
			"p: sign-flip test of the mean log ratio, over all signs. Beyond 20 repetitions the sizes are rounded; with an infinite repetition the test uses ranks. "+
			"p is adjusted by Holm over these %d comparisons.\n"+
			"Equivalent: the 90 %% interval lies within the margin of %s. "+
			"Different: p is below 0.05, the interval excludes 1, and the ratio is beyond the margin. "+
			"Below margin: there is a difference, but it is shown neither to exceed the margin nor to stay within it.",
			some(len(a.Repetitions), "repetition"), len(a.Family), percent(a.Declared.Margin)),
		Heading: []string{"metric", "ratio of", "ratio", "95 %", "90 %", "p", "verdict", "repetitions needed", "remarks"},
	}
	for _, d := range a.Family {
		over90, p, needed := "–", "–", any("")
		if d.Verdict != compare.Incomparable {
			over90, p = interval(d.Lo90, d.Hi90), strings.TrimPrefix(pText(d.Adjusted), "p ")
			if d.Needed > 0 {
				needed = d.Needed
			}
		}
		all.add(metric.ByName(d.Metric).Title, pairName(d), ratioAndInterval(d), over90, p, string(d.Verdict), needed, remarks(d))
	}
	return all
}

// maxPairColumns is the number of pairs that fit side by side in a table.
const maxPairColumns = 6

// othersSection has the ratios without verdicts: a row per metric, a column per pair.
func othersSection(a compare.Analysis) section {
	all := section{
		Title: "Ratios without verdicts",
		Note: "Each ratio has its own 95 % interval. These comparisons were not declared, so they have no p and no verdict. " +
			"By chance some of so many would be significant. All are in comparisons.csv.",
		Heading: append([]string{"metric"}, pairNames(a.Others)...),
	}
	if len(all.Heading)-1 > maxPairColumns {
		return section{}
	}
	for _, name := range compare.Metrics(a.Others) {
		row := slices.Repeat([]string{"–"}, len(all.Heading))
		row[0] = metric.ByName(name).Title
		for _, d := range compare.ByMetric(name, a.Others) {
			row[slices.Index(all.Heading, pairName(d))] = ratioCell(d)
		}
		if slices.ContainsFunc(row[1:], func(cell string) bool { return cell != "–" }) {
			all.add(row)
		}
	}
	return all
}

// pairNames lists the pairs of the differences, each once, in their order by the metric that has most of them.
func pairNames(all []compare.Difference) (names []string) {
	for _, name := range compare.Metrics(all) {
		of := compare.ByMetric(name, all)
		if len(of) <= len(names) {
			continue
		}
		names = nil
		for _, d := range of {
			names = append(names, pairName(d))
		}
	}
	return names
}
