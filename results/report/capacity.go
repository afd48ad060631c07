package report

import (
	"fmt"
	"io"
	"strings"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/metric"
)

// A Capacity says what the highest loads are.
type Capacity struct{ results.Capacity }

func (c Capacity) limit() string { return results.Plain(strings.Join(c.Limit, " and ")) }

func (c Capacity) section() section {
	all := section{
		Title: "Capacity: the highest load that keeps to " + c.limit(),
		Note: fmt.Sprintf("The first load that does not comes within %s of it. Latency and CPU (server and generator, a message) are of the last run at the highest load. At least: the generator or this machine came to its end first.",
			percent(c.Within)),
		Heading: []string{"transport", "highest " + axisUnit[c.Axis], "deliveries/s", "p50 ms", "p99 ms", "CPU µs", "kept again", "ended by"},
	}
	if c.Unfinished() {
		all.Note += " So far: the search did not finish, and a higher load may keep to the limit."
	}
	for _, h := range c.Found {
		at := []string{"–", "–", "–", "–", "–"}
		if p, ok := h.At(h.Load); ok && h.Load > 0 {
			at = cells(p.Deliveries, known(p.P50), known(p.P99), known(p.CPU), times(h.Confirmed))
		}
		all.add(h.Transport, highest(h), at, endedBy(h))
	}
	return all
}

// highest is the load that was found, and how far it is the capacity.
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

// endedBy is why no higher load is the highest.
func endedBy(h results.Highest) string {
	switch {
	case len(h.Probes) == 0:
		return results.Plain(h.Unfinished)
	case h.Unfinished != "":
		return "not finished: " + results.Plain(h.Unfinished)
	case h.Beyond == 0:
		return "nothing: no higher load was tried"
	default:
		return fmt.Sprintf("%s: %s", metric.Number(h.Beyond), results.Plain(h.Why))
	}
}

// times is how often something happened.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// tried is every load in the order of the search.
func (c Capacity) tried() section {
	all := section{Title: "Every load that was tried", Heading: []string{"transport", axisUnit[c.Axis], "deliveries/s", "kept", "p50 ms", "p99 ms", "CPU µs", "run", "why not"}}
	for _, h := range c.Found {
		for _, p := range h.Probes {
			kept := map[bool]string{true: "yes", false: "no"}[p.Held]
			if p.Open {
				kept = "open"
			}
			all.add(h.Transport, p.Load, p.Deliveries, kept, known(p.P50), known(p.P99), known(p.CPU), p.Folder, p.Why)
		}
	}
	return all
}

// Sentences say what the highest load of each transport is, and what that holds for.
func (c Capacity) Sentences() []string {
	found, holds := c.sentences()
	return append(found, holds)
}

func (c Capacity) sentences() (found []string, holds string) {
	for _, h := range c.Found {
		said := ""
		switch at, ok := h.At(h.Load); {
		case len(h.Probes) == 0:
			said = "not searched: "
		case h.Unfinished != "" && h.Load > 0:
			said = fmt.Sprintf("so far %s %s; ", metric.Number(h.Load), axisUnit[c.Axis])
		case !ok || h.Load == 0:
			said = "no load that was tried keeps to it; "
		default:
			said = fmt.Sprintf("%s %s, which are %s deliveries a second; ended by ", highest(h), axisUnit[c.Axis], metric.Number(at.Deliveries))
		}
		found = append(found, results.Plain(h.Transport)+": "+said+endedBy(h)+".")
	}
	return found, fmt.Sprintf("This holds for %s with nothing but its %s varied, on %s with %s, server and generator on one machine: a figure of this machine, not of the transports.",
		results.Plain(c.Scenario), c.Axis, results.Plain(c.Host.CPUModel), some(c.Host.Cores, "core"))
}

// trust is the evidence for and against the figures.
func (c Capacity) trust() string {
	refused := 0
	for _, h := range c.Found {
		for _, p := range h.Probes {
			if p.Folder == "" {
				refused++
			}
		}
	}
	said := "Every load tried was a run of its own, with all its gates, whose folder is named in the table"
	if refused > 0 {
		said += fmt.Sprintf(", but for %s that this machine or pushbench cannot offer", some(refused, "load"))
	}
	said += "."
	if n := c.Confirmed(); n > 0 {
		each := "Each"
		if c.Unfinished() {
			each = "Where the search finished, each"
		}
		said += fmt.Sprintf(" %s highest load kept to the limit %s more.", each, times(n))
	}
	return said + " It is no verdict: another day moves it."
}

// Table writes it for a terminal, without the last column: the sentences say what ended the search.
func (c Capacity) Table(w io.Writer, opts TableOptions) error {
	s := c.section()
	return writeTable(w, opts, []section{s.part(0, len(s.Heading)-2)}, c.Sentences())
}

// Markdown writes it as GitHub renders it.
func (c Capacity) Markdown(w io.Writer) error {
	return writeMarkdown(w, "Capacity of "+c.Scenario, "", c.Sentences(), []section{c.section()})
}

// HTML writes it as one page, with the figure as report.html has its own.
func (c Capacity) HTML(w io.Writer, figures []chart.Chart) error {
	found, holds := c.sentences()
	badge := estimateLabel
	if c.Unfinished() {
		badge = string(results.Partial)
	}
	return page{
		Title:    "Capacity of " + results.Plain(c.Scenario),
		Question: fmt.Sprintf("How many %s does each transport carry while it keeps to %s?", axisUnit[c.Axis], c.limit()),
		Badges:   []string{badge},
		Headline: found,
		Account: []part{
			{Title: "What it holds for", Lines: []string{holds}},
			{Title: "Why believe it", Lines: []string{c.trust()}},
			{Title: "How to repeat it", Lines: []string{"The order of the transports should hold on another machine; the loads will not."}, Code: again(c.Tool, c.Command, "capacity", c.Scenario)},
		},
		Sections: []section{c.section(), c.tried()},
		Charts:   figures,
	}.write(w)
}

// CSV writes every load that was tried.
func (c Capacity) CSV(w io.Writer) error {
	var rows [][]any
	for _, h := range c.Found {
		for _, p := range h.Probes {
			rows = append(rows, []any{c.Scenario, h.Transport, p.Load, p.Deliveries, p.Held, p.P50, p.P99, p.CPU, p.Folder, p.Why})
		}
	}
	return writeCSV(w, []string{"scenario", "transport", c.Axis, "deliveries_per_second", "held", "p50_ms", "p99_ms", "cpu_us_per_message", "folder", "why"}, rows)
}

// JSON writes it for machines.
func (c Capacity) JSON(w io.Writer) error { return indented(w, c.Capacity) }

// Write writes capacity.md, capacity.html, capacity.csv and the figure into a folder.
func (c Capacity) Write(dir string, figures ...chart.Chart) error {
	return write(dir, "", figures,
		file{"capacity.md", c.Markdown},
		file{"capacity.html", func(w io.Writer) error { return c.HTML(w, figures) }},
		file{"capacity.csv", c.CSV})
}
