package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pushbench/results"
)

// A card is a chart with all that belongs to it, on paper of its own so that it
// reads the same on a dark page.
//
//	title                                mark
//	key  key  key
//	┌ panel ┐ ┌ panel ┐
//	basis
type card struct {
	name  string
	title string
	alt   string
	mark  string
	plots []panel
	basis string
	live  []results.Panel // the plots as data

	keys    []key
	keysFor string // which panel the keys are for; empty when for all
}

// A panel is a plot and its share of the width.
type panel struct {
	plot  *plot.Plot
	share float64
	title string // over the plot; empty when it is the only one
	x, y  string // what the axes show, with units; y is written over its axis, level
}

// A key is an entry of the legend: a sample 22 points wide, and its name.
type key struct {
	name   string
	sample func(c *draw.Canvas, at vg.Point)
}

// Distances on the card.
const (
	margin    = 14
	titleSize = 13
	keySize   = 9
	gutter    = 18
	sample    = 22
)

func (c card) draw(canvas draw.Canvas) {
	canvas.SetColor(paper)
	canvas.Fill(rounded(canvas.Rectangle, 6))
	canvas.SetLineStyle(draw.LineStyle{Color: edge, Width: 0.75})
	canvas.Stroke(rounded(inset(canvas.Rectangle, 0.5), 6))

	top := canvas.Max.Y - margin
	fill(&canvas, boldStyle(titleSize, ink), vg.Point{X: canvas.Min.X + margin, Y: top - titleSize}, c.title)
	c.drawMark(&canvas, vg.Point{X: canvas.Max.X - margin, Y: top - titleSize})
	top -= titleSize + 10
	if len(c.keys) > 0 {
		top = c.drawKeys(&canvas, vg.Point{X: canvas.Min.X + margin, Y: top - keySize}) - 8
	}
	fill(&canvas, textStyle(7.5, soft), vg.Point{X: canvas.Min.X + margin, Y: canvas.Min.Y + margin - 3}, c.basis)
	c.drawPanels(canvas, canvas.Min.Y+margin+10, top)
}

func (c card) drawMark(canvas *draw.Canvas, at vg.Point) {
	style := boldStyle(9, alarm)
	if c.mark == estimate {
		style.Color = amber
	}
	style.XAlign = text.XRight
	fill(canvas, style, at, c.mark)
}

// drawKeys draws the legend, in as many lines as it takes, and returns where the last ends.
func (c card) drawKeys(canvas *draw.Canvas, at vg.Point) vg.Length {
	style := textStyle(keySize, ink)
	if c.keysFor != "" {
		fill(canvas, textStyle(keySize, soft), at, c.keysFor)
		at.X += style.Width(c.keysFor) + 14
	}
	left := at.X
	for _, k := range c.keys {
		if at.X > left && at.X+sample+5+style.Width(k.name) > canvas.Max.X-margin {
			at.X, at.Y = left, at.Y-keySize-5
		}
		k.sample(canvas, vg.Point{X: at.X, Y: at.Y + keySize*0.36})
		fill(canvas, style, vg.Point{X: at.X + sample + 5, Y: at.Y}, k.name)
		at.X += sample + 5 + style.Width(k.name) + 16
	}
	return at.Y
}

func (c card) drawPanels(canvas draw.Canvas, bottom, top vg.Length) {
	room := canvas.Max.X - canvas.Min.X - 2*margin - vg.Length(len(c.plots)-1)*gutter
	left := canvas.Min.X + margin
	for _, p := range c.plots {
		right := left + room*vg.Length(p.share)
		area := draw.Canvas{Canvas: canvas.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: left, Y: bottom}, Max: vg.Point{X: right, Y: top}}}
		p.draw(area)
		left = right + gutter
	}
}

func (p panel) draw(area draw.Canvas) {
	if p.title != "" {
		fill(&area, boldStyle(9.5, ink), vg.Point{X: area.Min.X, Y: area.Max.Y - 11}, p.title)
		area.Max.Y -= 16
	}
	fill(&area, textStyle(8.5, soft), vg.Point{X: area.Min.X, Y: area.Max.Y - 10}, p.y)
	area.Max.Y -= 18
	if p.x != "" {
		centred := textStyle(8.5, soft)
		centred.XAlign = text.XCenter
		fill(&area, centred, vg.Point{X: area.Center().X, Y: area.Min.Y + 3}, p.x)
		area.Min.Y += 16
	}
	p.plot.Draw(area)
}

// fill draws text; an empty one has no outline to draw.
func fill(c *draw.Canvas, style text.Style, at vg.Point, s string) {
	if s != "" {
		c.FillText(style, at, s)
	}
}

func inset(r vg.Rectangle, by vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: r.Min.X + by, Y: r.Min.Y + by}, Max: vg.Point{X: r.Max.X - by, Y: r.Max.Y - by}}
}

func rounded(r vg.Rectangle, radius vg.Length) vg.Path {
	var p vg.Path
	p.Move(vg.Point{X: r.Min.X + radius, Y: r.Min.Y})
	p.Line(vg.Point{X: r.Max.X - radius, Y: r.Min.Y})
	p.QuadTo(vg.Point{X: r.Max.X, Y: r.Min.Y}, vg.Point{X: r.Max.X, Y: r.Min.Y + radius})
	p.Line(vg.Point{X: r.Max.X, Y: r.Max.Y - radius})
	p.QuadTo(r.Max, vg.Point{X: r.Max.X - radius, Y: r.Max.Y})
	p.Line(vg.Point{X: r.Min.X + radius, Y: r.Max.Y})
	p.QuadTo(vg.Point{X: r.Min.X, Y: r.Max.Y}, vg.Point{X: r.Min.X, Y: r.Max.Y - radius})
	p.Line(vg.Point{X: r.Min.X, Y: r.Min.Y + radius})
	p.QuadTo(r.Min, vg.Point{X: r.Min.X + radius, Y: r.Min.Y})
	p.Close()
	return p
}

// lineKey shows a line and its marker.
func lineKey(name string, l look) key {
	return key{name, func(c *draw.Canvas, at vg.Point) {
		c.StrokeLine2(l.line(), at.X, at.Y, at.X+sample, at.Y)
		c.DrawGlyphNoClip(l.marker(), vg.Point{X: at.X + sample/2, Y: at.Y})
	}}
}

// glyphKey shows a marker.
func glyphKey(name string, style draw.GlyphStyle) key {
	return key{name, func(c *draw.Canvas, at vg.Point) {
		c.DrawGlyphNoClip(style, vg.Point{X: at.X + sample/2, Y: at.Y})
	}}
}

// strokeKey shows a line without a marker.
func strokeKey(name string, style draw.LineStyle) key {
	return key{name, func(c *draw.Canvas, at vg.Point) {
		c.StrokeLine2(style, at.X, at.Y, at.X+sample, at.Y)
	}}
}

// swatchKey shows a fill.
func swatchKey(name string, fill color.Color) key {
	return key{name, func(c *draw.Canvas, at vg.Point) {
		left, right := at.X, at.X+sample
		c.FillPolygon(fill, []vg.Point{{X: left, Y: at.Y - 4}, {X: right, Y: at.Y - 4}, {X: right, Y: at.Y + 4}, {X: left, Y: at.Y + 4}})
	}}
}
