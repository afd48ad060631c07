package chart

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Distances on a picture, which has the same width for every chart.
const (
	width     = 9 * vg.Inch
	inner     = width - 2*margin
	margin    = 14
	titleSize = 13
	textSize  = 8.5
	smallSize = 7.5
	gutter    = 18
	sample    = 22
)

// drawn returns the chart with its pictures.
func (c Chart) drawn() (Chart, error) {
	var errs [2]error
	c.SVG, errs[0] = c.vector()
	c.PNG, errs[1] = c.raster()
	if err := errors.Join(errs[:]...); err != nil {
		return c, fmt.Errorf("draw %s: %w", c.Name, err)
	}
	return c, nil
}

func (c Chart) vector() ([]byte, error) {
	var b bytes.Buffer
	l := c.layout()
	svg := &widths{Canvas: vgsvg.New(width, l.height)}
	l.draw(draw.New(svg))
	_, err := svg.WriteTo(&b)
	return svg.fitted(b.Bytes()), err
}

func (c Chart) raster() ([]byte, error) {
	var b bytes.Buffer
	l := c.layout()
	png := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, l.height), vgimg.UseDPI(dpi))}
	l.draw(draw.New(png))
	_, err := png.WriteTo(&b)
	return b.Bytes(), err
}

// A layout is a picture of a chart. It has its own background, so that it looks the same on a dark page. No
// text is cut: long lines are wrapped, and the picture is as high as it needs to be.
//
//	title                                mark
//	key  key  key
//	┌ panel ┐ ┌ panel ┐
//	events
//	basis
type layout struct {
	Chart
	title, foot []string
	rows        [][]Panel
	rowHeight   []vg.Length
	height      vg.Length
}

func (c Chart) layout() layout {
	l := layout{Chart: c, rows: rowsOf(c.Panels)}
	l.title = wrap(boldStyle(titleSize, ink), c.Title, inner-80)
	var events []string
	for i, e := range c.Events {
		events = append(events, fmt.Sprintf("%d: %s", i+1, e.Text))
	}
	small := textStyle(smallSize, gray)
	l.foot = append(wrap(small, strings.Join(events, " · "), inner), wrap(small, c.Basis, inner)...)
	l.height = 2*margin + vg.Length(len(l.title))*(titleSize+3) + l.drawKeys(nil, vg.Point{X: margin}) + vg.Length(len(l.foot))*(smallSize+3) + 12
	for _, row := range l.rows {
		height := vg.Length(235)
		if len(l.rows) > 1 {
			height = 185
		}
		for _, p := range row {
			height = max(height, 150+p.namesHeight(panelWidth(row, p)))
		}
		l.rowHeight = append(l.rowHeight, height)
		l.height += height
	}
	return l
}

// rowsOf arranges panels in rows of up to three, four in two rows, and wide ones alone.
func rowsOf(all []Panel) (rows [][]Panel) {
	most := 3
	if len(all) == 4 {
		most = 2
	}
	for i, p := range all {
		if n := len(rows); i > 0 && !p.Wide && !all[i-1].Wide && len(rows[n-1]) < most {
			rows[n-1] = append(rows[n-1], p)
		} else {
			rows = append(rows, []Panel{p})
		}
	}
	return rows
}

// panelWidth returns the width of a panel in its row: panels of bars have more if they have more groups.
func panelWidth(row []Panel, p Panel) vg.Length {
	weight := func(p Panel) vg.Length {
		if p.X.Scale == named {
			return 1 + vg.Length(len(p.X.Names))/4
		}
		return 2.25
	}
	var sum vg.Length
	for _, other := range row {
		sum += weight(other)
	}
	return (inner - gutter*vg.Length(len(row)-1)) * weight(p) / sum
}

func (l layout) draw(canvas draw.Canvas) {
	canvas.SetColor(paper)
	canvas.Fill(roundedBox(canvas.Rectangle, 6))
	canvas.SetLineStyle(draw.LineStyle{Color: edge, Width: 0.75})
	half := vg.Point{X: 0.5, Y: 0.5}
	canvas.Stroke(roundedBox(vg.Rectangle{Min: canvas.Min.Add(half), Max: canvas.Max.Sub(half)}, 6))

	at := vg.Point{X: canvas.Min.X + margin, Y: canvas.Max.Y - margin}
	mark := boldStyle(9, amber)
	for badge := range strings.SplitSeq(l.Mark, ", ") {
		if !slices.Contains(restricted, badge) {
			mark.Color = alarm
		}
	}
	mark.XAlign = text.XRight
	fill(&canvas, mark, vg.Point{X: canvas.Max.X - margin, Y: at.Y - titleSize}, l.Mark)
	at.Y = paragraph(&canvas, boldStyle(titleSize, ink), at, l.title)
	at.Y -= 4 + l.drawKeys(&canvas, vg.Point{X: at.X, Y: at.Y - 4})
	for i, row := range l.rows {
		top := at.Y
		at.Y -= l.rowHeight[i]
		drawRow(canvas, row, vg.Rectangle{Min: vg.Point{X: at.X, Y: at.Y + 4}, Max: vg.Point{X: canvas.Max.X - margin, Y: top}}, l.Events)
	}
	paragraph(&canvas, textStyle(smallSize, gray), vg.Point{X: at.X, Y: at.Y - 4}, l.foot)
}

// drawKeys draws the legend below a point, unless the canvas is nil, and returns its height.
func (l layout) drawKeys(canvas *draw.Canvas, at vg.Point) (height vg.Length) {
	if len(l.Keys) == 0 {
		return 0
	}
	style, left := textStyle(textSize, ink), at.X
	height = textSize + 6
	for _, k := range l.Keys {
		indent := vg.Length(sample + 5)
		if k.Kind == "" {
			indent = 0
		}
		if at.X > left && at.X+indent+style.Width(k.Name) > width-margin {
			at.X, at.Y, height = left, at.Y-textSize-5, height+textSize+5
		}
		if canvas != nil {
			k.draw(canvas, vg.Point{X: at.X, Y: at.Y - textSize*0.64})
			fill(canvas, style, vg.Point{X: at.X + indent, Y: at.Y - textSize}, k.Name)
		}
		at.X += indent + style.Width(k.Name) + 16
	}
	return height
}

// draw draws the sample of a key from a point to the right.
func (k Key) draw(c *draw.Canvas, at vg.Point) {
	middle := vg.Point{X: at.X + sample/2, Y: at.Y}
	switch k.Kind {
	case bars, cells:
		fillBox(c, k.color(), at.X, at.Y-4, at.X+sample, at.Y+4)
	case solid, dotted, border:
		c.StrokeLine2(guideStyle(k.Kind), at.X, at.Y, at.X+sample, at.Y)
	case line:
		c.StrokeLine2(k.line(), at.X, at.Y, at.X+sample, at.Y)
	case ranges:
		c.StrokeLine2(rangeStyle, middle.X, at.Y-5, middle.X, at.Y+5)
	case predicted:
		if len(k.Dash) > 0 {
			c.StrokeLine2(k.thin(), at.X, at.Y, at.X+sample, at.Y)
		}
		c.DrawGlyphNoClip(k.ring(), middle)
	case lost:
		k.Marker = triangle
	}
	if k.Kind == line || k.Kind == points || k.Kind == lost {
		c.DrawGlyphNoClip(k.glyph(), middle)
	}
}

// drawRow draws panels side by side, with their plots at the same height.
func drawRow(canvas draw.Canvas, row []Panel, area vg.Rectangle, events []Event) {
	heads := make([][]string, len(row))
	most := 0
	for i, p := range row {
		room := panelWidth(row, p)
		if p.Title != "" {
			heads[i] = wrap(boldStyle(9.5, ink), p.Title, room)
		}
		most = max(most, len(heads[i]))
	}
	left := area.Min.X
	for i, p := range row {
		room := panelWidth(row, p)
		box := draw.Canvas{Canvas: canvas.Canvas, Rectangle: vg.Rectangle{Min: vg.Point{X: left, Y: area.Min.Y}, Max: vg.Point{X: left + room, Y: area.Max.Y}}}
		paragraph(&box, boldStyle(9.5, ink), box.Rectangle.Min.Add(vg.Point{Y: box.Size().Y}), heads[i])
		box.Max.Y -= vg.Length(most) * (9.5 + 3)
		p.draw(box, events)
		left += room + gutter
	}
}

// draw draws the panel below its title.
func (p Panel) draw(area draw.Canvas, events []Event) {
	small := textStyle(textSize, gray)
	room := area.Size().X
	area.Max.Y = paragraph(&area, small, vg.Point{X: area.Min.X, Y: area.Max.Y}, wrap(small, p.Y.Title, room)) - 6
	if len(events) > 0 {
		area.Max.Y -= smallSize // for their numbers
	}
	if p.X.Title != "" {
		lines := wrap(small, p.X.Title, room)
		small.XAlign = text.XCenter
		bottom := area.Min.Y + vg.Length(len(lines))*(textSize+3)
		paragraph(&area, small, vg.Point{X: area.Center().X, Y: bottom}, lines)
		area.Min.Y = bottom + 2
	}
	pl := plot.New()
	pl.BackgroundColor = nil
	for _, a := range []struct {
		to *plot.Axis
		of Axis
	}{{&pl.X, p.X}, {&pl.Y, p.Y}} {
		a.to.Tick.Label.Font, a.to.Tick.Label.Color = sans(textSize), ink
		a.to.LineStyle.Color, a.to.Tick.LineStyle.Color = edge, edge
		a.to.Padding = 0
		a.to.Min, a.to.Max, a.to.Tick.Marker = a.of.Min, a.of.Max, a.of.ticks()
		switch a.of.Scale {
		case logarithmic, percentile:
			a.to.Scale = plot.LogScale{}
		case named:
			a.to.Tick.LineStyle.Color = color.Transparent
		}
	}
	if p.X.Scale == named {
		p.setNames(pl, room)
	}
	pl.Add(plotted{p, events})
	pl.Draw(area)
}

// ticks returns the ticks for gonum.
func (a Axis) ticks() (ticks plot.ConstantTicks) {
	for _, t := range a.Ticks {
		ticks = append(ticks, plot.Tick{Value: t.At, Label: t.Label})
	}
	return ticks
}

// setNames sets the labels of bars: horizontal if they fit, else smaller, else vertical in one line.
func (p Panel) setNames(pl *plot.Plot, room vg.Length) {
	style, upright := p.nameStyle(room)
	pl.X.Tick.Label.Font = style.Font
	if !upright {
		return
	}
	pl.X.Tick.Label.Rotation, pl.X.Tick.Label.XAlign, pl.X.Tick.Label.YAlign = quarter, text.XRight, text.YCenter
	ticks := p.X.ticks()
	for i := range ticks {
		ticks[i].Label = oneLine(ticks[i].Label)
	}
	pl.X.Tick.Marker = ticks
}

// nameStyle returns the style of the names in a panel of some width, and whether they are vertical.
func (p Panel) nameStyle(room vg.Length) (style text.Style, upright bool) {
	slot := (room - 40) / vg.Length(max(1, len(p.X.Names)))
	for _, size := range []vg.Length{textSize, 7, 6} {
		style = textStyle(size, ink)
		if style.Width(strings.Join(p.X.Names, "\n")) < slot-2 {
			return style, false
		}
	}
	return textStyle(7, ink), true
}

// namesHeight returns the height of the names below the panel.
func (p Panel) namesHeight(room vg.Length) (height vg.Length) {
	if p.X.Scale != named {
		return 0
	}
	style, upright := p.nameStyle(room)
	for _, name := range p.X.Names {
		if upright {
			height = max(height, style.Width(oneLine(name)))
		} else {
			height = max(height, style.Height(name))
		}
	}
	return height
}

// wrap splits text into lines of some width, at spaces.
func wrap(style text.Style, s string, room vg.Length) (lines []string) {
	for part := range strings.SplitSeq(s, "\n") {
		one := ""
		for word := range strings.FieldsSeq(part) {
			if longer := strings.TrimSpace(one + " " + word); one == "" || style.Width(longer) <= room {
				one = longer
			} else {
				lines, one = append(lines, one), word
			}
		}
		if one != "" {
			lines = append(lines, one)
		}
	}
	return lines
}

// paragraph draws lines below a point and returns the bottom.
func paragraph(c *draw.Canvas, style text.Style, at vg.Point, lines []string) vg.Length {
	for _, s := range lines {
		fill(c, style, vg.Point{X: at.X, Y: at.Y - style.Font.Size}, s)
		at.Y -= style.Font.Size + 3
	}
	return at.Y
}

// fill draws text, unless it is empty.
func fill(c *draw.Canvas, style text.Style, at vg.Point, s string) {
	if s != "" {
		c.FillText(style, at, s)
	}
}

// fillBox fills a rectangle.
func fillBox(c *draw.Canvas, fill color.Color, left, bottom, right, top vg.Length) {
	c.FillPolygon(fill, []vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}})
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
