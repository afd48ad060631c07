package chart

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
)

// Compared draws the differences between two runs of one workload: for each declared metric and
// configuration the ratio of the second to the first with its 95 % interval, and the margin within
// which a difference is irrelevant. badge is the comparison's, which the chart shows except VERDICT.
func Compared(a, b *results.Run, j compare.Analysis, badge string) (Chart, error) {
	return compared(a, b, j, badge).complete().drawn()
}

func compared(a, b *results.Run, j compare.Analysis, badge string) Chart {
	c := Chart{Name: "compared", Title: "Change from A to B", Mark: markOf(badge)}
	margin := j.Declared.Margin
	var clauses []string
	for _, name := range compare.Metrics(j.Family) {
		title := metric.ByName(name).Title
		p := Panel{Title: results.Capital(title), X: Axis{Scale: named}, Y: Axis{Title: "B / A, 95 % interval (log scale)", Scale: logarithmic, Min: 1 / (1 + 2*margin), Max: 1 + 2*margin}}
		p.Guides = []Guide{{Y: []float64{1 / (1 + margin), 1 + margin}, Kind: band}, {Y: []float64{1, 1}, Kind: solid}}
		for k, d := range compare.ByMetric(name, j.Family) {
			configuration, label := results.Plain(compare.ConfigurationOf(d)), ratio(d)
			s := Series{Configuration: results.Label(configuration), Kind: points, Style: direction(d), X: []float64{float64(k)}, Y: []float64{1}, Labels: []string{label}}
			if label == incomparable {
				s.Kind = note
			} else {
				s.Y = []float64{within(d.Ratio)}
				p.Y.Min, p.Y.Max = min(p.Y.Min, s.Y[0]/1.02), max(p.Y.Max, s.Y[0]*1.02)
			}
			if strings.Contains(label, "\n") {
				s.Lo, s.Hi = []float64{within(d.Lo)}, []float64{within(d.Hi)}
				p.Y.Min, p.Y.Max = min(p.Y.Min, s.Lo[0]/1.02), max(p.Y.Max, s.Hi[0]*1.02)
			}
			p.X.Names, p.Series = append(p.X.Names, nameLines(configuration)), append(p.Series, s)
			clauses = append(clauses, fmt.Sprintf("%s of %s: %s", title, results.Label(configuration), strings.Replace(label, "\n", " ", 1)))
		}
		p.Y.Max *= math.Pow(p.Y.Max/p.Y.Min, 0.2) // the labels are above the intervals
		c.Panels = append(c.Panels, p)
	}
	for _, k := range []struct{ name, color string }{{"lower in B", blue}, {"higher in B", vermillion}, {"no significant difference", soft}} {
		c.Keys = append(c.Keys, Key{k.name, points, Style{Color: k.color, Marker: diamond}})
	}
	c.Alt = "Values of run B relative to run A. " + strings.Join(clauses, "; ") + "."
	c.Basis = fmt.Sprintf("%s · repetitions in both: %d · A: commit %s · B: commit %s · grey band: margin of %g %%",
		results.Plain(b.Manifest.Workload.Scenario), len(j.Repetitions), served(a), served(b), 100*margin)
	return c
}

// served returns the commit of the measured servers.
func served(run *results.Run) string {
	return cmp.Or(shortCommit(run.Manifest.Measured().Commit), "unknown")
}

// within returns a ratio within a factor of 1,000: a wider interval has no information.
func within(ratio float64) float64 { return fourDigits(min(max(ratio, 0.001), 1000)) }

// direction returns the style of a difference. Without a verdict it has no direction.
func direction(d compare.Difference) Style {
	s := Style{Color: soft, Marker: diamond}
	switch shown := d.Verdict == compare.Different || d.Verdict == compare.Small; {
	case shown && d.Ratio < 1:
		s.Color = blue
	case shown:
		s.Color = vermillion
	}
	return s
}

const incomparable = "not comparable"

// ratio returns the difference as text: its interval is in the second line, if there are enough repetitions for
// one.
func ratio(d compare.Difference) string {
	if d.Verdict == compare.Incomparable || math.IsNaN(d.Ratio) {
		return incomparable
	}
	if d.Lo <= 0 || math.IsInf(d.Hi, 1) {
		return times(d.Ratio)
	}
	return fmt.Sprintf("%s\n%s–%s", times(d.Ratio), times(d.Lo), times(d.Hi))
}

// times formats a ratio as the table does: 1.00 would hide on which side of 1 it lies.
func times(x float64) string {
	if x >= 0.9 && x < 1.1 {
		return strconv.FormatFloat(x, 'f', 3, 64)
	}
	return metric.Number(x)
}
