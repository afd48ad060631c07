package chart

import (
	"fmt"
	"slices"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// connect has the time, bytes and CPU of connecting and subscribing a client.
func connect(_ *results.Run, s summary.Summary) Chart {
	rows := slices.DeleteFunc(slices.Clone(s.Rows), func(r summary.Row) bool { return r.Pooled.Connect.Stages["ready"].Count() == 0 })
	var stages, titles []string
	for _, stage := range results.Stages {
		if slices.ContainsFunc(rows, func(r summary.Row) bool { return r.Pooled.Connect.Stages[stage].Count() > 0 }) {
			stages, titles = append(stages, stage), append(titles, stageNames[stage])
		}
	}
	bytes := []string{metric.ConnectBytesUp, metric.ConnectBytesDown}
	user, kernel := partOf("user", metric.ConnectServerUser, full), partOf("kernel", metric.ConnectServerSystem, light)
	byStage := groupPanel(stageTitle(rows), stageUnit(rows), rows, titles, func(r summary.Row, group int, x, width float64) []Series {
		return stageBars(lookIn(rows, r), r, stages[group], x, width)
	})
	byStage.Wide = hasP99(rows) // its labels have two values
	return Chart{
		Title: "Time and cost to connect", Keys: rowKeys(rows, rows, bars),
		Panels: []Panel{
			byStage,
			groupPanel("Bytes", "B per client, until subscribed", rows, []string{"up", "down"}, func(r summary.Row, group int, x, width float64) []Series {
				return stack(rows, r, x, width, metricOf(r, bytes[group]), partOf("", bytes[group], full))
			}),
			groupPanel("Server CPU", "µs per client (light: kernel)", rows, []string{"user + kernel"}, func(r summary.Row, _ int, x, width float64) []Series {
				return stack(rows, r, x, width, metricOf(r, metric.ConnectServerCPU), user, kernel)
			}),
		},
		Alt: "Time and bytes to connect. " + describe(rows, "%s: p50 %s ms, p99 %s ms, %s B up, %s B down, %s µs of server CPU",
			metric.ConnectP50, metric.ConnectP99, metric.ConnectBytesUp, metric.ConnectBytesDown, metric.ConnectServerCPU),
	}
}

// hasP99 reports whether some row has a p99. With fewer than 1,000 connections there is none.
func hasP99(rows []summary.Row) bool {
	return slices.ContainsFunc(rows, func(r summary.Row) bool { return r.Typical(metric.ConnectP99).Known == summary.Shown })
}

// stageTitle returns the title of the stages.
func stageTitle(rows []summary.Row) string {
	if hasP99(rows) {
		return "Time by stage: p50 (full) and p99 (light)"
	}
	return fmt.Sprintf("Time by stage: p50 (p99 requires %s connections)", metric.Count(results.Needed(0.99)))
}

// stageUnit returns the unit of the stages, and what their labels are.
func stageUnit(rows []summary.Row) string {
	if hasP99(rows) {
		return "milliseconds (labels: p99 above p50)"
	}
	return "milliseconds"
}

// stageNames are the titles of the stages.
var stageNames = map[string]string{
	"tcp":      "TCP",
	"tls":      "TLS",
	"response": "first response",
	"ready":    "subscribed",
}

// stageBars returns the bar of a stage's p50 in front of that of its p99, if there is one. The label above has
// both values, because the p50 is often too low for a label in its bar.
func stageBars(look Style, r summary.Row, stage string, x, width float64) []Series {
	quantile := func(q float64) reading {
		return medianOf(r, func(t results.Trial) summary.Value { return summary.StageQuantile(t, stage, q) })
	}
	p50, p99 := barOf(r, look.fill(), x, width, quantile(0.5)), quantile(0.99)
	p50.Part = "p50"
	if !p99.shown() {
		return []Series{p50}
	}
	behind := barOf(r, look.fill().light(), x, width, p99)
	behind.Part = "p99"
	behind.Labels[0] += "\n" + p50.Labels[0]
	p50.Labels, p50.Lo, p50.Hi = nil, nil, nil
	return []Series{behind, p50}
}
