package report

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios/transports"
)

// list joins words as prose does: "a", "a and b", "a, b and c".
func list(words []string) string { return joined(words, " and ") }

// choices joins words as alternatives: "a", "a or b", "a, b or c".
func choices(words []string) string { return joined(words, " or ") }

func joined(words []string, conjunction string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + conjunction + words[last]
}

// text are paragraphs without lists.
func text(lines ...string) (all []Paragraph) {
	for _, line := range lines {
		if line != "" {
			all = append(all, Paragraph{Text: line})
		}
	}
	return all
}

// items is a heading with a list of entries. A single entry stands on the heading's line; without entries
// there is no heading either.
func items(heading string, entries []string) []Paragraph {
	switch len(entries) {
	case 0:
		return nil
	case 1:
		return text(heading + ": " + entries[0] + ".")
	default:
		return []Paragraph{{heading + ":", entries}}
	}
}

// prose is a configuration's name with the transport's proper name: "short polling interval=1s", "nchan over
// WebSocket".
func prose(configuration string) string {
	if label := results.Label(configuration); label != configuration {
		return label
	}
	transport, settings, swept := strings.Cut(configuration, " ")
	if t, ok := transports.Find(transport); ok {
		transport = t.Title
	}
	if swept {
		transport += " " + settings
	}
	return transport
}

// subject is what a row of a table describes.
func (r *Report) subject() string { return subject(r.Run.Manifest.AllConfigurations()) }

// noun is what a run ranks at one load: transports, or configurations if a transport has several or if servers are compared.
func (r *Report) noun() string {
	return noun(r.Run.Manifest.AllConfigurations(), r.Run.Manifest.SweptRTT())
}

func noun(all []results.Configuration, sweptRTT bool) string {
	seen := map[[2]string]bool{}
	for _, c := range all {
		seen[[2]string{loadTitle(c, sweptRTT), c.Transport}] = true
	}
	if len(servers(all)) > 1 || len(seen) < len(all) {
		return "configuration"
	}
	return "transport"
}

// servers lists the servers that are named, each once.
func servers(all []results.Configuration) (names []string) {
	for _, c := range all {
		if c.Target != "" && !slices.Contains(names, c.Target) {
			names = append(names, c.Target)
		}
	}
	return names
}

func subject(all []results.Configuration) string {
	if len(servers(all)) > 0 {
		return "server and transport"
	}
	return "transport"
}

// heading is a configuration's name at the beginning of a sentence. The name of a target keeps its case.
func heading(configuration string) string {
	if strings.Contains(configuration, " target=") {
		return prose(configuration)
	}
	return results.Capital(prose(configuration))
}

// proseNames are the rows' names for a sentence.
func proseNames(rows []summary.Row) (names []string) {
	for _, row := range rows {
		names = append(names, prose(row.Name))
	}
	return names
}

// some is a count with its noun: "1 repetition", "4 repetitions".
func some(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return metric.Count(int64(n)) + " " + noun + "s"
}

// duration is d with at most three significant digits, in the unit that people use.
func duration(d time.Duration) string {
	x, unit := metric.Milliseconds(d), "ms"
	switch {
	case d >= 2*time.Hour:
		x, unit = d.Hours(), "h"
	case d >= 2*time.Minute:
		x, unit = d.Minutes(), "min"
	case d >= time.Second:
		x, unit = d.Seconds(), "s"
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64) // its own output
	return strconv.FormatFloat(rounded, 'f', -1, 64) + " " + unit
}

// roughly is a computed duration with about two digits.
func roughly(d time.Duration) string {
	for _, step := range []struct{ from, unit time.Duration }{
		{2 * time.Hour, time.Hour},
		{2 * time.Minute, time.Minute},
		{10 * time.Second, time.Second},
		{time.Second, 100 * time.Millisecond},
		{100 * time.Millisecond, 10 * time.Millisecond},
		{10 * time.Millisecond, time.Millisecond},
	} {
		if d >= step.from {
			return duration(d.Round(step.unit))
		}
	}
	return duration(d)
}

// withUnit formats a value and its unit. A value without a number has no unit.
func withUnit(v summary.Value, unit string) string {
	if v.Known != summary.Shown || unit == "" {
		return v.String()
	}
	return v.String() + " " + unit
}

// between formats a range: a single value if both ends round to the same text.
func between(over summary.Range) string {
	lo, hi := over.Lo.String(), over.Hi.String()
	if lo == hi {
		return lo
	}
	return lo + "–" + hi
}

// size formats a size in binary units.
func size(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	x, unit := float64(n), 0
	for x >= 1024 && unit < len(units)-1 {
		x, unit = x/1024, unit+1
	}
	return metric.Number(x) + " " + units[unit]
}

// ratioText formats a ratio, or an end of its interval.
func ratioText(x float64) string {
	switch {
	case math.IsNaN(x):
		return "–"
	case math.IsInf(x, 1):
		return "∞"
	case x >= 0.9 && x < 1.1:
		return strconv.FormatFloat(x, 'f', 3, 64) // 1.00 would hide on which side of 1 it lies
	default:
		return metric.Number(x)
	}
}

// interval formats the interval of a ratio; a dash if there is none.
func interval(lo, hi float64) string {
	if lo == 0 && math.IsInf(hi, 1) {
		return "–"
	}
	return ratioText(lo) + "–" + ratioText(hi)
}

// pText formats a p-value.
func pText(p float64) string {
	if p < 0.001 {
		return "p < 0.001"
	}
	return "p " + twoDigits(p)
}

// twoDigits formats x with two significant digits and no trailing zeros.
func twoDigits(x float64) string { return strconv.FormatFloat(x, 'g', 2, 64) }

func percent(share float64) string { return strconv.FormatFloat(100*share, 'g', 4, 64) + " %" }
