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

// lead is the answer in one sentence: what to choose, how soon it delivers and what that costs.
// Where the load or the distance is swept there is a choice for each; where the interval of polls
// is swept, and no need is declared, the border between polls and the rest. It is empty where
// nothing was measured, or there is nothing to choose between.
func (r *Report) lead() string {
	if len(r.Run.Manifest.Needs) == 0 {
		if border := r.crossoverSaid(); border != "" {
			return border
		}
	}
	var said []string
	all := r.loads()
	for _, l := range all {
		one := r.pick(l.rows, len(all) > 1)
		if one == "" {
			return "" // nothing of some load: no answer for the whole
		}
		if l.title != "" {
			one = "at " + l.title + " " + one
		}
		said = append(said, one)
	}
	return strings.Join(said, "; ")
}

// judged says whether verdicts stand behind the lead: behind the order by latency and that by cost.
func (r *Report) judged() bool {
	_, mapped := r.costMap()
	return r.Judgement.Withheld == "" && !mapped && r.decides(r.latency()) && r.decides(r.costMetric())
}

// A field sorts some rows by what an application needs, or where it declares nothing by whether
// they lost nothing.
type field struct {
	fit    []summary.Row
	flawed []summary.Row // they meet every need, but lost something or describe overload
	open   []summary.Row // of some need it cannot be said
}

func (r *Report) field(rows []summary.Row) (f field) {
	for _, row := range rows {
		outcome, _ := r.meets(row)
		switch ledger := row.Pooled.Ledger; {
		case len(row.Trials) == 0 || outcome == compare.Broken:
		case outcome == compare.Undecided:
			f.open = append(f.open, row)
		case row.Saturated || ledger.Lost+ledger.DeclaredGap > 0:
			f.flawed = append(f.flawed, row)
		default:
			f.fit = append(f.fit, row)
		}
	}
	return f
}

// pick chooses among rows of one load: the cheapest, and of those whose costs are not told apart
// the soonest. Where no needs are declared there is nothing to choose by: both ends are named.
// Short, what is chosen has its latency and cost alone.
func (r *Report) pick(rows []summary.Row, short bool) string {
	if len(rows) < 2 || !slices.ContainsFunc(rows, func(row summary.Row) bool { return len(row.Trials) > 0 }) {
		return ""
	}
	f := r.field(rows)
	found := "found to meet every need"
	if len(r.Run.Manifest.Needs) == 0 {
		found = "that lost nothing"
	}
	if len(f.open) > 0 {
		found += fmt.Sprintf(" (open: %s)", list(rowNames(f.open)))
	}
	of := fmt.Sprintf("of the %d %s", len(f.fit), found)
	cost := r.costMetric()
	cheapest, by := r.best(cost, f.fit), r.by(cost)
	switch {
	case len(f.fit) == 0:
		return r.none(f)
	case len(r.Run.Manifest.Needs) == 0:
		return r.ends(f.fit, of, short)
	case short && len(cheapest) > 0:
		return r.pickShort(cheapest, f.open)
	case len(f.fit) == 1:
		return fmt.Sprintf("%s, the only one %s: %s", f.fit[0].Name, found, r.deliver(f.fit))
	case len(cheapest) == 0:
		return fmt.Sprintf("which is cheapest %s takes more blocks: %s", of, strings.Join(r.brief(f.fit), ", "))
	case len(cheapest) == 1:
		return fmt.Sprintf("%s, the cheapest%s %s: %s%s", cheapest[0].Name, by, of, r.deliver(cheapest), r.sooner(cheapest[0], f.fit))
	}
	alike := fmt.Sprintf("the %d cheapest, not told apart by cost%s, %s", len(cheapest), by, of)
	if len(cheapest) == len(f.fit) {
		alike = fmt.Sprintf("the %d %s, not told apart by cost%s", len(cheapest), found, by)
	}
	soonest := r.best(r.latency(), cheapest)
	if len(soonest) == 0 {
		return fmt.Sprintf("one of %s: %s", alike, r.deliver(cheapest))
	}
	return fmt.Sprintf("%s, the %s of %s: %s", or(soonest), r.soonestWord(), alike, r.deliver(soonest))
}

// pickShort names the soonest of the cheapest with latency and cost alone.
func (r *Report) pickShort(cheapest, open []summary.Row) string {
	chosen := cheapest
	if soonest := r.best(r.latency(), cheapest); len(soonest) > 0 {
		chosen = soonest
	}
	said := strings.Join(r.brief(chosen), " or ")
	if len(open) > 0 {
		said += fmt.Sprintf(", with %s open", list(rowNames(open)))
	}
	return said
}

// none says why nothing can be chosen.
func (r *Report) none(f field) string {
	if len(r.Run.Manifest.Needs) == 0 {
		return "each lost messages or was overloaded"
	}
	var said []string
	if len(f.flawed) > 0 {
		said = append(said, fmt.Sprintf("%s lost messages or %s overloaded", list(rowNames(f.flawed)), map[bool]string{true: "was", false: "were"}[len(f.flawed) == 1]))
	}
	if len(f.open) > 0 {
		said = append(said, fmt.Sprintf("of %s it is open", list(rowNames(f.open))))
	}
	if len(said) == 0 {
		return "none was found to meet every need"
	}
	return "none was found to meet every need and lose nothing: " + strings.Join(said, "; ")
}

// ends names the soonest and the cheapest.
func (r *Report) ends(rows []summary.Row, of string, short bool) string {
	soonest, cheapest := r.best(r.latency(), rows), r.best(r.costMetric(), rows)
	bySoon, byCost := r.by(r.latency()), r.by(r.costMetric())
	switch {
	case len(soonest) == 0 && len(cheapest) == 0:
		return fmt.Sprintf("which is %s %s takes more blocks: %s", r.soonestWord(), of, strings.Join(r.brief(rows), ", "))
	case len(soonest) == 1 && slices.Equal(rowNames(soonest), rowNames(cheapest)):
		return fmt.Sprintf("%s is the %s%s and the cheapest%s %s: %s", soonest[0].Name, r.soonestWord(), bySoon, byCost, of, r.deliver(soonest))
	}
	var said []string
	if len(soonest) > 0 {
		said = append(said, fmt.Sprintf("%s%s is %s", r.soonestWord(), bySoon, strings.Join(r.brief(soonest), " or ")))
	}
	if len(cheapest) > 0 {
		said = append(said, fmt.Sprintf("cheapest%s is %s", byCost, strings.Join(r.brief(cheapest), " or ")))
	}
	both := strings.Join(said, ", ")
	if short {
		return both
	}
	return both + "; no need is declared that would choose"
}

// brief is each row's latency and cost in brackets.
func (r *Report) brief(rows []summary.Row) (said []string) {
	of := metric.ByName(r.latency())
	for _, row := range rows {
		said = append(said, fmt.Sprintf("%s (%s %s, %s)", row.Name, strings.TrimPrefix(of.Title, "latency "), withUnit(medianOf(row, of.Name), of.Unit), r.costSaid(medianOf(row, r.costMetric()))))
	}
	return said
}

// medianOf is the median of the blocks, or what there is where they have none.
func medianOf(row summary.Row, metric string) summary.Value {
	if v, ok := row.Median(metric); ok {
		return v
	}
	return row.Value(metric)
}

// sooner says which other rows are told to be sooner, or fresher, than the cheapest.
func (r *Report) sooner(cheapest summary.Row, rows []summary.Row) string {
	var told []summary.Row
	for _, row := range rows {
		if row.Name != cheapest.Name && r.told(row, cheapest, r.latency()) < 0 {
			told = append(told, row)
		}
	}
	word := map[bool]string{true: "fresher", false: "sooner"}[r.Run.Manifest.Workload.LatestOnly()]
	if len(told) == 0 {
		return "; no other is shown to be " + word
	}
	return fmt.Sprintf("; %s: %s", word, strings.Join(r.brief(told), ", "))
}

// soonestWord is what the best latency is called: where only the latest counts it is the freshest.
func (r *Report) soonestWord() string {
	if r.Run.Manifest.Workload.LatestOnly() {
		return "freshest"
	}
	return "soonest"
}

// costMetric is what tells cheap from dear.
func (r *Report) costMetric() string { return r.Run.Manifest.Workload.CostMetric() }

// costSaid is a cost in words.
func (r *Report) costSaid(v summary.Value) string {
	if r.costMetric() == metric.Cores {
		return v.String() + " cores"
	}
	return withUnit(v, "µs") + " of CPU a message"
}

// A load is what a run sweeps and nobody chooses, and the rows under it.
type load struct {
	title string
	rows  []summary.Row
}

// loads are the loads of the run in the order of its rows; one where none is swept.
func (r *Report) loads() (all []load) {
	for _, row := range r.Summary.Rows {
		title := loadTitle(row.Case, r.Run.Manifest.SweptRTT())
		i := slices.IndexFunc(all, func(l load) bool { return l.title == title })
		if i < 0 {
			i = len(all)
			all = append(all, load{title: title})
		}
		all[i].rows = append(all[i].rows, row)
	}
	return all
}

// loadTitle is the load of a case in words; empty where none is swept.
func loadTitle(c results.Case, far bool) string {
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
