package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// latency draws each case's delivery latency by percentile. The axis is
// 1/(1−q), so that each decade is another nine. A line ends where too few
// independent observations lie beyond it, or where the lost begin.
func latency(_ *results.Run, s summary.Summary) (card, bool) {
	c := card{name: "latency", title: "How long a message takes, by percentile"}
	p := newPlot()
	var lines []curve
	var with []summary.Row
	for _, r := range s.Rows {
		if curve := messageTimes(r, lookIn(s.Rows, r)); len(curve.points) > 1 {
			lines = append(lines, curve)
			with = append(with, r)
		}
	}
	if len(lines) == 0 {
		return card{}, false
	}
	c.keys = rowKeys(with, lineKey)
	setLatencyAxes(p, lines)
	// Solid lines first: a dashed one over it lets both be seen.
	for i := len(lines) - 1; i >= 0; i-- {
		p.Add(lines[i])
	}
	const (
		x = "share of all messages owed that had arrived (log scale of what is left)"
		y = "milliseconds since the message was due (log scale)"
	)
	c.plots = []panel{{plot: p, share: 1, x: x, y: y}}
	c.live = []results.Panel{percentilePanel(x, y, with, lines, map[float64]string{0.5: metric.P50, 0.99: metric.P99, 0.999: metric.P999})}
	c.keys = append(c.keys, latencyKeys(lines)...)
	c.alt = "Delivery latency by percentile. " + latencyAlt(s)
	return c, true
}

// A curve is one case's latency by percentile, as a plotter.
type curve struct {
	look   look
	points plotter.XYs // x = 1/(1−q), y in ms and positive
	marks  plotter.XYs // at the named percentiles
	theory plotter.XYs
	lost   bool // the points end where the lost messages begin
}

// named percentiles carry a marker, and theory where it predicts them.
var named = []percentile{{0.5, metric.P50}, {0.9, ""}, {0.99, metric.P99}, {0.999, metric.P999}, {0.9999, ""}}

type percentile struct {
	q      float64
	metric string // that theory may predict; empty: none
}

// steps a decade at which a line is drawn.
const steps = 60

// messageTimes are how long the messages of a row took.
func messageTimes(r summary.Row, l look) curve {
	return newCurve(r.Pooled.Latency, l, func(q float64) (results.Prediction, bool) {
		i := slices.IndexFunc(named, func(n percentile) bool { return n.q == q })
		return r.Theory(named[i].metric)
	})
}

// newCurve is a distribution by percentile; theory says what is predicted at a named one.
func newCurve(latency results.Latency, l look, theory func(q float64) (results.Prediction, bool)) curve {
	c := curve{look: l}
	for i := 0; ; i++ {
		x := math.Pow(10, float64(i)/steps)
		d, infinite, ok := latency.Quantile(1 - 1/x)
		if !ok {
			c.lost = infinite
			break
		}
		c.points = append(c.points, plotter.XY{X: x, Y: positive(metric.Milliseconds(d))})
	}
	for _, n := range named {
		if d, _, ok := latency.Quantile(n.q); ok {
			c.marks = append(c.marks, plotter.XY{X: 1 / (1 - n.q), Y: positive(metric.Milliseconds(d))})
		}
		if p, ok := theory(n.q); ok && p.Value > 0 {
			c.theory = append(c.theory, plotter.XY{X: 1 / (1 - n.q), Y: p.Value})
		}
	}
	return c
}

// positive keeps a value on a logarithmic axis: nothing is faster than a microsecond.
func positive(ms float64) float64 { return max(ms, 0.001) }

// Plot implements plot.Plotter.
func (c curve) Plot(canvas draw.Canvas, p *plot.Plot) {
	at := func(xy plotter.XY) vg.Point {
		x, y := p.Transforms(&canvas)
		return vg.Point{X: x(xy.X), Y: y(xy.Y)}
	}
	var line []vg.Point
	for _, xy := range c.points {
		line = append(line, at(xy))
	}
	canvas.StrokeLines(c.look.line(), line)
	for _, xy := range c.marks {
		canvas.DrawGlyphNoClip(c.look.marker(), at(xy))
	}
	for _, xy := range c.theory {
		canvas.DrawGlyphNoClip(theoryGlyph(c.look), at(xy))
	}
	if c.lost {
		end := line[len(line)-1]
		canvas.StrokeLine2(c.look.line(), end.X, end.Y, end.X, canvas.Max.Y)
		canvas.DrawGlyphNoClip(lostGlyph(c.look), vg.Point{X: end.X, Y: canvas.Max.Y - 4})
	}
}

func theoryGlyph(l look) draw.GlyphStyle {
	return draw.GlyphStyle{Color: l.color, Radius: 5.5, Shape: draw.RingGlyph{}}
}

func lostGlyph(l look) draw.GlyphStyle {
	return draw.GlyphStyle{Color: l.color, Radius: 4, Shape: draw.PyramidGlyph{}}
}

func setLatencyAxes(p *plot.Plot, curves []curve) {
	lo, hi, right := math.Inf(1), 0.0, 10.0
	for _, c := range curves {
		for _, xy := range append(c.points[:len(c.points):len(c.points)], c.theory...) {
			lo, hi, right = min(lo, xy.Y), max(hi, xy.Y), max(right, xy.X)
		}
	}
	lo, hi = lo/1.3, hi*1.5
	p.X.Scale, p.X.Min, p.X.Max, p.X.Tick.Marker = plot.LogScale{}, 1, right*1.15, percentileTicks(right)
	p.Y.Scale, p.Y.Min, p.Y.Max, p.Y.Tick.Marker = plot.LogScale{}, lo, hi, logTicks(lo, hi)
	p.Add(grid())
}

// grid marks the ticks, behind everything.
func grid() *plotter.Grid {
	g := plotter.NewGrid()
	g.Horizontal = draw.LineStyle{Color: faint, Width: 0.6}
	g.Vertical = g.Horizontal
	return g
}

func latencyKeys(curves []curve) []key {
	var keys []key
	var theory, lost bool
	for _, c := range curves {
		theory, lost = theory || len(c.theory) > 0, lost || c.lost
	}
	plain := look{color: soft}
	if theory {
		keys = append(keys, glyphKey("theory", theoryGlyph(plain)))
	}
	if lost {
		keys = append(keys, glyphKey("the rest was lost", lostGlyph(plain)))
	}
	return keys
}

func latencyAlt(s summary.Summary) string {
	var said []string
	for _, r := range s.Rows {
		said = append(said, fmt.Sprintf("%s: p50 %s ms, p99 %s ms", r.Name, r.Value(metric.P50), r.Value(metric.P99)))
	}
	return strings.Join(said, "; ") + "."
}
