package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// A headline is the answer of a run in a few short lines: what to choose, the values behind it, and what
// the alternatives cost. The answer begins with a verb or a state.
type headline struct {
	Paragraph
	undeclared bool // the choice rests on a comparison that was not declared, so that no verdict supports it
}

// headline is the choice, or why there is none.
func (r *Report) headline() headline {
	h := r.choice()
	switch {
	case h.Text != "":
	case !slices.ContainsFunc(r.Summary.Rows, func(row summary.Row) bool { return len(row.Trials) > 0 }):
		h.Text = "Inconclusive: nothing was measured."
	case len(r.Analysis.Family) == 0:
		h.Text = "No choice: there is nothing to compare."
	default:
		h.Text = "Inconclusive: not every load has a valid trial."
	}
	return h
}

// choice is empty if nothing was measured, or if there is nothing to choose between. A run that sweeps
// the load or the round trip has a choice for each. A run that sweeps the poll interval and declares no
// requirement has the border between short polling and the other transports.
func (r *Report) choice() headline {
	if len(r.Run.Manifest.Requirements) == 0 {
		if borders := r.crossoverBorders(); len(borders) > 0 {
			return headline{Paragraph: Paragraph{"Choose by load and acceptable staleness.", borders}}
		}
	}
	var titles []string
	loads := map[string][]summary.Row{} // by title
	for _, row := range r.Summary.Rows {
		title := loadTitle(row.Configuration, r.Run.Manifest.SweptRTT())
		if loads[title] == nil {
			titles = append(titles, title)
		}
		loads[title] = append(loads[title], row)
	}
	all := headline{Paragraph: Paragraph{Text: "Choose by load."}}
	for _, title := range titles {
		choice := r.recommend(loads[title])
		switch {
		case choice.Text == "":
			return headline{} // a load without any value leaves the whole run without an answer
		case len(titles) == 1:
			return choice
		}
		all.Items = append(all.Items, results.Capital(title)+": "+strings.TrimSuffix(choice.Text, "."))
		all.undeclared = all.undeclared || choice.undeclared
	}
	if len(all.Items) == 0 {
		return headline{}
	}
	return all
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

// inconclusiveAnswer reports whether an answer states that there is none.
func inconclusiveAnswer(text string) bool { return strings.HasPrefix(text, "Inconclusive: ") }

// decidesChoice reports whether verdicts support a headline: the orders by latency and by cost on which it
// rests.
func (r *Report) decidesChoice(h headline) bool {
	_, mapped := r.costMap()
	return r.Analysis.Withheld == "" && !mapped && !h.undeclared && r.decides(r.latency()) && r.decides(r.costMetric())
}

// candidates are the rows of one load by what the requirements leave of them.
type candidates struct {
	fit       []summary.Row // can be chosen
	flawed    []summary.Row // lost messages or were overloaded, although they meet the requirements
	undecided []summary.Row // are not shown to meet the requirements
	unfit     []summary.Row // fail a requirement
}

func (r *Report) candidates(rows []summary.Row) (c candidates) {
	for _, row := range rows {
		outcome := r.meets(row)
		switch ledger := row.Pooled.Ledger; {
		case len(row.Trials) == 0:
		case outcome == compare.Failed:
			c.unfit = append(c.unfit, row)
		case outcome == compare.Undecided:
			c.undecided = append(c.undecided, row)
		case row.Saturated || ledger.Lost+ledger.DeclaredGap > 0:
			c.flawed = append(c.flawed, row)
		default:
			c.fit = append(c.fit, row)
		}
	}
	return c
}

// recommend chooses among rows of one load: the cheapest, and among several that do not differ in cost the
// one with the lowest latency. Without requirements there is no criterion, so it names both extremes.
func (r *Report) recommend(rows []summary.Row) (h headline) {
	if len(rows) < 2 || !slices.ContainsFunc(rows, func(row summary.Row) bool { return len(row.Trials) > 0 }) {
		return h
	}
	if missing := slices.DeleteFunc(slices.Clone(rows), func(row summary.Row) bool { return len(row.Trials) > 0 }); len(missing) > 0 {
		return r.incomplete(rows, missing)
	}
	c := r.candidates(rows)
	switch {
	case len(c.fit) == 0:
		h = r.noChoice(rows, c)
	case len(r.Run.Manifest.Requirements) == 0:
		h = r.extremes(c.fit)
	default:
		h = r.cheapest(c.fit)
	}
	if len(c.fit) == 0 {
		return h
	}
	if len(c.unfit) > 0 && len(c.unfit) <= maxAlternatives {
		h.Items = append(h.Items, fmt.Sprintf("Not all requirements are met by %s.", list(proseNames(c.unfit))))
	}
	if len(c.undecided) > 0 {
		h.Items = append(h.Items, fmt.Sprintf("Undecided whether it meets the requirements: %s.", list(proseNames(c.undecided))))
	}
	return h
}

// incomplete is the headline if some rows have no valid trial: they may be better than the others.
func (r *Report) incomplete(rows, missing []summary.Row) headline {
	names := list(proseNames(missing))
	if len(missing) > maxAlternatives {
		names = fmt.Sprintf("%d of %d %ss", len(missing), len(rows), r.noun())
	}
	h := headline{Paragraph: Paragraph{Text: fmt.Sprintf("Inconclusive: no valid trial of %s.", names)}}
	if len(rows)-len(missing) <= maxAlternatives {
		for _, row := range rows {
			if len(row.Trials) > 0 {
				h.Items = append(h.Items, r.brief(row))
			}
		}
	}
	return h
}

// cheapest chooses among rows that meet every requirement.
func (r *Report) cheapest(fit []summary.Row) headline {
	cheapest := r.best(r.costMetric(), fit)
	fastest := r.best(r.latency(), cheapest)
	var all string
	switch n := len(r.Run.Manifest.Requirements); n {
	case 1:
		all = "the requirement"
	case 2:
		all = "both requirements"
	default:
		all = fmt.Sprintf("all %d requirements", n)
	}
	switch {
	case len(fit) == 1:
		return r.use(fit, nil, fmt.Sprintf("The only %s that meets %s.", r.noun(), all))
	case len(cheapest) == 0:
		return r.unranked("cheapest", fit)
	case len(fastest) == 0:
		fastest = cheapest
	}
	fastest = r.comparedFirst(fastest)
	chosen := r.withEquals(fastest, fit)
	each := map[bool]string{true: "Both", false: fmt.Sprintf("All %d", len(chosen))}[len(chosen) == 2]
	first := heading(chosen[0].Name)
	reason := fmt.Sprintf("%s meet %s at the lowest %s%s.", each, all, r.costWord(), r.basis(r.costMetric()))
	switch {
	case len(chosen) == 1 && len(cheapest) == 1:
		reason = fmt.Sprintf("Meets %s at the lowest %s%s.", all, r.costWord(), r.basis(r.costMetric()))
	case len(chosen) == 1:
		reason = fmt.Sprintf("Meets %s; %s of the %d cheapest by %s.", all, r.fastest(), len(cheapest), r.costWord())
	case len(chosen) > len(fastest) && len(cheapest) == 1:
		reason = fmt.Sprintf("%s meet %s. %s is the cheapest by %s.", each, all, first, r.costWord())
	case len(chosen) > len(fastest):
		reason = fmt.Sprintf("%s meet %s. %s is the %s of the %d cheapest by %s.", each, all, first, r.fastest(), len(cheapest), r.costWord())
	case len(cheapest) > len(chosen):
		reason = fmt.Sprintf("%s meet %s. Of the %d cheapest by %s, they are the %s.", each, all, len(cheapest), r.costWord(), r.fastest())
	}
	h := r.use(chosen, fit, reason)
	h.undeclared = !r.allRuled(r.costMetric(), cheapest, fit) || !r.allRuled(r.latency(), fastest, cheapest) ||
		!r.allRuled(r.costMetric(), chosen, chosen) || !r.allRuled(r.latency(), chosen, chosen)
	return h
}

// comparedFirst puts the rows first that the run compares with all others: what the headline says of the others are
// then declared comparisons.
func (r *Report) comparedFirst(rows []summary.Row) []summary.Row {
	isOther := func(row summary.Row) bool { return row.Transport != r.Analysis.Declared.Against }
	others := slices.DeleteFunc(slices.Clone(rows), func(row summary.Row) bool { return !isOther(row) })
	return append(slices.DeleteFunc(slices.Clone(rows), isOther), others...)
}

// withEquals adds the rows that are distinguishable from the first choice neither by cost nor by latency. A
// third row may cost less than they do.
func (r *Report) withEquals(chosen, fit []summary.Row) []summary.Row {
	all := slices.Clone(chosen)
	for _, row := range fit {
		ranked := unrankedReason(row, r.costMetric())+unrankedReason(row, r.latency()) == ""
		if ranked && !slices.Contains(rowNames(all), row.Name) && r.ordered(chosen[0], row, r.costMetric()) == 0 && r.ordered(chosen[0], row, r.latency()) == 0 {
			all = append(all, row)
		}
	}
	return all
}

// use is the headline that recommends some rows out of those that can be chosen.
func (r *Report) use(chosen, fit []summary.Row, reason string) headline {
	h := headline{Paragraph: Paragraph{fmt.Sprintf("Use %s.", choices(proseNames(chosen))), []string{reason}}}
	if len(chosen) > 1 {
		h.Text = strings.TrimSuffix(h.Text, ".") + ": no measurable difference."
	}
	for _, row := range chosen {
		h.Items = append(h.Items, r.brief(row))
	}
	others := slices.DeleteFunc(slices.Clone(fit), func(row summary.Row) bool { return slices.Contains(rowNames(chosen), row.Name) })
	if len(others) <= maxAlternatives {
		for _, row := range others {
			h.Items = append(h.Items, r.against(chosen, row))
		}
	}
	return h
}

// maxAlternatives is how many alternatives the headline compares with the choice. More of them are only in
// the table.
const maxAlternatives = 5

// noChoice is the headline if no row can be chosen.
func (r *Report) noChoice(rows []summary.Row, c candidates) headline {
	free := len(r.Run.Manifest.Requirements) == 0
	h := headline{Paragraph: Paragraph{Text: fmt.Sprintf("No %s meets all requirements.", r.noun())}}
	switch {
	case free:
		h.Text = fmt.Sprintf("No %s can be recommended: all lost messages or were overloaded.", r.noun())
	case len(c.flawed) > 0 && len(c.undecided) == 0:
		h.Text = fmt.Sprintf("No %s meets all requirements and loses nothing.", r.noun())
	case len(c.undecided) > 0:
		h.Text = fmt.Sprintf("Inconclusive: no %s is shown to meet all requirements.", r.noun())
	}
	if len(c.flawed) > 0 && !free {
		h.Items = append(h.Items, fmt.Sprintf("Lost messages, or was overloaded: %s.", list(proseNames(c.flawed))))
	}
	if len(c.undecided) > 0 {
		h.Items = append(h.Items, fmt.Sprintf("Undecided: %s.", list(proseNames(c.undecided))))
	}
	if closest := r.closest(rows); closest != "" && len(c.undecided)+len(c.flawed) == 0 {
		h.Text = closest
	}
	return h
}

// closest is the answer that names the row that comes closest to the only requirement that fails; empty if
// several fail.
func (r *Report) closest(rows []summary.Row) string {
	names := rowNames(rows)
	var best *compare.AssertionResult
	for i, q := range r.Requirements {
		if q.Outcome != compare.Failed || !slices.Contains(names, q.Configuration) || q.Assertion.OtherConfiguration != "" {
			continue
		}
		if best != nil && best.Assertion.Text != q.Assertion.Text {
			return ""
		}
		if best == nil || q.Measured.Compare(best.Measured) < 0 == strings.HasPrefix(q.Assertion.Op, "<") {
			best = &r.Requirements[i]
		}
	}
	if best == nil {
		return ""
	}
	row, _ := r.Summary.Row(best.Configuration)
	return fmt.Sprintf("No %s meets %s. Closest: %s, %s.", r.noun(), results.Plain(best.Assertion.Text), prose(best.Configuration), measuredIn(row, *best))
}

// unranked is the headline of rows that have too few repetitions to be ranked.
func (r *Report) unranked(place string, rows []summary.Row) headline {
	h := headline{Paragraph: Paragraph{Text: fmt.Sprintf("Inconclusive: the %s of %d %ss cannot be ranked.", place, len(rows), r.noun())}}
	if why := whyUnranked(rows, r.costMetric()); why != "" {
		h.Items = append(h.Items, results.Capital(why)+".")
	}
	return h
}

// extremes names the row with the lowest latency and the cheapest one.
func (r *Report) extremes(rows []summary.Row) headline {
	fastest, cheapest := r.best(r.latency(), rows), r.best(r.costMetric(), rows)
	lowest := "for the lowest latency"
	if r.Run.Manifest.Workload.LatestOnly() {
		lowest = "for the lowest age"
	}
	names := func(rows []summary.Row) string { return choices(proseNames(rows)) }
	h := headline{undeclared: !r.allRuled(r.latency(), fastest, rows) || !r.allRuled(r.costMetric(), cheapest, rows)}
	switch {
	case len(fastest) == 0 && len(cheapest) == 0:
		return r.unranked(r.fastest()+" and the cheapest", rows)
	case len(fastest) == 1 && slices.Equal(rowNames(fastest), rowNames(cheapest)):
		both := r.use(fastest, rows, fmt.Sprintf("Is the %s and the cheapest of the %d that lost nothing.", r.fastest(), len(rows)))
		both.undeclared = h.undeclared
		return both
	case len(cheapest) == 0:
		h.Text = fmt.Sprintf("Use %s %s.", names(fastest), lowest)
	case len(fastest) == 0:
		h.Text = fmt.Sprintf("Use %s for the lowest %s.", names(cheapest), r.costWord())
	default:
		h.Text = fmt.Sprintf("Use %s %s, %s for the lowest %s.", names(fastest), lowest, names(cheapest), r.costWord())
	}
	shown := slices.Clone(fastest)
	for _, row := range cheapest {
		if !slices.Contains(rowNames(shown), row.Name) {
			shown = append(shown, row)
		}
	}
	if len(shown) <= maxAlternatives {
		for _, row := range shown {
			h.Items = append(h.Items, r.brief(row))
		}
	}
	h.Items = append(h.Items, "To choose one of them, declare the requirements of the application.")
	return h
}

// fastest is the word for the best latency. If only the latest message counts, the latency is an age.
func (r *Report) fastest() string {
	return map[bool]string{true: "least stale", false: "fastest"}[r.Run.Manifest.Workload.LatestOnly()]
}

// costTitle is the title of the cost; a price has its currency.
func (r *Report) costTitle() string {
	cost := metric.ByName(r.costMetric())
	if cost.Name == metric.Price {
		return cost.Title + ", in " + r.prices().Currency
	}
	return cost.Title
}

// costWord is what the cheapest has the lowest of.
func (r *Report) costWord() string {
	if r.costMetric() == metric.Price {
		return "price"
	}
	return totalCPU
}

// totalCPU is that of server and load generator.
const totalCPU = "total CPU"

// brief is a row with its latency and its cost: the medians of the repetitions.
func (r *Report) brief(row summary.Row) string {
	latency, cost := metric.ByName(r.latency()), metric.ByName(r.costMetric())
	text := roundedWithUnit(row, cost) + " of " + totalCPU + " per message"
	switch cost.Name {
	case metric.Cores:
		text = roundedWithUnit(row, cost) + " cores in total"
	case metric.Price:
		text = rounded(row, cost.Name) + " " + r.prices().Currency + " per 1,000 clients and month"
	}
	return fmt.Sprintf("%s: %s %s, %s.", heading(row.Name), shortTitle(latency), roundedWithUnit(row, latency), text)
}

// against compares a row with the first choice, as ratios of the medians of the repetitions. It names that choice if
// there are several.
func (r *Report) against(chosen []summary.Row, row summary.Row) string {
	of := ""
	if len(chosen) > 1 {
		of = " of " + prose(chosen[0].Name)
	}
	return fmt.Sprintf("%s: %s, %s%s.", heading(row.Name),
		r.times(chosen[0], row, r.costMetric(), r.costWord()), r.times(chosen[0], row, r.latency(), shortTitle(metric.ByName(r.latency()))), of)
}

// times is the ratio of a row's metric to that of the choice: "1.5× the CPU". Differences that are not shown
// are "same CPU": a verdict bounds them by the margin, or they may be noise.
func (r *Report) times(choice, row summary.Row, name, noun string) string {
	if r.ordered(choice, row, name) == 0 {
		return "same " + noun + " (within " + r.bound(choice, row, name) + ")"
	}
	a, b := row.Typical(name), choice.Typical(name)
	if a.Known != summary.Shown || b.Known != summary.Shown || b.X == 0 {
		return noun + " " + withUnit(a, metric.ByName(name).Unit)
	}
	return fmt.Sprintf("%s× the %s", ratio(a.X/b.X), noun)
}

// bound is what limits a difference that is not shown.
func (r *Report) bound(a, b summary.Row, name string) string {
	d, found := r.Analysis.Between(a.Name, b.Name, name)
	if found && r.Analysis.Decides() && (d.Verdict == compare.Equivalent || d.Verdict == compare.Small) {
		return percent(r.Analysis.Declared.Margin)
	}
	return "noise"
}

// ratio rounds x > 0 to two significant digits. Near 1 it has as many as show on which side of 1 it is, up to four decimals:
// neither a difference that is shown nor a headroom is "1.0×".
func ratio(x float64) string {
	if x <= 0.9 || x >= 1.1 {
		return twoSignificant(x)
	}
	for decimals := 2; ; decimals++ {
		if scale := math.Pow10(decimals); math.Round(x*scale) != scale || x == 1 || decimals == 4 {
			return strconv.FormatFloat(x, 'f', decimals, 64)
		}
	}
}

// shortTitle is a latency's name after the name of a transport: "p99", "age p99".
func shortTitle(m metric.Metric) string { return strings.TrimPrefix(m.Title, "latency ") }

// rounded is the median of a row's repetitions, rounded to the noise: three significant digits where the
// repetitions agree within 2 %, otherwise two. Without a range the noise is unknown. A value that was not measured for a
// reason is n/a, as a note below the table has the reason.
func rounded(row summary.Row, name string) string {
	v := row.Typical(name)
	if slices.Contains(idleMetrics, name) && notProbed(row) != "" {
		return "n/a"
	}
	over, ok := row.Range(name)
	agree := ok && over.Lo.Known == summary.Shown && over.Hi.Known == summary.Shown && over.Hi.X-over.Lo.X <= 0.02*v.X
	if v.Known != summary.Shown || v.X <= 0 || agree {
		return v.String()
	}
	return twoSignificant(v.X)
}

// roundedWithUnit is rounded with the metric's unit.
func roundedWithUnit(row summary.Row, m metric.Metric) string {
	if row.Typical(m.Name).Known != summary.Shown {
		return rounded(row, m.Name)
	}
	return strings.TrimSpace(rounded(row, m.Name) + " " + m.Unit)
}

// twoSignificant rounds x > 0 to two significant digits, with thousands separated: 0.17, 9.5, 1,500.
func twoSignificant(x float64) string {
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	if unit >= 1 {
		return metric.Count(int64(math.Round(x/unit) * unit))
	}
	return strconv.FormatFloat(x, 'f', int(math.Round(-math.Log10(unit))), 64)
}

// advice is how to get a verdict, for a run that only has too few repetitions; empty otherwise.
func (r *Report) advice() string {
	a, m := r.Analysis, r.Run.Manifest
	short := a.TooFewOnly || a.Withheld == "" && len(a.Repetitions) < a.MinDecisive
	if !short || len(r.Summary.Rows) == 0 {
		return ""
	}
	want := a.Advised(len(r.Summary.Rows))
	text := fmt.Sprintf("For a verdict: %s --repetitions %d", runCommand(m), want)
	if took := summary.RepetitionDuration(r.Run); took > 0 {
		text += fmt.Sprintf(" (%s)", roughly(took*time.Duration(want)))
	}
	return text
}
