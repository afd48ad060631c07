package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// batching draws what a flush window buys and what it costs, where it was swept:
// a line for each transport that has one, on each stack.
func batching(run *results.Run, s summary.Summary) (card, bool) {
	groups := flushGroups(s.Rows)
	if !run.Manifest.SweptFlush() || len(groups) == 0 {
		return card{}, false
	}
	c := card{name: "batching", title: "What a flush window buys, and what it costs"}
	windows := flushWindows(groups)
	for _, m := range []struct{ key, title, y string }{
		{metric.P50, "Latency p50", "ms (log scale)"},
		{metric.P99, "Latency p99", "ms (log scale)"},
		{metric.CPUPerMessage, "CPU, server + generator", "µs a message"},
		{metric.MessagesPerBatch, "Messages a write", "a write: answer, event or frame"},
	} {
		p := newPlot()
		p.Add(grid())
		live := results.Panel{Title: m.title, X: "flush window, ms", Y: m.y, XScale: "names", YScale: "linear"}
		if onLog(m.key) {
			live.YScale = "log"
		}
		for _, w := range windows {
			live.Names = append(live.Names, milliseconds(w))
		}
		for _, g := range groups {
			p.Add(flushLine(g, groupShade(groups, g), windows, m.key)...)
			line := groupShade(groups, g).series(g[0], "line")
			line.Case = rest(g[0].Name, "flush")
			for _, r := range g {
				add(&line, r, float64(slices.Index(windows, r.Flush)), m.key)
			}
			live.Series = append(live.Series, line)
		}
		c.live = append(c.live, live)
		flushAxes(p, groups, windows, m.key)
		c.plots = append(c.plots, panel{plot: p, share: 0.25, title: m.title, y: m.y, x: "flush window, ms"})
	}
	for _, g := range groups {
		c.keys = append(c.keys, lineKey(strings.TrimSpace(g[0].Transport+" "+stackOf(g[0])), groupShade(groups, g)))
	}
	c.alt = "Latency, CPU and messages a write by flush window. " + batchingAlt(groups)
	return c, true
}

// flushGroups are the rows that differ in nothing but their flush window, by rising window.
func flushGroups(rows []summary.Row) [][]summary.Row {
	groups := groupsAlong(rows, "flush", func(r summary.Row) float64 { return float64(r.Flush) })
	return slices.DeleteFunc(groups, func(g []summary.Row) bool { return len(g) < 2 })
}

// flushWindows are all that were measured, rising.
func flushWindows(groups [][]summary.Row) []time.Duration {
	var windows []time.Duration
	for _, g := range groups {
		for _, r := range g {
			windows = append(windows, r.Flush)
		}
	}
	slices.Sort(windows)
	return slices.Compact(windows)
}

// stackOf is the stack where it is part of the row's name.
func stackOf(r summary.Row) string {
	if strings.Contains(r.Variant(), "stack=") {
		return r.Stack
	}
	return ""
}

// flushLine is a group's line, each window a step of its own: 0, 1, 5 and 20 ms
// are told apart on no scale that has all of them. What has no figure is left out.
func flushLine(g []summary.Row, l look, windows []time.Duration, metric string) []plot.Plotter {
	var points plotter.XYs
	for _, r := range g {
		if v := r.Value(metric); v.Known == summary.Shown && !math.IsNaN(v.X) {
			points = append(points, plotter.XY{X: float64(slices.Index(windows, r.Flush)), Y: inPanel(metric, v.X)})
		}
	}
	if len(points) == 0 {
		return nil
	}
	return []plot.Plotter{&plotter.Line{XYs: points, LineStyle: l.line()}, &plotter.Scatter{XYs: points, GlyphStyle: l.marker()}}
}

// onLog says which panels have a logarithmic axis: latencies.
func onLog(name string) bool { return name == metric.P50 || name == metric.P99 }

func inPanel(metric string, x float64) float64 {
	if onLog(metric) {
		return positive(x)
	}
	return x
}

func flushAxes(p *plot.Plot, groups [][]summary.Row, windows []time.Duration, metric string) {
	var labels []string
	for _, w := range windows {
		labels = append(labels, milliseconds(w))
	}
	p.X.Min, p.X.Max, p.X.Tick.Marker = -0.3, float64(len(windows))-0.7, under(labels)
	lo, hi := math.Inf(1), 0.0
	for _, r := range slices.Concat(groups...) {
		if v := r.Value(metric); v.Known == summary.Shown {
			lo, hi = min(lo, inPanel(metric, v.X)), max(hi, inPanel(metric, v.X))
		}
	}
	if onLog(metric) && hi > 0 {
		p.Y.Scale, p.Y.Min, p.Y.Max, p.Y.Tick.Marker = plot.LogScale{}, lo/2, hi*2, logTicks(lo/2, hi*2)
		return
	}
	upTo(p, hi)
}

func batchingAlt(groups [][]summary.Row) string {
	var said []string
	for _, r := range slices.Concat(groups...) {
		said = append(said, fmt.Sprintf("%s: p50 %s ms, p99 %s ms, %s µs CPU, %s messages a write", r.Name,
			r.Value(metric.P50), r.Value(metric.P99), r.Value(metric.CPUPerMessage), r.Value(metric.MessagesPerBatch)))
	}
	return strings.Join(said, "; ") + "."
}
