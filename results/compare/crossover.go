package compare

import (
	"slices"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// PollShare is the share of an acceptable staleness that a poll interval takes: the rest is
// for the way, and for a server that is busy.
const PollShare = 0.8

// A Crossover says, for each load and each staleness that an application can accept, which
// transport that keeps to it costs least: the map of a run that sweeps its load, the
// interval of its short polls, or both.
type Crossover struct {
	Axis      string          // "rate", "clients" or "payload"; empty: there is one load
	Cost      string          // the metric that tells cheap from dear, of the median block
	Loads     []float64       // rising, in the axis's unit; one 0 where there is one load
	Staleness []time.Duration // rising
	Cells     [][]Cell        // by load, then by staleness
}

// A Cell is one load and one acceptable staleness.
type Cell struct {
	Meeting  []summary.Row // whose p99 is within the staleness, the cheapest first, with nothing lost
	Cheapest int           // so many of these cost alike: they differ from the first by no more than the margin
	Measured bool          // every case of the load has a valid trial
}

// Empty is what stands in a cell that no transport is in: that a case was not measured is no
// finding about it.
func (c Cell) Empty() string {
	if !c.Measured {
		return "not measured"
	}
	return "no transport meets the limit"
}

// CostMap draws the map from what a run measured; ok is false where its cases do not make one.
func CostMap(run *results.Run, s summary.Summary) (c Crossover, ok bool) {
	for _, r := range s.Rows {
		if r.Interval > 0 {
			c.Staleness = append(c.Staleness, time.Duration(float64(r.Interval)/PollShare))
		}
	}
	slices.Sort(c.Staleness)
	c.Staleness = slices.Compact(c.Staleness)
	if len(c.Staleness) < 2 || len(run.Manifest.Transports) < 2 {
		return Crossover{}, false
	}
	of := func(summary.Row) float64 { return 0 }
	for _, axis := range []struct {
		name string
		of   func(summary.Row) float64
	}{
		{"rate", func(r summary.Row) float64 { return r.PublishRate }},
		{"clients", func(r summary.Row) float64 { return float64(r.Clients) }},
		{"payload", func(r summary.Row) float64 { return r.PayloadBytes }},
	} {
		if slices.ContainsFunc(s.Rows, func(r summary.Row) bool { return axis.of(r) > 0 }) {
			c.Axis, of = axis.name, axis.of
			break
		}
	}
	for _, r := range s.Rows {
		c.Loads = append(c.Loads, of(r))
	}
	slices.Sort(c.Loads)
	c.Loads = slices.Compact(c.Loads)
	c.Cost = run.Manifest.Workload.CostMetric()
	margin := run.Manifest.Compare.OrDefault().Margin
	for _, load := range c.Loads {
		var cells []Cell
		for _, staleness := range c.Staleness {
			cells = append(cells, cellOf(s.Rows, c.Cost, staleness, margin, func(r summary.Row) bool { return of(r) == load }))
		}
		c.Cells = append(c.Cells, cells)
	}
	return c, true
}

// cellOf are the rows of one load that keep to a staleness. Of short polls only the cheapest
// interval stands for all.
func cellOf(rows []summary.Row, metric string, staleness time.Duration, margin float64, of func(summary.Row) bool) (c Cell) {
	c.Measured = true
	for _, r := range rows {
		if !of(r) {
			continue
		}
		c.Measured = c.Measured && len(r.Trials) > 0
		if keeps(r, metric, staleness) {
			c.Meeting = append(c.Meeting, r)
		}
	}
	summary.SortByMedian(c.Meeting, metric)
	polls := 0
	c.Meeting = slices.DeleteFunc(c.Meeting, func(r summary.Row) bool {
		if r.Interval > 0 {
			polls++
		}
		return r.Interval > 0 && polls > 1
	})
	for _, r := range c.Meeting {
		least, _ := c.Meeting[0].Median(metric)
		if cost, _ := r.Median(metric); cost.X <= (1+margin)*least.X {
			c.Cheapest++
		}
	}
	return c
}

// keeps says whether a row lost nothing and was late for at most one message in a hundred.
// Where there are too few for a p99, the largest latency decides.
func keeps(r summary.Row, name string, staleness time.Duration) bool {
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

// Names of the cheapest, by transport.
func (c Cell) Names() (names []string) {
	for _, r := range c.Meeting[:c.Cheapest] {
		names = append(names, r.Transport)
	}
	return names
}
