package chart

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// timeline draws deliveries a second over a trial, the median of the blocks.
func timeline(run *results.Run, s summary.Summary) (card, bool) {
	c := card{name: "timeline", title: "Deliveries over a trial, median of the blocks"}
	fewest, offered := run.Manifest.Deliveries()
	window := run.Manifest.Workload.Window.Seconds()
	top := offered
	p := newPlot()
	var with []summary.Row
	p.Add(grid(), span{window: window, offered: []float64{fewest, offered}})
	for i := len(s.Rows) - 1; i >= 0; i-- {
		points := medianRates(run, s.Rows[i])
		if len(points) == 0 {
			continue
		}
		l := lookIn(s.Rows, s.Rows[i])
		p.Add(&plotter.Line{XYs: points, LineStyle: l.line()}, &plotter.Scatter{XYs: every(points, 5), GlyphStyle: l.marker()})
		with = append([]summary.Row{s.Rows[i]}, with...)
		for _, xy := range points {
			top = max(top, xy.Y)
			p.X.Min, p.X.Max = min(p.X.Min, xy.X), max(p.X.Max, xy.X)
		}
	}
	if c.keys = rowKeys(with, lineKey); len(c.keys) == 0 || top <= 0 {
		return card{}, false
	}
	p.Y.Min, p.Y.Max, p.Y.Tick.Marker = 0, top*1.12, linearTicks(top*1.12, 5)
	c.keys = append(c.keys, strokeKey("offered", offeredStyle), strokeKey("window opens and closes", windowStyle))
	c.plots = []panel{{plot: p, share: 1, y: "messages delivered a second, all clients together", x: "seconds since the window opened"}}
	c.live = timelinePanels(run, with)
	c.alt = fmt.Sprintf("Messages delivered a second over the %s s of the window, against %s offered.", metric.Number(window), metric.Number(offered))
	return c, true
}

var (
	offeredStyle = draw.LineStyle{Color: soft, Width: 1, Dashes: []vg.Length{1, 2}}
	windowStyle  = draw.LineStyle{Color: soft, Width: 1}
)

// medianRates are deliveries a second, at the middle of each interval, the
// median over the row's trials.
func medianRates(run *results.Run, r summary.Row) plotter.XYs {
	return medians(run, r, func(i results.Interval) (float64, bool) { return float64(i.Delivered) / i.Length.Seconds(), true })
}

// medians are what each interval had, at its middle, the median over the row's trials.
func medians(run *results.Run, r summary.Row, of func(results.Interval) (float64, bool)) plotter.XYs {
	had := map[time.Duration][]float64{}
	for _, i := range run.Intervals {
		if i.CaseName() != r.Name || i.Length <= 0 || !ofValid(r, i) {
			continue
		}
		if v, ok := of(i); ok {
			at := (i.Start + i.Length/2).Round(100 * time.Millisecond)
			had[at] = append(had[at], v)
		}
	}
	var points plotter.XYs
	for _, at := range slices.Sorted(maps.Keys(had)) {
		points = append(points, plotter.XY{X: at.Seconds(), Y: summary.Median(had[at])})
	}
	return points
}

// ofValid says whether an interval belongs to a trial of the row.
func ofValid(r summary.Row, i results.Interval) bool {
	return slices.ContainsFunc(r.Trials, func(t results.Trial) bool { return t.Block == i.Block && t.Again == i.Again })
}

// every nth point, to carry a marker.
func every(points plotter.XYs, n int) plotter.XYs {
	n = max(n, int(math.Ceil(float64(len(points))/12)))
	var some plotter.XYs
	for i := n / 2; i < len(points); i += n {
		some = append(some, points[i])
	}
	return some
}

// A span marks the window and the offered rates.
type span struct {
	window  float64
	offered []float64 // the least of any case, and the most
}

// Plot implements plot.Plotter.
func (s span) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	c.StrokeLine2(windowStyle, x(0), c.Min.Y, x(0), c.Max.Y)
	c.StrokeLine2(windowStyle, x(s.window), c.Min.Y, x(s.window), c.Max.Y)
	for _, rate := range s.offered {
		c.StrokeLine2(offeredStyle, c.Min.X, y(rate), c.Max.X, y(rate))
	}
}

// DataRange implements plot.DataRanger.
func (s span) DataRange() (xmin, xmax, ymin, ymax float64) {
	return 0, s.window, 0, slices.Max(s.offered)
}
