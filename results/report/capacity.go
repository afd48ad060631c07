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
		Shown: true, Chart: "capacity",
		Title: "Capacity: the highest load that meets " + c.limit(),
		Note:  c.legend(),
		Columns: []Column{
			{Title: subject(c.configurations())},
			{Title: "highest", Unit: axisUnit[c.Axis]},
			{Title: "deliveries", Unit: "/s"},
			{Title: "p50", Unit: "ms"},
			{Title: "p99", Unit: "ms"},
			{Title: "CPU", Unit: "µs/msg"},
			{Title: "confirmed"},
			{Title: "ended by", Detail: Full}, // a terminal has it in the headline
		},
	}
	for _, h := range c.Found {
		at := cells("–", "–", "–", "–", "–")
		if p, ok := h.At(h.Load); ok && h.Load > 0 {
			at = cells(p.Deliveries, known(p.P50), p99(p), known(p.CPU), times(h.Confirmed))
		}
		all.add(h.Configuration().Label(), highest(h), at, endedBy(h))
	}
	return all
}

// legend explains the words that the table has.
func (c Capacity) legend() string {
	var exact, bound, percentile bool
	for _, h := range c.Found {
		p, _ := h.At(h.Load)
		found := h.Load > 0 && h.Unfinished == ""
		exact, bound = exact || found && !lowerBound(h), bound || found && lowerBound(h)
		percentile = percentile || h.Load > 0 && p.P99 == 0 && p.Max > 0
	}
	var notes []string
	for _, n := range []struct {
		has  bool
		text string
	}{
		{exact, fmt.Sprintf("A load at most %s higher does not meet the limit.", percent(c.Within))},
		{true, "Latency and CPU (server + generator, per message) are of the last run at the highest load."},
		{bound, "At least: the search ended at its highest load, or the generator or the machine reached its own limit first."},
		{percentile, "≤: too few messages for the percentile; the value is the largest latency."},
		{c.Unfinished(), "So far: the search did not finish, and a higher load may meet the limit."},
	} {
		if n.has {
			notes = append(notes, n.text)
		}
	}
	return strings.Join(notes, " ")
}

// lowerBound reports whether a finished search tried no load that was too high for the transport.
func lowerBound(h results.Highest) bool { return h.SetupLimited || h.Beyond == 0 }

// configurations are what was searched.
func (c Capacity) configurations() (all []results.Configuration) {
	for _, h := range c.Found {
		all = append(all, h.Configuration())
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
	case h.Unmeasured():
		return "not measured"
	case h.Load == 0:
		return "none"
	case h.Unfinished != "":
		return load + " so far"
	case lowerBound(h):
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
	case h.SetupLimited:
		return fmt.Sprintf("at %s the test setup or the machine was the limit: %s", metric.Number(h.Beyond), results.Plain(h.Why))
	default:
		return fmt.Sprintf("at %s: %s", metric.Number(h.Beyond), results.Plain(h.Why))
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
	all := Section{Title: "All loads that were tried", Detail: Wide, Columns: columns(subject(c.configurations()), axisUnit[c.Axis], "deliveries/s", "met", "p50 ms", "p99 ms", "CPU µs", "run", "why not")}
	for _, h := range c.Found {
		for _, p := range h.Probes {
			met := map[bool]string{true: "yes", false: "no"}[p.Held]
			if p.Open {
				met = "undecided"
			}
			all.add(h.Configuration().Label(), p.Load, p.Deliveries, met, known(p.P50), p99(p), known(p.CPU), p.Folder, p.Why)
		}
	}
	return all
}

// answer is the transport that carries the most, with the highest load of each and the scope. A search that did not
// finish leaves no choice: its transport may carry more than the others.
func (c Capacity) answer() []Paragraph {
	answer := Paragraph{Text: c.choice()}
	for _, h := range c.Found {
		answer.Items = append(answer.Items, c.found(h))
	}
	answer.Items = append(answer.Items,
		fmt.Sprintf("Valid for %s, varying only its %s, on %s with %s.", results.Plain(c.Scenario), c.Axis, results.Plain(c.Host.CPUModel), some(c.Host.Cores, "core")),
		"Server and load generator shared the machine, so the loads describe this machine, not the transports.")
	return []Paragraph{answer}
}

func (c Capacity) choice() string {
	most := 0.0
	var unmeasured []string
	for _, h := range c.Found {
		most = max(most, h.Load)
		if h.Unmeasured() {
			unmeasured = append(unmeasured, prose(results.Plain(h.Configuration().Name)))
		}
	}
	switch {
	case c.Unfinished():
		return fmt.Sprintf("%s: not every search finished, so no %s can be chosen.", results.Partial, noun(c.configurations(), false))
	case len(unmeasured) > 0:
		return fmt.Sprintf("Inconclusive: no load could be measured with %s.", list(unmeasured))
	case most == 0:
		return fmt.Sprintf("No %s meets %s at any load that was tried.", noun(c.configurations(), false), c.limit())
	}
	var exact, bounds []string // of those that carry the most; one without an upper bound may carry more than the others
	for _, h := range c.Found {
		switch name := prose(results.Plain(h.Configuration().Name)); {
		case h.Load*(1+c.Within) < most:
		case lowerBound(h):
			bounds = append(bounds, name)
		default:
			exact = append(exact, name)
		}
	}
	best, about := exact, "about"
	if len(bounds) > 0 {
		best, about = bounds, "at least"
	}
	return fmt.Sprintf("Use %s for the highest load: %s %s %s.", choices(best), about, metric.Number(most), axisUnit[c.Axis])
}

// found is the highest load of a transport, and what ended its search.
func (c Capacity) found(h results.Highest) string {
	text := ""
	switch at, ok := h.At(h.Load); {
	case len(h.Probes) == 0:
		text = "not searched: " + endedBy(h)
	case h.Unmeasured():
		text = "not measured; " + endedBy(h)
	case !ok || h.Load == 0:
		text = "no load that was tried meets the limit; " + endedBy(h)
	case h.Unfinished != "":
		text = fmt.Sprintf("so far %s %s; %s", metric.Number(h.Load), axisUnit[c.Axis], endedBy(h))
	default:
		text = fmt.Sprintf("%s %s (%s deliveries/s); %s", highest(h), axisUnit[c.Axis], metric.Number(at.Deliveries), endedBy(h))
	}
	return heading(results.Plain(h.Configuration().Name)) + ": " + text + "."
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
	d := Document{
		Title:    "Capacity of " + results.Plain(c.Scenario),
		Question: fmt.Sprintf("How many %s does each %s carry within the limit %s?", axisUnit[c.Axis], noun(c.configurations(), false), c.limit()),
		Badge:    estimateLabel,
		Origin:   origin(c.Started, c.Host, c.Tool),
		Headline: c.answer(),
		Sections: []Section{
			c.section(),
			{Title: "Evidence", Detail: Full, Paragraphs: text(c.evidence())},
			{Title: "How to repeat it", Detail: Full, Paragraphs: text("Expect the same order of the transports on another machine, but not the same loads."), Code: commands(c.Tool, c.Command, "capacity", c.Scenario)},
			c.tried(),
		},
	}
	switch {
	case c.Unfinished():
		d.Badge = string(results.Partial)
	case inconclusiveAnswer(c.choice()):
		d.Badge = inconclusive
	}
	return d
}

// CSV writes all loads that were tried.
func (c Capacity) CSV(w io.Writer) error {
	var rows [][]any
	for _, h := range c.Found {
		for _, p := range h.Probes {
			rows = append(rows, []any{c.Scenario, h.Transport, p.Load, p.Deliveries, p.Held, p.P50, p.P99, p.CPU, p.Folder, p.Why, h.Target})
		}
	}
	return writeCSV(w, []string{"scenario", "transport", c.Axis, "deliveries_per_second", "met", "p50_ms", "p99_ms", "cpu_us_per_message", "folder", "why", "target"}, rows)
}

// JSON writes it for programs.
func (c Capacity) JSON(w io.Writer) error { return indented(w, c.Capacity) }

// Write writes capacity.md, capacity.html, capacity.csv and the chart into a folder.
func (c Capacity) Write(dir string, charts ...chart.Chart) error {
	return write(dir, ".", charts,
		file{"capacity.md", c.Document().Markdown},
		file{"capacity.html", func(w io.Writer) error { return c.Document().HTML(w, charts) }},
		file{"capacity.csv", c.CSV})
}
