package chart

import (
	"cmp"
	"math"

	"pushbench/scenarios/transports"
)

// Colours that are distinguishable with any colour vision: Okabe and Ito (2008); and those of text and lines.
const (
	orange     = "#e69f00"
	skyBlue    = "#56b4e9"
	green      = "#009e73"
	yellow     = "#f0e442"
	blue       = "#0072b2"
	vermillion = "#d55e00"
	purple     = "#cc79a7"
	soft       = "#5b636b"
)

// A Style is how values are drawn. A lighter colour is the colour mixed with the background.
type Style struct {
	Color    string    `json:"color,omitempty"`
	Strength float64   `json:"strength,omitempty"` // share of the colour in the mixture; 0: all
	Dash     []float64 `json:"dash,omitempty"`     // in points; none: solid
	Marker   string    `json:"marker,omitempty"`   // none: no marker
}

// Markers.
const (
	circle   = "circle"
	box      = "box"
	triangle = "triangle"
	square   = "square"
	diamond  = "diamond"
	plus     = "plus"
	cross    = "cross"
)

// looks are the styles of the transports in every chart: colour, dash and marker. Each of them alone
// identifies the transport.
var looks = map[string]Style{
	transports.ShortPoll:  {Color: vermillion, Dash: []float64{8, 2, 2, 2}, Marker: circle},
	transports.LongPoll:   {Color: orange, Dash: []float64{2, 2}, Marker: box},
	transports.SSE:        {Color: green, Dash: []float64{6, 3}, Marker: triangle},
	transports.HTTPStream: {Color: soft, Dash: []float64{4, 3, 1, 3}, Marker: square},
	transports.WebSocket:  {Color: blue, Marker: diamond},
	transports.Webhook:    {Color: purple, Dash: []float64{10, 3}, Marker: plus},
}

// lookOf returns the style of a transport; unknown ones share a plain style.
func lookOf(transport string) Style {
	if s, ok := looks[transport]; ok {
		return s
	}
	return Style{Color: skyBlue, Dash: []float64{4, 2, 1, 2}, Marker: cross}
}

// fill returns the style without dash and marker.
func (s Style) fill() Style { return Style{Color: s.Color, Strength: s.Strength} }

// light returns the style at a third of its strength, but visible.
func (s Style) light() Style {
	s.Strength = math.Max(0.15, cmp.Or(s.Strength, 1)/3)
	return s
}

// plain is the style of a key for any transport.
var plain = Style{Color: soft}
