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
func Capacity(c results.Capacity) (Chart, error) { return capacity(c).complete().drawn() }

func capacity(c results.Capacity) Chart {
	load := loadTitle[c.Axis]
	tops := Panel{Title: "Highest load", X: Axis{Scale: named}, Y: Axis{Title: load, Scale: linear}}
	tried := Panel{Title: "Latency p99 by load, including loads that failed", X: Axis{Title: load + " (log scale)", Scale: logarithmic}, Y: Axis{Title: "ms (log scale)", Scale: logarithmic}}
	one := Chart{Name: "capacity", Title: "Highest load that meets " + results.Plain(strings.Join(c.Limit, " and "))}
	var said []string
	var rows []summary.Row
	for _, h := range c.Found {
		of := h.Configuration()
		of.Name = results.Plain(of.Name)
		rows = append(rows, summary.Row{Configuration: of})
	}
	one.Keys = rowKeys(rows, rows, line)
	for i, h := range c.Found {
		r, label := rows[i], highestLabel(h)
		look := lookIn(rows, r)
		top := barOf(r, look.fill(), float64(i), 0.6, exactly(h.Load))
		top.Labels = []string{label}
		over := seriesOf(r, line, look)
		probes := slices.SortedStableFunc(slices.Values(h.Probes), func(a, b results.Probe) int { return cmp.Compare(a.Load, b.Load) })
		for i, p := range probes {
			if at, ok := h.At(p.Load); ok { // the table has its latency
				p = at
			}
			last := i == len(probes)-1 || probes[i+1].Load != p.Load
			if p.P99 > 0 && p.Load > 0 && last { // a search that ended early, or with short windows, has no latencies
				over.add(p.Load, exactly(positive(p.P99)))
			}
		}
		at := over
		at.Kind, at.Dash = points, nil
		tops.X.Names, tops.Series = append(tops.X.Names, nameLines(r.Name)), append(tops.Series, top)
		tried.Series = append(tried.Series, over, at)
		said = append(said, r.Label()+": "+label)
	}
	one.Panels = []Panel{tops, tried}
	if one.Mark = "ESTIMATE"; c.Unfinished() {
		one.Mark = string(results.Partial)
	}
	one.Alt = "Highest load of each transport, in " + load + ". " + strings.Join(said, "; ") + "."
	kept := ""
	if n := c.Confirmed(); n > 0 {
		kept = fmt.Sprintf(", confirmed %d times", n)
	}
	if strings.Contains(one.Alt, "≥") {
		kept += " · ≥: the search ended at its highest load, or at the limit of the test setup"
	}
	one.Basis = fmt.Sprintf("%s · within %g %%%s · %s, %d cores", results.Plain(c.Scenario), 100*c.Within, kept, results.Plain(c.Host.CPUModel), c.Host.Cores)
	return one
}

func highestLabel(h results.Highest) string {
	switch load := metric.Number(h.Load); {
	case h.Unfinished != "" && h.Load == 0:
		return "not found"
	case h.Unfinished != "":
		return load + " so far"
	case h.Unmeasured():
		return "not measured"
	case h.Load == 0:
		return "none"
	case h.SetupLimited || h.Beyond == 0:
		return "≥ " + load
	default:
		return load
	}
}
