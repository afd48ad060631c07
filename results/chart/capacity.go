package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// Capacity draws the highest load of each transport, and the latencies of all that were tried.
func Capacity(c results.Capacity) (results.Figure, error) {
	load := loadTitle[c.Axis]
	one := card{name: "capacity", title: "The highest load that keeps to " + results.Plain(strings.Join(c.Limit, " and "))}
	one.plots = []panel{{plot: highestBars(c), share: 1, title: "Highest load", y: load}}
	if knowsLatency(c) {
		one.plots[0].share = 0.4
		one.plots = append(one.plots, panel{plot: triedLines(c), share: 0.6, title: "Latency p99 at the loads tried, up to what did not keep to it", y: "ms (log scale)", x: load + " (log scale)"})
	}
	one.live = capacityPanels(c, load)
	var said []string
	for _, h := range c.Found {
		one.keys = append(one.keys, lineKey(results.Plain(h.Transport), lookOf(h.Transport)))
		said = append(said, fmt.Sprintf("%s: %s", results.Plain(h.Transport), highestLabel(h)))
	}
	one.alt = "The highest load of each transport, in " + load + ". " + strings.Join(said, "; ") + "."
	kept := ""
	if n := c.Confirmed(); n > 0 {
		kept = fmt.Sprintf(", kept %d times more", n)
	}
	one.basis = fmt.Sprintf("%s · within %g %%%s · ≥: the rig ended first · %s, %d cores", results.Plain(c.Scenario), 100*c.Within, kept, results.Plain(c.Host.CPUModel), c.Host.Cores)
	f, err := one.figure()
	if err != nil {
		return f, fmt.Errorf("draw capacity: %w", err)
	}
	return f, nil
}

func highestBars(c results.Capacity) *plot.Plot {
	b := bars{width: 0.6}
	var names []string
	for i, h := range c.Found {
		b.all = append(b.all, bar{float64(i), []part{{size: h.Load, fill: lookOf(h.Transport).color}}, highestLabel(h)})
		names = append(names, results.Plain(h.Transport))
	}
	return barPlot(b, under(names), -0.5, float64(len(c.Found))-0.5)
}

func highestLabel(h results.Highest) string {
	switch load := metric.Number(h.Load); {
	case h.Unfinished != "" && h.Load == 0:
		return "not found"
	case h.Unfinished != "":
		return load + " so far"
	case h.Load == 0:
		return "none"
	case h.Rig || h.Beyond == 0:
		return "≥ " + load
	default:
		return load
	}
}

// knowsLatency reports whether any load that was tried has a p99: a search that ended early, or
// with short windows, may have none.
func knowsLatency(c results.Capacity) bool {
	return slices.ContainsFunc(c.Found, func(h results.Highest) bool { return len(tried(h)) > 0 })
}

// tried are the p99 of the loads that were tried, the loads rising.
func tried(h results.Highest) (points plotter.XYs) {
	for _, one := range h.Probes {
		if one.P99 > 0 {
			points = append(points, plotter.XY{X: one.Load, Y: positive(one.P99)})
		}
	}
	slices.SortStableFunc(points, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
	return points
}

// capacityPanels are the same two plots as data.
func capacityPanels(c results.Capacity, load string) []results.Panel {
	bars := results.Panel{Title: "Highest load", Y: load, XScale: "names", YScale: "linear", Series: []results.Series{}}
	lines := results.Panel{Title: "Latency p99 at the loads tried", X: load + " (log scale)", Y: "ms (log scale)", XScale: "log", YScale: "log", Series: []results.Series{}}
	for i, h := range c.Found {
		bars.Names = append(bars.Names, results.Plain(h.Transport))
		of := summary.Row{Case: results.Case{Name: h.Transport, Transport: h.Transport}}
		bars.Series = append(bars.Series, drawn(lookOf(h.Transport).series(of, "bars"), plotter.XYs{{X: float64(i), Y: h.Load}}))
		lines.Series = append(lines.Series, drawn(lookOf(h.Transport).series(of, "line"), tried(h)))
	}
	if !knowsLatency(c) {
		return []results.Panel{bars}
	}
	return []results.Panel{bars, lines}
}

func triedLines(c results.Capacity) *plot.Plot {
	p := newPlot()
	p.Add(grid())
	near, far, lo, hi := math.Inf(1), 0.0, math.Inf(1), 0.0
	for _, h := range c.Found {
		points := tried(h)
		if len(points) == 0 {
			continue
		}
		for _, xy := range points {
			near, far, lo, hi = min(near, xy.X), max(far, xy.X), min(lo, xy.Y), max(hi, xy.Y)
		}
		l := lookOf(h.Transport)
		p.Add(&plotter.Line{XYs: points, LineStyle: l.line()}, &plotter.Scatter{XYs: points, GlyphStyle: l.marker()})
	}
	if far > 0 {
		near, far, lo, hi = near/1.3, far*1.3, lo/1.5, hi*1.5
		p.X.Scale, p.X.Min, p.X.Max, p.X.Tick.Marker = plot.LogScale{}, near, far, logTicks(near, far)
		p.Y.Scale, p.Y.Min, p.Y.Max, p.Y.Tick.Marker = plot.LogScale{}, lo, hi, logTicks(lo, hi)
	}
	return p
}
