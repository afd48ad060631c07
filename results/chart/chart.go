package chart

import (
	"cmp"
	"math"
	"slices"

	"pushbench/results/summary"
)

// A Chart is a chart as data. The renderer of pictures and the script of the page draw the same data, so
// that they show the same values.
type Chart struct {
	Name   string  `json:"name"` // file name without its extension
	Title  string  `json:"title"`
	Alt    string  `json:"-"` // alternative text: the content in words
	Basis  string  `json:"-"` // n, repetitions, validity checks, noise floor, seed, commit
	Mark   string  `json:"-"` // state of the run, such as ESTIMATE; empty for a verdict
	Keys   []Key   `json:"keys,omitempty"`
	Panels []Panel `json:"panels"`
	Events []Event `json:"events,omitempty"` // on the horizontal axis of every panel, numbered from 1

	SVG []byte `json:"-"` // the picture for pages
	PNG []byte `json:"-"` // and for everything else
}

// A Panel is a part of a chart with its own axes. The height of a bar, a stack of bars or a part of a stack is
// the value of its label: of several lines the first one.
type Panel struct {
	Title  string   `json:"title,omitempty"`
	X      Axis     `json:"x"`
	Y      Axis     `json:"y"`
	Series []Series `json:"series"` // later ones are drawn over earlier ones
	Guides []Guide  `json:"guides,omitempty"`
	Wide   bool     `json:"wide,omitempty"` // too many bars to stand beside another panel
}

// An Axis has a title with its unit, a scale, bounds and ticks.
type Axis struct {
	Title string   `json:"title,omitempty"`
	Scale string   `json:"scale"`           // linear, logarithmic, percentile or named
	Names []string `json:"names,omitempty"` // of the positions 0, 1, 2, …; a name may have several lines
	Min   float64  `json:"min"`
	Max   float64  `json:"max"`
	Ticks []Tick   `json:"ticks"`
}

// Scales of an axis. On a scale of percentiles, the position of the quantile q is 1/(1−q), logarithmic.
const (
	linear      = "linear"
	logarithmic = "log"
	percentile  = "percentile"
	named       = "names"
)

// A Series has values of a configuration. All slices have the length of X, or are empty.
type Series struct {
	Configuration string `json:"configuration,omitempty"`
	Transport     string `json:"transport,omitempty"` // the page can hide the series of a transport
	Part          string `json:"part,omitempty"`      // what the values are, if a configuration has several
	Kind          string `json:"kind"`
	Style
	X      []float64 `json:"x"`
	Y      []float64 `json:"y"`
	Lo     []float64 `json:"lowest,omitempty"` // of any repetition
	Hi     []float64 `json:"highest,omitempty"`
	XLo    []float64 `json:"x_lowest,omitempty"`
	XHi    []float64 `json:"x_highest,omitempty"`
	From   []float64 `json:"from,omitempty"`   // bottoms of stacked bars: the values are their heights
	Width  float64   `json:"width,omitempty"`  // of bars and cells, in the unit of X
	Labels []string  `json:"labels,omitempty"` // in cells, else above the values
	Inside bool      `json:"inside,omitempty"` // labels are in the bars; a bar too small for its label has none
	Shift  float64   `json:"shift,omitempty"`  // of markers to the right, in points, so that equal values remain visible
}

// Kinds of series.
const (
	line      = "line"
	points    = "points"    // markers, ranges and labels
	bars      = "bars"      // from zero, or stacked
	cells     = "cells"     // boxes of height 1 around Y, with their labels
	predicted = "predicted" // rings; with a dash also a line
	lost      = "lost"      // where a line ends because the remaining messages were lost
	ranges    = "range"     // only in a key
	note      = "note"      // labels without a value
)

// A Guide is a line, or a band, behind the values. A coordinate without bounds spans the whole axis.
type Guide struct {
	X    []float64 `json:"x,omitempty"` // from, to
	Y    []float64 `json:"y,omitempty"`
	Kind string    `json:"kind"`
}

// Kinds of guides.
const (
	solid  = "solid"
	dotted = "dotted"
	band   = "band"
	border = "border"
)

// An Event is a disturbance at a position of the horizontal axis.
type Event struct {
	X    float64 `json:"x"`
	Text string  `json:"text"`
}

// A Key is an entry of the legend, with a sample of a kind of series or guide. Without a kind, it is the
// heading of the next ones.
type Key struct {
	Name string `json:"name"`
	Kind string `json:"kind,omitempty"`
	Style
}

// seriesOf returns an empty series of a configuration.
func seriesOf(r summary.Row, kind string, s Style) Series {
	return Series{Configuration: r.Label(), Transport: r.Transport, Kind: kind, Style: s}
}

// A reading is a value and, if known, its range over the repetitions.
type reading struct {
	summary.Value
	ranged bool
	lo, hi float64
}

// exactly returns a reading without a range.
func exactly(x float64) reading { return reading{Value: summary.Value{X: x}} }

// withheld is a reading without a value to show.
var withheld = reading{Value: summary.Value{Known: summary.NotShown}}

// metricOf returns a row's metric as the table shows it: the median of the repetitions with their range.
func metricOf(r summary.Row, metric string) reading {
	v := r.Typical(metric)
	if over, ok := r.Range(metric); ok && over.Hi.Known == summary.Shown {
		return reading{v, true, over.Lo.X, over.Hi.X}
	}
	return reading{v, true, v.X, v.X}
}

// shown reports whether the reading has a value.
func (v reading) shown() bool {
	return v.Known == summary.Shown && !math.IsNaN(v.X) && !math.IsInf(v.X, 0)
}

// add appends a value at x, unless there is none to show. Values have four significant digits, as a page has
// thousands of them.
func (s *Series) add(x float64, v reading) {
	if !v.shown() {
		return
	}
	s.X, s.Y = append(s.X, x), append(s.Y, fourDigits(v.X))
	if v.ranged {
		s.Lo, s.Hi = append(s.Lo, fourDigits(v.lo)), append(s.Hi, fourDigits(v.hi))
	}
}

// label appends a value with its label.
func (s *Series) label(x float64, v reading, text string) {
	if v.shown() {
		s.add(x, v)
		s.Labels = append(s.Labels, text)
	}
}

// fourDigits rounds a number to four significant digits. Only finite numbers can be written as JSON.
func fourDigits(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-3)
	return math.Round(x/unit) * unit
}

// complete removes series without values and panels that would be empty, and sets the drawing order and the bounds of the axes.
func (c Chart) complete() Chart {
	var panels []Panel
	for _, p := range c.Panels {
		p.Series = slices.DeleteFunc(p.Series, func(s Series) bool { return len(s.X) == 0 })
		slices.SortStableFunc(p.Series, func(a, b Series) int { return cmp.Compare(a.layer(), b.layer()) })
		if slices.ContainsFunc(p.Series, func(s Series) bool { return s.Kind != note || p.Y.Min < p.Y.Max }) {
			p.fit()
			panels = append(panels, p)
		}
	}
	c.Panels = panels
	i := 0
	for _, row := range rowsOf(panels) {
		for range row {
			room := panelWidth(row, panels[i])
			panels[i].labelParts(room)
			panels[i].fitUpright(room)
			i++
		}
	}
	return c
}

// ranged reports whether some value has a range.
func (c Chart) ranged() bool {
	return slices.ContainsFunc(c.Panels, func(p Panel) bool {
		return slices.ContainsFunc(p.Series, func(s Series) bool { return !slices.Equal(s.Lo, s.Hi) })
	})
}

// layer orders series: markers are above lines, and a dashed line is above a solid one, so that both remain
// visible where they coincide.
func (s Series) layer() int {
	switch s.Kind {
	case bars, cells:
		return 0
	case line:
		return 1 + len(s.Dash)
	case predicted:
		return 10
	default:
		return 11
	}
}
