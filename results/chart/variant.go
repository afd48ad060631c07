package chart

import (
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"pushbench/results/metric"
	"pushbench/results/summary"
)

// crowded is the number of rows with full names. With more rows, labels are small and short.
const crowded = 6

// lookIn returns the style of a row among others: that of its transport, in a lighter colour the
// later its variant is in the sweep.
func lookIn(rows []summary.Row, r summary.Row) look {
	l, all := lookOf(r.Transport), variants(rows)
	if len(all) < 2 {
		return l
	}
	l.color = shade(l.color, rank(all, r), len(all))
	return l
}

// variants returns the variants of the transport with the most.
func variants(rows []summary.Row) []string {
	by := map[string][]string{}
	var most []string
	for _, r := range rows {
		of := append(by[r.Transport], r.Variant())
		by[r.Transport] = of
		if len(of) > len(most) {
			most = of
		}
	}
	return most
}

// rank returns the position of a row's variant. A row without an axis, such as short polling without
// a batching delay, has that of the first variant that agrees in all other axes.
func rank(all []string, r summary.Row) int {
	own := strings.Fields(r.Variant())
	return max(0, slices.IndexFunc(all, func(v string) bool {
		of := strings.Fields(v)
		return !slices.ContainsFunc(own, func(part string) bool { return !slices.Contains(of, part) })
	}))
}

// shade returns the colour at full strength for the first of n, at 35 % for the last.
func shade(c color.NRGBA, i, n int) color.NRGBA {
	strength := 1 - 0.65*float64(i)/float64(max(1, n-1))
	mix := func(x uint8) uint8 { return uint8(math.Round(float64(x)*strength + 255*(1-strength))) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 0xFF}
}

// rowKeys returns the legend: one key per row, or, with variants, the transports by colour followed
// by the variants by shade.
func rowKeys(rows []summary.Row, show func(name string, l look) key) []key {
	all := variants(rows)
	if len(all) < 2 {
		var keys []key
		for _, r := range rows {
			keys = append(keys, show(r.Name, lookOf(r.Transport)))
		}
		return keys
	}
	var keys []key
	for _, t := range transportsOf(rows) {
		keys = append(keys, show(t, lookOf(t)))
	}
	for i, v := range all {
		keys = append(keys, key{name: v, fill: shade(soft, i, len(all))})
	}
	return keys
}

// transportsOf returns the transports of the rows, in their order.
func transportsOf(rows []summary.Row) (all []string) {
	for _, r := range rows {
		if !slices.Contains(all, r.Transport) {
			all = append(all, r.Transport)
		}
	}
	return all
}

// barNames returns the labels below the bars: the rows, or, with variants, the abbreviated variants
// and the transport below the middle one.
func barNames(rows []summary.Row) plot.ConstantTicks {
	var names []string
	first, last := map[string]int{}, map[string]int{}
	for i, r := range rows {
		if _, ok := first[r.Transport]; !ok {
			first[r.Transport] = i
		}
		last[r.Transport] = i
		names = append(names, r.Name)
	}
	if len(variants(rows)) < 2 {
		return under(names)
	}
	for i, r := range rows {
		below := " " // aligns the first lines
		if i == (first[r.Transport]+last[r.Transport])/2 {
			below = r.Transport
		}
		names[i] = brief(r) + "\n" + below
	}
	return under(names)
}

// brief abbreviates a row's variant, with one line per axis: batching delays in milliseconds,
// libraries by their prefixes. It returns "–" for a row without a variant.
func brief(r summary.Row) string {
	var lines []string
	for part := range strings.FieldsSeq(r.Variant()) {
		switch axis, value, _ := strings.Cut(part, "="); axis {
		case "batching_delay":
			lines = append(lines, strconv.FormatFloat(metric.Milliseconds(r.BatchingDelay), 'f', -1, 64))
		case "library":
			lines = append(lines, strings.TrimSuffix(strings.TrimSuffix(value, "http"), "erence"))
		default:
			lines = append(lines, value)
		}
	}
	if len(lines) == 0 {
		return "–"
	}
	return strings.Join(lines, "\n")
}

// axisNames returns the title of the abbreviated variants: "batching delay, ms".
func axisNames(rows []summary.Row) string {
	all := variants(rows)
	if len(all) < 2 {
		return ""
	}
	var axes []string
	for part := range strings.FieldsSeq(all[0]) {
		axis, _, _ := strings.Cut(part, "=")
		if axis == "batching_delay" {
			axis = "batching delay, ms"
		}
		axes = append(axes, axis)
	}
	return strings.Join(axes, "; ")
}

// labelSize returns the font size of values at bars.
func labelSize(bars int) vg.Length {
	switch {
	case bars > 2*crowded-2:
		return 5.2
	case bars > crowded:
		return 6
	default:
		return 8
	}
}
