package compare

import (
	"slices"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// PollShare is the poll interval as a share of the acceptable staleness: the rest is for the
// network and for a busy server.
const PollShare = 0.8

// A CostMap contains the cheapest transports for each load and each acceptable staleness. Its run
// sweeps the poll interval of short polling, and may sweep the load as well.
type CostMap struct {
	Axis      string          // "rate", "clients" or "payload"; empty: one load
	Cost      string          // metric of the cost; the map compares its medians over the repetitions
	Loads     []float64       // ascending, in the axis's unit; a single 0 for one load
	Staleness []time.Duration // ascending
	Cells     [][]Cell        // by load, then by staleness
}

// A Cell is one load and one acceptable staleness.
type Cell struct {
	Eligible []summary.Row // rows with a p99 within the staleness and no lost message, cheapest first
	Cheapest int           // how many of these are cheapest: their cost exceeds that of the first by at most the margin
	Measured bool          // every configuration of the load has a valid trial
}

// EmptyReason returns why the cell has no eligible row: some configuration was not measured, or all
// exceed the limit.
func (c Cell) EmptyReason() string {
	if !c.Measured {
		return "not measured"
	}
	return "no transport meets the limit"
}

// NewCostMap returns the map of a run; ok is false if its configurations do not define one.
func NewCostMap(run *results.Run, s summary.Summary) (c CostMap, ok bool) {
	for _, r := range s.Rows {
		if r.Interval > 0 {
			c.Staleness = append(c.Staleness, time.Duration(float64(r.Interval)/PollShare))
		}
	}
	slices.Sort(c.Staleness)
	c.Staleness = slices.Compact(c.Staleness)
	if len(c.Staleness) < 2 || len(run.Manifest.Transports) < 2 {
		return CostMap{}, false
	}
	loadOf := func(summary.Row) float64 { return 0 }
	for _, axis := range []struct {
		name   string
		loadOf func(summary.Row) float64
	}{
		{"rate", func(r summary.Row) float64 { return r.PublishRate }},
		{"clients", func(r summary.Row) float64 { return float64(r.Clients) }},
		{"payload", func(r summary.Row) float64 { return r.PayloadBytes }},
	} {
		if slices.ContainsFunc(s.Rows, func(r summary.Row) bool { return axis.loadOf(r) > 0 }) {
			c.Axis, loadOf = axis.name, axis.loadOf
			break
		}
	}
	for _, r := range s.Rows {
		c.Loads = append(c.Loads, loadOf(r))
	}
	slices.Sort(c.Loads)
	c.Loads = slices.Compact(c.Loads)
	c.Cost = run.Manifest.CostMetric()
	margin := run.Manifest.Compare.OrDefault().Margin
	for _, load := range c.Loads {
		var cells []Cell
		for _, staleness := range c.Staleness {
			cells = append(cells, cellOf(s.Rows, c.Cost, staleness, margin, func(r summary.Row) bool { return loadOf(r) == load }))
		}
		c.Cells = append(c.Cells, cells)
	}
	return c, true
}

// cellOf returns the cell of a staleness and of the rows for which atLoad returns true. Of the poll
// intervals of short polling, only the cheapest is eligible.
func cellOf(rows []summary.Row, metric string, staleness time.Duration, margin float64, atLoad func(summary.Row) bool) (c Cell) {
	c.Measured = true
	for _, r := range rows {
		if !atLoad(r) {
			continue
		}
		c.Measured = c.Measured && len(r.Trials) > 0
		if meets(r, metric, staleness) {
			c.Eligible = append(c.Eligible, r)
		}
	}
	summary.SortByMedian(c.Eligible, metric)
	polls := 0
	c.Eligible = slices.DeleteFunc(c.Eligible, func(r summary.Row) bool {
		if r.Interval > 0 {
			polls++
		}
		return r.Interval > 0 && polls > 1
	})
	for _, r := range c.Eligible {
		if summary.OrderByMedian(c.Eligible[0], r, metric, margin) == 0 {
			c.Cheapest++
		}
	}
	return c
}

// meets reports whether a row lost no message and its p99 is within the staleness. With too few
// observations for a p99, the maximum decides.
func meets(r summary.Row, name string, staleness time.Duration) bool {
	if len(r.Trials) == 0 || r.Saturated || r.Pooled.Ledger.Lost+r.Pooled.Ledger.DeclaredGap > 0 {
		return false
	}
	if cost, ok := r.Median(name); !ok || cost.Known != summary.Shown {
		return false
	}
	v := r.Value(metric.P99)
	if v.Known == summary.TooFew {
		v = r.Value(metric.Max)
	}
	return v.Known == summary.Shown && v.X <= metric.Milliseconds(staleness)
}

// Names returns the transports of the cheapest rows.
func (c Cell) Names() (names []string) {
	for _, r := range c.Eligible[:c.Cheapest] {
		names = append(names, r.Transport)
	}
	return names
}
