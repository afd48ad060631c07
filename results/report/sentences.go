package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// answer is the headline: what the run found, with the reason, the consequences and the scope.
func (r *Report) answer() (all []Paragraph) {
	m := r.Run.Manifest
	switch m.Status {
	case results.Complete:
	case results.Invalid:
		return []Paragraph{{fmt.Sprintf("INVALID: %s. No value of this run may be quoted.", Cause(r.Run)), []string{remedy(r.Run)}}}
	case results.Saturated:
		all = []Paragraph{{fmt.Sprintf("%s: %s; the latencies describe a queue.", m.Status, Cause(r.Run)), []string{results.Capital(results.Plain(m.BriefReason())) + "."}}}
	default:
		all = text(fmt.Sprintf("%s: %s.", m.Status, results.Plain(m.BriefReason())))
	}
	h := r.headline()
	advice := r.advice()
	switch {
	case r.Mapped(): // the map is an estimate in any case
		advice = ""
	case h.undeclared && r.decides(r.latency()) && r.decides(r.costMetric()):
		advice = "For a verdict, declare the chosen transport in compare.against, and measure again."
	case advice == "" && r.Analysis.Withheld != "":
		advice = fmt.Sprintf("No verdict: %s.", r.Analysis.Withheld)
	case advice == "" && !inconclusiveAnswer(h.Text):
		advice = r.undeclaredMetrics()
	}
	h.Items = slices.DeleteFunc(append(h.Items, scope(m), advice), func(line string) bool { return line == "" })
	return append(all, h.Paragraph)
}

// undeclaredMetrics is how to get a verdict on a choice by metrics that the scenario does not declare; empty if
// it declares them.
func (r *Report) undeclaredMetrics() string {
	var names []string
	for _, name := range []string{r.latency(), r.costMetric()} {
		if !slices.Contains(r.Analysis.Declared.Primary, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("No verdict: compare.primary in the scenario must list %s.", list(names))
}

// orderSection has the orders by latency and by cost.
func (r *Report) orderSection() Section {
	latency, cost := metric.ByName(r.latency()), metric.ByName(r.costMetric())
	all := Section{Title: "Order by latency and by cost", Detail: Wide}
	if r.Run.Manifest.Status != results.Invalid {
		all.Paragraphs = append(r.orderSentences(results.Capital(r.fastest())+" by "+latency.Title, latency.Title, latency),
			r.orderSentences("Cheapest by "+r.costTitle()+r.onLibrary(), "cost by "+r.costTitle(), cost)...)
	}
	return all
}

// onLibrary names the server libraries that an order by cost is valid for.
func (r *Report) onLibrary() string {
	switch libraries := libraryNames(r.byLibrary()); len(libraries) {
	case 0:
		return ""
	case 1:
		return " (server library: " + libraries[0] + ")"
	default:
		return " (each with its library)"
	}
}

// listed is how many configurations without an order are named. More of them are only in the table.
const listed = 8

// orderSentences is an order by the median of the repetitions with their range, one item per place. Rows
// that cannot be ranked follow in the order of the report.
func (r *Report) orderSentences(order, unordered string, m metric.Metric) (all []Paragraph) {
	ranked, unranked := rank(r.Summary.Rows, m.Name)
	var places []string
	for _, tier := range r.tiers(ranked, m.Name) {
		place := list(values(tier, m))
		switch {
		case len(tier) > 2:
			place += ": not every pair is distinguishable"
		case len(tier) == 2:
			place += ": no measurable difference"
		}
		places = append(places, place)
	}
	if len(places) > 0 {
		heading := order + ", median and range of the repetitions:"
		if basis := r.basis(m.Name); basis != "" {
			heading = order + ", ranked" + basis + ", with medians:"
		}
		all = append(all, Paragraph{heading, places})
	}
	each := values(unranked, m)
	if len(each) == 0 {
		return all
	}
	if len(each) > listed {
		each = []string{fmt.Sprintf("%d configurations, see the table", len(each))}
	}
	all = append(all, items(results.Capital(unordered)+", in no order", each)...)
	if why := whyUnranked(unranked, m.Name); why != "" {
		all = append(all, text(results.Capital(why)+".")...)
	}
	return all
}

// basis names the basis of an order that no verdict supports, in a run that has verdicts.
func (r *Report) basis(metric string) string {
	if r.Analysis.Withheld == "" && !r.decides(metric) {
		return " by ranges over the repetitions"
	}
	return ""
}

// values names each row that has a value, with the value and its range.
func values(rows []summary.Row, m metric.Metric) (texts []string) {
	for _, r := range rows {
		if r.Typical(m.Name).Known == summary.NotShown {
			continue
		}
		text := prose(r.Name) + " " + roundedWithUnit(r, m)
		if over, ok := r.Range(m.Name); ok {
			text += " (" + between(over) + ")"
		}
		texts = append(texts, text)
	}
	return texts
}

// sweepSection is the result of a sweep of libraries or batching delays.
func (r *Report) sweepSection() Section {
	all := Section{Title: "Libraries and batching delays"}
	if r.Run.Manifest.Status != results.Invalid {
		all.Paragraphs = append(r.librarySentences(), r.batchingSentences()...)
	}
	return all
}

// losses names the configurations that lost messages. If messages were lost, a low latency of the others
// does not count in favour of a transport. Messages that a server declares undeliverable are infinite in the
// quantiles too.
func losses(s summary.Summary) (all []Paragraph) {
	for _, kind := range []struct {
		heading string
		count   func(results.Ledger) (n int64, by map[string]int64)
	}{
		{"Messages were lost", func(l results.Ledger) (int64, map[string]int64) { return l.Lost, l.LostBy }},
		{"Messages were declared undeliverable by the server, which counts as never delivered", func(l results.Ledger) (int64, map[string]int64) { return l.DeclaredGap, nil }},
	} {
		var each []string
		for _, r := range s.Rows {
			if n, by := kind.count(r.Pooled.Ledger); n > 0 {
				each = append(each, fmt.Sprintf("%s %s of %s%s", prose(r.Name), metric.Count(n), metric.Count(r.Pooled.Ledger.Expected), causes(by)))
			}
		}
		all = append(all, items(kind.heading, each)...)
	}
	return all
}

// exclusions counts the discarded repetitions and the excluded trials. The tables name every trial.
func exclusions(s summary.Summary) (lines []string) {
	if len(s.Dropped) > 0 {
		lines = append(lines, discarded(s)+".")
	}
	if len(s.Excluded) == 0 {
		return lines
	}
	first, repeated := s.Excluded[0], 0
	for _, e := range s.Excluded {
		if e.Repeated {
			repeated++
		}
	}
	how := ""
	switch repeated {
	case 0:
	case len(s.Excluded):
		how = " and repeated"
	default:
		how = fmt.Sprintf(", %d of them repeated", repeated)
	}
	verb, where := "was", ": "
	if len(s.Excluded) > 1 {
		verb, where = "were", ". The first is "
	}
	return append(lines, fmt.Sprintf("%s %s excluded from all values%s%s%s. %s.",
		some(len(s.Excluded), "trial"), verb, how, where, first.Trial, results.Capital(results.Plain(first.Reason))))
}

// discarded names the repetitions that enter no value although some of their trials are valid.
func discarded(s summary.Summary) string {
	noun, verb, numbers := "Repetition", "is", make([]string, len(s.Dropped))
	if len(numbers) > 1 {
		noun, verb = "Repetitions", "are"
	}
	for i, n := range s.Dropped {
		numbers[i] = fmt.Sprint(n)
	}
	return fmt.Sprintf("%s %s %s discarded, because some configuration has no valid trial there", noun, list(numbers), verb)
}

// scope is the workload that the result is valid for, and the options that differ from the usual ones.
func scope(m results.Manifest) string {
	w := m.Workload
	parts := []string{clients(spread(m, func(c results.Configuration) float64 { return float64(c.Clients) }, float64(w.Clients)))}
	if w.PublishOnly > 0 {
		parts = append(parts, metric.Count(int64(w.PublishOnly))+" publish-only")
	}
	if w.UpstreamRate > 0 {
		parts = append(parts, fmt.Sprintf("%s msg/s of %s B upstream", metric.Number(w.UpstreamRate), metric.Number(w.UpstreamBytes)))
	}
	parts = append(parts,
		spread(m, func(c results.Configuration) float64 { return c.DeliveryRate }, w.DeliveryRate)+" msg/s out",
		spread(m, func(c results.Configuration) float64 { return c.PayloadBytes }, w.PayloadBytes)+" B", network(m))
	return "Valid for " + strings.Join(append(parts, unusual(m)...), ", ") + "."
}

// unusual are the options of a run that change its values and are not the default.
func unusual(m results.Manifest) (options []string) {
	if all := servers(m.AllConfigurations()); len(all) == 1 {
		options = append(options, "server "+results.Plain(all[0]))
	}
	if m.Library != reference {
		options = append(options, "library "+results.Plain(m.Library))
	}
	if m.Engine != "events" {
		options = append(options, "engine "+results.Plain(m.Engine))
	}
	switch {
	case m.Pinning.Note == results.OneCore:
		options = append(options, m.Pinning.Note)
	case !m.Pinning.Requested:
		options = append(options, "no pinning")
	}
	for _, c := range m.Conditions {
		servers := 0
		if _, err := fmt.Sscanf(c, "%d servers share", &servers); err == nil {
			options = append(options, some(servers, "server"))
		}
		if strings.HasPrefix(c, "CPU sleep states allowed") {
			options = append(options, "CPU sleep states allowed")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Servers)) {
		if _, faults, _ := strings.Cut(m.Servers[name], ` inject="`); faults != "" {
			if faults, _, _ = strings.Cut(faults, `"`); faults != "" {
				options = append(options, "with injected faults ("+results.Plain(faults)+")")
				break // every server injects the same
			}
		}
	}
	return options
}

// spread is the least and the most that any configuration has of something, or the run's own value of what
// is not swept.
func spread(m results.Manifest, of func(results.Configuration) float64, own float64) string {
	least, most := math.Inf(1), 0.0
	for _, c := range m.AllConfigurations() {
		least, most = min(least, of(c)), max(most, of(c))
	}
	switch {
	case most == 0:
		return metric.Number(own)
	case least == most:
		return metric.Number(most)
	default:
		return metric.Number(least) + " to " + metric.Number(most)
	}
}

// clients is a number of clients with its noun.
func clients(n string) string {
	if n == "1" {
		return n + " client"
	}
	return n + " clients"
}

// network describes the network between the clients and the server.
func network(m results.Manifest) string {
	name := results.Plain(m.Network)
	text := "no added round trip"
	switch {
	case m.SweptRTT():
		shortest, longest := m.AllConfigurations()[0].RTT, time.Duration(0)
		for _, c := range m.AllConfigurations() {
			shortest, longest = min(shortest, c.RTT), max(longest, c.RTT)
		}
		text = fmt.Sprintf("round trips from %s to %s", duration(shortest), duration(longest))
	case m.RTT > 0:
		text = "a round trip of " + duration(m.RTT)
	case m.RTT == 0 && m.Jitter == 0 && m.LineRate == 0 && m.Loss == 0 && m.Reorder == 0:
		return name + router(m)
	}
	if m.Jitter > 0 {
		text += fmt.Sprintf(" with up to %s of jitter each way", duration(m.Jitter))
	}
	if m.LineRate > 0 {
		text += " at " + lineRate(m)
	}
	if m.Loss > 0 {
		text += fmt.Sprintf(", %s of the packets lost", metric.Percent(m.Loss))
	}
	if m.Reorder > 0 {
		text += fmt.Sprintf(", %s reordered", metric.Percent(m.Reorder))
	}
	return fmt.Sprintf("%s (%s)%s", text, name, router(m))
}

// router describes the clients' NAT.
func router(m results.Manifest) string {
	switch {
	case !m.NAT:
		return ""
	case m.IdleFor > 0:
		return fmt.Sprintf(", behind a NAT router that drops inbound connections and drops entries idle for %s", duration(m.IdleFor))
	default:
		return ", behind a NAT router that drops inbound connections"
	}
}

// lineRate is the rate of each direction.
func lineRate(m results.Manifest) string {
	if m.LineRate == 0 {
		return "unlimited bandwidth"
	}
	return metric.Number(float64(m.LineRate)/1e3) + " kB/s " + map[bool]string{true: "each way", false: "per connection"}[m.Network == results.PacketLink]
}

// notMeasured lists what a reader might take for granted although the run did not measure it.
func notMeasured(m results.Manifest) (not []string) {
	real := m.Network == results.OtherHost || m.Network == results.Agents
	if m.RTT == 0 && !m.SweptRTT() && !real {
		not = append(not, "a round trip (loopback has none, which favours long polling)")
	}
	if m.Network == results.StreamLink {
		not = append(not, "packet loss and congestion (the link emulates neither)")
	}
	if !real {
		not = append(not, "several machines")
	}
	if !slices.ContainsFunc(m.AllConfigurations(), func(c results.Configuration) bool { return c.TLS }) {
		not = append(not, "TLS")
	}
	not = append(not, "proxies and browsers")
	return not
}

// unknown lists the properties of the machine that the system does not expose.
func unknown(m results.Manifest) []string {
	var names []string
	for _, n := range m.NotShown {
		names = append(names, results.Plain(n))
	}
	if len(names) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("Unknown (not exposed by this system): %s.", list(names))}
}
