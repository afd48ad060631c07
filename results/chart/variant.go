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

// crowded is how many rows a chart names in full. Beyond, labels are small and short.
const crowded = 6

// lookIn is how a row is drawn beside others: in its transport's colour, dash and
// marker, the lighter the later its variant stands in the sweep.
func lookIn(rows []summary.Row, r summary.Row) look {
	l, all := lookOf(r.Transport), variants(rows)
	if len(all) < 2 {
		return l
	}
	l.color = shade(l.color, rank(all, r), len(all))
	return l
}

// variants are those of the transport that has most.
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

// rank is the place of a row's variant. A row that lacks an axis, as a short poll does
// the flush window, has the place of the first variant that is like it in all others.
func rank(all []string, r summary.Row) int {
	own := strings.Fields(r.Variant())
	return max(0, slices.IndexFunc(all, func(v string) bool {
		of := strings.Fields(v)
		return !slices.ContainsFunc(own, func(part string) bool { return !slices.Contains(of, part) })
	}))
}

// shade is the colour on paper at full strength for the first of n, at 35 % for the last.
func shade(c color.NRGBA, i, n int) color.NRGBA {
	strength := 1 - 0.65*float64(i)/float64(max(1, n-1))
	mix := func(x uint8) uint8 { return uint8(math.Round(float64(x)*strength + 255*(1-strength))) }
	return color.NRGBA{mix(c.R), mix(c.G), mix(c.B), 0xFF}
}

// rowKeys name the rows in the legend: each by itself, or where there are
// variants the transports by colour, and then the variants by shade.
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

// transportsOf are the transports of the rows, in their order.
func transportsOf(rows []summary.Row) (all []string) {
	for _, r := range rows {
		if !slices.Contains(all, r.Transport) {
			all = append(all, r.Transport)
		}
	}
	return all
}

// barNames stand under the bars: the row, or where there are variants the
// variant in a few letters, with the transport under the middle one.
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
		below := " " // keeps the first lines level
		if i == (first[r.Transport]+last[r.Transport])/2 {
			below = r.Transport
		}
		names[i] = brief(r) + "\n" + below
	}
	return under(names)
}

// brief is a row's variant in a few letters, a line each: flush windows in
// milliseconds, stacks by their beginning. A row without a variant has "–".
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

// axisNames say what brief shows: "flush window, ms".
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

// labelSize is that of figures at bars.
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
