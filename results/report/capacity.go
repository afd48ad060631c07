package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/metric"
)

// A Capacity says what the highest loads are.
type Capacity struct{ results.Capacity }

func (c Capacity) section() section {
	note := fmt.Sprintf("The first load that does not comes within %s of it. Latency and CPU (server and generator, a message) are of the last run at the highest load. At least: the generator or this machine came to its end first.",
		percent(c.Within))
	if c.Unfinished() {
		note += " So far: the search did not finish, and a higher load may keep to the limit."
	}
	all := section{
		Title: "Capacity: the highest load that keeps to " + results.Plain(strings.Join(c.Limit, " and ")),
		Note:  note,
		Head:  []string{"transport", "highest " + axisUnit[c.Axis], "deliveries/s", "p50 ms", "p99 ms", "CPU µs", "kept again", "ended by"},
	}
	for _, h := range c.Found {
		cells := []string{results.Plain(h.Transport), highest(h), "–", "–", "–", "–", "–", endedBy(h)}
		if at, ok := h.At(h.Load); ok && h.Load > 0 {
			copy(cells[2:], []string{metric.Number(at.Deliveries), known(at.P50), known(at.P99), known(at.CPU), times(h.Confirmed)})
		}
		all.Rows = append(all.Rows, line{Cells: cells})
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
	case h.Rig || h.Beyond == 0:
		return "at least " + load
	default:
		return load
	}
}

func known(x float64) string {
	if x == 0 {
		return "–"
	}
	return metric.Number(x)
}

// endedBy is what kept a higher load from being the highest.
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

// Sentences say who carries most, and what that holds for.
func (c Capacity) Sentences() []string {
	var said []string
	for _, h := range c.Found {
		switch at, ok := h.At(h.Load); {
		case len(h.Probes) == 0:
			said = append(said, fmt.Sprintf("%s: not searched: %s.", results.Plain(h.Transport), endedBy(h)))
		case h.Unfinished != "" && h.Load > 0:
			said = append(said, fmt.Sprintf("%s: so far %s %s; %s.", results.Plain(h.Transport), metric.Number(h.Load), axisUnit[c.Axis], endedBy(h)))
		case !ok || h.Load == 0:
			said = append(said, fmt.Sprintf("%s: no load that was tried keeps to it; %s.", results.Plain(h.Transport), endedBy(h)))
		default:
			said = append(said, fmt.Sprintf("%s: %s %s, which are %s deliveries a second; ended by %s.",
				results.Plain(h.Transport), highest(h), axisUnit[c.Axis], metric.Number(at.Deliveries), endedBy(h)))
		}
	}
	return append(said, fmt.Sprintf("This holds for %s with nothing but its %s varied, on %s with %s, server and generator on one machine: a figure of this machine, not of the transports.",
		results.Plain(c.Scenario), c.Axis, results.Plain(c.Host.CPUModel), some(c.Host.Cores, "core")))
}

// Table writes it for a terminal.
func (c Capacity) Table(w io.Writer, opts TableOptions) error {
	s := c.section()
	for i := range s.Rows { // the sentences say what ended it
		s.Rows[i].Cells = s.Rows[i].Cells[:len(s.Head)-1]
	}
	s.Head = s.Head[:len(s.Head)-1]
	return writeTable(w, opts, []section{s}, c.Sentences())
}

// Markdown writes it as GitHub renders it.
func (c Capacity) Markdown(w io.Writer) error {
	return writeDocument(w, "Capacity of "+c.Scenario, "", c.Sentences(), []section{c.section()})
}

// HTML writes it as one page, with the figure as report.html has its own.
func (c Capacity) HTML(w io.Writer, figures []chart.Figure) error {
	said := c.Sentences()
	badge := estimateLabel
	if c.Unfinished() {
		badge = string(results.Partial)
	}
	p := page{
		Title:    "Capacity of " + results.Plain(c.Scenario),
		Question: fmt.Sprintf("How many %s does each transport carry while it keeps to %s?", axisUnit[c.Axis], results.Plain(strings.Join(c.Limit, " and "))),
		Badges:   []string{badge},
		Answer:   said[:len(said)-1],
		Account: []part{
			{Title: "What it holds for", Lines: said[len(said)-1:]},
			{Title: "Why believe it", Lines: c.trust()},
			{Title: "How to repeat it", Lines: []string{"The order of the transports should hold on another machine; the loads will not."}, Code: again(c.Tool, c.Command, "capacity", c.Scenario)},
		},
		Overview: c.section(),
		Sections: []section{c.tried()},
	}
	return p.write(w, figures, "")
}

// trust is what speaks for the figures and what against.
func (c Capacity) trust() []string {
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
		each := " Each"
		if c.Unfinished() {
			each = " Where the search finished, each"
		}
		said += fmt.Sprintf("%s highest load kept to the limit %s more.", each, times(n))
	}
	return []string{said + " It is no verdict: another day moves it."}
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
	all := section{Title: "Every load that was tried", Head: []string{"transport", axisUnit[c.Axis], "deliveries/s", "kept", "p50 ms", "p99 ms", "CPU µs", "run", "why not"}}
	for _, h := range c.Found {
		for _, p := range h.Probes {
			all.Rows = append(all.Rows, line{Cells: []string{
				results.Plain(h.Transport), metric.Number(p.Load), metric.Number(p.Deliveries), kept(p),
				known(p.P50), known(p.P99), known(p.CPU), results.Plain(p.Folder), results.Plain(p.Why),
			}})
		}
	}
	return all
}

func kept(p results.Probe) string {
	switch {
	case p.Open:
		return "open"
	case p.Held:
		return "yes"
	default:
		return "no"
	}
}

// CSV writes every load that was tried.
func (c Capacity) CSV(w io.Writer) error {
	rows := [][]string{{"scenario", "transport", c.Axis, "deliveries_per_second", "held", "p50_ms", "p99_ms", "cpu_us_per_message", "folder", "why"}}
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', 8, 64) }
	for _, h := range c.Found {
		for _, p := range h.Probes {
			rows = append(rows, []string{
				safe(c.Scenario), safe(h.Transport), number(p.Load), number(p.Deliveries), strconv.FormatBool(p.Held),
				number(p.P50), number(p.P99), number(p.CPU), safe(p.Folder), safe(p.Why),
			})
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// JSON writes it for machines.
func (c Capacity) JSON(w io.Writer) error { return indented(w, c.Capacity) }
