package chart

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Colours of a picture.
var (
	ink   = color.NRGBA{0x1C, 0x1F, 0x23, 0xFF}
	gray  = Style{Color: soft}.color()
	faint = color.NRGBA{0xE3, 0xE6, 0xE9, 0xFF}
	edge  = color.NRGBA{0xC9, 0xCE, 0xD3, 0xFF}
	paper = color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF}
	amber = color.NRGBA{0x8A, 0x5A, 0x00, 0xFF}
	alarm = color.NRGBA{0xB3, 0x26, 0x1E, 0xFF}
)

const quarter = math.Pi / 2

// plotted is a plotter of a panel: guides, series and events, in this order.
type plotted struct {
	Panel
	events []Event
}

// A pen draws on the area of a plot.
type pen struct {
	draw.Canvas
	x, y func(float64) vg.Length
	slot vg.Length // distance of neighbouring names; infinite without names
}

// Plot implements plot.Plotter.
func (p plotted) Plot(canvas draw.Canvas, pl *plot.Plot) {
	x, y := pl.Transforms(&canvas)
	c := pen{canvas, x, y, vg.Length(math.Inf(1))}
	if p.X.Scale == named {
		c.slot = x(1) - x(0)
	}
	for _, t := range p.X.Ticks {
		if p.X.Scale != named && t.Label != "" {
			c.StrokeLine2(gridStyle, x(t.At), c.Min.Y, x(t.At), c.Max.Y)
		}
	}
	for _, t := range p.Y.Ticks {
		if p.Y.Scale != named && t.Label != "" {
			c.StrokeLine2(gridStyle, c.Min.X, y(t.At), c.Max.X, y(t.At))
		}
	}
	for _, g := range p.Guides {
		if g.Kind != border {
			c.guide(g)
		}
	}
	for _, s := range p.Series {
		c.series(s)
	}
	for _, g := range p.Guides {
		if g.Kind == border {
			c.guide(g)
		}
	}
	for i := range p.Series {
		c.labels(p.Series[i])
	}
	c.numbers(p.events)
}

var (
	gridStyle  = draw.LineStyle{Color: faint, Width: 0.6}
	rangeStyle = draw.LineStyle{Color: ink, Width: 1}
)

func guideStyle(kind string) draw.LineStyle {
	switch kind {
	case dotted:
		return draw.LineStyle{Color: gray, Width: 1, Dashes: []vg.Length{1, 2}}
	case border:
		return draw.LineStyle{Color: ink, Width: 2}
	default:
		return draw.LineStyle{Color: gray, Width: 1}
	}
}

func (c pen) guide(g Guide) {
	left, right, bottom, top := c.Min.X, c.Max.X, c.Min.Y, c.Max.Y
	if len(g.X) > 0 {
		left, right = c.x(g.X[0]), c.x(g.X[1])
	}
	if len(g.Y) > 0 {
		bottom, top = c.y(g.Y[0]), c.y(g.Y[1])
	}
	if g.Kind == band {
		fillBox(&c.Canvas, faint, left, bottom, right, top)
		return
	}
	c.StrokeLine2(guideStyle(g.Kind), left, bottom, right, top)
}

func (c pen) series(s Series) {
	var at []vg.Point
	for i := range s.X {
		at = append(at, vg.Point{X: c.x(s.X[i]) + vg.Length(s.Shift), Y: c.y(s.Y[i])})
	}
	switch s.Kind {
	case line:
		c.StrokeLines(s.line(), at)
	case predicted:
		if len(s.Dash) > 0 {
			c.StrokeLines(s.thin(), at)
		}
		for _, p := range at {
			c.DrawGlyphNoClip(s.ring(), p)
		}
	case lost:
		s.Marker = triangle
		for _, p := range at {
			c.StrokeLine2(s.line(), p.X, p.Y, p.X, c.Max.Y)
			c.DrawGlyphNoClip(s.glyph(), vg.Point{X: p.X, Y: c.Max.Y - 4})
		}
	case bars, cells:
		for i := range s.X {
			left, bottom, right, top := c.box(s, i)
			if s.Color != "" && top > bottom {
				fillBox(&c.Canvas, s.color(), left, bottom, right, top)
				c.StrokeLine2(draw.LineStyle{Color: paper, Width: 0.5}, left, top, right, top)
			}
			if s.Kind == cells { // transports of equal cost share a cell
				x := math.Round(s.X[i])
				left, right := c.x(x-0.5), c.x(x+0.5)
				c.StrokeLines(draw.LineStyle{Color: paper, Width: 1.5}, []vg.Point{{X: left, Y: top}, {X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}})
			}
		}
	}
	if s.Kind == bars || s.Kind == points {
		c.ranges(s, at)
	}
	if s.Kind == points && s.Marker != "" {
		for _, p := range at {
			c.DrawGlyphNoClip(s.glyph(), p)
		}
	}
}

// box returns the rectangle of a bar or a cell.
func (c pen) box(s Series, i int) (left, bottom, right, top vg.Length) {
	left, right = c.x(s.X[i]-s.Width/2), c.x(s.X[i]+s.Width/2)
	from, to := 0.0, s.Y[i]
	switch {
	case s.Kind == cells:
		from, to = s.Y[i]-0.5, s.Y[i]+0.5
	case len(s.From) > 0:
		from, to = s.From[i], s.From[i]+s.Y[i]
	}
	return left, c.y(from), right, c.y(to)
}

// ranges draws the ranges over the repetitions: of bars to the right of the labels in them.
func (c pen) ranges(s Series, at []vg.Point) {
	style := rangeStyle
	if s.Kind == points && s.Marker != "" {
		style.Color = s.color()
	}
	for i, p := range at {
		if s.Width > 0 {
			p.X = c.x(s.X[i] + 0.47*s.Width)
		}
		if len(s.Lo) > 0 && s.Lo[i] < s.Hi[i] {
			c.StrokeLine2(style, p.X, c.y(s.Lo[i]), p.X, c.y(s.Hi[i]))
		}
		if len(s.XLo) > 0 && s.XLo[i] < s.XHi[i] {
			c.StrokeLine2(style, c.x(s.XLo[i]), p.Y, c.x(s.XHi[i]), p.Y)
		}
	}
}

// labels draws the labels of values: in cells and in bars, or above the value and its range.
func (c pen) labels(s Series) {
	for i, label := range s.Labels {
		at, room := vg.Point{X: c.x(s.X[i]) + vg.Length(s.Shift), Y: c.y(s.Y[i])}, c.slot
		if s.Marker != "" {
			at.Y += 4
		}
		if len(s.Hi) > 0 {
			at.Y = max(at.Y, c.y(s.Hi[i]))
		}
		if s.Width > 0 {
			room = (c.x(s.X[i]+s.Width/2) - c.x(s.X[i]-s.Width/2)) / 0.82
		}
		switch {
		case s.Kind == cells:
			c.inCell(s, i, label)
		case s.Inside:
			c.inBar(s, i, label)
		default:
			c.above(label, at, room)
		}
	}
}

// labelParts removes the labels in bars that do not fit a panel of some width in a picture. It decides for the
// page also, so that both label the same parts.
func (p Panel) labelParts(room vg.Length) {
	wide := (room - 40) / vg.Length(p.X.Max-p.X.Min)
	for i, s := range p.Series {
		if !s.Inside || s.Kind != bars {
			continue
		}
		top := s.From[0] + s.Y[0]
		if p.Y.Share(top)-p.Y.Share(s.From[0]) < 0.1 || textStyle(smallSize, ink).Width(s.Labels[0]) > 0.9*vg.Length(s.Width)*wide {
			p.Series[i].Labels = nil
		}
	}
}

// fitUpright raises the upper end of the axis, so that labels above bars that are vertical, as the panel has too little
// room for them, stay below its title.
func (p *Panel) fitUpright(room vg.Length) {
	const height = 110 // of a plot, about
	if p.X.Scale != named || p.Y.Scale != linear {
		return
	}
	wide := (room - 40) / vg.Length(p.X.Max-p.X.Min)
	for _, s := range p.Series {
		for i, label := range s.Labels {
			each, top := vg.Length(s.Width)/0.82*wide, s.Y[i]
			if s.Inside || s.Width == 0 || textStyle(6, ink).Width(label) <= each-2 {
				continue
			}
			if len(s.Hi) > 0 {
				top = max(top, s.Hi[i])
			}
			long := textStyle(6, ink).Width(strings.ReplaceAll(label, "\n", " ")) + 3
			p.Y.Max = max(p.Y.Max, top*height/max(1, (height-long).Points()))
		}
	}
	p.Y.Ticks = linearTicks(p.Y.Min, p.Y.Max, 5)
}

// inBar draws a label at the top of a bar.
func (c pen) inBar(s Series, i int, label string) {
	_, _, _, top := c.box(s, i)
	style := textStyle(smallSize, onTop(s.color()))
	style.XAlign = text.XCenter
	fill(&c.Canvas, style, vg.Point{X: c.x(s.X[i]), Y: top - 10}, label)
}

// above draws a label above a point: horizontal if it fits, else vertical.
func (c pen) above(label string, at vg.Point, room vg.Length) {
	at.Y += 3
	for _, size := range []vg.Length{8, 7, 6} {
		style := textStyle(size, ink)
		if w := style.Width(label); w <= room-2 {
			style.XAlign, style.YAlign = text.XCenter, text.YBottom
			h := style.Height(label)
			fillBox(&c.Canvas, paper, at.X-w/2, at.Y-1, at.X+w/2, at.Y+h-1) // so that no grid line crosses the label
			fill(&c.Canvas, style, at, label)
			return
		}
	}
	style := textStyle(6, ink)
	style.Rotation, style.XAlign, style.YAlign = quarter, text.XLeft, text.YCenter
	fill(&c.Canvas, style, at, strings.ReplaceAll(label, "\n", " "))
}

// inCell draws the label in the middle of a cell.
func (c pen) inCell(s Series, i int, label string) {
	style := textStyle(smallSize, ink)
	if s.Color == "" {
		style.Color = gray
	}
	style.XAlign = text.XCenter
	lines := wrap(style, label, c.slot-6)
	height := vg.Length(len(lines)) * (style.Font.Size + 3)
	paragraph(&c.Canvas, style, vg.Point{X: c.x(math.Round(s.X[i])), Y: c.y(s.Y[i]) + height/2}, lines)
}

// numbers draws events as dotted lines, with their numbers above the plot, where no line crosses them. Numbers that
// would overlap share a label: 3–5.
func (c pen) numbers(events []Event) {
	style := textStyle(smallSize, ink)
	style.XAlign = text.XCenter
	var all []numbering
	for i, e := range events {
		x := c.x(e.X)
		c.StrokeLine2(guideStyle(dotted), x, c.Min.Y, x, c.Max.Y)
		all = append(all, numbering{i + 1, i + 1, x, x})
		for n := len(all) - 1; n > 0 && all[n-1].center()+all[n-1].half(style) > all[n].center()-all[n].half(style); n-- {
			all = append(all[:n-1], numbering{all[n-1].first, all[n].last, all[n-1].left, all[n].right})
		}
	}
	for _, n := range all {
		fill(&c.Canvas, style, vg.Point{X: n.center(), Y: c.Max.Y + 2}, n.String())
	}
}

// A numbering is the label of neighbouring events.
type numbering struct {
	first, last int
	left, right vg.Length
}

func (n numbering) String() string {
	return between(strconv.Itoa(n.first), strconv.Itoa(n.last))
}

func (n numbering) center() vg.Length               { return (n.left + n.right) / 2 }
func (n numbering) half(style text.Style) vg.Length { return style.Width(n.String())/2 + 1.5 }

// color returns the colour, mixed with the background.
func (s Style) color() color.NRGBA {
	var r, g, b uint8
	if _, err := fmt.Sscanf(s.Color, "#%02x%02x%02x", &r, &g, &b); err != nil {
		return ink
	}
	strength := cmp.Or(s.Strength, 1)
	mix := func(x uint8) uint8 { return uint8(math.Round(float64(x)*strength + 255*(1-strength))) }
	return color.NRGBA{mix(r), mix(g), mix(b), 0xFF}
}

func (s Style) line() draw.LineStyle {
	l := draw.LineStyle{Color: s.color(), Width: 1.8}
	for _, d := range s.Dash {
		l.Dashes = append(l.Dashes, vg.Length(d))
	}
	return l
}

// thin is the line between predictions.
func (s Style) thin() draw.LineStyle {
	l := s.line()
	l.Width = 0.9
	return l
}

func (s Style) ring() draw.GlyphStyle {
	return draw.GlyphStyle{Color: s.color(), Radius: 5.5, Shape: draw.RingGlyph{}}
}

func (s Style) glyph() draw.GlyphStyle {
	shape := map[string]draw.GlyphDrawer{
		circle: draw.CircleGlyph{}, box: draw.BoxGlyph{}, triangle: draw.PyramidGlyph{}, square: draw.SquareGlyph{},
		diamond: diamondGlyph{}, plus: draw.PlusGlyph{}, cross: draw.CrossGlyph{},
	}[s.Marker]
	return draw.GlyphStyle{Color: s.color(), Radius: 3, Shape: shape} // nothing without a shape
}

// A diamondGlyph is a filled square on its corner.
type diamondGlyph struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (diamondGlyph) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, p vg.Point) {
	r := sty.Radius * 1.25
	c.FillPolygon(sty.Color, []vg.Point{{X: p.X - r, Y: p.Y}, {X: p.X, Y: p.Y + r}, {X: p.X + r, Y: p.Y}, {X: p.X, Y: p.Y - r}})
}

// onTop returns the colour of text on a fill: ink or paper, whichever has more contrast. The weights
// are those of relative luminance, WCAG 2.2, without its gamma.
func onTop(fill color.NRGBA) color.NRGBA {
	luminance := 0.2126*float64(fill.R) + 0.7152*float64(fill.G) + 0.0722*float64(fill.B)
	if luminance > 118 {
		return ink
	}
	return paper
}

// sans is Liberation Sans: it has the widths of Arial, and is free.
func sans(size vg.Length) plotfont.Font {
	return plotfont.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

func textStyle(size vg.Length, c color.Color) text.Style {
	return text.Style{Color: c, Font: sans(size), Handler: plot.DefaultTextHandler}
}

func boldStyle(size vg.Length, c color.Color) text.Style {
	s := textStyle(size, c)
	s.Font.Weight = font.WeightBold
	return s
}
