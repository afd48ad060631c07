//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// preamble explains the table.
const preamble = `A pair is one measurement of every side at the same offered load. Each value is the median of the pairs, with its range.
The ratio is pushbench divided by the side in the same pair. Below 1, pushbench costs less.
A bar is the highest allowed ratio, or the highest allowed value of pushbench. The median as printed meets or misses it.
CPU sleep states are prevented during each row.
`

// table renders the findings as Markdown: the machine, one section per row, and the count of
// the bars.
func table(a about, found []finding) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "# Cost compared with other tools\n\nMeasured by `make perf` on %s.\n\n| | |\n|---|---|\n", a.date)
	for _, f := range a.properties {
		fmt.Fprintf(b, "| %s | %s |\n", f.name, cell(f.value))
	}
	b.WriteString("\n" + preamble)
	counts := map[outcome]int{}
	for _, f := range found {
		f.write(b, counts)
	}
	fmt.Fprintf(b, "\nbars: %d met, %d missed, %d not measured\n", counts[met], counts[missed], counts[notMeasured])
	return b.String()
}

// write adds the section of a row, and counts its bars.
func (f finding) write(b *strings.Builder, counts map[outcome]int) {
	fmt.Fprintf(b, "\n## %s\n\n%s; %s\n\n", f.row.name, f.row.load, f.progress())
	fmt.Fprintf(b, "| side | %s | ratio | bar | result |\n|---|---|---|---|---|\n", f.row.unit)
	for i, s := range f.row.sides {
		ratio, bar, result := "", "", ""
		if i > 0 {
			ratio = spread(f.ratios(i))
		}
		if s.bar != 0 {
			bar = "≤ " + format(s.bar)
			result = f.result(i, counts)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", s.name, f.values(i), ratio, bar, result)
	}
}

// progress describes the number of pairs.
func (f finding) progress() string {
	switch {
	case f.done < f.pairs:
		return fmt.Sprintf("%d of %d pairs", f.done, f.pairs)
	case f.pairs == 1:
		return "1 pair"
	default:
		return fmt.Sprintf("%d pairs", f.pairs)
	}
}

// values renders the values of one side, or the reason why there are none.
func (f finding) values(i int) string {
	s := f.sides[i]
	why := s.reason
	if why == "" {
		why = f.ended
	}
	switch {
	case len(s.values) == 0:
		return "not measured: " + cell(why)
	case s.failed > 0:
		return fmt.Sprintf("%s; failed in %d of %d pairs: %s", spread(s.sorted()), s.failed, s.failed+len(s.values), cell(why))
	default:
		return spread(s.sorted())
	}
}

// result renders and counts the outcome of a bar.
func (f finding) result(i int, counts map[outcome]int) string {
	o, why := f.judge(i)
	counts[o]++
	switch {
	case o != notMeasured:
		return "**" + o.String() + "**"
	case why != "":
		return o.String() + ": " + cell(why)
	default:
		return o.String()
	}
}

// cellWidth limits the characters of a reason: the output of a tool can be long.
const cellWidth = 160

// cell formats text as one cell of a Markdown table.
func cell(text string) string {
	short := []rune(strings.Join(strings.Fields(text), " "))
	if len(short) > cellWidth {
		short = append(short[:cellWidth-1], '…')
	}
	return strings.ReplaceAll(string(short), "|", `\|`)
}

// spread renders median and range; empty without values.
func spread(x []float64) string {
	if len(x) == 0 {
		return ""
	}
	low, high := format(slices.Min(x)), format(slices.Max(x))
	if low == high {
		return low
	}
	return fmt.Sprintf("%s (%s–%s)", format(median(x)), low, high)
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}

// digits is the number of significant digits; ranges of a few pairs justify no more.
const digits = 3

// rounded returns x as format prints it, so that digits that are not printed cannot miss a bar.
func rounded(x float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', digits, 64), 64)
	if err != nil {
		return math.NaN() // meets no bar
	}
	return r
}

// format formats x without an exponent.
func format(x float64) string { return strconv.FormatFloat(rounded(x), 'f', -1, 64) }
