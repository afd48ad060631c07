package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// distance draws what a round trip does to each transport, where it was swept: the mean
// latency, and how many times that of the fastest transport it is.
func distance(run *results.Run, s summary.Summary) (card, bool) {
	groups := groupsAlong(s.Rows, "rtt", func(r summary.Row) float64 { return float64(r.RTT) })
	if !run.Manifest.SweptRTT() || len(groups) == 0 {
		return card{}, false
	}
	c := card{name: "distance", title: "What a round trip does"}
	measured := func(r summary.Row) summary.Value { return r.Value(metric.Mean) }
	predicted := func(r summary.Row) summary.Value {
		if p, ok := r.Theory(metric.Mean); ok {
			return summary.Value{X: p.Value}
		}
		return summary.Value{Known: summary.NotShown}
	}
	base := baseGroup(groups)
	for _, panelled := range []struct {
		title, y string
		of       func(r summary.Row, value func(summary.Row) summary.Value) (float64, bool)
	}{
		{"Latency mean", "ms (dashed: theory)", shownOf},
		{"Mean, times " + base[0].Transport + "'s", "times (dashed: theory)", func(r summary.Row, value func(summary.Row) summary.Value) (float64, bool) {
			return timesThat(r, base, value)
		}},
	} {
		p := newPlot()
		p.Add(grid())
		live := results.Panel{Title: panelled.title, X: "round trip, ms", Y: panelled.y, XScale: "linear", YScale: "linear"}
		highest, farthest := 0.0, 0.0
		for _, g := range groups {
			l := groupShade(groups, g)
			points, theory := plotter.XYs{}, plotter.XYs{}
			for _, r := range g {
				x := metric.Milliseconds(r.RTT)
				farthest = max(farthest, x)
				if y, ok := panelled.of(r, measured); ok {
					points, highest = append(points, plotter.XY{X: x, Y: y}), max(highest, y)
				}
				if y, ok := panelled.of(r, predicted); ok {
					theory, highest = append(theory, plotter.XY{X: x, Y: y}), max(highest, y)
				}
			}
			if len(theory) > 1 {
				p.Add(&plotter.Line{XYs: theory, LineStyle: l.dashed()})
			}
			line := l.series(g[0], "line")
			line.Case = rest(g[0].Name, "rtt")
			predictedLine := line
			predictedLine.Kind = "theory"
			live.Series = append(live.Series, drawn(line, points), drawn(predictedLine, theory))
			if len(points) > 0 {
				p.Add(&plotter.Line{XYs: points, LineStyle: l.line()}, &plotter.Scatter{XYs: points, GlyphStyle: l.marker()})
			}
		}
		p.X.Min, p.X.Max = 0, farthest*1.03
		upTo(p, highest)
		c.live = append(c.live, live)
		c.plots = append(c.plots, panel{plot: p, share: 0.5, title: panelled.title, y: panelled.y, x: "round trip, ms"})
	}
	for _, g := range groups {
		c.keys = append(c.keys, lineKey(strings.TrimSpace(g[0].Transport+" "+stackOf(g[0])), groupShade(groups, g)))
	}
	c.alt = "Mean latency by round trip. " + distanceAlt(groups)
	return c, true
}

// baseGroup is the one that others are compared with: the WebSocket's, or the first.
func baseGroup(groups [][]summary.Row) []summary.Row {
	i := slices.IndexFunc(groups, func(g []summary.Row) bool { return g[0].Transport == transports.WebSocket })
	return groups[max(0, i)]
}

func shownOf(r summary.Row, value func(summary.Row) summary.Value) (float64, bool) {
	v := value(r)
	return v.X, v.Known == summary.Shown && !math.IsNaN(v.X)
}

// timesThat is a row's value in terms of that of the base at the same round trip.
func timesThat(r summary.Row, base []summary.Row, value func(summary.Row) summary.Value) (float64, bool) {
	i := slices.IndexFunc(base, func(b summary.Row) bool { return b.RTT == r.RTT })
	if i < 0 {
		return 0, false
	}
	own, ok := shownOf(r, value)
	other, also := shownOf(base[i], value)
	return own / other, ok && also && other > 0
}

func distanceAlt(groups [][]summary.Row) string {
	var said []string
	for _, r := range slices.Concat(groups...) {
		said = append(said, fmt.Sprintf("%s: mean %s ms", r.Name, r.Value(metric.Mean)))
	}
	return strings.Join(said, "; ") + "."
}
