package chart

import (
	"fmt"
	"slices"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// connect draws the time, bytes and CPU of connecting and subscribing a client.
func connect(_ *results.Run, s summary.Summary) (card, bool) {
	rows := slices.DeleteFunc(slices.Clone(s.Rows), func(r summary.Row) bool { return r.Pooled.Connect.Stages["ready"].Count() == 0 })
	if len(rows) == 0 {
		return card{}, false
	}
	var stages []string
	var times []part
	for _, stage := range results.Stages {
		if slices.ContainsFunc(rows, func(r summary.Row) bool { return r.Pooled.Connect.Stages[stage].Count() > 0 }) {
			stages = append(stages, stage)
			times = append(times, part{stageNames[stage], func(r summary.Row) reading { return stageMedian(r, stage) }, full})
		}
	}
	bytes := []part{partOf("up", metric.ConnectBytesUp, full), partOf("down", metric.ConnectBytesDown, full)}
	cpu := []part{partOf("user", metric.ConnectServerUser, full), partOf("kernel", metric.ConnectServerSystem, tint)}
	c := card{Chart: Chart{Title: "Time and cost to connect"}}
	c.panels = []panel{
		{Panel: grouped("Time by stage, p50", "milliseconds", rows, times...), share: 0.66, title: stageTitle(rows)},
		{Panel: grouped("Bytes", "B per client, until subscribed", rows, bytes...), share: 0.34},
		{Panel: grouped("Server CPU", "µs per client", rows, cpu...)},
	}
	c.panels[0].plot = sideBySide(rows, 0.8, c.panels[0].Names, func(r summary.Row, group int) bar { return stageBar(rows, r, stages[group], times[group]) })
	c.panels[1].plot = sideBySide(rows, 0.84, c.panels[1].Names, func(r summary.Row, group int) bar {
		return stack(rows, r, bytes[group].of(r).String(), false, bytes[group])
	})
	if !slices.ContainsFunc(rows, func(r summary.Row) bool { return r.Value(metric.ConnectServerUser).Known != summary.Shown }) {
		c.panels[0].share, c.panels[1].share, c.panels[2].share = 0.5, 0.26, 0.24
		c.panels[2].y = "µs per client (light: kernel)"
		c.panels[2].plot = sideBySide(rows, 1, []string{""}, func(r summary.Row, _ int) bar {
			return stack(rows, r, r.Value(metric.ConnectServerCPU).String(), false, cpu...)
		})
	}
	c.keys = rowKeys(rows, func(name string, l look) key { return key{name: name, fill: l.color} })
	c.Alt = "Time and bytes to connect. " + describe(rows, "%s: p50 %s ms, p99 %s ms, %s B up, %s B down, %s µs of server CPU",
		metric.ConnectP50, metric.ConnectP99, metric.ConnectBytesUp, metric.ConnectBytesDown, metric.ConnectServerCPU)
	return c, true
}

// stageTitle returns the title of the stages. With fewer than 1,000 connections there is no p99.
func stageTitle(rows []summary.Row) string {
	if slices.ContainsFunc(rows, func(r summary.Row) bool { return r.Value(metric.ConnectP99).Known == summary.Shown }) {
		return "Time by stage: p50 (full) and p99 (light)"
	}
	return fmt.Sprintf("Time by stage: p50 (p99 requires %s connections)", metric.Count(results.Needed(0.99)))
}

// stageNames are the titles of the stages.
var stageNames = map[string]string{
	"tcp":    "TCP",
	"tls":    "TLS",
	"answer": "first response",
	"ready":  "subscribed",
}

// stageMedian returns a stage's p50 with its range over the trials.
func stageMedian(r summary.Row, stage string) reading {
	v := summary.StageQuantile(r.Pooled, stage, 0.5)
	m := reading{v, true, v.X, v.X}
	for _, t := range r.Trials {
		if one := summary.StageQuantile(t, stage, 0.5); one.Known == summary.Shown {
			m.lo, m.hi = min(m.lo, one.X), max(m.hi, one.X)
		}
	}
	return m
}

// stageBar returns a bar of the p50, continued in a light colour up to the p99, if there is one.
func stageBar(rows []summary.Row, r summary.Row, stage string, p50 part) bar {
	p99 := summary.StageQuantile(r.Pooled, stage, 0.99)
	if p99.Known != summary.Shown {
		return stack(rows, r, p50.of(r).String(), false, p50)
	}
	b := stack(rows, r, p99.String(), true, p50)
	b.pieces = append(b.pieces, piece{size: p99.X - p50.of(r).X, fill: tint(lookIn(rows, r).color)})
	return b
}
