package chart

import (
	"cmp"
	"fmt"
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
	highest := bars{width: 0.6}
	tops := results.Panel{Title: "Highest load", Y: load, XScale: "names", YScale: "linear"}
	lines := results.Panel{Title: "Latency p99 at the loads tried", X: load + " (log scale)", Y: "ms (log scale)", XScale: "log", YScale: "log"}
	one := card{name: "capacity", title: "The highest load that keeps to " + results.Plain(strings.Join(c.Limit, " and "))}
	var said []string
	var latencies plotter.XYs // of all that were tried: none in a search that ended early, or with short windows
	for i, h := range c.Found {
		name, l, points := results.Plain(h.Transport), lookOf(h.Transport), tried(h)
		latencies = append(latencies, points...)
		highest.all = append(highest.all, bar{float64(i), []part{{size: h.Load, fill: l.color}}, highestLabel(h)})
		of := summary.Row{Case: results.Case{Name: h.Transport, Transport: h.Transport}}
		tops.Names = append(tops.Names, name)
		tops.Series = append(tops.Series, drawn(l.series(of, "bars"), plotter.XYs{{X: float64(i), Y: h.Load}}))
		lines.Series = append(lines.Series, drawn(l.series(of, "line"), points))
		one.keys = append(one.keys, lineKey(name, l))
		said = append(said, fmt.Sprintf("%s: %s", name, highestLabel(h)))
	}
	one.plots = []panel{{plot: barPlot(highest, under(tops.Names), -0.5, float64(len(c.Found))-0.5), share: 1, title: tops.Title, y: load}}
	one.live = []results.Panel{tops}
	if len(latencies) > 0 {
		one.plots[0].share = 0.4
		one.plots = append(one.plots, panel{plot: triedLines(c, latencies), share: 0.6, title: lines.Title + ", up to what did not keep to it", y: lines.Y, x: lines.X})
		one.live = append(one.live, lines)
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

// triedLines are the latencies of each transport over the loads; all of them set the axes.
func triedLines(c results.Capacity, all plotter.XYs) *plot.Plot {
	p := newPlot()
	p.Add(grid())
	for _, h := range c.Found {
		if points := tried(h); len(points) > 0 {
			l := lookOf(h.Transport)
			p.Add(&plotter.Line{XYs: points, LineStyle: l.line()}, &plotter.Scatter{XYs: points, GlyphStyle: l.marker()})
		}
	}
	near, far, lo, hi := plotter.XYRange(all)
	near, far, lo, hi = near/1.3, far*1.3, lo/1.5, hi*1.5
	p.X.Scale, p.X.Min, p.X.Max, p.X.Tick.Marker = plot.LogScale{}, near, far, logTicks(near, far)
	p.Y.Scale, p.Y.Min, p.Y.Max, p.Y.Tick.Marker = plot.LogScale{}, lo, hi, logTicks(lo, hi)
	return p
}
