package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// Signs begin a cell of the requirements and of the scorecard. A page adds their words for screen readers.
const (
	signMet       = "✓"
	signUnmet     = "✗"
	signUndecided = "?"
	signBest      = "◆ best"
	signSame      = "≈"
)

// maxShown is the length of the longest table that a page shows without a click.
const maxShown = 12

// scorecardSection has a row per configuration and a column per property by which people choose. Places are
// within one load, among the configurations that lost nothing and fail no requirement.
func (r *Report) scorecardSection() Section {
	scores := r.scores()
	all := Section{
		Title: "Scorecard",
		Note: "Medians of the repetitions. ◆ best: no other is shown to be better. ≈: no measurable difference in the column. " +
			"2nd, 3rd: behind one other, behind two others. " +
			"Without a mark: it cannot be ranked, lost messages or fails a requirement.\n" +
			"CPU: server and load generator. Traffic: TCP payload in both directions.",
		Detail:  Full,
		Chart:   "pareto",
		Columns: columns(results.Capital(r.subject())),
	}
	if r.Run.Manifest.Status == results.Invalid {
		return all
	}
	standings := map[string]map[string]string{}
	for _, c := range scores {
		standings[c.metric] = r.standings(c.metric)
		all.Columns = append(all.Columns, c.Column)
		if c.metric == metric.Price {
			all.Note += " " + r.priceBasis()
		}
	}
	for _, row := range r.measured() {
		var values []Cell
		for _, c := range scores {
			values = append(values, scoreCell(row, c.metric, standings[c.metric][row.Name]))
		}
		all.add(scored(row), values)
	}
	all.Shown = len(all.Rows) <= maxShown
	return all
}

// scored is the name of a row, and how many of its messages did not arrive.
func scored(row summary.Row) Cell {
	name := heading(row.Name)
	if l := row.Pooled.Ledger; l.Lost+l.DeclaredGap > 0 {
		return Cell{fmt.Sprintf("%s, lost %s", name, metric.Count(l.Lost+l.DeclaredGap)), Bad}
	}
	return Cell{Text: name}
}

// A score is a column of the scorecard.
type score struct {
	Column
	metric string
}

// scores are latency, age, CPU, memory, bytes and price, as far as the run measured them.
func (r *Report) scores() []score {
	speed, age := score{Column{Title: "Speed", Unit: "p99, ms"}, metric.P99}, score{Column{Title: "Age of information", Unit: "p99, ms"}, metric.AgeP99}
	if r.tooFewFor(speed.metric) {
		speed = score{Column{Title: "Speed", Unit: "p50, ms"}, metric.P50}
	}
	if r.tooFewFor(age.metric) {
		age = score{Column{Title: "Age of information", Unit: "mean, ms"}, metric.AgeMean}
	}
	cpu := score{Column{Title: "CPU", Unit: "µs per message"}, r.cpu()}
	if cpu.metric == metric.Cores {
		cpu.Unit = "cores"
	}
	prices := r.prices()
	return slices.DeleteFunc([]score{
		speed, age, cpu,
		{Column{Title: "Memory", Unit: "KiB per client"}, metric.ServerMemoryPerClient},
		{Column{Title: "Traffic", Unit: "B per message"}, metric.WireBytesPerMessage},
		{Column{Title: "Price", Unit: prices.Currency + " per month" + marked(prices)}, metric.Price},
	}, func(s score) bool {
		return !slices.ContainsFunc(r.Summary.Rows, func(row summary.Row) bool { return row.Typical(s.metric).Known != summary.NotShown })
	})
}

// scoreCell is a row's value, after its mark.
func scoreCell(row summary.Row, metric, mark string) Cell {
	tone := Tone("")
	if mark == signBest {
		tone = Good
	}
	return Cell{strings.TrimSpace(mark + " " + rounded(row, metric)), tone}
}

// cpu is the metric of CPU: per message, or per second if clients skip messages.
func (r *Report) cpu() string { return metric.Cost(false, r.Run.Manifest.Workload.LatestOnly()) }

// standings are the marks of a column of the scorecard, by row. A row competes with those of its load. One that does
// not compete, or has no competitor, has no mark.
func (r *Report) standings(metric string) map[string]string {
	loads := map[string][]summary.Row{}
	for _, row := range r.Summary.Rows {
		load := loadTitle(row.Configuration, r.Run.Manifest.SweptRTT())
		loads[load] = append(loads[load], row)
	}
	marks := map[string]string{}
	for _, rows := range loads {
		c := r.candidates(rows)
		rivals, _ := rank(append(c.fit, c.undecided...), metric)
		if len(rivals) < 2 {
			continue
		}
		first := 0
		for _, rival := range rivals {
			place := r.place(metric, rival, rivals)
			if marks[rival.Name] = ordinal(place); place == 1 {
				marks[rival.Name] = signBest
				first++
			}
		}
		if first == len(rivals) {
			for _, rival := range rivals {
				marks[rival.Name] = signSame
			}
		}
	}
	return marks
}

// ordinal is a place: "2nd".
func ordinal(n int) string {
	suffix := map[int]string{1: "st", 2: "nd", 3: "rd"}[n%10]
	if suffix == "" || n/10%10 == 1 {
		suffix = "th"
	}
	return fmt.Sprint(n, suffix)
}
