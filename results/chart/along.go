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
	scale string // linear, or named for one step per value; else logarithmic over more than a decade, and 0 means that a configuration has no value
	at    func(results.Configuration) float64
	swept func(results.Manifest) bool // nil: configurations have a value only if it is swept
	shows func(a axis, run *results.Run, groups [][]summary.Row) (all []quantity, alt string)
}

// axes lists the axes with a chart.
var axes = []axis{
	{"clients", "by-clients", "Effect of the number of clients", "clients", "", func(c results.Configuration) float64 { return float64(c.Clients) }, nil, workload},
	{"rate", "by-rate", "Effect of the publish rate", "messages published per second", "", func(c results.Configuration) float64 { return c.PublishRate }, nil, workload},
	{"payload", "by-payload", "Effect of the payload size", "payload, B", "", func(c results.Configuration) float64 { return c.PayloadBytes }, nil, workload},
	{"interval", "by-interval", "Effect of the poll interval", "poll interval, s", "", func(c results.Configuration) float64 { return c.Interval.Seconds() }, nil, workload},
	{"rtt", "distance", "Effect of the round-trip time", "round-trip time, ms", linear, func(c results.Configuration) float64 { return metric.Milliseconds(c.RTT) }, results.Manifest.SweptRTT, distance},
	// No numeric scale separates 0, 1, 5 and 20 ms.
	{"batching_delay", "batching", "Effect of the batching delay", "batching delay, ms", named, func(c results.Configuration) float64 { return metric.Milliseconds(c.BatchingDelay) }, results.Manifest.SweptBatchingDelay, batching},
}

// A quantity is the content of a panel over an axis.
type quantity struct {
	title, y  string
	log       bool
	of        func(summary.Row) reading
	predicted func(summary.Row) reading // nil: none
}

// value returns a function that reads a metric.
func value(name string) func(summary.Row) reading {
	return func(r summary.Row) reading { return metricOf(r, name) }
}

func (a axis) of(run *results.Run, s summary.Summary) (c Chart) {
	groups := a.groups(s.Rows)
	if a.swept != nil && !a.swept(run.Manifest) || !slices.ContainsFunc(groups, func(g []summary.Row) bool { return a.at(g[len(g)-1].Configuration) > 0 }) {
		return c
	}
	all, alt := a.shows(a, run, groups)
	c.Title, c.Alt = a.title, alt
	shared := make([]summary.Row, len(groups)) // the common properties of each group
	for i, g := range groups {
		shared[i] = g[0]
		shared[i].Name = rest(g[0].Name, a.name)
	}
	for i := range shared {
		c.Keys = append(c.Keys, Key{shared[i].Label(), line, lookIn(shared, shared[i])})
	}
	predictions := false
	for _, q := range all {
		c.Panels = append(c.Panels, a.panel(shared, groups, q))
		predictions = predictions || q.predicted != nil
	}
	if predictions {
		c.Keys = append(c.Keys, Key{"predicted", predicted, Style{Color: soft, Dash: predictedDash}})
	}
	return c
}

// predictedDash connects the predictions of the model.
var predictedDash = []float64{3, 3}

// panel has a quantity over the axis. A transport without the axis, such as a stream without a poll
// interval, is a horizontal line.
func (a axis) panel(shared []summary.Row, groups [][]summary.Row, q quantity) Panel {
	var values []float64
	for _, r := range slices.Concat(groups...) {
		if x := a.at(r.Configuration); x > 0 || a.scale != "" {
			values = append(values, x)
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	first, last := values[0], values[len(values)-1]
	p := Panel{Title: q.title, X: Axis{Title: a.x, Scale: cmp.Or(a.scale, linear)}, Y: Axis{Title: q.y, Scale: linear}}
	if a.scale == "" && last > 10*first {
		p.X.Scale = logarithmic
	}
	if q.log {
		p.Y.Scale = logarithmic
	}
	if a.scale == named {
		for _, x := range values {
			p.X.Names = append(p.X.Names, strconv.FormatFloat(x, 'f', -1, 64))
		}
	}
	for i, g := range groups {
		look := lookIn(shared, shared[i])
		over, at, model := seriesOf(shared[i], line, look), seriesOf(shared[i], points, look), seriesOf(shared[i], predicted, Style{Color: look.Color, Strength: look.Strength, Dash: predictedDash})
		at.Shift = spread(i, len(groups))
		for _, r := range g {
			x, v := a.at(r.Configuration), q.of(r)
			if q.log {
				v.X, v.lo, v.hi = positive(v.X), positive(v.lo), positive(v.hi)
			}
			switch {
			case a.scale == "" && x == 0 && first < last:
				over.add(first, reading{Value: v.Value})
				over.add(last, reading{Value: v.Value})
				continue
			case a.scale == "" && x == 0:
				x = first
			case a.scale == named:
				x = float64(slices.Index(values, x))
			}
			over.add(x, reading{Value: v.Value})
			at.add(x, v)
			if q.predicted != nil {
				model.add(x, q.predicted(r))
			}
		}
		p.Series = append(p.Series, over, at, model)
	}
	return p
}

// spread returns the shift of the markers of one of n series, so that equal values remain visible.
func spread(i, n int) float64 { return (float64(i) - float64(n-1)/2) * min(3, 14/float64(n)) }

// positive keeps a value on a logarithmic axis: the minimum is a microsecond.
func positive(ms float64) float64 { return max(ms, 0.001) }

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
		slices.SortStableFunc(g, func(x, y summary.Row) int { return cmp.Compare(a.at(x.Configuration), a.at(y.Configuration)) })
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
	return exactly(r.DeliveryRate * float64(l.Delivered) / float64(l.Expected))
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
		{"Latency mean", "ms", false, value(metric.Mean), predicted},
		{"Mean relative to " + titleOf(base[0].Transport), "ratio", false, relative(value(metric.Mean)), relative(predicted)},
	}, "Mean latency by round-trip time. " + describe(slices.Concat(groups...), "%s: mean %s ms", metric.Mean)
}

// batching shows the effect of the batching delay on latency, CPU and messages per write.
func batching(_ axis, _ *results.Run, groups [][]summary.Row) ([]quantity, string) {
	alt := describe(slices.Concat(groups...), "%s: p50 %s ms, p99 %s ms, %s µs CPU per message, %s messages per write",
		metric.P50, metric.P99, metric.CPUPerMessage, metric.MessagesPerBatch)
	return []quantity{
		{title: "Latency p50", y: "ms (log scale)", log: true, of: value(metric.P50)},
		{title: "Latency p99", y: "ms (log scale)", log: true, of: value(metric.P99)},
		{title: "CPU, server + generator", y: "µs per message", of: value(metric.CPUPerMessage)},
		{title: "Messages per write", y: "write: response, event or frame", of: value(metric.MessagesPerBatch)},
	}, "Latency, CPU and messages per write by batching delay. " + alt
}
