//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// preamble says how to read the table.
const preamble = `A pair is one turn of every side, at the same offered load. Each figure is the median of the pairs, with its range.
The ratio is pushbench divided by the side, in the same pair: below 1, pushbench costs less.
A bar is the highest ratio, or figure of its own, that pushbench may have. It is met or missed by the median as printed.
Idle states of the cores are prevented while a row is measured.
`

// table renders the findings as Markdown: the machine, a section per row, and a line that
// counts the bars.
func table(a about, found []finding) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "# Cost compared with other tools\n\nMeasured by `make perf` on %s.\n\n| | |\n|---|---|\n", a.date)
	for _, f := range a.facts {
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
			bar = "≤ " + figure(s.bar)
			result = f.result(i, counts)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", s.name, f.figures(i), ratio, bar, result)
	}
}

// progress is how many pairs there are.
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

// figures are those of one side, or why there are none.
func (f finding) figures(i int) string {
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

// result is the outcome of a bar, which it counts.
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

// cellWidth is the most characters of a reason: the end of a tool's output can be a page.
const cellWidth = 160

// cell makes text fit a cell of a Markdown table, which is one line between bars.
func cell(text string) string {
	short := []rune(strings.Join(strings.Fields(text), " "))
	if len(short) > cellWidth {
		short = append(short[:cellWidth-1], '…')
	}
	return strings.ReplaceAll(string(short), "|", `\|`)
}

// spread is the median and the range; empty if there is nothing.
func spread(x []float64) string {
	if len(x) == 0 {
		return ""
	}
	least, most := figure(slices.Min(x)), figure(slices.Max(x))
	if least == most {
		return least
	}
	return fmt.Sprintf("%s (%s–%s)", figure(median(x)), least, most)
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}

// digits are what is printed of a figure; ranges of a few pairs justify no more.
const digits = 3

// rounded is x as figure prints it, so that no bar is missed by what is not printed.
func rounded(x float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', digits, 64), 64)
	if err != nil {
		return math.NaN() // which meets no bar
	}
	return r
}

// figure prints x without an exponent.
func figure(x float64) string { return strconv.FormatFloat(rounded(x), 'f', -1, 64) }
