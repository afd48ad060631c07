package report

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"pushbench/results"
	"pushbench/results/compare"
)

// crossoverSection is the map of which transport is cheapest where; it is empty where a run
// does not make one.
func (r *Report) crossoverSection() section {
	all := section{
		Title: "Crossover: the cheapest transport that is fresh enough",
		Note: fmt.Sprintf("By %s, of the median block, among those whose p99 of latency is within the acceptable staleness and that lose nothing. "+
			"A short poll asks every %g of it. Those that differ by no more than the margin of %s stand together. This describes what was measured; it is no verdict.",
			results.MetricByName(r.costMetric()).Title, compare.PollShare, percent(r.Judgement.Declared.Margin)),
	}
	m, ok := r.costMap()
	if !ok {
		return all
	}
	all.Head = []string{strings.TrimSpace(axisUnit[m.Axis] + " \\ staleness")}
	for _, s := range m.Staleness {
		all.Head = append(all.Head, duration(s))
	}
	for i, load := range m.Loads {
		cells := []string{"–"}
		if load > 0 {
			cells[0] = results.Number(load)
		}
		for _, cell := range m.Cells[i] {
			cells = append(cells, r.cellSaid(cell))
		}
		all.Rows = append(all.Rows, line{Cells: cells})
	}
	return all
}

// axisUnit is what the loads of a map are.
var axisUnit = map[string]string{"rate": "messages a second", "clients": "clients", "payload": "payload, B", "": "load"}

// costMap is there where some figure of the run may be quoted.
func (r *Report) costMap() (compare.Crossover, bool) {
	if r.Run.Manifest.Status == results.Invalid {
		return compare.Crossover{}, false
	}
	return compare.CostMap(r.Run, r.Summary)
}

func (r *Report) cellSaid(cell compare.Cell) string {
	if len(cell.Meeting) == 0 {
		return "none keeps to it"
	}
	v, _ := cell.Meeting[0].Median(r.costMetric())
	return strings.Join(cell.Names(), " ≈ ") + " " + withUnit(v, results.MetricByName(r.costMetric()).Unit)
}

// crossoverSaid says from which staleness on polling is cheapest, load by load; empty where the
// run makes no map.
func (r *Report) crossoverSaid() string {
	m, ok := r.costMap()
	if !ok {
		return ""
	}
	var said []string
	for i, load := range m.Loads {
		at := ""
		if load > 0 {
			at = fmt.Sprintf("at %s %s ", results.Number(load), axisUnit[m.Axis])
		}
		from, never := firstPolled(m, i)
		if never {
			said = append(said, at+"at no staleness up to "+duration(m.Staleness[len(m.Staleness)-1]))
		} else {
			said = append(said, at+"from "+duration(from)+" on")
		}
	}
	return "short polling is cheapest, by " + results.MetricByName(r.costMetric()).Title + ", " + strings.Join(said, "; ")
}

// firstPolled is the least staleness at which a short poll is cheapest, alone or with others.
func firstPolled(m compare.Crossover, load int) (from time.Duration, never bool) {
	for j, cell := range m.Cells[load] {
		if len(cell.Meeting) > 0 {
			for _, name := range cell.Names() {
				if name == "shortpoll" {
					return m.Staleness[j], false
				}
			}
		}
	}
	return 0, true
}

// CrossoverTable is the map for a terminal; empty where the run does not make one.
func (r *Report) CrossoverTable(opts TableOptions) string {
	s := r.crossoverSection()
	if len(s.Rows) == 0 {
		return ""
	}
	return s.drawn(opts) + "\n" + lipgloss.Wrap(s.Note, width, " ") + "\n"
}
