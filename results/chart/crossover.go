package chart

import (
	"cmp"
	"fmt"
	"image/color"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// crossover draws the cheapest transport for each load and each acceptable staleness, and the border
// between polling and pushing.
func crossover(run *results.Run, s summary.Summary) (card, bool) {
	m, ok := compare.NewCostMap(run, s)
	if !ok {
		return card{}, false
	}
	c := card{Chart: Chart{Title: "Cheapest transport by acceptable staleness"}}
	p := newPlot()
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
	p.X.Min, p.X.Max, p.X.Tick.Marker, p.X.Tick.LineStyle.Color = -0.5, float64(len(staleness))-0.5, under(staleness), color.Transparent
	p.Y.Min, p.Y.Max, p.Y.Tick.Marker, p.Y.Tick.LineStyle.Color = -0.5, float64(len(loads))-0.5, under(loads), color.Transparent
	p.Add(costMap{m})
	c.panels = []panel{{plot: p, y: loadTitle[m.Axis], x: "acceptable staleness (limit of the latency p99)"}}
	for _, t := range transportsOf(s.Rows) {
		c.keys = append(c.keys, key{name: t, fill: tint(lookOf(t).color)})
	}
	c.keys = append(c.keys, key{name: "border", line: borderStyle})
	var clauses []string
	for i, cells := range m.Cells {
		for j, cell := range cells {
			where, cheapest := staleness[j], cell.EmptyReason()
			if m.Loads[i] > 0 {
				where = loads[i] + " " + loadTitle[m.Axis] + ", " + where
			}
			if len(cell.Eligible) > 0 {
				cheapest = strings.Join(cell.Names(), " or ") + " at " + costMap{m}.cost(cell)
			}
			clauses = append(clauses, where+": "+cheapest)
		}
	}
	c.Alt = "Cheapest transport by " + metric.ByName(m.Cost).Title + ", for each load and acceptable staleness. " + strings.Join(clauses, "; ") + "."
	return c, true
}

var borderStyle = draw.LineStyle{Color: ink, Width: 2}

// stale formats a staleness in s or ms.
func stale(d time.Duration) string {
	if d >= time.Second {
		return metric.Number(d.Seconds()) + " s"
	}
	return metric.Number(metric.Milliseconds(d)) + " ms"
}

// loadTitle is the title of a load axis, with its unit.
var loadTitle = map[string]string{"rate": "messages published per second", "clients": "clients", "payload": "payload, B"}

// A costMap is a plotter of cells, each with its cheapest transport and its cost.
type costMap struct{ compare.CostMap }

// Plot implements plot.Plotter.
func (m costMap) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	box := func(row, column int) (left, bottom, right, top vg.Length) {
		return x(float64(column) - 0.5), y(float64(row) - 0.5), x(float64(column) + 0.5), y(float64(row) + 0.5)
	}
	name, cost := boldStyle(8.5, ink), textStyle(7.5, ink)
	name.XAlign, cost.XAlign = text.XCenter, text.XCenter
	for row, cells := range m.Cells {
		for column, cell := range cells {
			left, bottom, right, top := box(row, column)
			at := vg.Point{X: (left + right) / 2, Y: (bottom + top) / 2}
			if len(cell.Eligible) == 0 {
				fill(&c, textStyle(8, soft), vg.Point{X: left + 4, Y: at.Y}, strings.Replace(cell.EmptyReason(), " meets", "\nmeets", 1)) // two lines, as cells are narrow
				continue
			}
			each := (right - left) / vg.Length(cell.Cheapest) // transports of equal cost share the cell
			for i, t := range cell.Names() {
				from := left + vg.Length(i)*each
				fillBox(&c, tint(lookOf(t).color), from, bottom, from+each, top)
			}
			c.StrokeLines(draw.LineStyle{Color: paper, Width: 1}, []vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}, {X: left, Y: bottom}})
			fill(&c, name, vg.Point{X: at.X, Y: at.Y + 2}, strings.Join(cell.Names(), " ≈ "))
			fill(&c, cost, vg.Point{X: at.X, Y: at.Y - 9}, m.cost(cell))
		}
	}
	for row, cells := range m.Cells {
		for column, cell := range cells {
			left, bottom, right, top := box(row, column)
			if column+1 < len(cells) && separated(cell, cells[column+1]) {
				c.StrokeLine2(borderStyle, right, bottom, right, top)
			}
			if row+1 < len(m.Cells) && separated(cell, m.Cells[row+1][column]) {
				c.StrokeLine2(borderStyle, left, top, right, top)
			}
		}
	}
}

// separated reports whether there is a border between two cells: one polls and the other pushes.
func separated(a, b compare.Cell) bool {
	return len(a.Eligible) > 0 && len(b.Eligible) > 0 && transports.Of(a.Eligible[0].Transport).Timed != transports.Of(b.Eligible[0].Transport).Timed
}

// cost returns the cost of the cheapest, and the ratio of the next to it.
func (m costMap) cost(cell compare.Cell) string {
	v, _ := cell.Eligible[0].Median(m.Cost)
	text := v.String() + " " + cmp.Or(metric.ByName(m.Cost).Unit, m.Cost)
	if len(cell.Eligible) > cell.Cheapest {
		next := cell.Eligible[cell.Cheapest]
		other, _ := next.Median(m.Cost)
		text += fmt.Sprintf(", %s × %s", next.Transport, metric.Number(other.X/v.X))
	}
	return text
}
