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

// An axis is a number that the cases of a run differ in.
type axis struct {
	name  string // as in the names of cases, and the chart's
	title string
	x     string
	of    func(results.Case) float64 // 0: the case has none
}

// axes are those that have a chart of this kind. A round trip and a flush window have
// their own: distance and batching.
var axes = []axis{
	{"clients", "What more clients do", "clients", func(c results.Case) float64 { return float64(c.Clients) }},
	{"rate", "What a higher rate does", "messages published a second", func(c results.Case) float64 { return c.PublishRate }},
	{"payload", "What a larger payload does", "payload, B", func(c results.Case) float64 { return c.PayloadBytes }},
	{"interval", "What a longer poll interval does", "poll interval, s", func(c results.Case) float64 { return c.Interval.Seconds() }},
}

// curves draw what each axis that was swept does to latency, to throughput and to costs: a
// chart an axis. A transport that does not have the axis, as a stream has no poll interval,
// is a level line.
func curves(run *results.Run, s summary.Summary) []card {
	var all []card
	for _, a := range axes {
		if slices.ContainsFunc(s.Rows, func(r summary.Row) bool { return a.of(r.Case) > 0 && len(r.Trials) > 0 }) {
			all = append(all, a.card(run, s))
		}
	}
	return all
}

// A curvePanel is what is drawn against an axis.
type curvePanel struct {
	title, y string
	of       func(summary.Row) summary.Value
	log      bool
}

func (a axis) panels(run *results.Run) []curvePanel {
	key := func(name string) func(summary.Row) summary.Value {
		return func(r summary.Row) summary.Value { return r.Value(name) }
	}
	latency := curvePanel{"Latency p99", "ms (log scale)", key(metric.P99), true}
	if run.Manifest.Workload.LatestOnly() {
		latency = curvePanel{"Age mean", "ms (log scale)", key(metric.AgeMean), true}
	}
	median := curvePanel{"Latency p50", "ms (log scale)", key(metric.P50), true}
	cpu := curvePanel{"CPU, server + generator", "µs a message (log scale)", key(metric.CPUPerMessage), true}
	if run.Manifest.Workload.LatestOnly() {
		cpu = curvePanel{"CPU, server + generator", "cores (log scale)", key(metric.Cores), true}
	}
	wire := curvePanel{"Wire", "B a message", key(metric.WireBytesPerMessage), false}
	if a.name == "clients" || a.name == "rate" {
		return []curvePanel{{"Throughput", "deliveries a second (log scale)", throughput, true}, median, latency, cpu}
	}
	return []curvePanel{median, latency, cpu, wire}
}

// throughput is how many messages a second arrived: of what was owed, the share that did.
func throughput(r summary.Row) summary.Value {
	l := r.Pooled.Ledger
	if l.Owed == 0 || r.DeliveryRate == 0 {
		return summary.Value{Known: summary.NotShown}
	}
	return summary.Value{X: r.DeliveryRate * float64(l.Unique) / float64(l.Owed)}
}

func (a axis) card(run *results.Run, s summary.Summary) card {
	groups := groupsAlong(s.Rows, a.name, func(r summary.Row) float64 { return a.of(r.Case) })
	c := card{name: "by-" + a.name, title: a.title}
	for _, which := range a.panels(run) {
		c.plots = append(c.plots, a.panel(groups, which))
		c.live = append(c.live, a.livePanel(groups, which))
	}
	for i := range c.plots {
		c.plots[i].share = 1 / float64(len(c.plots))
	}
	for _, g := range groups {
		c.keys = append(c.keys, lineKey(rest(g[0].Name, a.name), groupShade(groups, g)))
	}
	c.alt = a.title + ". " + curvesAlt(s)
	return c
}

func (a axis) panel(groups [][]summary.Row, which curvePanel) panel {
	p := newPlot()
	p.Add(grid())
	near, far := a.span(groups)
	lo, hi := math.Inf(1), 0.0
	for _, r := range slices.Concat(groups...) {
		if v := which.of(r); v.Known == summary.Shown && !math.IsNaN(v.X) {
			lo, hi = min(lo, v.X), max(hi, v.X)
		}
	}
	for _, g := range groups {
		points := a.points(g, which, near, far)
		if len(points) == 0 {
			continue
		}
		l := groupShade(groups, g)
		p.Add(&plotter.Line{XYs: points, LineStyle: l.line()})
		if a.of(g[0].Case) > 0 {
			p.Add(&plotter.Scatter{XYs: points, GlyphStyle: l.marker()})
		}
	}
	a.scale(p, near, far)
	if which.log && hi > 0 {
		lo, hi = positive(lo)/2, positive(hi)*2
		p.Y.Scale, p.Y.Min, p.Y.Max, p.Y.Tick.Marker = plot.LogScale{}, lo, hi, logTicks(lo, hi)
	} else {
		upTo(p, hi)
	}
	return panel{plot: p, title: which.title, y: which.y, x: a.x}
}

// livePanel is the panel as data.
func (a axis) livePanel(groups [][]summary.Row, which curvePanel) results.Panel {
	near, far := a.span(groups)
	p := results.Panel{Title: which.title, X: a.x, Y: which.y, XScale: "linear", YScale: "linear"}
	if far > 10*near {
		p.XScale = "log"
	}
	if which.log {
		p.YScale = "log"
	}
	for _, g := range groups {
		s := groupShade(groups, g).series(g[0], "line")
		s.Case = rest(g[0].Name, a.name)
		p.Series = append(p.Series, drawn(s, a.points(g, which, near, far)))
	}
	return p
}

// span is from the least that any case has of the axis to the most.
func (a axis) span(groups [][]summary.Row) (near, far float64) {
	near = math.Inf(1)
	for _, r := range slices.Concat(groups...) {
		if x := a.of(r.Case); x > 0 {
			near, far = min(near, x), max(far, x)
		}
	}
	return near, far
}

// points are a group's; of one that has no such axis its one value, from end to end.
func (a axis) points(g []summary.Row, which curvePanel, near, far float64) (points plotter.XYs) {
	for _, r := range g {
		v := which.of(r)
		if v.Known != summary.Shown || math.IsNaN(v.X) {
			continue
		}
		y := v.X
		if which.log {
			y = positive(y)
		}
		if x := a.of(r.Case); x > 0 {
			points = append(points, plotter.XY{X: x, Y: y})
		} else {
			points = append(points, plotter.XY{X: near, Y: y}, plotter.XY{X: far, Y: y})
		}
	}
	return points
}

// scale is logarithmic over more than a decade.
func (a axis) scale(p *plot.Plot, near, far float64) {
	if far > 10*near {
		p.X.Scale, p.X.Min, p.X.Max, p.X.Tick.Marker = plot.LogScale{}, near/1.15, far*1.15, logTicks(near/1.15, far*1.15)
		return
	}
	p.X.Min, p.X.Max, p.X.Tick.Marker = 0, far*1.05, linearTicks(far*1.05, 4)
}

// groupsAlong are the rows that differ in nothing but what a run sweeps by a name, each group
// by rising values.
func groupsAlong(rows []summary.Row, axis string, of func(summary.Row) float64) [][]summary.Row {
	var groups [][]summary.Row
	for _, r := range rows {
		i := slices.IndexFunc(groups, func(g []summary.Row) bool { return rest(g[0].Name, axis) == rest(r.Name, axis) })
		switch {
		case len(r.Trials) == 0:
		case i < 0:
			groups = append(groups, []summary.Row{r})
		default:
			groups[i] = append(groups[i], r)
		}
	}
	for _, g := range groups {
		slices.SortStableFunc(g, func(x, y summary.Row) int { return cmp.Compare(of(x), of(y)) })
	}
	return groups
}

// rest is a case's name without an axis.
func rest(name, axis string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(name), func(part string) bool { return strings.HasPrefix(part, axis+"=") }), " ")
}

// groupShade is the transport's look, lighter for each further group of it.
func groupShade(groups [][]summary.Row, g []summary.Row) look {
	l := lookOf(g[0].Transport)
	n, own := 0, 0
	for _, other := range groups {
		if other[0].Transport == g[0].Transport {
			if other[0].Name == g[0].Name {
				own = n
			}
			n++
		}
	}
	l.color = shade(l.color, own, n)
	return l
}

func curvesAlt(s summary.Summary) string {
	var said []string
	for _, r := range s.Rows {
		said = append(said, fmt.Sprintf("%s: p50 %s ms, p99 %s ms, %s µs CPU, %s B a message", r.Name,
			r.Value(metric.P50), r.Value(metric.P99), r.Value(metric.CPUPerMessage), r.Value(metric.WireBytesPerMessage)))
	}
	return strings.Join(said, "; ") + "."
}
