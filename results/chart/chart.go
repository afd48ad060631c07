package chart

import (
	"fmt"
	"image/color"
	"math"

	"pushbench/results/summary"
)

// A Chart is a drawn chart: an SVG document for pages, and a PNG for everything else.
type Chart struct {
	Name  string // file name without its extension
	Title string
	Alt   string // alternative text: the content in words
	Basis string // n, repetitions, validity checks, seed, commit
	SVG   []byte
	PNG   []byte

	Panels []Panel // the content as data; none if the page shows only the picture
}

// A Panel is a part of a chart as data, for interactive charts.
type Panel struct {
	Title  string   `json:"title,omitempty"`
	X      string   `json:"x,omitempty"`
	Y      string   `json:"y"`
	XScale string   `json:"x_scale"`         // "linear", "log", "names", or "percentile": 1/(1−q) on a logarithmic scale
	YScale string   `json:"y_scale"`         // "linear" or "log"
	Names  []string `json:"names,omitempty"` // labels of the positions 0, 1, 2, … if XScale is "names"
	Series []Series `json:"series"`
	Marks  []Mark   `json:"marks,omitempty"`
}

// A Series is one configuration in a panel. All slices have the length of X, or are empty.
type Series struct {
	Configuration string    `json:"case"`
	Transport     string    `json:"transport"`
	Kind          string    `json:"kind"` // "line", "points", "bars" or, for predictions, "predicted"
	Color         string    `json:"color"`
	Dash          []float64 `json:"dash,omitempty"`
	X             []float64 `json:"x"`
	Y             []float64 `json:"y"`
	Lo            []float64 `json:"lo,omitempty"` // lowest value of any repetition
	Hi            []float64 `json:"hi,omitempty"` // highest value of any repetition
}

// A Mark is an event on the horizontal axis.
type Mark struct {
	X    float64 `json:"x"`
	Text string  `json:"text"`
}

// series returns an empty series for a configuration.
func (l look) series(r summary.Row, kind string) Series {
	s := Series{Configuration: r.Name, Transport: r.Transport, Kind: kind, Color: hex(l.color)}
	for _, d := range l.dashes {
		s.Dash = append(s.Dash, float64(d))
	}
	return s
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// add appends a value at x, unless there is none to show.
func (s *Series) add(x float64, v reading) {
	if v.Known != summary.Shown || math.IsNaN(v.X) {
		return
	}
	s.X, s.Y = append(s.X, x), append(s.Y, v.X)
	if v.ranged {
		s.Lo, s.Hi = append(s.Lo, v.lo), append(s.Hi, v.hi)
	}
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

// metricOf returns a row's metric with its range.
func metricOf(r summary.Row, metric string) reading {
	v := r.Value(metric)
	if over, ok := r.Range(metric); ok && over.Hi.Known == summary.Shown {
		return reading{v, true, over.Lo.X, over.Hi.X}
	}
	return reading{v, true, v.X, v.X}
}

// data returns the panels for the page. Numbers have four significant digits, as a page has
// thousands of them. The positions of bars are not rounded, so that no two coincide.
func (c card) data() (all []Panel) {
	for _, p := range c.panels {
		if p.Series == nil {
			continue
		}
		data := p.Panel
		data.Series = nil
		for _, s := range p.Series {
			if data.XScale != "names" {
				s.X = rounded(s.X)
			} else if s.X == nil {
				s.X = []float64{}
			}
			s.Y, s.Lo, s.Hi = rounded(s.Y), rounded(s.Lo), rounded(s.Hi)
			data.Series = append(data.Series, s)
		}
		all = append(all, data)
	}
	return all
}

// rounded returns finite numbers for JSON.
func rounded(xs []float64) []float64 {
	all := make([]float64, len(xs))
	for i, x := range xs {
		all[i] = fourDigits(x)
	}
	return all
}

func fourDigits(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-3)
	return math.Round(x/unit) * unit
}
