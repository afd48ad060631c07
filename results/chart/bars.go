package chart

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A bar stands at x and is made of parts, from the axis up. Its label is drawn above.
type bar struct {
	x     float64
	parts []part
	label string
}

type part struct {
	size  float64 // in the axis's unit
	fill  color.NRGBA
	label string // written inside where there is room
}

func (b bar) height() (sum float64) {
	for _, p := range b.parts {
		sum += max(p.size, 0)
	}
	return sum
}

// bars is a plotter of bars of one width, in the axis's unit.
type bars struct {
	all   []bar
	width float64
}

// Plot implements plot.Plotter.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	above, inside := textStyle(labelSize(len(b.all)), ink), textStyle(7.5, ink)
	above.XAlign, inside.XAlign = text.XCenter, text.XCenter
	for _, bar := range b.all {
		left, right, from := x(bar.x-b.width/2), x(bar.x+b.width/2), 0.0
		for _, part := range bar.parts {
			if part.size <= 0 {
				continue
			}
			to := from + part.size
			c.FillPolygon(part.fill, []vg.Point{{X: left, Y: y(from)}, {X: right, Y: y(from)}, {X: right, Y: y(to)}, {X: left, Y: y(to)}})
			c.StrokeLine2(draw.LineStyle{Color: paper, Width: 0.5}, left, y(to), right, y(to))
			if y(to)-y(from) > 13 && inside.Width(part.label) < right-left+3 {
				inside.Color = onTop(part.fill)
				fill(&c, inside, vg.Point{X: x(bar.x), Y: y(to) - 10}, part.label)
			}
			from = to
		}
		if len(b.all) <= 3*crowded { // beyond, figures would run into one another
			writeAbove(&c, above, vg.Point{X: x(bar.x), Y: y(from) + 3}, bar.label)
		}
	}
}

// writeAbove writes on paper, so that no grid line crosses a figure.
func writeAbove(c *draw.Canvas, style text.Style, at vg.Point, label string) {
	w := style.Width(label) / 2
	c.FillPolygon(paper, []vg.Point{{X: at.X - w, Y: at.Y - 1}, {X: at.X + w, Y: at.Y - 1}, {X: at.X + w, Y: at.Y + 7}, {X: at.X - w, Y: at.Y + 7}})
	fill(c, style, at, label)
}

// top is the height of the highest bar.
func (b bars) top() (top float64) {
	for _, bar := range b.all {
		top = max(top, bar.height())
	}
	return top
}

// upTo makes the vertical axis of a plot of bars reach a height and its label.
func upTo(p *plot.Plot, top float64) {
	if top <= 0 || math.IsInf(top, 0) {
		top = 1
	}
	p.Y.Min, p.Y.Max = 0, top*1.12
	p.Y.Tick.Marker = linearTicks(p.Y.Max, 5)
}

// barPlot sets the axes: names under the bars, and head room for labels.
func barPlot(b bars, names plot.ConstantTicks, left, right float64) *plot.Plot {
	p := newPlot()
	p.X.Min, p.X.Max, p.X.Tick.Marker, p.X.Tick.LineStyle.Color = left, right, names, color.Transparent
	upTo(p, b.top())
	g := grid()
	g.Vertical.Width = 0
	p.Add(g, b)
	return p
}

// under names the places 0, 1, 2, …
func under(names []string) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for i, name := range names {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: name})
	}
	return ticks
}
