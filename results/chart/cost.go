package chart

import (
	"slices"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// cost has the cost per delivered message: CPU, bytes and requests.
func cost(_ *results.Run, s summary.Summary) Chart {
	rows := withCost(s.Rows)
	c := Chart{Title: "Cost per delivered message", Keys: []Key{{Name: "bytes on the wire:"}}}
	var wire []part
	for _, layer := range layers {
		c.Keys = append(c.Keys, Key{layer.name, bars, Style{Color: layer.color}})
		of := func(t results.Trial) summary.Value {
			return summary.Amount(float64(layer.of(t.Cost.Wire.Up)+layer.of(t.Cost.Wire.Down)) / float64(t.Cost.Delivered))
		}
		wire = append(wire, part{layer.name, func(r summary.Row) reading { return medianOf(r, of) }, func(Style) Style { return Style{Color: layer.color} }})
	}
	c.Panels = []Panel{
		barPanel("CPU: server (full) + generator (light)", "µs per message", rows, metric.CPUPerMessage,
			partOf("server", metric.ServerCPUPerMessage, full), partOf("generator", metric.GeneratorCPUPerMessage, light)),
		barPanel("Bytes on the wire, both ways", "B per message, without TCP/IP headers", rows, metric.WireBytesPerMessage, wire...),
		barPanel("HTTP requests", "requests per message, including publishes", rows, metric.RequestsPerMessage, partOf("", metric.RequestsPerMessage, full)),
	}
	c.Alt = "Cost per delivered message. " + describe(rows, "%s: %s µs CPU, %s B, %s requests",
		metric.CPUPerMessage, metric.WireBytesPerMessage, metric.RequestsPerMessage)
	return c
}

func withCost(rows []summary.Row) []summary.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r summary.Row) bool { return r.Pooled.Cost.Delivered <= 0 })
}

// layers are the kinds of bytes on the wire, in stacking order.
var layers = []struct {
	name  string
	color string
	of    func(results.Direction) int64
}{
	{"payload", skyBlue, func(d results.Direction) int64 { return d.Payload }},
	{"envelope", yellow, func(d results.Direction) int64 { return d.Envelope }},
	{"framing", purple, func(d results.Direction) int64 { return d.Framing }},
	{"HTTP headers", soft, func(d results.Direction) int64 { return d.Headers }},
}

// writes has the messages per write of the server, which determine the cost per message, and the share of
// empty poll responses.
func writes(_ *results.Run, s summary.Summary) Chart {
	rows := withCost(s.Rows)
	return Chart{
		Title: "Messages per write of the server",
		Panels: []Panel{
			barPanel("Messages per write", "write: response, event or frame with a message", rows, metric.MessagesPerBatch, partOf("", metric.MessagesPerBatch, full)),
			barPanel("Empty poll responses", "share of the poll responses", rows, metric.EmptyResponseShare, partOf("", metric.EmptyResponseShare, full)),
		},
		Alt: "Messages per write. " + describe(rows, "%s: %s messages per write, %s of the poll responses empty", metric.MessagesPerBatch, metric.EmptyResponseShare),
	}
}

// memory has the memory that an idle client adds to server and generator, on one scale.
func memory(_ *results.Run, s summary.Summary) Chart {
	rows := slices.DeleteFunc(slices.Clone(s.Rows), func(r summary.Row) bool {
		return r.Value(metric.ServerMemoryPerClient).Known != summary.Shown && r.Value(metric.GeneratorMemoryPerClient).Known != summary.Shown
	})
	const y = "KiB per added idle client, without start-up memory"
	server := barPanel("Server", y, rows, metric.ServerMemoryPerClient, partOf("server", metric.ServerMemoryPerClient, full))
	generator := barPanel("Generator (simulated clients, not browsers)", y, rows, metric.GeneratorMemoryPerClient, partOf("generator", metric.GeneratorMemoryPerClient, light))
	server.fit()
	generator.fit()
	server.Y.Max = max(server.Y.Max, generator.Y.Max)
	generator.Y = server.Y
	return Chart{
		Title: "Memory per idle client", Panels: []Panel{server, generator},
		Alt: "Memory that one more idle client adds. " + describe(rows, "%s: server %s KiB, generator %s KiB", metric.ServerMemoryPerClient, metric.GeneratorMemoryPerClient),
	}
}
