package chart

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
)

// Compared draws what two runs of one workload say of each other: for each declared metric
// and case the ratio of the second to the first, with its 95 % interval, beside the margin
// within which a difference does not matter.
func Compared(a, b *results.Run, j compare.Judgement) (results.Figure, error) {
	c := compared(j)
	c.basis = fmt.Sprintf("%s · %d blocks of both · A: commit %s · B: commit %s · the band is the margin of %g %%",
		results.Plain(b.Manifest.Workload.Scenario), len(j.Blocks), shortCommit(a), shortCommit(b), 100*j.Declared.Margin)
	if j.Withheld != "" {
		c.mark = estimate
	}
	f, err := c.figure()
	if err != nil {
		return f, fmt.Errorf("draw %s: %w", c.name, err)
	}
	return f, nil
}

// shortCommit is of the servers that were measured.
func shortCommit(run *results.Run) string {
	commit := run.Manifest.Tool.Commit
	if run.Manifest.Served.SHA256 != "" {
		commit = run.Manifest.Served.Commit
	}
	if commit == "" {
		return "unknown"
	}
	return results.Plain(commit[:min(10, len(commit))])
}

func compared(j compare.Judgement) card {
	c := card{name: "compared", title: "What changed, B over A"}
	metrics := compare.Metrics(j.Family)
	var said []string
	for i, metricName := range metrics {
		all := compare.Of(metricName, j.Family)
		rows := ratios{all: all, margin: j.Declared.Margin}
		p := newPlot()
		lo, hi := rows.bounds()
		p.X.Scale, p.X.Min, p.X.Max, p.X.Tick.Marker = plot.LogScale{}, lo, hi, logTicks(lo, hi)
		p.Y.Min, p.Y.Max = -float64(len(all))+0.4, 0.6
		p.Y.Tick.LineStyle.Color = color.Transparent
		p.Y.Tick.Marker = plot.ConstantTicks{}
		if i == 0 {
			p.Y.Tick.Marker = rows.names()
		}
		p.Add(rows)
		share := 1 / (float64(len(metrics)) + 0.3)
		if i == 0 {
			share *= 1.3 // it has the names
		}
		c.plots = append(c.plots, panel{plot: p, share: share, title: results.Capital(metric.ByName(metricName).Title), x: "B / A, 95 % interval (log scale)"})
		for _, d := range all {
			said = append(said, fmt.Sprintf("%s of %s: %s", metric.ByName(metricName).Title, results.Plain(compare.CaseOf(d)), rows.said(d)))
		}
	}
	c.keys = []key{
		glyphKey("less in B", draw.GlyphStyle{Color: blue, Radius: 3.5, Shape: diamond{}}),
		glyphKey("more in B", draw.GlyphStyle{Color: vermillion, Radius: 3.5, Shape: diamond{}}),
		glyphKey("no difference shown", draw.GlyphStyle{Color: soft, Radius: 3.5, Shape: diamond{}}),
	}
	c.alt = "The second run's figures over the first's. " + strings.Join(said, "; ") + "."
	return c
}

// ratios is a plotter of intervals, one below the other, from y = 0 down.
type ratios struct {
	all    []compare.Difference
	margin float64
}

// bounds are of the axis: all that is finite, and both sides of the margin.
func (r ratios) bounds() (lo, hi float64) {
	lo, hi = 1/(1+2*r.margin), 1+2*r.margin
	for _, d := range r.all {
		for _, x := range []float64{d.Ratio, d.Lo, d.Hi} {
			if x > 0 && !math.IsInf(x, 0) && !math.IsNaN(x) && d.Verdict != compare.Incomparable {
				lo, hi = min(lo, x/1.02), max(hi, x*1.02)
			}
		}
	}
	const most = 1000 // beyond it an interval only says that nothing is known
	return max(lo, 1.0/most), min(hi, most)
}

func (r ratios) names() plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for i, d := range r.all {
		ticks = append(ticks, plot.Tick{Value: -float64(i), Label: results.Plain(compare.CaseOf(d))})
	}
	return ticks
}

func (r ratios) said(d compare.Difference) string {
	if d.Verdict == compare.Incomparable || math.IsNaN(d.Ratio) {
		return "not comparable"
	}
	return fmt.Sprintf("%s (%s–%s)", metric.Number(d.Ratio), metric.Number(d.Lo), metric.Number(d.Hi))
}

// Plot implements plot.Plotter.
func (r ratios) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	within := func(v float64) vg.Length { return x(min(max(v, p.X.Min), p.X.Max)) }
	left, right := within(1/(1+r.margin)), within(1+r.margin)
	c.FillPolygon(faint, []vg.Point{{X: left, Y: c.Min.Y}, {X: right, Y: c.Min.Y}, {X: right, Y: c.Max.Y}, {X: left, Y: c.Max.Y}})
	c.StrokeLine2(draw.LineStyle{Color: edge, Width: 1}, x(1), c.Min.Y, x(1), c.Max.Y)
	figure := textStyle(7.5, ink)
	for i, d := range r.all {
		at := y(-float64(i))
		if d.Verdict == compare.Incomparable || math.IsNaN(d.Ratio) {
			fill(&c, textStyle(7.5, soft), vg.Point{X: c.Min.X + 4, Y: at - 3}, "not comparable")
			continue
		}
		colour := r.colour(d)
		c.StrokeLine2(draw.LineStyle{Color: colour, Width: 1.6}, within(d.Lo), at, within(d.Hi), at)
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: colour, Radius: 3.5, Shape: diamond{}}, vg.Point{X: within(d.Ratio), Y: at})
		label := r.said(d)
		place := min(max(within(d.Lo), c.Min.X), c.Max.X-figure.Width(label))
		fill(&c, figure, vg.Point{X: place, Y: at + 6}, label)
	}
}

// colour says which way a difference that is shown goes. Where there is no verdict, none is.
func (r ratios) colour(d compare.Difference) color.NRGBA {
	shown := slices.Contains([]compare.Verdict{compare.Different, compare.Small}, d.Verdict)
	switch {
	case shown && d.Ratio < 1:
		return blue
	case shown:
		return vermillion
	default:
		return soft
	}
}
