package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
)

// lead is the answer in one sentence: what to choose, how soon it delivers and what that costs.
// Where the load is swept there is a choice for each, and where the interval of polls is too the
// border between polls and the rest. It is empty where nothing can be chosen.
func (r *Report) lead() string {
	if border := r.crossoverSaid(); border != "" {
		return border
	}
	meeting, _ := r.meeting()
	meeting = slices.DeleteFunc(meeting, r.unfit)
	if len(r.Run.Manifest.Needs) > 0 && len(meeting) == 0 {
		return "no transport was found to meet every need"
	}
	loads := r.loads()
	if len(loads) == 1 {
		return r.pick(meeting)
	}
	var said []string
	for _, l := range loads {
		names := slices.DeleteFunc(slices.Clone(l.names), func(name string) bool { return !slices.Contains(meeting, name) })
		if one := r.pickShort(names); one != "" {
			said = append(said, "at "+l.title+" "+one)
		}
	}
	return strings.Join(said, "; ")
}

// unfit is a case that lost something or describes overload, which no choice may fall on.
func (r *Report) unfit(name string) bool {
	row, ok := r.Summary.Row(name)
	return !ok || len(row.Trials) == 0 || row.Saturated || row.Pooled.Ledger.Lost+row.Pooled.Ledger.DeclaredGap > 0
}

// pick chooses among cases of one load: the cheapest, and of those that cost alike the soonest.
// Where no needs are declared there is nothing to choose by: both ends are named.
func (r *Report) pick(names []string) string {
	if len(names) == 0 || len(r.Summary.Rows) == 1 {
		return ""
	}
	cost := r.costMetric()
	cheapest, by := r.best(cost, names), strings.TrimPrefix(r.by(cost), ",")
	switch {
	case len(r.Run.Manifest.Needs) == 0:
		return r.ends(names) + "; no need is declared that would choose"
	case len(names) == 1:
		return fmt.Sprintf("%s, the only one that meets every need: %s", names[0], r.deliver(r.rowsOf(names)))
	case len(cheapest) == 0:
		return fmt.Sprintf("which of the %d that meet every need is cheapest takes more blocks: %s", len(names), strings.Join(r.brief(r.rowsOf(names)), ", "))
	case len(cheapest) == 1:
		return fmt.Sprintf("%s, the cheapest%s of the %d that meet every need: %s%s", cheapest[0].Name, by, len(names), r.deliver(cheapest), r.sooner(cheapest[0], names))
	}
	alike := fmt.Sprintf("the %d that cost alike and the least%s, of the %d that meet every need", len(cheapest), by, len(names))
	if len(cheapest) == len(names) {
		alike = fmt.Sprintf("the %d that meet every need, which cost alike%s", len(names), by)
	}
	soonest := r.best(r.latency(), rowNames(cheapest))
	if len(soonest) == 0 {
		return fmt.Sprintf("one of %s: %s", alike, r.deliver(cheapest))
	}
	return fmt.Sprintf("%s, the %s of %s: %s", or(soonest), r.soonestWord(), alike, r.deliver(soonest))
}

// ends names the soonest and the cheapest of those that lost nothing.
func (r *Report) ends(names []string) string {
	soonest, cheapest := r.best(r.latency(), names), r.best(r.costMetric(), names)
	switch {
	case len(soonest) == 0 && len(cheapest) == 0:
		return fmt.Sprintf("which of the %d that lost nothing is %s takes more blocks: %s", len(names), r.soonestWord(), strings.Join(r.brief(r.rowsOf(names)), ", "))
	case slices.Equal(rowNames(soonest), rowNames(cheapest)):
		return fmt.Sprintf("%s, the %s and the cheapest of the %d that lost nothing: %s", or(soonest), r.soonestWord(), len(names), r.deliver(soonest))
	}
	var said []string
	if len(soonest) > 0 {
		said = append(said, fmt.Sprintf("%s is %s", r.soonestWord(), strings.Join(r.brief(soonest), " or ")))
	}
	if len(cheapest) > 0 {
		said = append(said, fmt.Sprintf("cheapest%s is %s", strings.TrimPrefix(r.by(r.costMetric()), ","), strings.Join(r.brief(cheapest), " or ")))
	}
	return strings.Join(said, ", ")
}

// pickShort is pick for one load of several.
func (r *Report) pickShort(names []string) string {
	if len(names) == 0 {
		return ""
	}
	if len(r.Run.Manifest.Needs) == 0 {
		return r.ends(names)
	}
	chosen := r.best(r.costMetric(), names)
	if soonest := r.best(r.latency(), rowNames(chosen)); len(soonest) > 0 {
		chosen = soonest
	}
	return strings.Join(r.brief(chosen), " or ")
}

// brief is each row's latency and cost in brackets.
func (r *Report) brief(rows []results.Row) (said []string) {
	of := results.MetricByName(r.latency())
	for _, row := range rows {
		said = append(said, fmt.Sprintf("%s (%s %s, %s)", row.Name, strings.TrimPrefix(of.Title, "latency "), withUnit(medianOf(row, of.Name), of.Unit), r.costSaid(medianOf(row, r.costMetric()))))
	}
	return said
}

// medianOf is the median of the blocks, or what there is where they have none.
func medianOf(row results.Row, metric string) results.Value {
	if v, ok := row.Median(metric); ok {
		return v
	}
	return row.Value(metric)
}

// sooner says whether some other case delivers sooner, or keeps fresher, than the cheapest.
func (r *Report) sooner(cheapest results.Row, names []string) string {
	soonest := r.best(r.latency(), names)
	switch {
	case len(soonest) == 0:
		return ""
	case slices.Contains(rowNames(soonest), cheapest.Name):
		return "; no other is shown to be " + map[bool]string{true: "fresher", false: "sooner"}[r.Run.Manifest.Workload.LatestOnly()]
	default:
		return fmt.Sprintf("; %s is %s: %s", r.soonestWord(), or(soonest), r.deliver(soonest))
	}
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
func (r *Report) costSaid(v results.Value) string {
	if r.costMetric() == results.Cores {
		return v.String() + " cores"
	}
	return withUnit(v, "µs") + " of CPU a message"
}

// A load is what a run sweeps of its workload, and the cases under it.
type load struct {
	title string
	names []string
}

// loads are the loads of the run in the order of its rows; one where none is swept.
func (r *Report) loads() (all []load) {
	for _, row := range r.Summary.Rows {
		title := loadTitle(row.Case)
		i := slices.IndexFunc(all, func(l load) bool { return l.title == title })
		if i < 0 {
			i = len(all)
			all = append(all, load{title: title})
		}
		all[i].names = append(all[i].names, row.Name)
	}
	return all
}

// loadTitle is the load of a case in words; empty where none is swept.
func loadTitle(c results.Case) string {
	var said []string
	if c.Clients > 0 {
		said = append(said, clients(results.Count(int64(c.Clients))))
	}
	if c.PublishRate > 0 {
		said = append(said, results.Number(c.PublishRate)+" messages a second")
	}
	if c.PayloadBytes > 0 {
		said = append(said, results.Number(c.PayloadBytes)+" B")
	}
	return list(said)
}
