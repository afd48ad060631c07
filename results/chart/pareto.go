package chart

import (
	"cmp"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// pareto has the p99 of the latency, or of the age if only the latest message counts, and the price of each
// configuration. A configuration is on the front if no other is both at most as expensive and at most as
// slow. Configurations under different loads have no common front, and no chart.
func pareto(run *results.Run, s summary.Summary) Chart {
	if loadsDiffer(run.Manifest) {
		return Chart{}
	}
	prices := run.Manifest.Prices.OrDefault()
	name, y := metric.P99, "delivery latency p99, ms (log scale)"
	if run.Manifest.Workload.LatestOnly() {
		name, y = metric.AgeP99, "age of information p99, ms (log scale)"
	}
	currency := results.Plain(prices.Currency)
	if prices.Illustrative() {
		currency += " (illustrative)"
	}
	p := Panel{X: Axis{Title: currency + " per 1,000 clients and month (log scale)", Scale: logarithmic}, Y: Axis{Title: y, Scale: logarithmic}}
	var with []summary.Row
	var all []Series
	for _, r := range s.Rows {
		at, cost, time := seriesOf(r, points, lookIn(s.Rows, r)), metricOf(r, metric.Price), metricOf(r, name)
		if !cost.shown() || cost.X <= 0 || cost.lo <= 0 || !time.shown() {
			continue
		}
		time.X, time.lo, time.hi = positive(time.X), positive(time.lo), positive(time.hi)
		at.Dash = nil
		at.add(fourDigits(cost.X), time)
		at.XLo, at.XHi = []float64{fourDigits(cost.lo)}, []float64{fourDigits(cost.hi)}
		with, all = append(with, r), append(all, at)
	}
	best := front(all)
	p.Series = append(all, best)
	c := Chart{Title: "Latency and price", Panels: []Panel{p}, Keys: append(rowKeys(s.Rows, with, points), Key{"front: no other configuration is cheaper and faster", line, best.Style})}
	c.Alt = "p99 and price per 1,000 clients and month. " + describe(with, "%s: p99 %s ms, "+currency+" %s", name, metric.Price) +
		" On the front: " + strings.Join(frontNames(all, best), ", ") + "."
	return c
}

// loadsDiffer reports whether the configurations of a run differ in their load.
func loadsDiffer(m results.Manifest) bool {
	all := m.AllConfigurations()
	low, high := m.Deliveries()
	return low != high || slices.ContainsFunc(all, func(c results.Configuration) bool {
		return c.Clients != all[0].Clients || c.PublishRate != all[0].PublishRate || c.PayloadBytes != all[0].PayloadBytes
	})
}

// front returns a line through the points that no other dominates, from the cheapest to the fastest.
func front(all []Series) Series {
	best := Series{Part: "front", Kind: line, Style: Style{Color: soft, Dash: []float64{1, 2}}}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Series) int { return cmp.Or(cmp.Compare(a.X[0], b.X[0]), cmp.Compare(a.Y[0], b.Y[0])) })
	for _, s := range sorted {
		if n := len(best.Y); n == 0 || s.Y[0] < best.Y[n-1] {
			best.X, best.Y = append(best.X, s.X[0]), append(best.Y, s.Y[0])
		}
	}
	return best
}

func frontNames(all []Series, best Series) (names []string) {
	for i, x := range best.X {
		for _, s := range all {
			if s.X[0] == x && s.Y[0] == best.Y[i] {
				names = append(names, s.Configuration)
			}
		}
	}
	return names
}
