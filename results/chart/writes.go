package chart

import (
	"fmt"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// writes draws how many messages a write of the server carries, which is what makes one
// cheap, and how many polls came back with nothing.
func writes(_ *results.Run, s summary.Summary) (card, bool) {
	rows := withCost(s.Rows)
	if len(rows) == 0 {
		return card{}, false
	}
	carried, empty := bars{width: 0.5}, bars{width: 0.5}
	var said []string
	for i, r := range rows {
		l := lookIn(rows, r)
		a, b := r.Value(metric.MessagesPerBatch), r.Value(metric.EmptyAnswerShare)
		carried.all = append(carried.all, bar{float64(i), []part{{size: a.X, fill: l.color}}, a.String()})
		empty.all = append(empty.all, bar{float64(i), []part{{size: b.X, fill: l.color}}, b.String()})
		said = append(said, fmt.Sprintf("%s: %s messages a write, %s of the answers empty", r.Name, a, b))
	}
	c := card{name: "writes", title: "How many messages a write carries"}
	c.plots = []panel{
		{plot: byRow(carried, rows), share: 0.5, x: axisNames(rows), title: "Messages a write", y: "a write: answer, event or frame with at least one"},
		{plot: byRow(empty, rows), share: 0.5, x: axisNames(rows), title: "Answers without a message", y: "share of the answers to polls"},
	}
	c.live = []results.Panel{
		grouped("Messages a write", "a write: answer, event or frame with at least one", []string{""}, rows, byMetric(metric.MessagesPerBatch)),
		grouped("Answers without a message", "share of the answers to polls", []string{""}, rows, byMetric(metric.EmptyAnswerShare)),
	}
	c.alt = "Messages a write. " + strings.Join(said, "; ") + "."
	return c, true
}
