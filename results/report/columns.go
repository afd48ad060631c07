package report

import (
	"fmt"
	"math"
	"slices"
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
		measure{Column{"CPU cores", "server/total", Brief}, "", (*Report).cores}, wide(metric.ServerCPUPerMessage, "server", "µs/msg"), wide(metric.CPUPerMessage, "total", "µs/msg"),
		brief(metric.ServerMemoryPerClient, "memory", "KiB/cl."),
		brief(metric.WireBytesPerMessage, "wire", "B/msg"), wide(metric.RequestsPerMessage, "requests", "/msg"))
	if m.SweptBatchingDelay() {
		all = append(all, wide(metric.MessagesPerBatch, "messages", "/write"))
	}
	return append(all, wide(metric.ConnectP50, "connect", "p50 ms"), wide(metric.ConnectP99, "connect", "p99 ms"),
		brief(metric.Price, "price", r.prices().Currency+"/mo"), measure{Column{"model", "", Brief}, "", (*Report).agrees})
}

// agrees marks whether the model's predictions agree with what was measured, in all of the metrics that can
// be compared.
func (r *Report) agrees(row summary.Row) Cell {
	agree, known := agreements(row)
	switch {
	case known == 0:
		return Cell{Text: "–"}
	case agree == known:
		return Cell{"✓", Good}
	default:
		return Cell{fmt.Sprintf("✗ %d/%d", known-agree, known), Bad}
	}
}

// cores are the busy cores of the servers, and of servers and load generators, at the run's load.
func (r *Report) cores(row summary.Row) Cell {
	if row.Typical(metric.Cores).Known != summary.Shown {
		return Cell{Text: "–"}
	}
	return Cell{Text: rounded(row, metric.ServerCores) + "/" + rounded(row, metric.Cores)}
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

// requirementsMet is how many of the requirements a row is found to meet, and the smallest headroom over them:
// "2/3, 0.5×". Without a valid trial it is unknown.
func (r *Report) requirementsMet(row summary.Row) Cell {
	if len(row.Trials) == 0 {
		return Cell{Text: "–"}
	}
	passed, all, least, tone := 0, 0, math.Inf(1), Tone("")
	for _, q := range r.Requirements {
		if q.Configuration != row.Name {
			continue
		}
		all++
		switch q.Outcome {
		case compare.Passed:
			passed++
		case compare.Failed:
			tone = Bad
		}
		if times, ok := headroom(q); ok {
			least = min(least, times)
		}
	}
	text := fmt.Sprintf("%d/%d", passed, all)
	if !math.IsInf(least, 1) {
		text += ", " + ratio(least) + "×"
	}
	return Cell{text, tone}
}

// resultsSection has a row per configuration with the medians of the repetitions.
func (r *Report) resultsSection() Section {
	measures := r.measures()
	all := Section{Title: "Results", Columns: columns(r.subject()), Note: strings.Join(r.notes(measures), "\n")}
	for _, m := range measures {
		all.Columns = append(all.Columns, m.Column)
	}
	for _, row := range r.Summary.Rows {
		values := []any{row.Label()}
		for _, m := range measures {
			values = append(values, m.cell(r, row))
		}
		all.add(values...)
	}
	return all
}

// notes explain the table of results: missing values, and how to read the costs.
func (r *Report) notes(measures []measure) (lines []string) {
	s := r.Summary
	for _, warning := range r.Run.Warnings {
		lines = append(lines, results.Plain(warning))
	}
	if r.Run.Manifest.Status == results.Invalid {
		return lines // no value needs an explanation
	}
	for _, c := range measures {
		fewest, by, needed := int64(0), "", int64(0)
		for _, row := range s.Rows {
			if c.metric == "" || c.Detail != Brief {
				continue
			}
			if v := row.Typical(c.metric); v.Known == summary.TooFew && (by == "" || v.Have < fewest) {
				fewest, by, needed = v.Have, row.Label(), v.Requirement
			}
		}
		if by != "" {
			lines = append(lines, fmt.Sprintf("n/a: %s needs %s independent observations, and %s has %s.", metric.ByName(c.metric).Title, metric.Count(needed), by, metric.Count(fewest)))
		}
	}
	for _, row := range s.Rows {
		if row.Saturated && r.Run.Manifest.Status != results.Saturated {
			lines = append(lines, row.Label()+": OVERLOADED, its values describe a queue.")
		}
	}
	lines = append(lines, exclusions(s)...)
	for _, row := range r.measured() {
		lines = append(lines, irregularities(row)...)
	}
	lines = append(lines, unprobed(s.Rows)...)
	lines = append(lines,
		"Total CPU: server and load generator. On one machine the sender's CPU time includes part of the receiver's TCP work, so compare totals.",
		r.missing(),
		r.priceBasis(),
		"Model: ✓ the values agree with the predictions, ✗ some differ.")
	return slices.DeleteFunc(lines, func(line string) bool { return line == "" })
}

// idleMetrics are the metrics that the memory probe measures, and the price, which includes one of them.
var idleMetrics = []string{metric.ServerMemoryPerClient, metric.ServerMemoryStartup, metric.GeneratorMemoryPerClient, metric.Price}

// notProbed is why a row has no memory of idle clients; empty if it has, or if the run has no reason.
func notProbed(row summary.Row) string {
	if row.Typical(metric.ServerMemoryPerClient).Known != summary.NotShown {
		return ""
	}
	for _, t := range row.Trials {
		if why := t.Cost.Idle.NotMeasured; why != "" {
			return results.Plain(why)
		}
	}
	return ""
}

// unprobed is each reason why rows have no memory of idle clients, with the rows if it does not hold for all of them.
func unprobed(rows []summary.Row) (lines []string) {
	var reasons []string
	names := map[string][]string{} // by reason
	for _, row := range rows {
		if why := notProbed(row); why != "" {
			if names[why] == nil {
				reasons = append(reasons, why)
			}
			names[why] = append(names[why], row.Label())
		}
	}
	for _, why := range reasons {
		of := ""
		if len(names[why]) < len(rows) {
			of = " of " + list(names[why])
		}
		lines = append(lines, fmt.Sprintf("n/a: memory per client%s was not measured: %s.", of, why))
	}
	return lines
}

// missing is why a run of an older format version has neither memory per client nor a price.
func (r *Report) missing() string {
	m := r.Run.Manifest
	if m.Schema >= results.Schema {
		return ""
	}
	return fmt.Sprintf("–: the run is of format version %d, without memory per client and price. To measure them: %s", m.Schema, runCommand(m))
}

// priceBasis states what a price is for, and its most important assumption.
func (r *Report) priceBasis() string {
	p := r.prices()
	return fmt.Sprintf("Price: per 1,000 clients and month. It assumes that servers use %s of the rented CPU time, at prices of %s%s.", percent(p.Utilisation), p.Date, marked(p))
}
