package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
)

// verdictSign stands for a verdict where the width is short.
var verdictSign = map[compare.Verdict]string{
	compare.Different: "≠", compare.Equivalent: "≈", compare.Small: "≲", compare.Inconclusive: "?", compare.Incomparable: "–",
}

// verdictLegend explains the signs and the figures beside them.
const verdictLegend = "ratio (95 % interval): ≠ different · ≈ equivalent · ≲ detectable but below margin · ? inconclusive · – not comparable"

// verdictTable is the judgement for a terminal: a row a pair, a column a
// declared metric. What does not fit side by side stands one below the other.
func verdictTable(j compare.Judgement, opts TableOptions) string {
	metrics := compare.Metrics(j.Family)
	grid := opts.inParts(len(metrics), func(from, to int) string { return verdictGrid(j, metrics[from:to], opts) })
	return grid + "\n" + opts.Wrap(verdictLegend)
}

func verdictGrid(j compare.Judgement, metrics []string, opts TableOptions) string {
	head := []string{"ratio"}
	var rows [][]string
	for i, name := range metrics {
		head = append(head, metric.ByName(name).Title)
		for row, d := range compare.Of(name, j.Family) {
			if i == 0 {
				rows = append(rows, []string{pairName(d)})
			}
			rows[row] = append(rows[row], verdictCell(d))
		}
	}
	return bare(head, rows, func(row, col int) lipgloss.Style {
		s := lipgloss.NewStyle()
		if col > 0 {
			s = s.PaddingLeft(2)
		}
		return s.Bold(opts.Color && row == table.HeaderRow)
	})
}

func trimLines(drawn string) string {
	var lines []string
	for line := range strings.SplitSeq(drawn, "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return strings.Join(lines, "\n")
}

func pairName(d compare.Difference) string {
	return results.Plain(d.Names[1]) + " / " + results.Plain(d.Names[0])
}

func verdictCell(d compare.Difference) string {
	if d.Verdict == compare.Incomparable {
		return verdictSign[d.Verdict]
	}
	return fmt.Sprintf("%s %s (%s)", verdictSign[d.Verdict], ratioSaid(d.Ratio), interval(d.Lo, d.Hi))
}

// verdictsSection is the judgement as a table of a page: a row a comparison.
func verdictsSection(j compare.Judgement) section {
	all := section{
		Title: "Verdicts on the declared metrics",
		Note: fmt.Sprintf("Ratio: the Hodges-Lehmann estimate over %s, each side of a block by the other; its interval inverts Wilcoxon's signed-rank test. "+
			"p: sign-flip test of the mean log ratio, over all signs (beyond 20 blocks of rounded sizes; where a block is infinite, of ranks), adjusted by Holm over these %d. Equivalent: the 90 %% interval lies within the margin of %s.\n"+
			"Different takes all three: p below 0.05, an interval without 1, and a ratio beyond the margin. Below margin: there is a difference, which is not shown to exceed the margin, nor to stay within it.",
			some(len(j.Blocks), "block"), len(j.Family), percent(j.Declared.Margin)),
		Head: []string{"metric", "ratio of", "ratio", "95 %", "90 %", "p", "verdict", "blocks needed", "remarks"},
	}
	for _, d := range j.Family {
		all.Rows = append(all.Rows, line{Cells: comparisonCells(d)})
	}
	return all
}

func comparisonCells(d compare.Difference) []string {
	cells := []string{metric.ByName(d.Metric).Title, pairName(d), "–", "–", "–", "–", string(d.Verdict), "", remarks(d)}
	if d.Verdict == compare.Incomparable {
		return cells
	}
	cells[2], cells[3], cells[4], cells[5] = ratioSaid(d.Ratio), interval(d.Lo, d.Hi), interval(d.Lo90, d.Hi90), strings.TrimPrefix(pSaid(d.Adjusted), "p ")
	if d.Needed > 0 {
		cells[7] = metric.Count(int64(d.Needed))
	}
	return cells
}

// remarks are what qualifies a comparison.
func remarks(d compare.Difference) string {
	said := infinities(d)
	for _, w := range d.Warnings {
		said = append(said, results.Plain(w.Error()))
	}
	return strings.Join(said, "; ")
}

// maxPairColumns is how many pairs a table can hold side by side.
const maxPairColumns = 6

// othersSection has the ratios of the metrics that nobody declared.
func othersSection(j compare.Judgement) section {
	all := section{
		Title: "Ratios of the other metrics",
		Note: "With 95 % intervals, each by itself. These metrics were not declared, so they get no p and no verdict: " +
			"among so many, some would be significant by chance. All are in comparisons.csv.",
	}
	metrics := compare.Metrics(j.Others)
	if len(metrics) == 0 || len(compare.Of(metrics[0], j.Others)) > maxPairColumns {
		return all
	}
	all.Head = []string{"metric"}
	for _, d := range compare.Of(metrics[0], j.Others) {
		all.Head = append(all.Head, pairName(d))
	}
	for _, name := range metrics {
		cells := []string{metric.ByName(name).Title}
		for _, d := range compare.Of(name, j.Others) {
			cells = append(cells, otherCell(d))
		}
		if slices.ContainsFunc(cells[1:], func(cell string) bool { return cell != "–" }) {
			all.Rows = append(all.Rows, line{Cells: cells})
		}
	}
	return all
}

func otherCell(d compare.Difference) string {
	if d.Verdict == compare.Incomparable {
		return "–"
	}
	return fmt.Sprintf("%s (%s)", ratioSaid(d.Ratio), interval(d.Lo, d.Hi))
}

// Comparisons writes every pair and metric as CSV, for machines.
func (r *Report) Comparisons(w io.Writer) error { return writeComparisons(w, r.Judgement) }

func comparisonRecord(d compare.Difference, declared bool) []string {
	record := []string{d.Metric, safe(d.Names[0]), safe(d.Names[1]), strconv.FormatBool(declared), strconv.Itoa(d.Blocks)}
	for _, x := range []float64{d.Ratio, d.Lo, d.Hi, d.Lo90, d.Hi90, d.P, d.Adjusted} {
		record = append(record, exact(d, x))
	}
	needed := ""
	if d.Needed > 0 {
		needed = strconv.Itoa(d.Needed)
	}
	return append(record, string(d.Verdict), needed, strconv.Itoa(d.Infinite[0]), strconv.Itoa(d.Infinite[1]), safe(remarks(d)))
}

// exact prints x with every digit; nothing where there is no figure.
func exact(d compare.Difference, x float64) string {
	switch {
	case math.IsNaN(x) || d.Verdict == compare.Incomparable:
		return ""
	case math.IsInf(x, 1):
		return "inf"
	default:
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
}
