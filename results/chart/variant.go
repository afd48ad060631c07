package chart

import (
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// A grouping is what the colour of a row shows: its transport, or its target if there are several over one transport. The
// rest of its name is its variant.
type grouping struct{ targets []string } // by their colours; nil: transports

// palette are the styles of targets.
var palette = []Style{
	looks[transports.WebSocket], looks[transports.LongPoll], looks[transports.SSE], looks[transports.ShortPoll], looks[transports.Webhook], looks[transports.HTTPStream],
}

func groupingOf(rows []summary.Row) (g grouping) {
	for _, r := range rows {
		if !slices.Contains(g.targets, r.Target) {
			g.targets = append(g.targets, r.Target)
		}
	}
	if n := len(g.targets); n < 2 || n > len(palette) || len(transportsOf(rows)) > 1 {
		g.targets = nil
	}
	return g
}

// name names the group of a row.
func (g grouping) name(r summary.Row) string {
	switch {
	case g.targets == nil && r.Target != "":
		return titleOf(r.Transport)
	case g.targets == nil:
		return r.Transport
	}
	return results.Label(r.Transport + " target=" + r.Target)
}

func (g grouping) look(r summary.Row) Style {
	if g.targets == nil {
		return lookOf(r.Transport)
	}
	return palette[max(0, slices.Index(g.targets, r.Target))]
}

func (g grouping) variant(r summary.Row) string {
	if g.targets != nil {
		r.Name = r.Peer()
	}
	return strings.Replace(r.Variant(), "target=", "", 1)
}

// variants returns the variants of the group with the most.
func (g grouping) variants(rows []summary.Row) []string {
	by := map[string][]string{}
	var most []string
	for _, r := range rows {
		of := append(by[g.name(r)], g.variant(r))
		by[g.name(r)] = of
		if len(of) > len(most) {
			most = of
		}
	}
	return most
}

// lookIn returns the style of a row among others: that of its group, in a lighter colour the
// later its variant is in the sweep.
func lookIn(rows []summary.Row, r summary.Row) Style {
	g := groupingOf(rows)
	l, all := g.look(r), g.variants(rows)
	if len(all) < 2 {
		return l
	}
	return l.shade(rank(all, g.variant(r)), len(all))
}

// rank returns the position of a variant. One without an axis, such as short polling without
// a batching delay, has that of the first variant that agrees in all other axes.
func rank(all []string, variant string) int {
	own := strings.Fields(variant)
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

// rowKeys returns the legend of the rows that a chart shows: one key per row, or, with variants, the groups by
// colour followed by the variants by shade.
func rowKeys(rows, shown []summary.Row, kind string) (keys []Key) {
	g := groupingOf(rows)
	all := g.variants(rows)
	for _, r := range shown {
		k := Key{r.Label(), kind, g.look(r)}
		if len(all) > 1 {
			k.Name = g.name(r)
		}
		if !slices.ContainsFunc(keys, func(other Key) bool { return other.Name == k.Name }) {
			keys = append(keys, k)
		}
	}
	if len(all) > 1 {
		for i, v := range all {
			keys = append(keys, Key{v, bars, plain.shade(i, len(all))})
		}
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

// nameLines returns the name of a configuration with one line per axis, without the names of the axes. A target comes
// before the transport: "nchan", "WebSocket".
func nameLines(name string) string {
	lines := strings.Fields(name)
	compared := len(lines) > 1 && strings.HasPrefix(lines[1], "target=")
	for i, part := range lines {
		if _, value, ok := strings.Cut(part, "="); ok {
			lines[i] = value
		}
	}
	if compared {
		lines[0], lines[1] = lines[1], titleOf(lines[0])
	}
	return strings.Join(lines, "\n")
}

// oneLine joins the lines of a name: "nchan · WebSocket".
func oneLine(name string) string { return strings.ReplaceAll(name, "\n", " · ") }

// axisNames returns the title of these labels: "transport, library, batching delay" or "server, transport". It is empty for
// transports alone.
func axisNames(rows []summary.Row) string {
	names := []string{"transport"}
	for _, r := range rows {
		for part := range strings.FieldsSeq(r.Variant()) {
			if axis, _, _ := strings.Cut(part, "="); !slices.Contains(names, axis) {
				names = append(names, axis)
			}
		}
	}
	if len(names) == 1 {
		return ""
	}
	if names[1] == "target" {
		names[0], names[1] = "server", "transport"
	}
	return strings.ReplaceAll(strings.Join(names, ", "), "_", " ")
}
