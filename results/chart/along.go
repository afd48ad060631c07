package chart

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// An axis is a parameter in which the configurations of a run differ. Its chart has a line per group
// of configurations that differ in nothing else.
type axis struct {
	name  string // in the names of configurations
	chart string
	title string
	x     string
	scale string // "linear", or "names" for one step per value; else logarithmic over more than a decade, and 0 means that a configuration has no value
	of    func(results.Configuration) float64
	swept func(results.Manifest) bool // nil: configurations have a value only if it is swept
	shows func(a axis, run *results.Run, groups [][]summary.Row) (all []quantity, alt string)
}

// axes lists the axes with a chart.
var axes = []axis{
	{"clients", "by-clients", "Effect of the number of clients", "clients", "", func(c results.Configuration) float64 { return float64(c.Clients) }, nil, workload},
	{"rate", "by-rate", "Effect of the publish rate", "messages published per second", "", func(c results.Configuration) float64 { return c.PublishRate }, nil, workload},
	{"payload", "by-payload", "Effect of the payload size", "payload, B", "", func(c results.Configuration) float64 { return c.PayloadBytes }, nil, workload},
	{"interval", "by-interval", "Effect of the poll interval", "poll interval, s", "", func(c results.Configuration) float64 { return c.Interval.Seconds() }, nil, workload},
	{"rtt", "distance", "Effect of the round-trip time", "round-trip time, ms", "linear", func(c results.Configuration) float64 { return metric.Milliseconds(c.RTT) }, results.Manifest.SweptRTT, distance},
	// No numeric scale separates 0, 1, 5 and 20 ms.
	{"batching_delay", "batching", "Effect of the batching delay", "batching delay, ms", "names", func(c results.Configuration) float64 { return metric.Milliseconds(c.BatchingDelay) }, results.Manifest.SweptBatchingDelay, batching},
}

// A quantity is the content of a panel over an axis.
type quantity struct {
	title, y  string
	log       bool
	of        func(summary.Row) reading
	predicted func(summary.Row) reading // nil: none
}

// value returns a function that reads a metric without its range.
func value(name string) func(summary.Row) reading {
	return func(r summary.Row) reading { return reading{Value: r.Value(name)} }
}

func (a axis) card(run *results.Run, s summary.Summary) (card, bool) {
	groups := a.groups(s.Rows)
	if a.swept != nil && !a.swept(run.Manifest) || !slices.ContainsFunc(groups, func(g []summary.Row) bool { return a.of(g[len(g)-1].Configuration) > 0 }) {
		return card{}, false
	}
	all, alt := a.shows(a, run, groups)
	c := card{Chart: Chart{Title: a.title, Alt: alt}}
	shared := make([]summary.Row, len(groups)) // the common properties of each group
	for i, g := range groups {
		shared[i] = g[0]
		shared[i].Name = rest(g[0].Name, a.name)
	}
	for _, r := range shared {
		c.keys = append(c.keys, lineKey(r.Name, lookIn(shared, r)))
	}
	for _, q := range all {
		c.panels = append(c.panels, a.panel(shared, groups, q))
	}
	return c, true
}

// panel draws a quantity over the axis. A transport without the axis, such as a stream without a poll
// interval, is a horizontal line.
func (a axis) panel(shared []summary.Row, groups [][]summary.Row, q quantity) panel {
	var values []float64
	for _, r := range slices.Concat(groups...) {
		if x := a.of(r.Configuration); x > 0 || a.scale != "" {
			values = append(values, x)
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	first, last := values[0], values[len(values)-1]
	data := Panel{Title: q.title, X: a.x, Y: q.y, XScale: cmp.Or(a.scale, "linear"), YScale: "linear"}
	if a.scale == "" && last > 10*first {
		data.XScale = "log"
	}
	if q.log {
		data.YScale = "log"
	}
	if a.scale == "names" {
		for _, x := range values {
			data.Names = append(data.Names, strconv.FormatFloat(x, 'f', -1, 64))
		}
	}
	var lines []line
	for i, g := range groups {
		l := newLine(lookIn(shared, shared[i]), shared[i])
		for _, r := range g {
			x, v := a.of(r.Configuration), q.of(r)
			if q.log {
				v.X, v.lo, v.hi = positive(v.X), positive(v.lo), positive(v.hi)
			}
			switch {
			case a.scale == "" && x == 0:
				l.add(first, v)
				l.add(last, v)
				continue
			case a.scale == "names":
				x = float64(slices.Index(values, x))
			}
			l.add(x, v)
			l.marks.add(x, v)
			if q.predicted != nil {
				l.predicted.add(x, q.predicted(r))
			}
		}
		lines = append(lines, l)
	}
	return linePanel(data, lines)
}

// titleOf returns the proper name of a transport.
func titleOf(transport string) string { return cmp.Or(transports.Of(transport).Title, transport) }

// groups returns the rows that differ only in the axis, each group by ascending value. On an axis of
// names, a group of a single row is omitted.
func (a axis) groups(rows []summary.Row) (groups [][]summary.Row) {
	for _, r := range rows {
		i := slices.IndexFunc(groups, func(g []summary.Row) bool { return rest(g[0].Name, a.name) == rest(r.Name, a.name) })
		switch {
		case len(r.Trials) == 0:
		case i < 0:
			groups = append(groups, []summary.Row{r})
		default:
			groups[i] = append(groups[i], r)
		}
	}
	for _, g := range groups {
		slices.SortStableFunc(g, func(x, y summary.Row) int { return cmp.Compare(a.of(x.Configuration), a.of(y.Configuration)) })
	}
	return slices.DeleteFunc(groups, func(g []summary.Row) bool { return a.scale == "names" && len(g) < 2 })
}

// rest returns the name of a configuration without an axis.
func rest(name, axis string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(name), func(part string) bool { return strings.HasPrefix(part, axis+"=") }), " ")
}

// workload shows the effect of a workload parameter on latency, throughput and cost.
func workload(a axis, run *results.Run, groups [][]summary.Row) ([]quantity, string) {
	latency := quantity{title: "Latency p99", y: "ms (log scale)", log: true, of: value(metric.P99)}
	cpu := quantity{title: "CPU, server + generator", y: "µs per message (log scale)", log: true, of: value(metric.CPUPerMessage)}
	if run.Manifest.Workload.LatestOnly() {
		latency.title, latency.of = "Age mean", value(metric.AgeMean)
		cpu.y, cpu.of = "cores (log scale)", value(metric.Cores)
	}
	all := []quantity{{title: "Latency p50", y: "ms (log scale)", log: true, of: value(metric.P50)}, latency, cpu}
	if a.name == "clients" || a.name == "rate" {
		all = slices.Insert(all, 0, quantity{title: "Throughput", y: "deliveries per second (log scale)", log: true, of: throughput})
	} else {
		all = append(all, quantity{title: "Bytes on the wire", y: "B per message", of: value(metric.WireBytesPerMessage)})
	}
	return all, a.title + ". " + describe(slices.Concat(groups...), "%s: p50 %s ms, p99 %s ms, %s µs CPU per message, %s B per message",
		metric.P50, metric.P99, metric.CPUPerMessage, metric.WireBytesPerMessage)
}

// throughput returns the deliveries per second: the expected rate times the delivered share.
func throughput(r summary.Row) reading {
	l := r.Pooled.Ledger
	if l.Expected == 0 || r.DeliveryRate == 0 {
		return withheld
	}
	return exactly(r.DeliveryRate * float64(l.Unique) / float64(l.Expected))
}

// distance shows the effect of the round-trip time on each transport: the mean latency, and its ratio
// to that of WebSocket, or of the first transport.
func distance(_ axis, _ *results.Run, groups [][]summary.Row) ([]quantity, string) {
	base := groups[max(0, slices.IndexFunc(groups, func(g []summary.Row) bool { return g[0].Transport == transports.WebSocket }))]
	predicted := func(r summary.Row) reading {
		if p, ok := r.Predicted(metric.Mean); ok {
			return exactly(p.Value)
		}
		return withheld
	}
	relative := func(of func(summary.Row) reading) func(summary.Row) reading {
		return func(r summary.Row) reading {
			v := of(r)
			for _, b := range base {
				if other := of(b); b.RTT == r.RTT && v.Known == summary.Shown && other.Known == summary.Shown && other.X > 0 {
					return exactly(v.X / other.X)
				}
			}
			return withheld
		}
	}
	return []quantity{
		{"Latency mean", "ms (dashed: predicted)", false, value(metric.Mean), predicted},
		{"Mean relative to " + titleOf(base[0].Transport), "ratio (dashed: predicted)", false, relative(value(metric.Mean)), relative(predicted)},
	}, "Mean latency by round-trip time. " + describe(slices.Concat(groups...), "%s: mean %s ms", metric.Mean)
}

// batching shows the effect of the batching delay on latency, CPU and messages per write.
func batching(_ axis, _ *results.Run, groups [][]summary.Row) ([]quantity, string) {
	ranged := func(name string) func(summary.Row) reading {
		return func(r summary.Row) reading { return metricOf(r, name) }
	}
	alt := describe(slices.Concat(groups...), "%s: p50 %s ms, p99 %s ms, %s µs CPU per message, %s messages per write",
		metric.P50, metric.P99, metric.CPUPerMessage, metric.MessagesPerBatch)
	return []quantity{
		{title: "Latency p50", y: "ms (log scale)", log: true, of: ranged(metric.P50)},
		{title: "Latency p99", y: "ms (log scale)", log: true, of: ranged(metric.P99)},
		{title: "CPU, server + generator", y: "µs per message", of: ranged(metric.CPUPerMessage)},
		{title: "Messages per write", y: "write: response, event or frame", of: ranged(metric.MessagesPerBatch)},
	}, "Latency, CPU and messages per write by batching delay. " + alt
}
