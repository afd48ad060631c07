package chart

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pushbench/results/summary"
)

// A part is a value of each row: a piece of the row's bar in the picture, and a bar in the group of
// that name in the page.
type part struct {
	name string
	of   func(summary.Row) reading
	fill func(color.NRGBA) color.NRGBA // from the row's colour; nil: only in the page
}

// partOf returns the part for a metric.
func partOf(name, metric string, fill func(color.NRGBA) color.NRGBA) part {
	return part{name, func(r summary.Row) reading { return metricOf(r, metric) }, fill}
}

// full returns the colour unchanged.
func full(c color.NRGBA) color.NRGBA { return c }

// grouped returns a panel of the page: a group per part, with a bar per row.
func grouped(title, y string, rows []summary.Row, parts ...part) Panel {
	p := Panel{Title: title, Y: y, XScale: "names", YScale: "linear"}
	for _, part := range parts {
		p.Names = append(p.Names, part.name)
	}
	each := 0.8 / float64(len(rows))
	for i, r := range rows {
		s := lookIn(rows, r).series(r, "bars")
		for group, part := range parts {
			s.add(float64(group)+each*(float64(i)-float64(len(rows)-1)/2), part.of(r))
		}
		p.Series = append(p.Series, s)
	}
	return p
}

// stack returns a row's bar, with its parts stacked and a label above. With inside, each part
// contains its value as text.
func stack(rows []summary.Row, r summary.Row, label string, inside bool, parts ...part) bar {
	b := bar{label: label}
	for _, p := range parts {
		if p.fill == nil {
			continue
		}
		v := p.of(r)
		one := piece{size: v.X, fill: p.fill(lookIn(rows, r).color)}
		if inside {
			one.label = v.String()
		}
		b.pieces = append(b.pieces, one)
	}
	return b
}

// bars adds a panel. The picture has a bar per row, labelled with the metric total; the page has a
// group per part.
func (c *card) bars(title, y string, rows []summary.Row, width float64, total string, parts ...part) {
	b := bars{width: width}
	for i, r := range rows {
		one := stack(rows, r, r.Value(total).String(), len(parts) > 1, parts...)
		one.x = float64(i)
		b.all = append(b.all, one)
	}
	p := barPlot(b, barNames(rows), -0.6, float64(len(rows))-0.4)
	p.X.Tick.Label.Font.Size = labelSize(len(rows))
	c.panels = append(c.panels, panel{Panel: grouped(title, y, rows, parts...), plot: p, x: axisNames(rows)})
}

// sideBySide returns a plot with a group of bars per name and a bar per row in it. groupWidth is the
// width of a group, of 1.
func sideBySide(rows []summary.Row, groupWidth float64, names []string, of func(r summary.Row, group int) bar) *plot.Plot {
	each := groupWidth / float64(len(rows))
	b := bars{width: each * 0.82}
	for group := range names {
		for i, r := range rows {
			one := of(r, group)
			one.x = float64(group) - groupWidth/2 + each*(float64(i)+0.5)
			b.all = append(b.all, one)
		}
	}
	return barPlot(b, under(names), -0.55, float64(len(names))-0.45)
}

// A bar is at x and has stacked pieces and a label above.
type bar struct {
	x      float64
	pieces []piece
	label  string
}

type piece struct {
	size  float64 // in the axis's unit
	fill  color.NRGBA
	label string // written inside if it fits
}

// bars is a plotter of bars with one width, in the axis's unit.
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
		for _, one := range bar.pieces {
			if one.size <= 0 {
				continue
			}
			to := from + one.size
			fillBox(&c, one.fill, left, y(from), right, y(to))
			c.StrokeLine2(draw.LineStyle{Color: paper, Width: 0.5}, left, y(to), right, y(to))
			if y(to)-y(from) > 13 && inside.Width(one.label) < right-left+3 {
				inside.Color = onTop(one.fill)
				fill(&c, inside, vg.Point{X: x(bar.x), Y: y(to) - 10}, one.label)
			}
			from = to
		}
		if len(b.all) <= 3*crowded { // with more bars, labels would overlap
			at := vg.Point{X: x(bar.x), Y: y(from) + 3}
			w := above.Width(bar.label) / 2
			fillBox(&c, paper, at.X-w, at.Y-1, at.X+w, at.Y+7) // so that no grid line crosses the label
			fill(&c, above, at, bar.label)
		}
	}
}

// upTo scales the vertical axis to a height and the label above it.
func upTo(p *plot.Plot, top float64) {
	if top <= 0 || math.IsInf(top, 0) {
		top = 1
	}
	p.Y.Min, p.Y.Max = 0, top*1.12
	p.Y.Tick.Marker = linearTicks(p.Y.Max, 5)
}

// barPlot returns a plot of bars, with names below and space for labels above.
func barPlot(b bars, names plot.ConstantTicks, left, right float64) *plot.Plot {
	p := newPlot()
	p.X.Min, p.X.Max, p.X.Tick.Marker, p.X.Tick.LineStyle.Color = left, right, names, color.Transparent
	var top float64
	for _, bar := range b.all {
		var height float64
		for _, one := range bar.pieces {
			height += max(one.size, 0)
		}
		top = max(top, height)
	}
	upTo(p, top)
	g := grid()
	g.Vertical.Width = 0
	p.Add(g, b)
	return p
}

// under returns labels of the positions 0, 1, 2, …
func under(names []string) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for i, name := range names {
		ticks = append(ticks, plot.Tick{Value: float64(i), Label: name})
	}
	return ticks
}
