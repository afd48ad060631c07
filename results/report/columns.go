package report

import (
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// A column of the overview. A terminal draws the unit below the head.
type column struct{ metric, head, unit string }

var (
	latencies = []column{
		{metric.P50, "p50", "ms"},
		{metric.P99, "p99", "ms"},
		{metric.P999, "p99.9", "ms"},
		{metric.Max, "max", "ms"},
	}
	// ages replace latencies where only the latest message of a topic is delivered.
	ages = []column{
		{metric.AgeMean, "age", "mean ms"},
		{metric.AgeP99, "age", "p99 ms"},
		{metric.P50, "p50", "ms"},
		{metric.P99, "p99", "ms"},
	}
	// inputs are the latencies of upstream messages, due instant → acknowledged.
	inputs = []column{
		{metric.AckP50, "input", "p50 ms"},
		{metric.AckP99, "input", "p99 ms"},
	}
	always = []column{
		{metric.Delivered, "delivered", ""},
		{metric.Lost, "lost", ""},
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

// columnsOf are the columns of a run. Inputs leave no room for connecting, and a swept batching
// delay, which does not change connecting, replaces it by its effect on the writes.
func columnsOf(m results.Manifest) (all []column) {
	all = slices.Clone(latencies)
	if m.Workload.LatestOnly() {
		all = slices.Clone(ages)
	}
	if m.Workload.UpstreamRate > 0 {
		all = append(all, inputs...)
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

// overviewRows are a row per configuration, and below it what the model predicts of it.
func (r *Report) overviewRows(columns []column) (rows []line) {
	for _, row := range r.Summary.Rows {
		measured, predicted, some := []string{row.Name}, []string{"theory"}, false
		for _, c := range columns {
			cell := ""
			if p, ok := row.Predicted(c.metric); ok {
				cell, some = metric.Number(p.Value), true
			}
			measured, predicted = append(measured, row.Value(c.metric).String()), append(predicted, cell)
		}
		rows = append(rows, line{Cells: measured})
		if some {
			rows = append(rows, line{Cells: predicted, Dim: true})
		}
	}
	return rows
}

// notes explain the overview: what is missing from it, and what its costs can mean.
func (r *Report) notes() (lines []string) {
	m, s := r.Run.Manifest, r.Summary
	if m.Status != results.Complete {
		lines = append(lines, string(m.Status)+": "+results.Plain(m.Reason))
	}
	for _, c := range columnsOf(m) {
		var have []string
		var need int64
		for _, row := range s.Rows {
			if v := row.Value(c.metric); v.Known == summary.TooFew {
				have, need = append(have, row.Name+" has "+metric.Count(v.Have)), v.Requirement
			}
		}
		if len(have) > 0 {
			lines = append(lines, "n/a: "+metric.ByName(c.metric).Title+" needs "+metric.Count(need)+" independent observations, "+list(have))
		}
	}
	together := []string{}
	for _, row := range s.Rows {
		if row.Saturated {
			lines = append(lines, row.Name+": SATURATED, the figures describe overload")
		}
		together = append(together, row.Name+" "+row.Value(metric.CPUPerMessage).String())
	}
	if len(s.Dropped) > 0 {
		lines = append(lines, leftOut(s))
	}
	for _, e := range s.Excluded {
		how := "excluded: "
		if e.Repeated {
			how = "excluded and measured again: "
		}
		lines = append(lines, how+e.Trial+": "+results.Plain(e.Reason))
	}
	for _, warning := range r.Run.Warnings {
		lines = append(lines, results.Plain(warning))
	}
	offered := spread(m, func(c results.Configuration) float64 { return c.DeliveryRate }, m.Workload.DeliveryRate)
	return append(lines,
		"CPU: on one machine a sender does much of its receiver's TCP work: add both. It falls with load ("+offered+" deliveries/s).",
		"server + generator, µs/msg: "+strings.Join(together, " · "))
}
