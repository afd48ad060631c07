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

// lead is the answer in one sentence: what to choose, its latency and its cost.
// Where the load or the round trip is swept there is a choice for each; where the poll interval
// is swept, and no requirement is declared, it is the border between polls and the rest. It is empty where
// nothing was measured, or there is nothing to choose between.
func (r *Report) lead() string {
	if len(r.Run.Manifest.Requirements) == 0 {
		if border := r.crossoverSaid(); border != "" {
			return border
		}
	}
	var titles, said []string
	loads := map[string][]summary.Row{} // by title
	for _, row := range r.Summary.Rows {
		title := loadTitle(row.Configuration, r.Run.Manifest.SweptRTT())
		if loads[title] == nil {
			titles = append(titles, title)
		}
		loads[title] = append(loads[title], row)
	}
	for _, title := range titles {
		one := r.pick(loads[title], len(titles) > 1)
		if one == "" {
			return "" // nothing of some load: no answer for the whole
		}
		if title != "" {
			one = "at " + title + " " + one
		}
		said = append(said, one)
	}
	return strings.Join(said, "; ")
}

// loadTitle is the load of a configuration in words; empty where none is swept.
func loadTitle(c results.Configuration, far bool) string {
	var said []string
	if c.Clients > 0 {
		said = append(said, clients(metric.Count(int64(c.Clients))))
	}
	if c.PublishRate > 0 {
		said = append(said, metric.Number(c.PublishRate)+" messages a second")
	}
	if c.PayloadBytes > 0 {
		said = append(said, metric.Number(c.PayloadBytes)+" B")
	}
	switch {
	case far && c.RTT > 0:
		said = append(said, "a round trip of "+duration(c.RTT))
	case far:
		said = append(said, "no round trip")
	}
	return list(said)
}

// judged says whether verdicts support both orders of the lead: by latency and by cost.
func (r *Report) judged() bool {
	_, mapped := r.costMap()
	return r.Judgement.Withheld == "" && !mapped && r.decides(r.latency()) && r.decides(r.costMetric())
}

// pick chooses among rows of one load: the cheapest, and where several costs are not
// distinguishable the one of them with the lowest latency. Without requirements there is nothing to
// choose by: both extremes are named. Short, the choice has its latency and cost alone.
func (r *Report) pick(rows []summary.Row, short bool) string {
	if len(rows) < 2 || !slices.ContainsFunc(rows, func(row summary.Row) bool { return len(row.Trials) > 0 }) {
		return ""
	}
	var fit, flawed, open []summary.Row
	for _, row := range rows {
		outcome, _ := r.meets(row)
		switch ledger := row.Pooled.Ledger; {
		case len(row.Trials) == 0 || outcome == compare.Failed:
		case outcome == compare.Undecided:
			open = append(open, row)
		case row.Saturated || ledger.Lost+ledger.DeclaredGap > 0: // it meets the requirements all the same
			flawed = append(flawed, row)
		default:
			fit = append(fit, row)
		}
	}
	free := len(r.Run.Manifest.Requirements) == 0
	found := "found to meet every need"
	if free {
		found = "that lost nothing"
	}
	if len(open) > 0 {
		found += fmt.Sprintf(" (open: %s)", list(rowNames(open)))
	}
	of := fmt.Sprintf("of the %d %s", len(fit), found)
	cheapest, by := r.best(r.costMetric(), fit), r.by(r.costMetric())
	soonest := r.best(r.latency(), cheapest)
	switch {
	case len(fit) == 0 && free:
		return "each lost messages or was overloaded"
	case len(fit) == 0:
		return none(flawed, open)
	case free:
		return r.ends(fit, of, short)
	case short && len(cheapest) > 0:
		if len(soonest) == 0 {
			soonest = cheapest
		}
		said := r.brief(soonest, " or ")
		if len(open) > 0 {
			said += fmt.Sprintf(", with %s open", list(rowNames(open)))
		}
		return said
	case len(fit) == 1:
		return fmt.Sprintf("%s, the only one %s: %s", fit[0].Name, found, r.deliver(fit))
	case len(cheapest) == 0:
		return fmt.Sprintf("which is cheapest %s takes more blocks: %s", of, r.brief(fit, ", "))
	case len(cheapest) == 1:
		return fmt.Sprintf("%s, the cheapest%s %s: %s; %s", cheapest[0].Name, by, of, r.deliver(cheapest), r.sooner(cheapest[0], fit))
	}
	alike := fmt.Sprintf("the %d cheapest, not told apart by cost%s, %s", len(cheapest), by, of)
	if len(cheapest) == len(fit) {
		alike = fmt.Sprintf("the %d %s, not told apart by cost%s", len(cheapest), found, by)
	}
	if len(soonest) == 0 {
		return fmt.Sprintf("one of %s: %s", alike, r.deliver(cheapest))
	}
	return fmt.Sprintf("%s, the %s of %s: %s", strings.Join(rowNames(soonest), " or "), r.soonestWord(), alike, r.deliver(soonest))
}

// none says why no row that meets the requirements can be chosen.
func none(flawed, open []summary.Row) string {
	var said []string
	if len(flawed) > 0 {
		said = append(said, fmt.Sprintf("%s lost messages or %s overloaded", list(rowNames(flawed)), map[bool]string{true: "was", false: "were"}[len(flawed) == 1]))
	}
	if len(open) > 0 {
		said = append(said, fmt.Sprintf("of %s it is open", list(rowNames(open))))
	}
	if len(said) == 0 {
		return "none was found to meet every need"
	}
	return "none was found to meet every need and lose nothing: " + strings.Join(said, "; ")
}

// ends names the row of the lowest latency and the cheapest one.
func (r *Report) ends(rows []summary.Row, of string, short bool) string {
	soonest, cheapest := r.best(r.latency(), rows), r.best(r.costMetric(), rows)
	word, bySoon, byCost := r.soonestWord(), r.by(r.latency()), r.by(r.costMetric())
	switch {
	case len(soonest) == 0 && len(cheapest) == 0:
		return fmt.Sprintf("which is %s %s takes more blocks: %s", word, of, r.brief(rows, ", "))
	case len(soonest) == 1 && slices.Equal(rowNames(soonest), rowNames(cheapest)):
		return fmt.Sprintf("%s is the %s%s and the cheapest%s %s: %s", soonest[0].Name, word, bySoon, byCost, of, r.deliver(soonest))
	}
	var said []string
	if len(soonest) > 0 {
		said = append(said, fmt.Sprintf("%s%s is %s", word, bySoon, r.brief(soonest, " or ")))
	}
	if len(cheapest) > 0 {
		said = append(said, fmt.Sprintf("cheapest%s is %s", byCost, r.brief(cheapest, " or ")))
	}
	both := strings.Join(said, ", ")
	if short {
		return both
	}
	return both + "; no need is declared that would choose"
}

// sooner names the other rows whose latency is shown to be lower than that of the cheapest.
func (r *Report) sooner(cheapest summary.Row, rows []summary.Row) string {
	told := slices.DeleteFunc(slices.Clone(rows), func(row summary.Row) bool {
		return row.Name == cheapest.Name || r.told(row, cheapest, r.latency()) >= 0
	})
	word := map[bool]string{true: "fresher", false: "sooner"}[r.Run.Manifest.Workload.LatestOnly()]
	if len(told) == 0 {
		return "no other is shown to be " + word
	}
	return word + ": " + r.brief(told, ", ")
}

// soonestWord is what the best latency is called: where only the latest counts it is the freshest.
func (r *Report) soonestWord() string {
	return map[bool]string{true: "freshest", false: "soonest"}[r.Run.Manifest.Workload.LatestOnly()]
}

// brief is each row with its latency and cost in brackets.
func (r *Report) brief(rows []summary.Row, separator string) string {
	var said []string
	of, spent := metric.ByName(r.latency()), metric.ByName(r.costMetric())
	for _, row := range rows {
		cost := withUnit(medianOf(row, spent.Name), "µs") + " of CPU a message"
		if spent.Name == metric.Cores {
			cost = medianOf(row, spent.Name).String() + " cores"
		}
		said = append(said, fmt.Sprintf("%s (%s %s, %s)", row.Name, strings.TrimPrefix(of.Title, "latency "), withUnit(medianOf(row, of.Name), of.Unit), cost))
	}
	return strings.Join(said, separator)
}

// deliver is the latency and the costs of each row.
func (r *Report) deliver(rows []summary.Row) string {
	w := r.Run.Manifest.Workload
	shown := []struct{ name, before, after string }{
		{metric.P50, "p50 ", ""},
		{metric.P99, "p99 ", ""},
		{metric.AckP99, "inputs p99 ", ""},
		{metric.CPUPerMessage, "", " of CPU a message"},
		{metric.WireBytesPerMessage, "", " on the wire"},
		{metric.ServerMemoryPerClient, "", " of server memory a client"},
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
		var said []string
		for _, s := range shown {
			if v := medianOf(row, s.name); v.Known == summary.Shown || v.Known == summary.Infinite {
				said = append(said, s.before+withUnit(v, metric.ByName(s.name).Unit)+s.after)
			}
		}
		one := strings.Join(said, ", ")
		if len(rows) > 1 {
			one = row.Name + " " + one
		}
		all = append(all, one)
	}
	return strings.Join(all, "; ")
}
