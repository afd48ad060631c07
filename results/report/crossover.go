package report

import (
	"fmt"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

// crossoverSection is the map of the cheapest transport by load and staleness; it is empty where a run
// does not make one.
func (r *Report) crossoverSection() section {
	cost := metric.ByName(r.costMetric())
	all := section{
		Title: "Crossover: the cheapest transport that is fresh enough",
		Note: fmt.Sprintf("By %s, of the median block, among those whose p99 of latency is within the acceptable staleness and that lose nothing. "+
			"A short poll asks every %g of it. Those that differ by no more than the margin of %s stand together. This describes what was measured; it is no verdict.",
			cost.Title, compare.PollShare, percent(r.Judgement.Declared.Margin)),
	}
	m, ok := r.costMap()
	if !ok {
		return all
	}
	all.Heading = []string{strings.TrimSpace(axisUnit[m.Axis] + " \\ staleness")}
	for _, s := range m.Staleness {
		all.Heading = append(all.Heading, duration(s))
	}
	for i, load := range m.Loads {
		var cheapest []string
		for _, cell := range m.Cells[i] {
			said := cell.Empty()
			if len(cell.Meeting) > 0 {
				v, _ := cell.Meeting[0].Median(cost.Name)
				said = strings.Join(cell.Names(), " ≈ ") + " " + withUnit(v, cost.Unit)
			}
			cheapest = append(cheapest, said)
		}
		all.add(known(load), cheapest)
	}
	return all
}

// axisUnit is what the loads of a map are.
var axisUnit = map[string]string{"rate": "messages a second", "clients": "clients", "payload": "payload, B", "": "load"}

// costMap exists where some figure of the run may be quoted.
func (r *Report) costMap() (compare.Crossover, bool) {
	if r.Run.Manifest.Status == results.Invalid {
		return compare.Crossover{}, false
	}
	return compare.CostMap(r.Run, r.Summary)
}

// crossoverSaid says at which staleness polling is cheapest, load by load; empty where the
// run makes no map.
func (r *Report) crossoverSaid() string {
	m, ok := r.costMap()
	if !ok {
		return ""
	}
	var said []string
	for i, load := range m.Loads {
		where := polledWhere(m, i)
		if where != "" && load > 0 {
			where = fmt.Sprintf("at %s %s %s", metric.Number(load), axisUnit[m.Axis], where)
		}
		if where != "" {
			said = append(said, where)
		}
	}
	if len(said) == 0 {
		return "the cheapest transport by load and staleness was not measured"
	}
	return "short polling is cheapest, by " + metric.ByName(r.costMetric()).Title + ", " + strings.Join(said, "; ")
}

// polledWhere says at which stalenesses short polling alone is cheapest under a load; empty where
// that was not measured.
func polledWhere(m compare.Crossover, load int) string {
	var where []string
	from, met, measured := -1, false, false // from is where they begin that last to the end
	for j, cell := range m.Cells[load] {
		met, measured = met || len(cell.Meeting) > 0, measured || cell.Measured
		if names := cell.Names(); len(names) != 1 || names[0] != transports.ShortPoll {
			from = -1
			continue
		}
		where = append(where, duration(m.Staleness[j]))
		if from < 0 {
			from = j
		}
	}
	last := duration(m.Staleness[len(m.Staleness)-1])
	switch {
	case !met && !measured:
		return ""
	case !met:
		return "nothing keeps to any staleness up to " + last
	case len(where) == 0:
		return "at no staleness up to " + last
	case from >= 0 && len(where) == len(m.Staleness)-from:
		return "from " + where[0] + " on"
	default:
		return "at " + list(where) + " alone"
	}
}

// CrossoverTable is the map for a terminal; empty where the run does not make one.
func (r *Report) CrossoverTable(opts TableOptions) string {
	s := r.crossoverSection()
	if len(s.Rows) == 0 {
		return ""
	}
	return s.drawn(opts) + "\n" + opts.Wrap(s.Note) + "\n"
}
