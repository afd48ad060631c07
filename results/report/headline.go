package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// headline is the answer in one sentence: what to choose, its latency and its cost. A run that sweeps the
// load or the round trip has a choice for each. A run that sweeps the poll interval and declares no
// requirement has the border between short polling and the other transports. The headline is empty if
// nothing was measured, or if there is nothing to choose between.
func (r *Report) headline() string {
	if len(r.Run.Manifest.Requirements) == 0 {
		if border := r.crossoverText(); border != "" {
			return border
		}
	}
	var titles, choices []string
	loads := map[string][]summary.Row{} // by title
	for _, row := range r.Summary.Rows {
		title := loadTitle(row.Configuration, r.Run.Manifest.SweptRTT())
		if loads[title] == nil {
			titles = append(titles, title)
		}
		loads[title] = append(loads[title], row)
	}
	for _, title := range titles {
		choice := r.recommend(loads[title], len(titles) > 1)
		if choice == "" {
			return "" // a load without any value leaves the whole run without an answer
		}
		if title != "" {
			choice = "at " + title + " " + choice
		}
		choices = append(choices, choice)
	}
	return strings.Join(choices, "; ")
}

// loadTitle is a configuration's load in words; empty if no load is swept.
func loadTitle(c results.Configuration, sweptRTT bool) string {
	var parts []string
	if c.Clients > 0 {
		parts = append(parts, clients(metric.Count(int64(c.Clients))))
	}
	if c.PublishRate > 0 {
		parts = append(parts, metric.Number(c.PublishRate)+" messages per second")
	}
	if c.PayloadBytes > 0 {
		parts = append(parts, metric.Number(c.PayloadBytes)+" B")
	}
	switch {
	case sweptRTT && c.RTT > 0:
		parts = append(parts, "a round trip of "+duration(c.RTT))
	case sweptRTT:
		parts = append(parts, "no round trip")
	}
	return list(parts)
}

// decidesChoice reports whether verdicts support both orders of the headline: by latency and by cost.
func (r *Report) decidesChoice() bool {
	_, mapped := r.costMap()
	return r.Analysis.Withheld == "" && !mapped && r.decides(r.latency()) && r.decides(r.costMetric())
}

// recommend chooses among rows of one load: the cheapest, and among several that do not differ in cost the
// one with the lowest latency. Without requirements there is no criterion, so it names both extremes. A
// short choice has only its latency and cost.
func (r *Report) recommend(rows []summary.Row, short bool) string {
	if len(rows) < 2 || !slices.ContainsFunc(rows, func(row summary.Row) bool { return len(row.Trials) > 0 }) {
		return ""
	}
	var fit, flawed, undecided []summary.Row
	for _, row := range rows {
		outcome, _ := r.meets(row)
		switch ledger := row.Pooled.Ledger; {
		case len(row.Trials) == 0 || outcome == compare.Failed:
		case outcome == compare.Undecided:
			undecided = append(undecided, row)
		case row.Saturated || ledger.Lost+ledger.DeclaredGap > 0: // although it meets the requirements
			flawed = append(flawed, row)
		default:
			fit = append(fit, row)
		}
	}
	free := len(r.Run.Manifest.Requirements) == 0
	criterion := "found to meet every requirement"
	if free {
		criterion = "that lost nothing"
	}
	if len(undecided) > 0 {
		criterion += fmt.Sprintf(" (undecided: %s)", list(proseNames(undecided)))
	}
	of := fmt.Sprintf("of the %d %s", len(fit), criterion)
	cheapest, basis := r.best(r.costMetric(), fit), r.basis(r.costMetric())
	fastest := r.best(r.latency(), cheapest)
	switch {
	case len(fit) == 0 && free:
		return "every transport lost messages or was overloaded"
	case len(fit) == 0:
		return noneMeets(flawed, undecided)
	case free:
		return r.extremes(fit, of, short)
	case short && len(cheapest) > 0:
		if len(fastest) == 0 {
			fastest = cheapest
		}
		text := r.brief(fastest, " or ")
		if len(undecided) > 0 {
			text += fmt.Sprintf(", with %s undecided", list(proseNames(undecided)))
		}
		return text
	case len(fit) == 1:
		return fmt.Sprintf("%s, the only one %s: %s", prose(fit[0].Name), criterion, r.detailed(fit))
	case len(cheapest) == 0:
		return fmt.Sprintf("more repetitions are needed to rank the cheapest %s: %s", of, r.brief(fit, ", "))
	case len(cheapest) == 1:
		return fmt.Sprintf("%s, the cheapest%s %s: %s; %s", prose(cheapest[0].Name), basis, of, r.detailed(cheapest), r.faster(cheapest[0], fit))
	}
	equal := fmt.Sprintf("the %d cheapest, with no measurable difference in cost%s, %s", len(cheapest), basis, of)
	if len(cheapest) == len(fit) {
		equal = fmt.Sprintf("the %d %s, with no measurable difference in cost%s", len(cheapest), criterion, basis)
	}
	if len(fastest) == 0 {
		return fmt.Sprintf("one of %s: %s", equal, r.detailed(cheapest))
	}
	return fmt.Sprintf("%s, the %s of %s: %s", strings.Join(proseNames(fastest), " or "), r.fastest(), equal, r.detailed(fastest))
}

// noneMeets is why no row that meets the requirements can be chosen.
func noneMeets(flawed, undecided []summary.Row) string {
	var reasons []string
	if len(flawed) > 0 {
		reasons = append(reasons, fmt.Sprintf("%s lost messages or %s overloaded", list(proseNames(flawed)), map[bool]string{true: "was", false: "were"}[len(flawed) == 1]))
	}
	if len(undecided) > 0 {
		reasons = append(reasons, fmt.Sprintf("%s %s undecided", list(proseNames(undecided)), map[bool]string{true: "is", false: "are"}[len(undecided) == 1]))
	}
	if len(reasons) == 0 {
		return "no transport was found to meet every requirement"
	}
	return "no transport was found to meet every requirement and lose nothing: " + strings.Join(reasons, "; ")
}

// extremes names the row with the lowest latency and the cheapest one.
func (r *Report) extremes(rows []summary.Row, of string, short bool) string {
	fastest, cheapest := r.best(r.latency(), rows), r.best(r.costMetric(), rows)
	word, latencyBasis, costBasis := r.fastest(), r.basis(r.latency()), r.basis(r.costMetric())
	switch {
	case len(fastest) == 0 && len(cheapest) == 0:
		return fmt.Sprintf("more repetitions are needed to rank the %s %s: %s", word, of, r.brief(rows, ", "))
	case len(fastest) == 1 && slices.Equal(rowNames(fastest), rowNames(cheapest)):
		return fmt.Sprintf("%s is the %s%s and the cheapest%s %s: %s", prose(fastest[0].Name), word, latencyBasis, costBasis, of, r.detailed(fastest))
	}
	var both []string
	if len(fastest) > 0 {
		both = append(both, fmt.Sprintf("%s%s is %s", word, latencyBasis, r.brief(fastest, " or ")))
	}
	if len(cheapest) > 0 {
		both = append(both, fmt.Sprintf("cheapest%s is %s", costBasis, r.brief(cheapest, " or ")))
	}
	text := strings.Join(both, ", ")
	if short {
		return text
	}
	return text + "; no requirement is declared to choose by"
}

// faster names the other rows whose latency is shown to be lower than that of the cheapest.
func (r *Report) faster(cheapest summary.Row, rows []summary.Row) string {
	lower := slices.DeleteFunc(slices.Clone(rows), func(row summary.Row) bool {
		return row.Name == cheapest.Name || r.ordered(row, cheapest, r.latency()) >= 0
	})
	word := map[bool]string{true: "less stale", false: "faster"}[r.Run.Manifest.Workload.LatestOnly()]
	if len(lower) == 0 {
		return "no other is shown to be " + word
	}
	return word + ": " + r.brief(lower, ", ")
}

// fastest is the word for the best latency. If only the latest message counts, the latency is an age.
func (r *Report) fastest() string {
	return map[bool]string{true: "least stale", false: "fastest"}[r.Run.Manifest.Workload.LatestOnly()]
}

// brief is each row with its latency and cost in brackets.
func (r *Report) brief(rows []summary.Row, separator string) string {
	var texts []string
	latency, spent := metric.ByName(r.latency()), metric.ByName(r.costMetric())
	for _, row := range rows {
		cost := withUnit(medianOf(row, spent.Name), "µs") + " of CPU per message"
		if spent.Name == metric.Cores {
			cost = medianOf(row, spent.Name).String() + " cores"
		}
		texts = append(texts, fmt.Sprintf("%s (%s %s, %s)", prose(row.Name), strings.TrimPrefix(latency.Title, "latency "), withUnit(medianOf(row, latency.Name), latency.Unit), cost))
	}
	return strings.Join(texts, separator)
}

// detailed is each row with its latencies and all of its costs.
func (r *Report) detailed(rows []summary.Row) string {
	w := r.Run.Manifest.Workload
	shown := []struct{ name, before, after string }{
		{metric.P50, "p50 ", ""},
		{metric.P99, "p99 ", ""},
		{metric.AckP99, "upstream p99 ", ""},
		{metric.CPUPerMessage, "", " of CPU per message"},
		{metric.WireBytesPerMessage, "", " on the wire"},
		{metric.ServerMemoryPerClient, "", " of server memory per client"},
	}
	if w.LatestOnly() {
		shown[0].name, shown[0].before = metric.AgeMean, "age mean "
		shown[1].name = metric.AgeP99
		shown[3].name, shown[3].after = metric.Cores, " cores of CPU"
	}
	if w.UpstreamRate == 0 {
		shown = slices.Delete(shown, 2, 3)
	}
	var all []string
	for _, row := range rows {
		var parts []string
		for _, s := range shown {
			if v := medianOf(row, s.name); v.Known == summary.Shown || v.Known == summary.Infinite {
				parts = append(parts, s.before+withUnit(v, metric.ByName(s.name).Unit)+s.after)
			}
		}
		one := strings.Join(parts, ", ")
		if len(rows) > 1 {
			one = prose(row.Name) + " " + one
		}
		all = append(all, one)
	}
	return strings.Join(all, "; ")
}
