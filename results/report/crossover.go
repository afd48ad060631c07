package report

import (
	"fmt"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/scenarios/transports"
)

// crossoverSection is the map of the cheapest transport by load and staleness; it is empty if a run does
// not produce one.
func (r *Report) crossoverSection() Section {
	cost := metric.ByName(r.costMetric())
	all := Section{
		Title: "Crossover: the cheapest transport within the acceptable staleness",
		Note: fmt.Sprintf("By %s, of the median repetition. "+
			"A transport qualifies if its p99 latency is within the staleness and it loses no message. "+
			"With too few observations for a p99, the maximum replaces it. "+
			"The poll interval of short polling is %g of the staleness. Transports that differ by no more than the margin of %s share a cell. "+
			"The map is an estimate, not a verdict.",
			r.costTitle(), compare.PollShare, percent(r.Analysis.Declared.Margin)),
	}
	m, ok := r.costMap()
	if !ok {
		return all
	}
	if len(r.Run.Manifest.Requirements) > 0 { // otherwise the headline
		all.Paragraphs = items("The cheapest transport by load", r.crossoverBorders())
	}
	all.Columns = columns(strings.TrimSpace(axisUnit[m.Axis] + " \\ staleness"))
	for _, s := range m.Staleness {
		all.Columns = append(all.Columns, columns(duration(s))...)
	}
	for i, load := range m.Loads {
		var cheapest []string
		for _, cell := range m.Cells[i] {
			text := cell.EmptyReason()
			if len(cell.Eligible) > 0 {
				v, _ := cell.Eligible[0].Median(cost.Name)
				text = strings.Join(cell.Names(), " ≈ ") + " " + withUnit(v, cost.Unit)
			}
			cheapest = append(cheapest, text)
		}
		all.add(known(load), cheapest)
	}
	return all
}

// axisUnit is the unit of the loads of a map.
var axisUnit = map[string]string{"rate": "messages per second", "clients": "clients", "payload": "payload, B", "": "load"}

// costMap is the map of a run; an invalid run has none.
func (r *Report) costMap() (compare.CostMap, bool) {
	if r.Run.Manifest.Status == results.Invalid {
		return compare.CostMap{}, false
	}
	return compare.NewCostMap(r.Run, r.Summary)
}

// crossoverBorders state at which staleness short polling is cheapest, load by load; none if the run
// produces no map.
func (r *Report) crossoverBorders() (texts []string) {
	m, ok := r.costMap()
	if !ok {
		return nil
	}
	for i, load := range m.Loads {
		where := polledWhere(m, i)
		switch {
		case where == "":
		case load > 0:
			texts = append(texts, fmt.Sprintf("%s %s: %s", metric.Number(load), axisUnit[m.Axis], where))
		default:
			texts = append(texts, results.Capital(where))
		}
	}
	if len(texts) == 0 {
		return []string{"The cheapest transport by load and staleness was not measured"}
	}
	return texts
}

// polledWhere states at which values of staleness short polling alone is cheapest under a load; empty if the
// load was not measured.
func polledWhere(m compare.CostMap, load int) string {
	var where []string
	from, met, measured := -1, false, false // from is the first of the values that extend to the end of the map
	for j, cell := range m.Cells[load] {
		met, measured = met || len(cell.Eligible) > 0, measured || cell.Measured
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
		return "no transport qualifies up to " + last
	case len(where) == 0:
		return "short polling is never cheapest up to " + last
	case from >= 0 && len(where) == len(m.Staleness)-from:
		return "short polling is cheapest from " + where[0] + " on"
	default:
		return "short polling is cheapest only at " + list(where)
	}
}

// Mapped reports whether the run produces a map of the cheapest transport by load and staleness.
func (r *Report) Mapped() bool {
	_, ok := r.costMap()
	return ok
}
