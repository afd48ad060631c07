package chart

import (
	"fmt"
	"strings"

	"gonum.org/v1/plot"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// memory draws what an idle client keeps in memory at either end.
func memory(_ *results.Run, s summary.Summary) (card, bool) {
	c := card{name: "memory", title: "Memory an idle client takes"}
	var said []string
	server, generator := bars{width: 0.5}, bars{width: 0.5}
	for i, r := range s.Rows {
		at, l := float64(i), lookIn(s.Rows, r)
		a, b := r.Value(metric.ServerMemoryPerClient), r.Value(metric.GeneratorMemoryPerClient)
		server.all = append(server.all, bar{at, []part{{size: a.X, fill: l.color}}, a.String()})
		generator.all = append(generator.all, bar{at, []part{{size: b.X, fill: tint(l.color)}}, b.String()})
		if a.Known == summary.Shown || b.Known == summary.Shown {
			said = append(said, fmt.Sprintf("%s: server %s KiB, generator %s KiB", r.Name, a, b))
		}
	}
	if len(said) == 0 {
		return card{}, false
	}
	left, right := byRow(server, s.Rows), byRow(generator, s.Rows)
	// One scale for both: the eye compares the panels.
	for _, p := range []*plot.Plot{left, right} {
		upTo(p, max(server.top(), generator.top()))
	}
	const y = "KiB a client, resident, all connected and nothing published yet"
	c.plots = []panel{
		{plot: left, share: 0.5, x: axisNames(s.Rows), title: "In the server", y: y},
		{plot: right, share: 0.5, x: axisNames(s.Rows), title: "In the generator (simulated clients, not browsers)", y: y},
	}
	c.live = memoryPanels(s.Rows)
	c.alt = "Resident memory an idle client takes. " + strings.Join(said, "; ") + "."
	return c, true
}
