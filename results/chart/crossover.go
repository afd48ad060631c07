package chart

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"
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

// crossover draws which transport is cheapest for each load and each staleness that is
// acceptable, and where the border runs.
func crossover(run *results.Run, s summary.Summary) (card, bool) {
	m, ok := compare.CostMap(run, s)
	if !ok {
		return card{}, false
	}
	c := card{name: "crossover", title: "The cheapest transport that is fresh enough"}
	p := newPlot()
	columns, rows := len(m.Staleness), len(m.Loads)
	var staleness, loads []string
	for _, d := range m.Staleness {
		staleness = append(staleness, stale(d))
	}
	for _, x := range m.Loads {
		loads = append(loads, metric.Number(x))
	}
	if m.Axis == "" { // there is one load
		loads = []string{""}
	}
	p.X.Min, p.X.Max, p.X.Tick.Marker, p.X.Tick.LineStyle.Color = -0.5, float64(columns)-0.5, under(staleness), color.Transparent
	p.Y.Min, p.Y.Max, p.Y.Tick.Marker, p.Y.Tick.LineStyle.Color = -0.5, float64(rows)-0.5, under(loads), color.Transparent
	p.Add(costMap{m})
	c.plots = []panel{{plot: p, share: 1, y: loadTitle[m.Axis], x: "acceptable staleness: the p99 of latency may be so much"}}
	var seen []string
	for _, r := range s.Rows {
		if !slices.Contains(seen, r.Transport) {
			seen = append(seen, r.Transport)
			c.keys = append(c.keys, swatchKey(r.Transport, tint(lookOf(r.Transport).color)))
		}
	}
	c.keys = append(c.keys, strokeKey("border", borderStyle))
	c.alt = "The cheapest transport by " + metric.ByName(m.Cost).Title + ", for each load and acceptable staleness. " + crossoverAlt(costMap{m})
	return c, true
}

var borderStyle = draw.LineStyle{Color: ink, Width: 2}

// stale is a staleness as people say it.
func stale(d time.Duration) string {
	if d >= time.Second {
		return metric.Number(d.Seconds()) + " s"
	}
	return metric.Number(metric.Milliseconds(d)) + " ms"
}

// loadTitle is what the loads of a search or a map are.
var loadTitle = map[string]string{"rate": "messages published a second", "clients": "clients", "payload": "payload, B"}

// A costMap is a plotter of cells, each with its cheapest transport and what that costs.
type costMap struct{ compare.Crossover }

// Plot implements plot.Plotter.
func (m costMap) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	name, cost := boldStyle(8.5, ink), textStyle(7.5, ink)
	name.XAlign, cost.XAlign = text.XCenter, text.XCenter
	for row, cells := range m.Cells {
		for column, cell := range cells {
			left, right := x(float64(column)-0.5), x(float64(column)+0.5)
			bottom, top := y(float64(row)-0.5), y(float64(row)+0.5)
			at := vg.Point{X: (left + right) / 2, Y: (bottom + top) / 2}
			if len(cell.Meeting) == 0 {
				fill(&c, textStyle(8, soft), vg.Point{X: left + 4, Y: at.Y}, strings.Replace(cell.Empty(), " meets", "\nmeets", 1)) // in two lines, as cells are narrow
				continue
			}
			m.paint(&c, cell, left, right, bottom, top)
			fill(&c, name, vg.Point{X: at.X, Y: at.Y + 2}, strings.Join(cell.Names(), " ≈ "))
			fill(&c, cost, vg.Point{X: at.X, Y: at.Y - 9}, m.cost(cell))
		}
	}
	m.border(&c, x, y)
}

// paint divides a cell among those that cost alike.
func (m costMap) paint(c *draw.Canvas, cell compare.Cell, left, right, bottom, top vg.Length) {
	each := (right - left) / vg.Length(cell.Cheapest)
	for i, r := range cell.Meeting[:cell.Cheapest] {
		from := left + vg.Length(i)*each
		c.FillPolygon(tint(lookOf(r.Transport).color), []vg.Point{{X: from, Y: bottom}, {X: from + each, Y: bottom}, {X: from + each, Y: top}, {X: from, Y: top}})
	}
	c.StrokeLines(draw.LineStyle{Color: paper, Width: 1}, []vg.Point{{X: left, Y: bottom}, {X: right, Y: bottom}, {X: right, Y: top}, {X: left, Y: top}, {X: left, Y: bottom}})
}

// cost is what the cheapest costs, and how many times that the next.
func (m costMap) cost(cell compare.Cell) string {
	v, _ := cell.Meeting[0].Median(m.Cost)
	said := v.String() + " " + cmp.Or(metric.ByName(m.Cost).Unit, m.Cost)
	if len(cell.Meeting) > cell.Cheapest {
		next := cell.Meeting[cell.Cheapest]
		other, _ := next.Median(m.Cost)
		said += fmt.Sprintf(", %s × %s", next.Transport, metric.Number(other.X/v.X))
	}
	return said
}

// border runs between neighbours of which one is polled and the other pushed.
func (m costMap) border(c *draw.Canvas, x, y func(float64) vg.Length) {
	polled := func(row, column int) (is, known bool) {
		cell := m.Cells[row][column]
		if len(cell.Meeting) == 0 {
			return false, false
		}
		return transports.Of(cell.Meeting[0].Transport).Timed, true
	}
	for row := range m.Cells {
		for column := range m.Staleness {
			is, known := polled(row, column)
			right, below, left, above := x(float64(column)+0.5), y(float64(row)-0.5), x(float64(column)-0.5), y(float64(row)+0.5)
			if column+1 < len(m.Staleness) {
				if next, ok := polled(row, column+1); known && ok && next != is {
					c.StrokeLine2(borderStyle, right, below, right, above)
				}
			}
			if row+1 < len(m.Cells) {
				if next, ok := polled(row+1, column); known && ok && next != is {
					c.StrokeLine2(borderStyle, left, above, right, above)
				}
			}
		}
	}
}

func crossoverAlt(m costMap) string {
	var said []string
	for i, load := range m.Loads {
		for j, staleness := range m.Staleness {
			cell := m.Cells[i][j]
			cheapest := cell.Empty()
			if len(cell.Meeting) > 0 {
				cheapest = strings.Join(cell.Names(), " or ") + " at " + m.cost(cell)
			}
			where := stale(staleness)
			if load > 0 {
				where = metric.Number(load) + " " + loadTitle[m.Axis] + ", " + where
			}
			said = append(said, where+": "+cheapest)
		}
	}
	return strings.Join(said, "; ") + "."
}
