package chart

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// connect draws what it takes to get a client from nothing to subscribed.
func connect(_ *results.Run, s summary.Summary) (card, bool) {
	var rows []summary.Row
	for _, r := range s.Rows {
		if r.Pooled.Connect.Stages["ready"].Count() > 0 {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return card{}, false
	}
	c := card{name: "connect", title: "What connecting takes"}
	c.plots = []panel{
		{plot: stagePanel(rows), share: 0.66, title: stageTitle(rows), y: "milliseconds"},
		{plot: helloPanel(rows), share: 0.34, title: "Bytes", y: "B a client, until subscribed"},
	}
	if p := burntPanel(rows); p != nil {
		c.plots[0].share, c.plots[1].share = 0.5, 0.26
		c.plots = append(c.plots, panel{plot: p, share: 0.24, title: "Server CPU", y: "µs a client (light: kernel)"})
	}
	c.keys = rowKeys(rows, func(name string, l look) key { return swatchKey(name, l.color) })
	c.live = connectPanels(rows)
	c.alt = "Time and bytes to connect. " + connectAlt(rows)
	return c, true
}

// stageTitle says what the bars are. Fewer than 1,000 connections have no p99.
func stageTitle(rows []summary.Row) string {
	for _, r := range rows {
		if r.Value(metric.ConnectP99).Known == summary.Shown {
			return "Time by stage: p50 (full) and p99 (light)"
		}
	}
	return fmt.Sprintf("Time by stage: p50 (a p99 needs %s connections)", metric.Count(results.Needed(0.99)))
}

// stageNames are the stages in words.
var stageNames = map[string]string{
	"tcp":    "TCP",
	"tls":    "TLS",
	"answer": "first answer",
	"ready":  "subscribed",
}

// stagePanel groups the cases under each stage: p99 as a light bar that
// goes on where p50 ends.
func stagePanel(rows []summary.Row) *plot.Plot {
	const place = 0.8
	each := place / float64(len(rows))
	b := bars{width: each * 0.82}
	var names []string
	for _, stage := range results.Stages {
		if !slices.ContainsFunc(rows, func(r summary.Row) bool { return r.Pooled.Connect.Stages[stage].Count() > 0 }) {
			continue
		}
		i := len(names)
		names = append(names, stageNames[stage])
		for j, r := range rows {
			p50 := summary.StageQuantile(r.Pooled, stage, 0.5)
			p99 := summary.StageQuantile(r.Pooled, stage, 0.99)
			x := float64(i) - place/2 + each*(float64(j)+0.5)
			b.all = append(b.all, stageBar(x, lookIn(rows, r), p50, p99))
		}
	}
	return barPlot(b, under(names), -0.55, float64(len(names))-0.45)
}

func stageBar(x float64, l look, p50, p99 summary.Value) bar {
	if p99.Known != summary.Shown {
		return bar{x, []part{{size: p50.X, fill: l.color}}, p50.String()}
	}
	return bar{x, []part{{p50.X, l.color, p50.String()}, {size: p99.X - p50.X, fill: tint(l.color)}}, p99.String()}
}

// helloPanel shows the bytes a client sends and receives until it is subscribed.
func helloPanel(rows []summary.Row) *plot.Plot {
	const place = 0.84
	each := place / float64(len(rows))
	b := bars{width: each * 0.82}
	for i, name := range []string{metric.ConnectBytesUp, metric.ConnectBytesDown} {
		for j, r := range rows {
			v := r.Value(name)
			x := float64(i) - place/2 + each*(float64(j)+0.5)
			b.all = append(b.all, bar{x, []part{{size: v.X, fill: lookIn(rows, r).color}}, v.String()})
		}
	}
	return barPlot(b, under([]string{"up", "down"}), -0.55, 1.55)
}

// burntPanel shows what the clients cost the server until they are subscribed, where that is known.
func burntPanel(rows []summary.Row) *plot.Plot {
	each := 1 / float64(len(rows))
	b := bars{width: each * 0.82}
	for i, r := range rows {
		user, system := r.Value(metric.ConnectServerUser), r.Value(metric.ConnectServerSystem)
		if user.Known != summary.Shown {
			return nil
		}
		l := lookIn(rows, r)
		b.all = append(b.all, bar{each * (float64(i) + 0.5), []part{{size: user.X, fill: l.color}, {size: system.X, fill: tint(l.color)}}, r.Value(metric.ConnectServerCPU).String()})
	}
	return barPlot(b, under([]string{""}), -0.05, 1.05)
}

func connectAlt(rows []summary.Row) string {
	var said []string
	for _, r := range rows {
		said = append(said, fmt.Sprintf("%s: p50 %s ms, p99 %s ms, %s B up, %s B down, %s µs of server CPU", r.Name,
			r.Value(metric.ConnectP50), r.Value(metric.ConnectP99), r.Value(metric.ConnectBytesUp), r.Value(metric.ConnectBytesDown), r.Value(metric.ConnectServerCPU)))
	}
	return strings.Join(said, "; ") + "."
}
