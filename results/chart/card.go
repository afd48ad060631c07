package chart

import (
	"cmp"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A card is a chart with its layout. It has its own background, so that it looks the same on a dark
// page.
//
//	title                                mark
//	key  key  key
//	┌ panel ┐ ┌ panel ┐
//	basis
type card struct {
	Chart
	mark    string
	panels  []panel
	keys    []key
	keysFor string // the panel that the keys belong to; empty: all
}

// A panel is a part of a chart: data for the page, a plot in the picture, or both.
type panel struct {
	Panel            // without series: only in the picture
	plot  *plot.Plot // nil: only in the page
	share float64    // of the picture's width; 0: all plots have the same
	title string     // for the picture if it differs from the page, as the next ones
	x, y  string     // y is written horizontally above its axis
}

// A key is an entry of the legend: a sample 22 points wide, and its name.
type key struct {
	name  string
	fill  color.Color // of a box; without it the sample is a line, a glyph or both
	line  draw.LineStyle
	glyph draw.GlyphStyle
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
	canvas.Fill(roundedBox(canvas.Rectangle, 6))
	canvas.SetLineStyle(draw.LineStyle{Color: edge, Width: 0.75})
	half := vg.Point{X: 0.5, Y: 0.5}
	canvas.Stroke(roundedBox(vg.Rectangle{Min: canvas.Min.Add(half), Max: canvas.Max.Sub(half)}, 6))

	top := canvas.Max.Y - margin
	fill(&canvas, boldStyle(titleSize, ink), vg.Point{X: canvas.Min.X + margin, Y: top - titleSize}, c.Title)
	mark := boldStyle(9, alarm)
	if c.mark == estimate {
		mark.Color = amber
	}
	mark.XAlign = text.XRight
	fill(&canvas, mark, vg.Point{X: canvas.Max.X - margin, Y: top - titleSize}, c.mark)
	top -= titleSize + 10
	if len(c.keys) > 0 {
		top = c.drawKeys(&canvas, vg.Point{X: canvas.Min.X + margin, Y: top - keySize}) - 8
	}
	fill(&canvas, textStyle(7.5, soft), vg.Point{X: canvas.Min.X + margin, Y: canvas.Min.Y + margin - 3}, c.Basis)
	c.drawPanels(canvas, canvas.Min.Y+margin+10, top)
}

// drawKeys draws the legend in one or more lines, and returns the position of the last.
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
		k.draw(canvas, vg.Point{X: at.X, Y: at.Y + keySize*0.36})
		fill(canvas, style, vg.Point{X: at.X + sample + 5, Y: at.Y}, k.name)
		at.X += sample + 5 + style.Width(k.name) + 16
	}
	return at.Y
}

func (c card) drawPanels(canvas draw.Canvas, bottom, top vg.Length) {
	plots := slices.DeleteFunc(slices.Clone(c.panels), func(p panel) bool { return p.plot == nil })
	room := canvas.Max.X - canvas.Min.X - 2*margin - vg.Length(len(plots)-1)*gutter
	left := canvas.Min.X + margin
	for _, p := range plots {
		right := left + room*vg.Length(cmp.Or(p.share, 1/float64(len(plots))))
		p.draw(draw.Canvas{Canvas: canvas.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: left, Y: bottom}, Max: vg.Point{X: right, Y: top}}})
		left = right + gutter
	}
}

func (p panel) draw(area draw.Canvas) {
	if title := cmp.Or(p.title, p.Title); title != "" {
		fill(&area, boldStyle(9.5, ink), vg.Point{X: area.Min.X, Y: area.Max.Y - 11}, title)
		area.Max.Y -= 16
	}
	fill(&area, textStyle(8.5, soft), vg.Point{X: area.Min.X, Y: area.Max.Y - 10}, cmp.Or(p.y, p.Y))
	area.Max.Y -= 18
	if x := cmp.Or(p.x, p.X); x != "" {
		centred := textStyle(8.5, soft)
		centred.XAlign = text.XCenter
		fill(&area, centred, vg.Point{X: area.Center().X, Y: area.Min.Y + 3}, x)
		area.Min.Y += 16
	}
	p.plot.Draw(area)
}

// fill draws text, unless it is empty.
func fill(c *draw.Canvas, style text.Style, at vg.Point, s string) {
	if s != "" {
		c.FillText(style, at, s)
	}
}

func roundedBox(r vg.Rectangle, radius vg.Length) vg.Path {
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

// fillBox fills a rectangle.
func fillBox(c *draw.Canvas, fill color.Color, left, bottom, right, top vg.Length) {
	c.FillPolygon(fill, []vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}})
}

// lineKey shows a line and its marker.
func lineKey(name string, l look) key { return key{name: name, line: l.line(), glyph: l.marker()} }

func (k key) draw(c *draw.Canvas, at vg.Point) {
	if k.fill != nil {
		fillBox(c, k.fill, at.X, at.Y-4, at.X+sample, at.Y+4)
	}
	if k.line.Color != nil {
		c.StrokeLine2(k.line, at.X, at.Y, at.X+sample, at.Y)
	}
	c.DrawGlyphNoClip(k.glyph, vg.Point{X: at.X + sample/2, Y: at.Y}) // nothing without a shape
}
