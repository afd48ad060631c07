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
	of                func(results.Trial) results.Latency
	metrics           map[float64]string // by percentile: those with a range and perhaps a prediction
	alt, clause       string             // alternative text: a clause per configuration, with the metrics of described
	described         []string
}

var latency = distribution{
	name: "latency", title: "Delivery latency by percentile",
	x:       "share of the expected messages delivered (log scale of the remainder)",
	y:       "ms after the due instant (log scale)",
	of:      func(t results.Trial) results.Latency { return t.Latency },
	metrics: map[float64]string{0.5: metric.P50, 0.99: metric.P99, 0.999: metric.P999},
	alt:     "Delivery latency by percentile. ", clause: "%s: p50 %s ms, p99 %s ms", described: []string{metric.P50, metric.P99},
}

// age is the chart of the age of information that a share of the time does not exceed.
var age = distribution{
	name: "age", title: "Age of information by share of the time",
	x: "share of the time with at most this age (log scale of the remainder)",
	y: "age of the newest message received, ms (log scale)",
	of: func(t results.Trial) results.Latency {
		a := t.Age
		return results.Latency{Histogram: a.Age, Infinite: int64(a.Never), Independent: a.Independent}
	},
	metrics: map[float64]string{0.99: metric.AgeP99},
	alt:     "Age of information by share of the time. ", clause: "%s: mean %s ms, p99 %s ms", described: []string{metric.AgeMean, metric.AgeP99},
}

func (d distribution) card(_ *results.Run, s summary.Summary) (card, bool) {
	var lines []line
	var with []summary.Row
	var predicted, lost bool
	for _, r := range s.Rows {
		if l := d.line(lookIn(s.Rows, r), r); len(l.X) > 1 {
			lines, with = append(lines, l), append(with, r)
			predicted, lost = predicted || len(l.predicted.X) > 0, lost || l.lost
		}
	}
	if len(lines) == 0 {
		return card{}, false
	}
	c := card{Chart: Chart{Title: d.title, Alt: d.alt + describe(with, d.clause, d.described...)}}
	c.panels = []panel{linePanel(Panel{X: d.x, Y: d.y, XScale: "percentile", YScale: "log"}, lines)}
	c.keys = rowKeys(with, lineKey)
	plain := look{color: soft}
	if predicted {
		c.keys = append(c.keys, key{name: "predicted", glyph: predictedGlyph(plain)})
	}
	if lost {
		c.keys = append(c.keys, key{name: "remainder lost", glyph: lostGlyph(plain)})
	}
	return c, true
}

func (d distribution) line(look look, r summary.Row) line {
	const steps = 60 // per decade
	times, l := d.of(r.Pooled), newLine(look, r)
	l.ranges, l.rings = look.series(r, "points"), true
	for i := 0; ; i++ {
		x := math.Pow(10, float64(i)/steps)
		y, infinite, ok := times.Quantile(1 - 1/x)
		if !ok {
			l.lost = infinite
			break
		}
		l.add(x, exactly(positive(metric.Milliseconds(y))))
	}
	for _, q := range []float64{0.5, 0.9, 0.99, 0.999, 0.9999} {
		x := 1 / (1 - q)
		if y, _, ok := times.Quantile(q); ok {
			l.marks.add(x, exactly(positive(metric.Milliseconds(y))))
		}
		name := d.metrics[q]
		if name == "" {
			continue
		}
		if p, ok := r.Predicted(name); ok && p.Value > 0 {
			l.predicted.add(x, exactly(p.Value))
		}
		l.ranges.add(x, metricOf(r, name))
	}
	return l
}
