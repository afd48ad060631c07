package chart

import (
	"fmt"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// freshness draws how old what clients hold is: the age that a share of the time does not
// exceed. A line ends as those of latency do.
func freshness(_ *results.Run, s summary.Summary) (card, bool) {
	c := card{name: "freshness", title: "How old what a client holds is, by share of the time"}
	var lines []curve
	var with []summary.Row
	var said []string
	for _, r := range s.Rows {
		f := r.Pooled.Freshness
		age := results.Latency{Histogram: f.Age, Infinite: int64(f.Never), Independent: f.Independent}
		if one := newCurve(age, lookIn(s.Rows, r), agePredicted(r)); len(one.points) > 1 {
			lines, with = append(lines, one), append(with, r)
			said = append(said, fmt.Sprintf("%s: mean %s ms, p99 %s ms", r.Name, r.Value(metric.AgeMean), r.Value(metric.AgeP99)))
		}
	}
	if len(lines) == 0 {
		return card{}, false
	}
	p := newPlot()
	setLatencyAxes(p, lines)
	for i := len(lines) - 1; i >= 0; i-- {
		p.Add(lines[i])
	}
	const (
		x = "share of the time in which it was no older (log scale of what is left)"
		y = "milliseconds since the newest message held was due (log scale)"
	)
	c.plots = []panel{{plot: p, share: 1, x: x, y: y}}
	c.live = []results.Panel{percentilePanel(x, y, with, lines, map[float64]string{0.99: metric.AgeP99})}
	c.keys = append(rowKeys(with, lineKey), latencyKeys(lines)...)
	c.alt = "Age of information by share of the time. " + strings.Join(said, "; ") + "."
	return c, true
}

// agePredicted is what theory says of a share of the time: of the 99th percentile alone.
func agePredicted(r summary.Row) func(q float64) (results.Prediction, bool) {
	return func(q float64) (results.Prediction, bool) {
		if q != 0.99 {
			return results.Prediction{}, false
		}
		return r.Theory(metric.AgeP99)
	}
}
