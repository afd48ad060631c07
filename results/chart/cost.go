package chart

import (
	"fmt"
	"image/color"
	"strings"

	"gonum.org/v1/plot"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// cost draws what a delivered message costs: CPU, bytes and requests.
func cost(_ *results.Run, s summary.Summary) (card, bool) {
	rows := withCost(s.Rows)
	if len(rows) == 0 {
		return card{}, false
	}
	c := card{name: "cost", title: "What a delivered message costs"}
	c.plots = []panel{
		{plot: cpuPanel(rows), share: 1.0 / 3, x: axisNames(rows), title: "CPU: server (full) + generator (light)", y: "µs a message"},
		{plot: wirePanel(rows), share: 1.0 / 3, x: axisNames(rows), title: "Bytes on the wire, both ways", y: "B a message, TCP/IP headers not counted"},
		{plot: requestPanel(rows), share: 1.0 / 3, x: axisNames(rows), title: "HTTP requests", y: "requests a message, publishes included"},
	}
	c.keysFor = "bytes on the wire:"
	for _, k := range wireParts {
		c.keys = append(c.keys, swatchKey(k.name, k.fill))
	}
	c.live = costPanels(rows)
	c.alt = "Cost of a delivered message. " + costAlt(rows)
	return c, true
}

func withCost(rows []summary.Row) []summary.Row {
	var with []summary.Row
	for _, r := range rows {
		if r.Pooled.Cost.Delivered > 0 {
			with = append(with, r)
		}
	}
	return with
}

func cpuPanel(rows []summary.Row) *plot.Plot {
	b := bars{width: 0.62}
	for i, r := range rows {
		l := lookIn(rows, r)
		server, generator := r.Value(metric.ServerCPUPerMessage), r.Value(metric.GeneratorCPUPerMessage)
		b.all = append(b.all, bar{float64(i), []part{
			{server.X, l.color, server.String()},
			{generator.X, tint(l.color), generator.String()},
		}, r.Value(metric.CPUPerMessage).String()})
	}
	return byRow(b, rows)
}

func wirePanel(rows []summary.Row) *plot.Plot {
	b := bars{width: 0.62}
	for i, r := range rows {
		b.all = append(b.all, bar{float64(i), wireSplit(r.Pooled.Cost), r.Value(metric.WireBytesPerMessage).String()})
	}
	return byRow(b, rows)
}

func wireSplit(c results.Cost) []part {
	var parts []part
	for _, k := range wireParts {
		n := k.of(c.Wire.Up) + k.of(c.Wire.Down)
		size := float64(n) / float64(c.Delivered)
		parts = append(parts, part{size, k.fill, metric.Number(size)})
	}
	return parts
}

func requestPanel(rows []summary.Row) *plot.Plot {
	b := bars{width: 0.62}
	for i, r := range rows {
		v := r.Value(metric.RequestsPerMessage)
		b.all = append(b.all, bar{float64(i), []part{{size: v.X, fill: lookIn(rows, r).color}}, v.String()})
	}
	return byRow(b, rows)
}

// byRow is a panel with one bar a case.
func byRow(b bars, rows []summary.Row) *plot.Plot {
	p := barPlot(b, barNames(rows), -0.6, float64(len(rows))-0.4)
	p.X.Tick.Label.Font.Size = labelSize(len(rows))
	return p
}

func costAlt(rows []summary.Row) string {
	var said []string
	for _, r := range rows {
		said = append(said, fmt.Sprintf("%s: %s µs CPU, %s B, %s requests", r.Name,
			r.Value(metric.CPUPerMessage), r.Value(metric.WireBytesPerMessage), r.Value(metric.RequestsPerMessage)))
	}
	return strings.Join(said, "; ") + "."
}

// wireParts are what bytes on the wire are made of, in stacking order.
var wireParts = []struct {
	name string
	fill color.NRGBA
	of   func(results.Direction) int64
}{
	{"payload", skyBlue, func(d results.Direction) int64 { return d.Payload }},
	{"envelope", yellow, func(d results.Direction) int64 { return d.Envelope }},
	{"framing", purple, func(d results.Direction) int64 { return d.Framing }},
	{"HTTP headers", soft, func(d results.Direction) int64 { return d.Headers }},
}
