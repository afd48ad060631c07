package chart

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// crossover has the cheapest transport for each load and each acceptable staleness, and the border
// between polling and pushing.
func crossover(run *results.Run, s summary.Summary) (c Chart) {
	m, ok := compare.NewCostMap(run, s)
	if !ok {
		return c
	}
	c.Title = "Cheapest transport by acceptable staleness"
	var staleness, loads []string
	for _, d := range m.Staleness {
		staleness = append(staleness, stale(d))
	}
	for _, x := range m.Loads {
		loads = append(loads, metric.Number(x))
	}
	if m.Axis == "" { // one load
		loads = []string{""}
	}
	p := Panel{X: Axis{Title: "acceptable staleness (limit of the latency p99; of the maximum if too few messages for a p99)", Scale: named, Names: staleness}, Y: Axis{Title: loadTitle[m.Axis], Scale: named, Names: loads}}
	for i, cells := range m.Cells {
		for j, cell := range cells {
			p.Series = append(p.Series, boxes(m, cell, float64(j), float64(i))...)
		}
	}
	p.Guides = borders(m.Cells)
	c.Panels = []Panel{p}
	for _, t := range transportsOf(s.Rows) {
		c.Keys = append(c.Keys, Key{t, bars, lookOf(t).fill().light()})
	}
	c.Keys = append(c.Keys, Key{"border between polling and push", border, plain}, Key{Name: "in a cell: " + metric.ByName(m.Cost).Title + " of the cheapest, and the next in multiples of it"})
	var clauses []string
	for i, cells := range m.Cells {
		for j, cell := range cells {
			where, cheapest := staleness[j], cell.EmptyReason()
			if m.Loads[i] > 0 {
				where = loads[i] + " " + loadTitle[m.Axis] + ", " + where
			}
			if len(cell.Eligible) > 0 {
				cheapest = strings.Join(cell.Names(), " or ") + " at " + cheapestCost(m, cell)
			}
			clauses = append(clauses, where+": "+cheapest)
		}
	}
	c.Alt = "Cheapest transport by " + metric.ByName(m.Cost).Title + ", for each load and acceptable staleness. " + strings.Join(clauses, "; ") + "."
	return c
}

// stale formats a staleness in s or ms.
func stale(d time.Duration) string {
	if d >= time.Second {
		return metric.Number(d.Seconds()) + " s"
	}
	return metric.Number(metric.Milliseconds(d)) + " ms"
}

// loadTitle is the title of a load axis, with its unit.
var loadTitle = map[string]string{"rate": "messages published per second", "clients": "clients", "payload": "payload, B"}

// boxes returns a cell of the map. Transports of equal cost share it, and the first has the label.
func boxes(m compare.CostMap, cell compare.Cell, x, y float64) (all []Series) {
	if len(cell.Eligible) == 0 {
		return []Series{{Kind: cells, Width: 1, X: []float64{x}, Y: []float64{y}, Labels: []string{cell.EmptyReason()}}}
	}
	width := 1 / float64(cell.Cheapest)
	for i, r := range cell.Eligible[:cell.Cheapest] {
		s := seriesOf(r, cells, lookOf(r.Transport).fill().light())
		s.Width, s.X, s.Y, s.Labels = width, []float64{x - 0.5 + width*(float64(i)+0.5)}, []float64{y}, []string{""}
		all = append(all, s)
	}
	all[0].Labels[0] = strings.Join(cell.Names(), " ≈ ") + "\n" + cheapestCost(m, cell)
	return all
}

// borders returns the borders between cells of which one polls and the other pushes.
func borders(rows [][]compare.Cell) (all []Guide) {
	for row, cells := range rows {
		for column, cell := range cells {
			x, y := float64(column), float64(row)
			if column+1 < len(cells) && separated(cell, cells[column+1]) {
				all = append(all, Guide{X: []float64{x + 0.5, x + 0.5}, Y: []float64{y - 0.5, y + 0.5}, Kind: border})
			}
			if row+1 < len(rows) && separated(cell, rows[row+1][column]) {
				all = append(all, Guide{X: []float64{x - 0.5, x + 0.5}, Y: []float64{y + 0.5, y + 0.5}, Kind: border})
			}
		}
	}
	return all
}

// separated reports whether there is a border between two cells: one polls and the other pushes.
func separated(a, b compare.Cell) bool {
	return len(a.Eligible) > 0 && len(b.Eligible) > 0 && transports.Of(a.Eligible[0].Transport).Timed != transports.Of(b.Eligible[0].Transport).Timed
}

// cheapestCost returns the cost of the cheapest, and the ratio of the next to it.
func cheapestCost(m compare.CostMap, cell compare.Cell) string {
	v, _ := cell.Eligible[0].Median(m.Cost)
	text := v.String() + " " + cmp.Or(metric.ByName(m.Cost).Unit, m.Cost)
	if m.Cost == metric.Price {
		text = m.Cost + " " + v.String()
	}
	if len(cell.Eligible) > cell.Cheapest {
		next := cell.Eligible[cell.Cheapest]
		other, _ := next.Median(m.Cost)
		text += fmt.Sprintf(" (next: %s %s×)", next.Transport, metric.Number(other.X/v.X))
	}
	return text
}
