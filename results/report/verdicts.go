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

// The badges of a complete run: a verdict supports the answer, none does, or there is no answer.
const (
	verdictLabel  = "VERDICT"
	estimateLabel = "ESTIMATE"
	inconclusive  = "INCONCLUSIVE"
)

// terms are the terms of every analysis, which were fixed before the first trial.
func terms(a compare.Analysis) string {
	text := fmt.Sprintf("%s. Differences below %s do not matter. p is adjusted (Holm) for the %s.",
		results.Capital(some(len(a.Repetitions), "repetition")), percent(a.Declared.Margin), some(len(a.Family), "declared comparison"))
	if a.Variants > 1 {
		text += fmt.Sprintf(" Only configurations of the same variant are compared; there are %d variants.", a.Variants)
	}
	if n := len(a.Repetitions); !a.Decides() {
		text += fmt.Sprintf(" No difference can be significant yet: %d repetitions have no p below %s. "+
			"One of %d comparisons must have less than %s. Run with --repetitions %d or more. Until then only ranges order the transports.",
			n, twoDigits(math.Ldexp(2, -n)), len(a.Family), twoDigits(0.05/float64(len(a.Family))), a.MinDecisive)
	}
	return text
}

// infinities counts the repetitions in which a side is infinite.
func infinities(d compare.Difference) (texts []string) {
	for side, n := range d.Infinite {
		if n > 0 {
			texts = append(texts, fmt.Sprintf("%s inf in %d of %d", results.Plain(results.Label(d.Names[side])), n, d.Repetitions))
		}
	}
	return texts
}

// remarks qualify a comparison.
func remarks(d compare.Difference) string {
	texts := infinities(d)
	for _, w := range d.Warnings {
		texts = append(texts, results.Plain(w.Error()))
	}
	return strings.Join(texts, "; ")
}

func pairName(d compare.Difference) string {
	return results.Plain(results.Label(d.Names[1]) + " / " + results.Label(d.Names[0]))
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

// verdictsSection shows the verdicts as a table of a page: a row per comparison.
func verdictsSection(a compare.Analysis) Section {
	all := Section{
		Title:      "Verdicts on the declared metrics",
		Detail:     Wide,
		Paragraphs: text(terms(a)),
		Note: fmt.Sprintf("Ratio: the Hodges-Lehmann estimate over %s, each side of a repetition divided by the other. Its interval inverts Wilcoxon's signed-rank test.\n"+
			"p: sign-flip test of the mean log ratio, over all signs. Beyond 20 repetitions the sizes are rounded; with an infinite repetition the test uses ranks. "+
			"p is adjusted by Holm over these %d comparisons.\n"+
			"Equivalent: the 90 %% interval lies within the margin of %s. "+
			"Different: p is below 0.05, the interval excludes 1, and the ratio is beyond the margin. "+
			"Below margin: there is a difference, but it is shown neither to exceed the margin nor to stay within it.",
			some(len(a.Repetitions), "repetition"), len(a.Family), percent(a.Declared.Margin)),
		Columns: columns("metric", "ratio of", "ratio", "95 %", "90 %", "p", "verdict", "repetitions needed", "remarks"),
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
func othersSection(a compare.Analysis) Section {
	pairs := pairNames(a.Others)
	all := Section{
		Title:  "Ratios without verdicts",
		Detail: Full,
		Note: "Each ratio has its own 95 % interval. These comparisons were not declared, so they have no p and no verdict. " +
			"By chance some of so many would be significant. All are in comparisons.csv.",
		Columns: columns(append([]string{"metric"}, pairs...)...),
	}
	if len(pairs) > maxPairColumns {
		return Section{}
	}
	for _, name := range compare.Metrics(a.Others) {
		row := slices.Repeat([]string{"–"}, len(pairs))
		for _, d := range compare.ByMetric(name, a.Others) {
			row[slices.Index(pairs, pairName(d))] = ratioCell(d)
		}
		if slices.ContainsFunc(row, func(cell string) bool { return cell != "–" }) {
			all.add(metric.ByName(name).Title, row)
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
