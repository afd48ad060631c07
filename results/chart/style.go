package chart

import (
	"image/color"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pushbench/scenarios/transports"
)

// Colours that are distinguishable with any colour vision: Okabe and Ito (2008).
var (
	orange     = color.NRGBA{0xE6, 0x9F, 0x00, 0xFF}
	skyBlue    = color.NRGBA{0x56, 0xB4, 0xE9, 0xFF}
	green      = color.NRGBA{0x00, 0x9E, 0x73, 0xFF}
	yellow     = color.NRGBA{0xF0, 0xE4, 0x42, 0xFF}
	blue       = color.NRGBA{0x00, 0x72, 0xB2, 0xFF}
	vermillion = color.NRGBA{0xD5, 0x5E, 0x00, 0xFF}
	purple     = color.NRGBA{0xCC, 0x79, 0xA7, 0xFF}

	ink   = color.NRGBA{0x1C, 0x1F, 0x23, 0xFF}
	soft  = color.NRGBA{0x5B, 0x63, 0x6B, 0xFF}
	faint = color.NRGBA{0xE3, 0xE6, 0xE9, 0xFF}
	edge  = color.NRGBA{0xC9, 0xCE, 0xD3, 0xFF}
	paper = color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF}
	amber = color.NRGBA{0x8A, 0x5A, 0x00, 0xFF}
	alarm = color.NRGBA{0xB3, 0x26, 0x1E, 0xFF}
)

// A look is the style of a transport in every chart: colour, dash and marker. Each of them alone
// identifies the transport.
type look struct {
	color  color.NRGBA
	dashes []vg.Length
	glyph  draw.GlyphDrawer
}

var looks = map[string]look{
	transports.ShortPoll:  {vermillion, []vg.Length{8, 2, 2, 2}, draw.CircleGlyph{}},
	transports.LongPoll:   {orange, []vg.Length{2, 2}, draw.BoxGlyph{}},
	transports.SSE:        {green, []vg.Length{6, 3}, draw.PyramidGlyph{}},
	transports.HTTPStream: {soft, []vg.Length{4, 3, 1, 3}, draw.SquareGlyph{}},
	transports.WebSocket:  {blue, nil, diamond{}},
	transports.Webhook:    {purple, []vg.Length{10, 3}, draw.PlusGlyph{}},
}

// lookOf returns the style of a transport; unknown ones share a plain style.
func lookOf(transport string) look {
	if l, ok := looks[transport]; ok {
		return l
	}
	return look{skyBlue, []vg.Length{4, 2, 1, 2}, draw.CrossGlyph{}}
}

func (l look) line() draw.LineStyle {
	return draw.LineStyle{Color: l.color, Width: 1.8, Dashes: l.dashes}
}

func (l look) marker() draw.GlyphStyle {
	return draw.GlyphStyle{Color: l.color, Radius: 3, Shape: l.glyph}
}

// tint returns the colour at a third of its strength on paper.
func tint(c color.NRGBA) color.NRGBA {
	mix := func(x uint8) uint8 { return uint8((uint16(x) + 2*255) / 3) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 0xFF}
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

// A diamond is a filled square on its corner.
type diamond struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (diamond) DrawGlyph(c *draw.Canvas, sty draw.GlyphStyle, p vg.Point) {
	r := sty.Radius * 1.25
	c.FillPolygon(sty.Color, []vg.Point{{X: p.X - r, Y: p.Y}, {X: p.X, Y: p.Y + r}, {X: p.X + r, Y: p.Y}, {X: p.X, Y: p.Y - r}})
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

// newPlot returns a plot in the chart's fonts, without axis labels. The card draws the labels,
// because gonum misplaces a label in the middle of a logarithmic axis.
func newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Tick.Label.Font, a.Tick.Label.Color = sans(8.5), ink
		a.LineStyle.Color, a.Tick.LineStyle.Color = edge, edge
		a.Padding = 0
	}
	return p
}
