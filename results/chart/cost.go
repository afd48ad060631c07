package chart

import (
	"image/color"
	"slices"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// cost draws the cost per delivered message: CPU, bytes and requests.
func cost(_ *results.Run, s summary.Summary) (card, bool) {
	rows := withCost(s.Rows)
	if len(rows) == 0 {
		return card{}, false
	}
	c := card{Chart: Chart{Title: "Cost per delivered message"}, keysFor: "bytes on the wire:"}
	var wire []part
	for _, layer := range layers {
		c.keys = append(c.keys, key{name: layer.name, fill: layer.fill})
		wire = append(wire, part{
			layer.name,
			func(r summary.Row) reading {
				cost := r.Pooled.Cost
				return exactly(float64(layer.of(cost.Wire.Up)+layer.of(cost.Wire.Down)) / float64(cost.Delivered))
			},
			func(color.NRGBA) color.NRGBA { return layer.fill },
		})
	}
	c.bars("CPU", "µs per message", rows, 0.62, metric.CPUPerMessage, partOf("server", metric.ServerCPUPerMessage, full),
		partOf("generator", metric.GeneratorCPUPerMessage, tint), partOf("both", metric.CPUPerMessage, nil))
	c.panels[0].title = "CPU: server (full) + generator (light)"
	c.bars("Bytes on the wire, both ways", "B per message, without TCP/IP headers", rows, 0.62, metric.WireBytesPerMessage, wire...)
	c.bars("HTTP requests", "requests per message, including publishes", rows, 0.62, metric.RequestsPerMessage, partOf("requests", metric.RequestsPerMessage, full))
	c.Alt = "Cost per delivered message. " + describe(rows, "%s: %s µs CPU, %s B, %s requests",
		metric.CPUPerMessage, metric.WireBytesPerMessage, metric.RequestsPerMessage)
	return c, true
}

func withCost(rows []summary.Row) []summary.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r summary.Row) bool { return r.Pooled.Cost.Delivered <= 0 })
}

// layers are the kinds of bytes on the wire, in stacking order.
var layers = []struct {
	name string
	fill color.NRGBA
	of   func(results.Direction) int64
}{
	{"payload", skyBlue, func(d results.Direction) int64 { return d.Payload }},
	{"envelope", yellow, func(d results.Direction) int64 { return d.Envelope }},
	{"framing", purple, func(d results.Direction) int64 { return d.Framing }},
	{"HTTP headers", soft, func(d results.Direction) int64 { return d.Headers }},
}

// writes draws the messages per write of the server, which determine the cost per message, and the
// share of empty poll responses.
func writes(_ *results.Run, s summary.Summary) (card, bool) {
	rows := withCost(s.Rows)
	if len(rows) == 0 {
		return card{}, false
	}
	c := card{Chart: Chart{Title: "Messages per write of the server"}}
	c.bars("Messages per write", "write: response, event or frame with a message", rows, 0.5, metric.MessagesPerBatch, partOf("", metric.MessagesPerBatch, full))
	c.bars("Empty poll responses", "share of the poll responses", rows, 0.5, metric.EmptyResponseShare, partOf("", metric.EmptyResponseShare, full))
	c.Alt = "Messages per write. " + describe(rows, "%s: %s messages per write, %s of the poll responses empty", metric.MessagesPerBatch, metric.EmptyResponseShare)
	return c, true
}

// memory draws the memory per idle client of server and generator.
func memory(_ *results.Run, s summary.Summary) (card, bool) {
	with := slices.DeleteFunc(slices.Clone(s.Rows), func(r summary.Row) bool {
		return r.Value(metric.ServerMemoryPerClient).Known != summary.Shown && r.Value(metric.GeneratorMemoryPerClient).Known != summary.Shown
	})
	if len(with) == 0 {
		return card{}, false
	}
	const y = "KiB per client, resident, all connected, before the first publish"
	server, generator := partOf("server", metric.ServerMemoryPerClient, full), partOf("generator (simulated clients)", metric.GeneratorMemoryPerClient, tint)
	c := card{Chart: Chart{Title: "Memory per idle client"}}
	c.bars("Server", y, s.Rows, 0.5, metric.ServerMemoryPerClient, server)
	c.bars("Generator (simulated clients, not browsers)", y, s.Rows, 0.5, metric.GeneratorMemoryPerClient, generator)
	left, right := c.panels[0].plot, c.panels[1].plot
	if left.Y.Max < right.Y.Max { // one scale for both, so that the panels are comparable
		left.Y = right.Y
	} else {
		right.Y = left.Y
	}
	c.panels[0].Series, c.panels[1].Series = nil, nil // the page has both in one panel
	c.panels = append(c.panels, panel{Panel: grouped("", y, s.Rows, server, generator)})
	c.Alt = "Resident memory per idle client. " + describe(with, "%s: server %s KiB, generator %s KiB", metric.ServerMemoryPerClient, metric.GeneratorMemoryPerClient)
	return c, true
}
