package report

import (
	"fmt"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// A measure is a column of the table of results.
type measure struct {
	Column
	metric string // the value, unless of is set
	of     func(*Report, summary.Row) Cell
}

// cell is the value of a row: the median of its repetitions, which is also the value of the headline.
func (m measure) cell(r *Report, row summary.Row) Cell {
	if m.of != nil {
		return m.of(r, row)
	}
	return Cell{Text: rounded(row, m.metric)}
}

// predicted is the model's value; empty without a prediction.
func (m measure) predicted(row summary.Row) string {
	if p, ok := row.Predicted(m.metric); ok {
		return metric.Number(p.Value)
	}
	return ""
}

func brief(name, title, unit string) measure { return measure{Column{title, unit, Brief}, name, nil} }

func wide(name, title, unit string) measure { return measure{Column{title, unit, Wide}, name, nil} }

// measures are the columns of a run: first those by which people choose, each with the details next to it.
func (r *Report) measures() (all []measure) {
	m := r.Run.Manifest
	if len(m.Requirements) > 0 {
		all = append(all, measure{Column: Column{Title: "meets"}, of: (*Report).requirementsMet})
	}
	latencies := []measure{brief(metric.P50, "p50", "ms"), brief(metric.P99, "p99", "ms"), wide(metric.P999, "p99.9", "ms"), wide(metric.Max, "max", "ms")}
	if m.Workload.LatestOnly() { // ages replace latencies
		latencies = []measure{brief(metric.AgeMean, "age", "mean ms"), brief(metric.AgeP99, "age", "p99 ms"), wide(metric.P50, "p50", "ms"), wide(metric.P99, "p99", "ms")}
	}
	all = append(all, latencies...)
	all = append(all, measure{Column{"lost", "", Brief}, "", (*Report).lost}, measure{Column{"delivered", "", Wide}, "", (*Report).delivered})
	if m.Workload.UpstreamRate > 0 { // due instant → acknowledged
		all = append(all, wide(metric.AckP50, "upstream", "p50 ms"), wide(metric.AckP99, "upstream", "p99 ms"))
	}
	all = append(all,
		measure{Column{"server / total", "cores", Brief}, "", (*Report).cores}, wide(metric.ServerCPUPerMessage, "server", "µs/msg"), wide(metric.CPUPerMessage, "total", "µs/msg"),
		brief(metric.ServerMemoryPerClient, "memory", "KiB/client"),
		brief(metric.WireBytesPerMessage, "wire", "B/msg"), wide(metric.RequestsPerMessage, "requests", "/msg"))
	if m.SweptBatchingDelay() {
		all = append(all, wide(metric.MessagesPerBatch, "messages", "/write"))
	}
	return append(all, wide(metric.ConnectP50, "connect", "p50 ms"), wide(metric.ConnectP99, "connect", "p99 ms"),
		brief(metric.Price, "price", r.prices().Currency+"/mo"))
}

// cores are the busy cores of the servers, and of servers and load generators, at the run's load.
func (r *Report) cores(row summary.Row) Cell {
	return Cell{Text: rounded(row, metric.ServerCores) + " / " + rounded(row, metric.Cores)}
}

// lost are the lost messages of all repetitions.
func (r *Report) lost(row summary.Row) Cell {
	v := row.Value(metric.Lost)
	if v.Known == summary.Shown && v.X > 0 {
		return Cell{v.String() + " LOST", Bad}
	}
	return Cell{Text: v.String()}
}

func (r *Report) delivered(row summary.Row) Cell {
	return Cell{Text: row.Value(metric.Delivered).String()}
}

// requirementsMet is how many of the requirements a row is found to meet: "2/3". Without a valid trial it is
// unknown.
func (r *Report) requirementsMet(row summary.Row) Cell {
	if len(row.Trials) == 0 {
		return Cell{Text: "–"}
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
	return Cell{Text: fmt.Sprintf("%d/%d", passed, all)}
}

// resultsSection has a row per configuration with the medians of the repetitions, followed by the model's
// prediction.
func (r *Report) resultsSection() Section {
	measures := r.measures()
	all := Section{Title: "Results", Columns: columns("transport"), Note: strings.Join(r.notes(measures), "\n")}
	for _, m := range measures {
		all.Columns = append(all.Columns, m.Column)
	}
	for _, row := range r.Summary.Rows {
		measured, predicted, some := []any{row.Name}, []any{"  predicted"}, false
		for _, m := range measures {
			p := m.predicted(row)
			measured, predicted, some = append(measured, m.cell(r, row)), append(predicted, Cell{Text: p}), some || p != ""
		}
		all.add(measured...)
		if some {
			all.Rows = append(all.Rows, Row{cells(predicted...), true})
		}
	}
	return all
}

// notes explain the table of results: missing values, and how to read the costs.
func (r *Report) notes(measures []measure) (lines []string) {
	m, s := r.Run.Manifest, r.Summary
	for _, c := range measures {
		fewest, by, needed := int64(0), "", int64(0)
		for _, row := range s.Rows {
			if c.metric == "" || c.Detail != Brief {
				continue
			}
			if v := medianOf(row, c.metric); v.Known == summary.TooFew && (by == "" || v.Have < fewest) {
				fewest, by, needed = v.Have, row.Name, v.Requirement
			}
		}
		if by != "" {
			lines = append(lines, fmt.Sprintf("n/a: %s needs %s independent observations, and %s has %s.", metric.ByName(c.metric).Title, metric.Count(needed), by, metric.Count(fewest)))
		}
	}
	for _, row := range s.Rows {
		if row.Saturated {
			lines = append(lines, row.Name+": OVERLOADED, its values describe a queue.")
		}
	}
	lines = append(lines, exclusions(s)...)
	for _, warning := range r.Run.Warnings {
		lines = append(lines, results.Plain(warning))
	}
	offered := spread(m, func(c results.Configuration) float64 { return c.DeliveryRate }, m.Workload.DeliveryRate)
	p := r.prices()
	return append(lines,
		"Total: server and load generator. On one machine the sender's CPU time includes part of the receiver's TCP work, so compare totals. "+
			"CPU per message falls as load rises (here "+offered+" deliveries/s).",
		fmt.Sprintf("Price: per 1,000 clients and month. It assumes that servers use %s of the rented CPU time, at prices of %s%s.", percent(p.Utilisation), p.Date, marked(p)))
}
