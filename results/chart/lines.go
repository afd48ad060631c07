package chart

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pushbench/results/summary"
)

// A line has the values of a configuration, or of a group of them, over an axis. It is a plotter.
type line struct {
	look
	Series           // the values
	marks     Series // positions of markers in the picture
	ranges    Series // values that the page shows with ranges
	predicted Series // values of the model
	rings     bool   // an axis of percentiles: predictions are rings, not a dashed line
	lost      bool   // the line ends at the share of lost messages
}

func newLine(l look, r summary.Row) line {
	return line{look: l, Series: l.series(r, "line"), predicted: l.series(r, "predicted")}
}

// Plot implements plot.Plotter.
func (l line) Plot(canvas draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&canvas)
	at := func(s Series) (points []vg.Point) {
		for i := range s.X {
			points = append(points, vg.Point{X: x(s.X[i]), Y: y(s.Y[i])})
		}
		return points
	}
	points, predicted := at(l.Series), at(l.predicted)
	if !l.rings {
		canvas.StrokeLines(draw.LineStyle{Color: l.color, Width: 0.9, Dashes: []vg.Length{3, 3}}, predicted)
		predicted = nil
	}
	canvas.StrokeLines(l.line(), points)
	for _, m := range at(l.marks) {
		canvas.DrawGlyphNoClip(l.marker(), m)
	}
	for _, t := range predicted {
		canvas.DrawGlyphNoClip(predictedGlyph(l.look), t)
	}
	if l.lost {
		end := points[len(points)-1]
		canvas.StrokeLine2(l.line(), end.X, end.Y, end.X, canvas.Max.Y)
		canvas.DrawGlyphNoClip(lostGlyph(l.look), vg.Point{X: end.X, Y: canvas.Max.Y - 4})
	}
}

// GlyphBoxes implements plot.GlyphBoxer: it reserves space for lines and markers at the ends of an
// axis. An axis of percentiles needs none.
func (l line) GlyphBoxes(p *plot.Plot) (boxes []plot.GlyphBox) {
	if l.rings {
		return nil
	}
	add := func(s Series, radius vg.Length) {
		box := draw.GlyphStyle{Radius: radius}.Rectangle()
		for i, x := range s.X {
			boxes = append(boxes, plot.GlyphBox{X: p.X.Norm(x), Y: p.Y.Norm(s.Y[i]), Rectangle: box})
		}
	}
	add(l.Series, l.line().Width/2)
	add(l.marks, l.marker().Radius)
	return boxes
}

func predictedGlyph(l look) draw.GlyphStyle {
	return draw.GlyphStyle{Color: l.color, Radius: 5.5, Shape: draw.RingGlyph{}}
}

func lostGlyph(l look) draw.GlyphStyle {
	return draw.GlyphStyle{Color: l.color, Radius: 4, Shape: draw.PyramidGlyph{}}
}

// linePanel returns a panel of lines, drawn over the plotters behind. data has the scales of the axes.
func linePanel(data Panel, lines []line, behind ...plot.Plotter) panel {
	p := panel{Panel: data, plot: newPlot()}
	p.plot.Add(grid())
	p.plot.Add(behind...)
	for _, l := range slices.Backward(lines) { // solid lines first: both remain visible below a dashed one
		p.plot.Add(l)
	}
	for _, l := range lines {
		p.Series = append(p.Series, l.Series)
		if len(l.predicted.X) > 0 {
			p.Series = append(p.Series, l.predicted)
		}
		if l.ranges.Kind != "" {
			p.Series = append(p.Series, l.ranges)
		}
	}
	p.scale(lines)
	return p
}

// scale sets the axes to cover all values and predictions.
func (p panel) scale(lines []line) {
	near, far, lo, hi := math.Inf(1), 0.0, math.Inf(1), 0.0
	for _, l := range lines {
		for _, s := range []Series{l.Series, l.predicted} {
			for i := range s.X {
				near, far = min(near, s.X[i]), max(far, s.X[i])
				lo, hi = min(lo, s.Y[i]), max(hi, s.Y[i])
			}
		}
	}
	x, below, above := &p.plot.X, 2.0, 2.0
	switch p.XScale {
	case "percentile":
		far, below, above = max(far, 10), 1.3, 1.5
		x.Scale, x.Min, x.Max, x.Tick.Marker = plot.LogScale{}, 1, far*1.15, percentileTicks(far)
	case "names":
		x.Min, x.Max, x.Tick.Marker = -0.3, float64(len(p.Names))-0.7, under(p.Names)
	case "log":
		logScale(x, near/1.15, far*1.15)
	default:
		x.Min, x.Max, x.Tick.Marker = 0, far*1.05, linearTicks(far*1.05, 4)
	}
	if p.YScale == "log" {
		logScale(&p.plot.Y, lo/below, hi*above)
	} else {
		upTo(p.plot, hi)
	}
}

// positive keeps a value on a logarithmic axis: the minimum is a microsecond.
func positive(ms float64) float64 { return max(ms, 0.001) }

// grid returns grid lines at the ticks.
func grid() *plotter.Grid {
	g := plotter.NewGrid()
	g.Horizontal = draw.LineStyle{Color: faint, Width: 0.6}
	g.Vertical = g.Horizontal
	return g
}
