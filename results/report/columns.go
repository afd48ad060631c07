package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// lostTitle heads the column of lost messages, which a terminal shows in red.
const lostTitle = "lost"

// A column of the overview. A terminal draws the unit below the title.
type column struct{ metric, title, unit string }

// of is the median of a row's repetitions, which is also the value of the headline; of counts the sum, and
// of the maximum the maximum.
func (c column) of(row summary.Row) summary.Value {
	switch c.metric {
	case metric.Delivered, metric.Lost, metric.Max:
		return row.Value(c.metric)
	default:
		return medianOf(row, c.metric)
	}
}

var (
	latencies = []column{
		{metric.P50, "p50", "ms"},
		{metric.P99, "p99", "ms"},
		{metric.P999, "p99.9", "ms"},
		{metric.Max, "max", "ms"},
	}
	// ages replace latencies if only the latest message of a topic is delivered.
	ages = []column{
		{metric.AgeMean, "age", "mean ms"},
		{metric.AgeP99, "age", "p99 ms"},
		{metric.P50, "p50", "ms"},
		{metric.P99, "p99", "ms"},
	}
	// upstream are the latencies of upstream messages, due instant → acknowledged.
	upstream = []column{
		{metric.AckP50, "upstream", "p50 ms"},
		{metric.AckP99, "upstream", "p99 ms"},
	}
	// costs are the costs of the narrow overview: CPU of the server, and of server and load generator, at the
	// run's load.
	costs = []column{
		{metric.Lost, lostTitle, ""},
		{metric.ServerCores, "server", "cores"},
		{metric.Cores, "both", "cores"},
		{metric.ServerMemoryPerClient, "memory", "KiB/client"},
		{metric.WireBytesPerMessage, "wire", "B/msg"},
	}
	always = []column{
		{metric.Delivered, "delivered", ""},
		{metric.Lost, lostTitle, ""},
		{metric.RequestsPerMessage, "requests", "/msg"},
		{metric.WireBytesPerMessage, "wire", "B/msg"},
		{metric.ServerCPUPerMessage, "server", "µs/msg"},
		{metric.GeneratorCPUPerMessage, "generator", "µs/msg"},
		{metric.ServerMemoryPerClient, "memory", "KiB/idle"},
	}
	connects = []column{
		{metric.ConnectP50, "connect", "p50 ms"},
		{metric.ConnectP99, "connect", "p99 ms"},
	}
)

// met counts the requirements that a row meets. It is no metric.
var met = column{"", "meets", "req."}

// requirementsMet is how many of the requirements a row is found to meet: "2/3". Without a valid trial it is
// unknown.
func (r *Report) requirementsMet(row summary.Row) string {
	if len(row.Trials) == 0 {
		return "–"
	}
	passed, all := 0, 0
	for _, q := range r.Requirements {
		if q.Configuration == row.Name {
			all++
			if q.Outcome == compare.Passed {
				passed++
			}
		}
	}
	return fmt.Sprintf("%d/%d", passed, all)
}

// narrowColumns are the columns by which people choose: requirements, p50, p99, losses, costs and the price
// per 1,000 clients and month.
func (r *Report) narrowColumns() (all []column) {
	m := r.Run.Manifest
	if len(m.Requirements) > 0 {
		all = append(all, met)
	}
	if m.Workload.LatestOnly() {
		all = append(all, ages[:2]...)
	} else {
		all = append(all, latencies[:2]...)
	}
	if m.Workload.UpstreamRate > 0 {
		all = append(all, upstream[1])
	}
	if m.SweptBatchingDelay() {
		all = append(all, column{metric.MessagesPerBatch, "messages", "/write"})
	}
	all = append(all, costs...)
	return append(all, column{metric.Price, "price", r.prices().Currency + "/mo"})
}

// columnsOf are all columns of a run. Upstream latencies leave no room for the columns of connecting. If the
// batching delay is swept, the messages per write replace the columns of connecting, which it does not
// change.
func columnsOf(m results.Manifest) (all []column) {
	all = slices.Clone(latencies)
	if m.Workload.LatestOnly() {
		all = slices.Clone(ages)
	}
	if m.Workload.UpstreamRate > 0 {
		all = append(all, upstream...)
	}
	all = append(all, always...)
	switch {
	case m.SweptBatchingDelay():
		all = append(all, column{metric.MessagesPerBatch, "messages", "/write"})
	case m.Workload.UpstreamRate == 0:
		all = append(all, connects...)
	}
	return all
}

// overviewRows are a row per configuration with the medians of the repetitions, followed by the model's
// prediction.
func (r *Report) overviewRows(columns []column) (rows []tableRow) {
	for _, row := range r.Summary.Rows {
		measured, predicted, some := []string{row.Name}, []string{"predicted"}, false
		for _, c := range columns {
			if c == met {
				measured, predicted = append(measured, r.requirementsMet(row)), append(predicted, "")
				continue
			}
			cell := ""
			if p, ok := row.Predicted(c.metric); ok {
				cell, some = metric.Number(p.Value), true
			}
			measured, predicted = append(measured, c.of(row).String()), append(predicted, cell)
		}
		rows = append(rows, tableRow{Cells: measured})
		if some {
			rows = append(rows, tableRow{Cells: predicted, Dim: true})
		}
	}
	return rows
}

// notes explain the overview: missing values, and how to read the costs.
func (r *Report) notes(columns []column) (lines []string) {
	m, s := r.Run.Manifest, r.Summary
	if m.Status != results.Complete {
		lines = append(lines, statusText(m.Status)+": "+results.Plain(m.Reason))
	}
	counted := false
	for _, c := range columns {
		if c == met {
			continue
		}
		var available []string
		var needed int64
		for _, row := range s.Rows {
			if v := c.of(row); v.Known == summary.TooFew {
				available, needed = append(available, row.Name+" "+metric.Count(v.Have)), v.Requirement
			}
		}
		if len(available) > 0 {
			lines = append(lines, fmt.Sprintf("n/a: %s needs %s independent observations. Available: %s", metric.ByName(c.metric).Title, metric.Count(needed), strings.Join(available, ", ")))
			counted = counted || !slices.Contains(connects, c)
		}
	}
	if counted {
		lines = append(lines, "An independent observation of a latency is a publication or a poll cycle, not a delivery.")
	}
	together := []string{}
	for _, row := range s.Rows {
		if row.Saturated {
			lines = append(lines, row.Name+": OVERLOADED, its values describe a queue")
		}
		together = append(together, row.Name+" "+medianOf(row, metric.CPUPerMessage).String())
	}
	if len(s.Dropped) > 0 {
		lines = append(lines, discarded(s))
	}
	for _, e := range s.Excluded {
		how := "excluded: "
		if e.Repeated {
			how = "excluded and repeated: "
		}
		lines = append(lines, how+e.Trial+": "+results.Plain(e.Reason))
	}
	for _, warning := range r.Run.Warnings {
		lines = append(lines, results.Plain(warning))
	}
	offered := spread(m, func(c results.Configuration) float64 { return c.DeliveryRate }, m.Workload.DeliveryRate)
	return append(lines,
		"CPU: on one machine the sender's CPU time includes part of the receiver's TCP work. Compare server + generator. "+
			"CPU per message falls as load rises (here "+offered+" deliveries/s).",
		"server + generator, µs/msg: "+strings.Join(together, " · "))
}
