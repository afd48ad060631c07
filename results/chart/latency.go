package chart

import (
	"math"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// A distribution is a chart of times by percentile, with a line per configuration. Its axis is
// 1/(1−q), so that each decade is another nine. A line ends where too few independent observations
// lie beyond it, or at the share of lost messages.
type distribution struct {
	name, title, x, y string
	times             func(results.Trial) results.Latency
	metrics           map[float64]string // by percentile: those that the model may predict
	alt, clause       string             // alternative text: a clause per configuration, with the metrics of described
	described         []string
}

var latency = distribution{
	name: "latency", title: "Delivery latency by percentile",
	x:       "share of the expected messages delivered (log scale of the remainder)",
	y:       "ms after the due instant (log scale)",
	times:   func(t results.Trial) results.Latency { return t.Latency },
	metrics: map[float64]string{0.5: metric.P50, 0.99: metric.P99, 0.999: metric.P999},
	alt:     "Delivery latency by percentile. ", clause: "%s: p50 %s ms, p99 %s ms", described: []string{metric.P50, metric.P99},
}

// age is the chart of the age of information that a share of the time does not exceed.
var age = distribution{
	name: "age", title: "Age of information by share of the time",
	x: "share of the time with at most this age (log scale of the remainder)",
	y: "age of the newest message received, ms (log scale)",
	times: func(t results.Trial) results.Latency {
		a := t.Age
		return results.Latency{Histogram: a.Age, Infinite: int64(a.Never), Independent: a.Independent}
	},
	metrics: map[float64]string{0.99: metric.AgeP99},
	alt:     "Age of information by share of the time. ", clause: "%s: mean %s ms, p99 %s ms", described: []string{metric.AgeMean, metric.AgeP99},
}

func (d distribution) of(_ *results.Run, s summary.Summary) Chart {
	p := Panel{X: Axis{Title: d.x, Scale: percentile}, Y: Axis{Title: d.y, Scale: logarithmic}}
	var with []summary.Row
	has := map[string]bool{}
	for i, r := range s.Rows {
		all := d.series(lookIn(s.Rows, r), r)
		if len(all[0].X) < 2 {
			continue
		}
		for k := range all {
			if all[k].Kind != line && all[k].Kind != lost {
				all[k].Shift = spread(i, len(s.Rows))
			}
			has[all[k].Kind] = has[all[k].Kind] || len(all[k].X) > 0
		}
		p.Series, with = append(p.Series, all...), append(with, r)
	}
	c := Chart{Title: d.title, Alt: d.alt + describe(with, d.clause, d.described...), Panels: []Panel{p}, Keys: rowKeys(s.Rows, with, line)}
	for _, k := range []Key{{"predicted", predicted, plain}, {"remainder lost", lost, plain}} {
		if has[k.Kind] {
			c.Keys = append(c.Keys, k)
		}
	}
	if c.ranged() {
		c.Keys = append(c.Keys, Key{Name: "lines: all repetitions together, markers: their median"})
	}
	return c
}

// series returns the line of a row, which pools its repetitions; its percentiles, which are the medians of the
// repetitions as in the table; the predictions; and where the line ends because of losses.
func (d distribution) series(look Style, r summary.Row) []Series {
	const steps = 60 // per decade
	times, over := d.times(r.Pooled), seriesOf(r, line, look)
	at, model, end := seriesOf(r, points, look), seriesOf(r, predicted, look.fill()), seriesOf(r, lost, look)
	for i := 0; ; i++ {
		x := fourDigits(math.Pow(10, float64(i)/steps))
		y, infinite, ok := times.Quantile(1 - 1/x)
		if !ok {
			if n := len(over.X); infinite && n > 0 {
				end.add(over.X[n-1], exactly(over.Y[n-1]))
			}
			break
		}
		over.add(x, exactly(positive(metric.Milliseconds(y))))
	}
	for _, q := range []float64{0.5, 0.9, 0.99, 0.999, 0.9999} {
		x := fourDigits(1 / (1 - q))
		v := medianOf(r, func(t results.Trial) summary.Value { return quantile(d.times(t), q) })
		v.X, v.lo, v.hi = positive(v.X), positive(v.lo), positive(v.hi)
		at.add(x, v)
		if p, ok := r.Predicted(d.metrics[q]); ok && p.Value > 0 {
			model.add(x, exactly(p.Value))
		}
	}
	return []Series{over, at, model, end}
}

// quantile returns a quantile in ms, unless it is withheld.
func quantile(l results.Latency, q float64) summary.Value {
	d, _, ok := l.Quantile(q)
	if !ok {
		return withheld.Value
	}
	return summary.Value{X: metric.Milliseconds(d)}
}
