package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// libraryMetrics are the costs that depend on the library that a server uses.
var libraryMetrics = []string{metric.ServerCPUPerMessage, metric.CPUPerMessage, metric.ServerMemoryPerClient}

// A costOrder states that one transport costs less than another. It is confirmed if every library that was
// measured shows it, and rejected if only some do.
type costOrder struct {
	metric    string
	names     [2]string // of the rows, without their library: "sse batching_delay=5ms"
	ratios    []string  // per library: the ratio of the second to the first, and what it shows
	direction int       // on the first library that distinguishes the two: -1 the first costs less, +1 the second, 0 on none
	rejected  string    // the libraries that do not show it, and why; empty: confirmed
}

// libraryRows are the rows of one library.
type libraryRows struct {
	library string
	rows    []summary.Row
}

// reference is the library that stands for another one with each transport.
const reference = "reference"

// sharesReference reports whether the library reference was compared with others: its servers are those
// of another library, measured once. In earlier versions they were measured again.
func (r *Report) sharesReference() bool {
	names := strings.Split(r.Run.Manifest.Library, ", ")
	return len(names) > 1 && slices.Contains(names, reference) &&
		!slices.ContainsFunc(r.Summary.Rows, func(row summary.Row) bool { return row.Library == reference })
}

// byLibrary splits the rows by their library. The rows of reference are also those of others.
func (r *Report) byLibrary() (all []libraryRows) {
	if r.sharesReference() {
		for _, name := range strings.Split(r.Run.Manifest.Library, ", ") {
			l := libraryRows{library: name}
			for _, row := range r.Summary.Rows {
				if row.Library == name || name == reference && row.Library == transports.Of(row.Transport).ReferenceLibrary() {
					l.rows = append(l.rows, row)
				}
			}
			all = append(all, l)
		}
		return all
	}
	for _, row := range r.Summary.Rows {
		i := slices.IndexFunc(all, func(l libraryRows) bool { return l.library == row.Library })
		if i < 0 {
			i, all = len(all), append(all, libraryRows{library: row.Library})
		}
		all[i].rows = append(all[i].rows, row)
	}
	return all
}

func libraryNames(all []libraryRows) (names []string) {
	for _, l := range all {
		names = append(names, results.Plain(l.library))
	}
	return names
}

// row finds a row by its name without the library.
func (l libraryRows) row(name string) (found summary.Row) {
	for _, row := range l.rows {
		if withoutLibrary(row) == name {
			return row
		}
	}
	return found
}

// withoutLibrary is the name that a row shares with those of the other libraries.
func withoutLibrary(r summary.Row) string {
	return strings.ReplaceAll(r.Name, " library="+r.Library, "")
}

// costOrders compares transports on each library. Two configurations are compared if they have the same
// batching delay. Short polling has no batching delay, so it is compared with every configuration. An order
// must be shown on every library, which needs no adjustment beyond the family's (an intersection-union
// test: Berger, Technometrics 24, 1982).
func (r *Report) costOrders() (all []costOrder) {
	libraries := r.byLibrary()
	if len(libraries) < 2 {
		return nil
	}
	swept := func(r summary.Row) bool { return strings.Contains(r.Variant(), "batching_delay=") }
	for _, metric := range libraryMetrics {
		for i, a := range libraries[0].rows {
			for _, b := range libraries[0].rows[i+1:] {
				if a.Transport != b.Transport && (a.BatchingDelay == b.BatchingDelay || !swept(a) || !swept(b)) {
					all = append(all, r.costOrder(metric, [2]string{withoutLibrary(a), withoutLibrary(b)}, libraries))
				}
			}
		}
	}
	return all
}

// costOrder compares two rows on every library.
func (r *Report) costOrder(name string, names [2]string, libraries []libraryRows) costOrder {
	c := costOrder{metric: name, names: names}
	directions := make([]int, len(libraries))
	for i, l := range libraries {
		a, b := l.row(names[0]), l.row(names[1])
		directions[i] = r.ordered(a, b, name)
		if c.direction == 0 {
			c.direction = directions[i]
		}
		ratio := "–"
		if x, y := a.Typical(name), b.Typical(name); x.Known == summary.Shown && y.Known == summary.Shown && x.X > 0 {
			ratio = metric.Number(y.X/x.X) + "×"
		}
		c.ratios = append(c.ratios, ratio+map[int]string{-1: " more", 0: " inconclusive", +1: " less"}[directions[i]])
	}
	var reasons []string
	against := map[string][]string{} // libraries by reason
	for i, l := range libraries {
		why := "reversed"
		switch directions[i] {
		case c.direction:
			continue
		case 0:
			why = "no measurable difference"
			if unranked := whyUnranked([]summary.Row{l.row(names[0]), l.row(names[1])}, name); unranked != "" && !r.decides(name) {
				why = unranked
			}
		}
		if against[why] == nil {
			reasons = append(reasons, why)
		}
		against[why] = append(against[why], l.library)
	}
	for i, why := range reasons {
		reasons[i] = "on " + list(against[why]) + ": " + why
	}
	c.rejected = strings.Join(reasons, ", ")
	return c
}

// text names the cheaper one first, each by nameOf.
func (c costOrder) text(nameOf func(string) string) string {
	if c.direction > 0 {
		return nameOf(c.names[1]) + " below " + nameOf(c.names[0])
	}
	return nameOf(c.names[0]) + " below " + nameOf(c.names[1])
}

// librarySection is the table of the cost orders. It is empty if one library was measured, and for an
// invalid run.
func (r *Report) librarySection() Section {
	all := Section{
		Title:  "Cost by library: which differences belong to the transport",
		Detail: Wide,
		Note: "A ratio is the second transport's value divided by the first's. " +
			"If only some of the measured libraries confirm an order, the library may cause it.\n" +
			fmt.Sprintf("Verdicts decide metrics that were declared, if there are any verdicts. "+
				"Otherwise ranges over the repetitions decide: they must be disjoint, with at least %d valid trials of each.", rankedTrials),
		Columns: columns(slices.Concat([]string{"metric", "of", "against"}, libraryNames(r.byLibrary()), []string{"conclusion"})...),
	}
	if r.sharesReference() {
		all.Note += "\nThe library reference is nethttp with WebSocket and fasthttp with the other transports. Each program was measured once."
	}
	if r.Run.Manifest.Status == results.Invalid {
		return all
	}
	for _, c := range r.costOrders() {
		conclusion := "no measurable difference"
		switch {
		case c.direction != 0 && c.rejected == "":
			conclusion = "confirmed: " + c.text(func(configuration string) string { return configuration })
		case c.direction != 0:
			conclusion = "depends on the library: " + c.rejected
		}
		all.add(metric.ByName(c.metric).Title, c.names[1], c.names[0], c.ratios, conclusion)
	}
	return all
}

// librarySentences lists for each cost the orders that all libraries confirm, and those that depend on the
// library.
func (r *Report) librarySentences() (paragraphs []Paragraph) {
	all := r.costOrders()
	if len(all) == 0 {
		return nil
	}
	for _, name := range libraryMetrics {
		var confirmed, rejected []string
		for _, c := range all {
			switch {
			case c.metric != name || c.direction == 0:
			case c.rejected == "":
				confirmed = append(confirmed, "confirmed: "+c.text(prose))
			default:
				rejected = append(rejected, fmt.Sprintf("depends on the library: %s (%s)", c.text(prose), c.rejected))
			}
		}
		if len(confirmed) == 0 {
			confirmed = []string{"confirmed: no order"}
		}
		basis := "by disjoint ranges"
		if r.decides(name) {
			basis = verdictLabel
		}
		heading := fmt.Sprintf("%s (%s), on all measured libraries (%s):",
			results.Capital(metric.ByName(name).Title), basis, list(libraryNames(r.byLibrary())))
		paragraphs = append(paragraphs, Paragraph{heading, append(confirmed, rejected...)})
	}
	return paragraphs
}
