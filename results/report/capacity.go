package report

import (
	"fmt"
	"io"
	"strings"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/metric"
)

// A Capacity presents the highest loads that a search found.
type Capacity struct{ results.Capacity }

func (c Capacity) limit() string { return results.Plain(strings.Join(c.Limit, " and ")) }

func (c Capacity) section() Section {
	all := Section{
		Title: "Capacity: the highest load that meets " + c.limit(),
		Note: fmt.Sprintf("A load at most %s higher does not meet the limit. "+
			"Latency and CPU (server + generator, per message) are of the last run at the highest load. "+
			"At least: the search ended at its highest load, or the generator or the machine reached its own limit first. "+
			"≤: too few messages for the percentile; the value is the largest latency.",
			percent(c.Within)),
		Columns: columns("transport", "highest "+axisUnit[c.Axis], "deliveries/s", "p50 ms", "p99 ms", "CPU µs", "confirmed", "ended by"),
	}
	if c.Unfinished() {
		all.Note += " So far: the search did not finish, and a higher load may meet the limit."
	}
	for _, h := range c.Found {
		at := cells("–", "–", "–", "–", "–")
		if p, ok := h.At(h.Load); ok && h.Load > 0 {
			at = cells(p.Deliveries, known(p.P50), p99(p), known(p.CPU), times(h.Confirmed))
		}
		all.add(h.Transport, highest(h), at, endedBy(h))
	}
	return all
}

// highest is the highest load, and whether it is the capacity.
func highest(h results.Highest) string {
	switch load := metric.Number(h.Load); {
	case len(h.Probes) == 0:
		return "not searched"
	case h.Load == 0 && h.Unfinished != "":
		return "none so far"
	case h.Load == 0:
		return "none"
	case h.Unfinished != "":
		return load + " so far"
	case h.SetupLimited || h.Beyond == 0:
		return "at least " + load
	default:
		return load
	}
}

func known(x float64) any {
	if x == 0 {
		return "–"
	}
	return x
}

// p99 is the 99th percentile, or what is known of it: a requirement on it is met if the largest latency
// meets it.
func p99(p results.Probe) any {
	if p.P99 == 0 && p.Max > 0 {
		return "≤ " + metric.Number(p.Max)
	}
	return known(p.P99)
}

// endedBy is why the search did not reach a higher load.
func endedBy(h results.Highest) string {
	switch {
	case len(h.Probes) == 0:
		return results.Plain(h.Unfinished)
	case h.Unfinished != "":
		return "not finished: " + results.Plain(h.Unfinished)
	case h.Beyond == 0:
		return "the search ended at its highest load (--max)"
	default:
		return fmt.Sprintf("%s: %s", metric.Number(h.Beyond), results.Plain(h.Why))
	}
}

// times is a count of events in words.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// tried is every load in the order of the search.
func (c Capacity) tried() Section {
	all := Section{Title: "All loads that were tried", Detail: Wide, Columns: columns("transport", axisUnit[c.Axis], "deliveries/s", "met", "p50 ms", "p99 ms", "CPU µs", "run", "why not")}
	for _, h := range c.Found {
		for _, p := range h.Probes {
			met := map[bool]string{true: "yes", false: "no"}[p.Held]
			if p.Open {
				met = "undecided"
			}
			all.add(h.Transport, p.Load, p.Deliveries, met, known(p.P50), p99(p), known(p.CPU), p.Folder, p.Why)
		}
	}
	return all
}

func (c Capacity) sentences() (found []string, scope string) {
	for _, h := range c.Found {
		text := ""
		switch at, ok := h.At(h.Load); {
		case len(h.Probes) == 0:
			text = "not searched: " + endedBy(h)
		case h.Unfinished != "" && h.Load > 0:
			text = fmt.Sprintf("so far %s %s; %s", metric.Number(h.Load), axisUnit[c.Axis], endedBy(h))
		case !ok || h.Load == 0:
			text = "no load that was tried meets the limit; " + endedBy(h)
		case h.Beyond == 0:
			text = fmt.Sprintf("%s %s (%s deliveries per second); %s", highest(h), axisUnit[c.Axis], metric.Number(at.Deliveries), endedBy(h))
		default:
			text = fmt.Sprintf("%s %s (%s deliveries per second). Ended by %s", highest(h), axisUnit[c.Axis], metric.Number(at.Deliveries), endedBy(h))
		}
		found = append(found, results.Capital(prose(results.Plain(h.Transport)))+": "+text+".")
	}
	return found, fmt.Sprintf("Valid for %s, varying only its %s, on %s with %s. "+
		"Server and load generator shared the machine, so the loads describe this machine, not the transports.",
		results.Plain(c.Scenario), c.Axis, results.Plain(c.Host.CPUModel), some(c.Host.Cores, "core"))
}

// evidence states how the result was found, and its limits.
func (c Capacity) evidence() string {
	refused := 0
	for _, h := range c.Found {
		for _, p := range h.Probes {
			if p.Folder == "" {
				refused++
			}
		}
	}
	text := "Every load tried was a separate run with all validity checks. The table names its folder."
	if refused > 0 {
		text += fmt.Sprintf(" Not run: %s that this machine or pushbench cannot offer.", some(refused, "load"))
	}
	if n := c.Confirmed(); n > 0 {
		each := "Each"
		if c.Unfinished() {
			each = "If its search finished, each"
		}
		text += fmt.Sprintf(" %s highest load met the limit %s more.", each, times(n))
	}
	return text + " This is no verdict: on another day the loads differ."
}

// Document is the content of the capacity.
func (c Capacity) Document() Document {
	found, scope := c.sentences()
	d := Document{
		Title:    "Capacity of " + results.Plain(c.Scenario),
		Question: fmt.Sprintf("How many %s does each transport carry within the limit %s?", axisUnit[c.Axis], c.limit()),
		Badge:    estimateLabel,
		Headline: append(text(found...), text(scope)...),
		Sections: []Section{
			c.section(),
			{Title: "Evidence", Detail: Full, Paragraphs: text(c.evidence())},
			{Title: "How to repeat it", Detail: Full, Paragraphs: text("Expect the same order of the transports on another machine, but not the same loads."), Code: commands(c.Tool, c.Command, "capacity", c.Scenario)},
			c.tried(),
		},
	}
	if c.Unfinished() {
		d.Badge = statusText(results.Partial)
	}
	return d
}

// CSV writes all loads that were tried.
func (c Capacity) CSV(w io.Writer) error {
	var rows [][]any
	for _, h := range c.Found {
		for _, p := range h.Probes {
			rows = append(rows, []any{c.Scenario, h.Transport, p.Load, p.Deliveries, p.Held, p.P50, p.P99, p.CPU, p.Folder, p.Why})
		}
	}
	return writeCSV(w, []string{"scenario", "transport", c.Axis, "deliveries_per_second", "met", "p50_ms", "p99_ms", "cpu_us_per_message", "folder", "why"}, rows)
}

// JSON writes it for programs.
func (c Capacity) JSON(w io.Writer) error { return indented(w, c.Capacity) }

// Write writes capacity.md, capacity.html, capacity.csv and the chart into a folder.
func (c Capacity) Write(dir string, charts ...chart.Chart) error {
	return write(dir, "", charts,
		file{"capacity.md", c.Document().Markdown},
		file{"capacity.html", func(w io.Writer) error { return c.Document().HTML(w, charts) }},
		file{"capacity.csv", c.CSV})
}
