package chart

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// Capacity draws the highest load of each transport, and the latencies at all loads of the search.
func Capacity(c results.Capacity) (Chart, error) {
	load := loadTitle[c.Axis]
	highest := bars{width: 0.6}
	tops := Panel{Title: "Highest load", Y: load, XScale: "names", YScale: "linear"}
	one := card{Chart: Chart{Name: "capacity", Title: "Highest load that meets " + results.Plain(strings.Join(c.Limit, " and "))}}
	var said []string
	var lines []line
	known := false // a search that ended early, or with short windows, has no latencies
	for i, h := range c.Found {
		name, l, label := results.Plain(h.Transport), lookOf(h.Transport), highestLabel(h)
		of := summary.Row{Configuration: results.Configuration{Name: h.Transport, Transport: h.Transport}}
		highest.all = append(highest.all, bar{float64(i), []piece{{size: h.Load, fill: l.color}}, label})
		top, tried := l.series(of, "bars"), newLine(l, of)
		top.add(float64(i), exactly(h.Load))
		for _, p := range slices.SortedStableFunc(slices.Values(h.Probes), func(a, b results.Probe) int { return cmp.Compare(a.Load, b.Load) }) {
			if p.P99 > 0 {
				tried.add(p.Load, exactly(positive(p.P99)))
				known = true
			}
		}
		tried.marks = tried.Series
		tops.Names, tops.Series, lines = append(tops.Names, name), append(tops.Series, top), append(lines, tried)
		one.keys = append(one.keys, lineKey(name, l))
		said = append(said, name+": "+label)
	}
	one.panels = []panel{{Panel: tops, plot: barPlot(highest, under(tops.Names), -0.5, float64(len(c.Found))-0.5)}}
	if known {
		p := linePanel(Panel{Title: "Latency p99 by load", X: load + " (log scale)", Y: "ms (log scale)", XScale: "log", YScale: "log"}, lines)
		p.title = p.Title + ", including loads that failed"
		one.panels[0].share, p.share = 0.4, 0.6
		one.panels = append(one.panels, p)
	}
	one.Alt = "Highest load of each transport, in " + load + ". " + strings.Join(said, "; ") + "."
	kept := ""
	if n := c.Confirmed(); n > 0 {
		kept = fmt.Sprintf(", confirmed %d times", n)
	}
	one.Basis = fmt.Sprintf("%s · within %g %%%s · ≥: limited by the test setup · %s, %d cores", results.Plain(c.Scenario), 100*c.Within, kept, results.Plain(c.Host.CPUModel), c.Host.Cores)
	return one.render()
}

func highestLabel(h results.Highest) string {
	switch load := metric.Number(h.Load); {
	case h.Unfinished != "" && h.Load == 0:
		return "not found"
	case h.Unfinished != "":
		return load + " so far"
	case h.Load == 0:
		return "none"
	case h.SetupLimited || h.Beyond == 0:
		return "≥ " + load
	default:
		return load
	}
}
