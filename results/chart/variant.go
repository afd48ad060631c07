package chart

import (
	"slices"
	"strings"

	"pushbench/results/summary"
)

// lookIn returns the style of a row among others: that of its transport, in a lighter colour the
// later its variant is in the sweep.
func lookIn(rows []summary.Row, r summary.Row) Style {
	l, all := lookOf(r.Transport), variants(rows)
	if len(all) < 2 {
		return l
	}
	return l.shade(rank(all, r), len(all))
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

// shade returns the style at full strength for the first of n, at 35 % for the last.
func (s Style) shade(i, n int) Style {
	s.Strength = fourDigits(1 - 0.65*float64(i)/float64(max(1, n-1)))
	return s
}

// rowKeys returns the legend: one key per row, or, with variants, the transports by colour followed
// by the variants by shade.
func rowKeys(rows []summary.Row, kind string) (keys []Key) {
	all := variants(rows)
	if len(all) < 2 {
		for _, r := range rows {
			keys = append(keys, Key{r.Name, kind, lookOf(r.Transport)})
		}
		return keys
	}
	for _, t := range transportsOf(rows) {
		keys = append(keys, Key{t, kind, lookOf(t)})
	}
	for i, v := range all {
		keys = append(keys, Key{v, bars, plain.shade(i, len(all))})
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

// barNames returns the labels below the bars.
func barNames(rows []summary.Row) (names []string) {
	for _, r := range rows {
		names = append(names, nameLines(r.Name))
	}
	return names
}

// nameLines returns the name of a configuration with one line per axis, without the names of the axes.
func nameLines(name string) string {
	lines := strings.Fields(name)
	for i, part := range lines {
		if _, value, ok := strings.Cut(part, "="); ok {
			lines[i] = value
		}
	}
	return strings.Join(lines, "\n")
}

// axisNames returns the title of these labels: "transport, library, batching delay". It is empty for
// transports alone.
func axisNames(rows []summary.Row) string {
	names := []string{"transport"}
	for _, v := range variants(rows) {
		for part := range strings.FieldsSeq(v) {
			if axis, _, _ := strings.Cut(part, "="); !slices.Contains(names, axis) {
				names = append(names, axis)
			}
		}
	}
	if len(names) == 1 {
		return ""
	}
	return strings.ReplaceAll(strings.Join(names, ", "), "_", " ")
}
