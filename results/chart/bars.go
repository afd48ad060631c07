package chart

import (
	"pushbench/results"
	"pushbench/results/summary"
)

// A part is a value of each row that a bar, or a piece of it, shows.
type part struct {
	name  string
	of    func(summary.Row) reading
	style func(Style) Style // from the row's style
}

// partOf returns the part for a metric.
func partOf(name, metric string, style func(Style) Style) part {
	return part{name, func(r summary.Row) reading { return metricOf(r, metric) }, style}
}

// full and light are styles of a part.
func full(s Style) Style  { return s.fill() }
func light(s Style) Style { return s.fill().light() }

// medianOf returns the median of a value of each trial, with its range; or the value of their pool, if one
// has none.
func medianOf(r summary.Row, of func(results.Trial) summary.Value) reading {
	var all []float64
	for _, t := range r.Trials {
		v := of(t)
		if v.Known != summary.Shown {
			pooled := of(r.Pooled)
			return reading{pooled, true, pooled.X, pooled.X}
		}
		all = append(all, v.X)
	}
	if len(all) == 0 {
		return withheld
	}
	m := exactly(summary.Median(all))
	m.ranged, m.lo, m.hi = true, all[0], all[0]
	for _, x := range all {
		m.lo, m.hi = min(m.lo, x), max(m.hi, x)
	}
	return m
}

// barPanel returns a panel with a bar per row, labelled with total: the value of its only part, or the sum
// of its parts.
func barPanel(title, y string, rows []summary.Row, total string, parts ...part) Panel {
	p := Panel{Title: title, X: Axis{Title: axisNames(rows), Scale: named, Names: barNames(rows)}, Y: Axis{Title: y, Scale: linear}}
	for i, r := range rows {
		p.Series = append(p.Series, stack(rows, r, float64(i), 0.62, metricOf(r, total), parts...)...)
	}
	return p
}

// groupPanel returns a panel with a group of bars per name, and a bar per row in each group.
func groupPanel(title, y string, rows []summary.Row, names []string, bar func(r summary.Row, group int, x, width float64) []Series) Panel {
	p := Panel{Title: title, X: Axis{Scale: named, Names: names}, Y: Axis{Title: y, Scale: linear}}
	const group = 0.84
	each := group / float64(len(rows))
	for i, r := range rows {
		for g := range names {
			p.Series = append(p.Series, bar(r, g, float64(g)-group/2+each*(float64(i)+0.5), each*0.82)...)
		}
	}
	return p
}

// barOf returns a bar at x with its range and its label. Without a value, the label is the reason.
func barOf(r summary.Row, style Style, x, width float64, v reading) Series {
	s := seriesOf(r, bars, style)
	s.Width = width
	if s.label(x, v, v.String()); len(s.X) == 0 {
		s.Kind, s.X, s.Y, s.Labels = note, []float64{x}, []float64{0}, []string{v.String()}
	}
	return s
}

// stack returns a bar of stacked parts at x, with the range and the label of their total. The total is the
// median of the repetitions' totals, which differs from the sum of the parts' medians. The parts have the
// proportions of their medians, and their sum is the total.
func stack(rows []summary.Row, r summary.Row, x, width float64, total reading, parts ...part) (all []Series) {
	if len(parts) == 1 {
		return []Series{barOf(r, parts[0].style(lookIn(rows, r)), x, width, total)}
	}
	var from, whole float64
	for _, p := range parts {
		whole += max(0, p.of(r).X)
	}
	for _, p := range parts {
		v := exactly(p.of(r).X / whole * total.X)
		if !v.shown() || v.X <= 0 || !total.shown() {
			continue
		}
		s := barOf(r, p.style(lookIn(rows, r)), x, width, v)
		s.Part, s.From, s.Inside = p.name, []float64{from}, true
		from += s.Y[0]
		all = append(all, s)
	}
	sum := barOf(r, plain, x, width, total)
	if sum.Part = "total"; sum.Kind == bars {
		sum.Kind = points
	}
	return append(all, sum)
}
