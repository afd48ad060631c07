package chart

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
)

// Compared draws the differences between two runs of one workload: for each declared metric and
// configuration the ratio of the second to the first with its 95 % interval, and the margin within
// which a difference is irrelevant.
func Compared(a, b *results.Run, j compare.Analysis) (Chart, error) {
	c := card{Chart: Chart{Name: "compared", Title: "Change from A to B"}}
	metrics := compare.Metrics(j.Family)
	var clauses []string
	for i, name := range metrics {
		rows, title := ratios{compare.ByMetric(name, j.Family), j.Declared.Margin}, metric.ByName(name).Title
		var names plot.ConstantTicks
		for k, d := range rows.all {
			names = append(names, plot.Tick{Value: -float64(k), Label: results.Plain(compare.ConfigurationOf(d))})
			text, _ := ratio(d)
			clauses = append(clauses, fmt.Sprintf("%s of %s: %s", title, results.Plain(compare.ConfigurationOf(d)), text))
		}
		share := 1 / (float64(len(metrics)) + 0.3)
		if i == 0 {
			share *= 1.3 // the first panel has the names
		} else {
			names = plot.ConstantTicks{}
		}
		p := newPlot()
		lo, hi := rows.bounds()
		logScale(&p.X, lo, hi)
		p.Y.Min, p.Y.Max, p.Y.Tick.Marker, p.Y.Tick.LineStyle.Color = -float64(len(rows.all))+0.4, 0.6, names, color.Transparent
		p.Add(rows)
		c.panels = append(c.panels, panel{plot: p, share: share, title: results.Capital(title), x: "B / A, 95 % interval (log scale)"})
	}
	c.keys = []key{{name: "lower in B", glyph: diamondOf(blue)}, {name: "higher in B", glyph: diamondOf(vermillion)}, {name: "no significant difference", glyph: diamondOf(soft)}}
	c.Alt = "Values of run B relative to run A. " + strings.Join(clauses, "; ") + "."
	c.Basis = fmt.Sprintf("%s · %d repetitions in both · A: commit %s · B: commit %s · grey band: margin of %g %%",
		results.Plain(b.Manifest.Workload.Scenario), len(j.Repetitions), served(a), served(b), 100*j.Declared.Margin)
	if j.Withheld != "" {
		c.mark = estimate
	}
	return c.render()
}

// served returns the commit of the measured servers.
func served(run *results.Run) string {
	commit := run.Manifest.Tool.Commit
	if run.Manifest.Served.SHA256 != "" {
		commit = run.Manifest.Served.Commit
	}
	return cmp.Or(shortCommit(commit), "unknown")
}

func diamondOf(c color.NRGBA) draw.GlyphStyle {
	return draw.GlyphStyle{Color: c, Radius: 3.5, Shape: diamond{}}
}

// ratios is a plotter of intervals, from y = 0 downwards.
type ratios struct {
	all    []compare.Difference
	margin float64
}

// bounds returns the bounds of the axis. They include all finite values and both sides of the margin.
func (r ratios) bounds() (lo, hi float64) {
	lo, hi = 1/(1+2*r.margin), 1+2*r.margin
	for _, d := range r.all {
		for _, x := range []float64{d.Ratio, d.Lo, d.Hi} {
			if x > 0 && !math.IsInf(x, 0) && !math.IsNaN(x) && d.Verdict != compare.Incomparable {
				lo, hi = min(lo, x/1.02), max(hi, x*1.02)
			}
		}
	}
	const limit = 1000 // a wider interval has no information
	return max(lo, 1.0/limit), min(hi, limit)
}

// ratio returns the difference as text; ok is false if there is none.
func ratio(d compare.Difference) (text string, ok bool) {
	if d.Verdict == compare.Incomparable || math.IsNaN(d.Ratio) {
		return "not comparable", false
	}
	return fmt.Sprintf("%s (%s–%s)", metric.Number(d.Ratio), metric.Number(d.Lo), metric.Number(d.Hi)), true
}

// Plot implements plot.Plotter.
func (r ratios) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	within := func(v float64) vg.Length { return x(min(max(v, p.X.Min), p.X.Max)) }
	left, right := within(1/(1+r.margin)), within(1+r.margin)
	fillBox(&c, faint, left, c.Min.Y, right, c.Max.Y)
	c.StrokeLine2(draw.LineStyle{Color: edge, Width: 1}, x(1), c.Min.Y, x(1), c.Max.Y)
	label := textStyle(7.5, ink)
	for i, d := range r.all {
		at := y(-float64(i))
		text, ok := ratio(d)
		if !ok {
			fill(&c, textStyle(7.5, soft), vg.Point{X: c.Min.X + 4, Y: at - 3}, text)
			continue
		}
		colour := soft // without a verdict no direction is shown
		switch shown := d.Verdict == compare.Different || d.Verdict == compare.Small; {
		case shown && d.Ratio < 1:
			colour = blue
		case shown:
			colour = vermillion
		}
		c.StrokeLine2(draw.LineStyle{Color: colour, Width: 1.6}, within(d.Lo), at, within(d.Hi), at)
		c.DrawGlyphNoClip(diamondOf(colour), vg.Point{X: within(d.Ratio), Y: at})
		left := min(max(within(d.Lo), c.Min.X), c.Max.X-label.Width(text))
		fill(&c, label, vg.Point{X: left, Y: at + 6}, text)
	}
}
