package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// Sentences say what the run found, what it holds for and what it did not
// measure. The first one begins with VERDICT, or with ESTIMATE, PARTIAL, INVALID or
// SATURATED when that is what the run is worth.
func (r *Report) Sentences() []string {
	said := append(r.conclusion(r.variants()...), exclusions(r.Summary)...)
	return append(said, holdsFor(r.Run.Manifest), "Not measured: "+notMeasured(r.Run.Manifest))
}

// conclusion is what the run found, more of it where its figures may be quoted, and the outcome of its assertions.
func (r *Report) conclusion(more ...string) []string {
	said := r.headline()
	if r.Run.Manifest.Status != results.Invalid {
		said = slices.Concat(said, r.met(), more, losses(r.Summary))
	}
	return append(said, r.claimSentences()...)
}

// headline is the label and the answer.
func (r *Report) headline() (said []string) {
	m := r.Run.Manifest
	if m.Status == results.Invalid {
		return []string{fmt.Sprintf("INVALID: %s. The rig failed, so no figure of this run may be quoted.", results.Plain(m.Reason))}
	}
	if m.Status != results.Complete {
		said = append(said, fmt.Sprintf("%s: %s.", m.Status, results.Plain(m.Reason)))
	}
	lead := r.lead()
	if lead != "" {
		label := estimateLabel
		if r.judged() {
			label = verdictLabel
		}
		said = append(said, fmt.Sprintf("%s: %s.", label, lead))
	}
	switch {
	case r.Judgement.Withheld == "":
		said = append(said, verdicts(r.Judgement)...)
	case lead != "":
		said = append(said, "No verdict: "+r.estimate())
	default:
		said = append(said, fmt.Sprintf("%s, no verdict: %s", estimateLabel, r.estimate()))
	}
	soonest, cost := metric.ByName(r.latency()), metric.ByName(r.costMetric())
	said = append(said, r.phrase(results.Capital(r.soonestWord())+" by "+soonest.Title, soonest.Title, soonest)...)
	return append(said, r.phrase("Cheapest by "+cost.Title+r.onStack(), "cost by "+cost.Title, cost)...)
}

// onStack says on which stacks an order by cost was measured.
func (r *Report) onStack() string {
	switch stacks := stackNames(r.byStack()); len(stacks) {
	case 0:
		return ""
	case 1:
		return ", on the " + stacks[0] + " stack alone"
	default:
		return ", each on its stack"
	}
}

// estimate says how far the run is from a judgement, or why it supports none.
func (r *Report) estimate() string {
	j, missing := r.Judgement, results.VerdictRepetitions-r.Summary.ValidRepetitions
	if !j.Short {
		return j.Withheld + "."
	}
	said := j.Withheld
	if took := summary.RepetitionDuration(r.Run); took > 0 {
		said += fmt.Sprintf("; the other %d take about %s", missing, duration(took*time.Duration(missing)))
	}
	said += "."
	if j.Decisive > results.VerdictRepetitions {
		said += fmt.Sprintf(" Of %s declared, none can be significant before %d blocks.", some(len(j.Family), "comparison"), j.Decisive)
	}
	return said
}

// listed is how many configurations a sentence without an order names: more are a table.
const listed = 8

// phrase says an order, by the median of the blocks, with the range over them:
// "Soonest: sse 2.1 ms (2.0–2.2), then longpoll 6.3 ms (6.1–6.4)." Rows that cannot be ranked
// are named in the order of the report.
func (r *Report) phrase(order, listing string, m metric.Metric) (said []string) {
	ranked, unranked := rank(r.Summary.Rows, m.Name)
	var places []string
	for _, tier := range r.tiers(ranked, m.Name) {
		place := list(values(tier, m, medianOf))
		switch {
		case len(tier) > 2:
			place += ", not all told apart"
		case len(tier) == 2:
			place += ", too close to call"
		}
		places = append(places, place)
	}
	if len(places) > 0 {
		if by := r.by(m.Name); by != "" {
			order += "," + by
		}
		said = append(said, fmt.Sprintf("%s, the median block of each: %s.", order, strings.Join(places, ", then ")))
	}
	each := values(unranked, m, summary.Row.Value)
	if len(each) == 0 {
		return said
	}
	shown := list(each)
	if len(each) > listed {
		shown = fmt.Sprintf("%d cases, in the table", len(each))
	}
	if why := whyUnranked(unranked, m.Name); why != "" {
		shown += "; " + why
	}
	return append(said, fmt.Sprintf("%s, in no order: %s.", results.Capital(listing), shown))
}

// by names the basis of an order that no verdict gives, in a run that has verdicts.
func (r *Report) by(metric string) string {
	if r.Judgement.Withheld == "" && !r.decides(metric) {
		return " by ranges over the blocks"
	}
	return ""
}

// values names each row that has a value, with that and its range.
func values(rows []summary.Row, m metric.Metric, of func(summary.Row, string) summary.Value) (said []string) {
	for _, r := range rows {
		v := of(r, m.Name)
		if len(r.Trials) == 0 || v.Known == summary.NotShown {
			continue
		}
		value := r.Name + " " + withUnit(v, m.Unit)
		if over, ok := r.Range(m.Name); ok {
			value += " (" + between(over) + ")"
		}
		said = append(said, value)
	}
	return said
}

// variants say what a sweep of stacks or batching delays found.
func (r *Report) variants() []string { return slices.Concat(r.stackSentences(), r.batchingSentences()) }

// losses names the configurations that lost messages: a low latency of the rest is no merit then.
// Messages that a server declares undeliverable are infinite in the quantiles too.
func losses(s summary.Summary) (said []string) {
	for _, of := range []struct {
		what  string
		count func(results.Ledger) int64
	}{
		{"Messages were lost", func(l results.Ledger) int64 { return l.Lost }},
		{"Messages were declared undeliverable by the server, which counts as never delivered", func(l results.Ledger) int64 { return l.DeclaredGap }},
	} {
		var each []string
		for _, r := range s.Rows {
			if n := of.count(r.Pooled.Ledger); n > 0 {
				each = append(each, fmt.Sprintf("%s %s of %s", r.Name, metric.Count(n), metric.Count(r.Pooled.Ledger.Expected)))
			}
		}
		if len(each) > 0 {
			said = append(said, of.what+": "+list(each)+".")
		}
	}
	return said
}

// exclusions counts the trials that enter no figure; the tables name them.
func exclusions(s summary.Summary) (said []string) {
	if len(s.Dropped) > 0 {
		said = append(said, leftOut(s)+".")
	}
	if len(s.Excluded) == 0 {
		return said
	}
	first, how := s.Excluded[0], ""
	again := 0
	for _, e := range s.Excluded {
		if e.Repeated {
			again++
		}
	}
	switch again {
	case 0:
	case len(s.Excluded):
		how = " and measured again"
	default:
		how = fmt.Sprintf(", %d of them measured again", again)
	}
	return append(said, fmt.Sprintf("%s excluded from every figure%s, the first being %s (%s).",
		some(len(s.Excluded), "trial"), how, first.Trial, results.Plain(first.Reason)))
}

// leftOut names the blocks that enter no figure although some of their trials are valid.
func leftOut(s summary.Summary) string {
	said, numbers := "block", make([]string, len(s.Dropped))
	if len(numbers) > 1 {
		said = "blocks"
	}
	for i, n := range s.Dropped {
		numbers[i] = fmt.Sprint(n)
	}
	return fmt.Sprintf("Left out of every figure whole, for want of a valid trial of some case: %s %s", said, list(numbers))
}

// holdsFor is the workload that the answer is for, and for no other.
func holdsFor(m results.Manifest) string {
	w, beside := m.Workload, ""
	if w.PublishOnly > 0 {
		beside += fmt.Sprintf(" and %s that only publish", metric.Count(int64(w.PublishOnly)))
	}
	if w.UpstreamRate > 0 {
		beside += fmt.Sprintf(" that send %s inputs a second of %s B", metric.Number(w.UpstreamRate), metric.Number(w.UpstreamBytes))
	}
	return fmt.Sprintf("This holds for %s%s, %s messages a second published and %s delivered, payloads of %s B, %s, and the %s stack%s.",
		clients(spread(m, func(c results.Configuration) float64 { return float64(c.Clients) }, float64(w.Clients))), beside,
		spread(m, func(c results.Configuration) float64 { return c.PublishRate }, w.PublishRate),
		spread(m, func(c results.Configuration) float64 { return c.DeliveryRate }, w.DeliveryRate),
		spread(m, func(c results.Configuration) float64 { return c.PayloadBytes }, w.PayloadBytes),
		network(m), results.Plain(m.Library), map[bool]string{true: "s"}[strings.Contains(m.Library, ",")])
}

// spread is the least and the most that any configuration has of something, or the run's own value
// of what is not swept.
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

// clients is a number of them with its noun.
func clients(n string) string {
	if n == "1" {
		return n + " client"
	}
	return n + " clients"
}

// network is what lay between the clients and the server.
func network(m results.Manifest) string {
	name := results.Plain(m.Network)
	said := "no round trip"
	switch {
	case m.SweptRTT():
		shortest, longest := m.AllConfigurations()[0].RTT, time.Duration(0)
		for _, c := range m.AllConfigurations() {
			shortest, longest = min(shortest, c.RTT), max(longest, c.RTT)
		}
		said = fmt.Sprintf("round trips from %s to %s", duration(shortest), duration(longest))
	case m.RTT > 0:
		said = "a round trip of " + duration(m.RTT)
	case m.RTT == 0 && m.Jitter == 0 && m.LineRate == 0 && m.Loss == 0 && m.Reorder == 0:
		return name + router(m)
	}
	if m.Jitter > 0 {
		said += fmt.Sprintf(" and up to %s more each way", duration(m.Jitter))
	}
	if m.LineRate > 0 {
		said += " at " + lineRate(m)
	}
	if m.Loss > 0 {
		said += fmt.Sprintf(", %s %% of the packets lost", metric.Number(100*m.Loss))
	}
	if m.Reorder > 0 {
		said += fmt.Sprintf(", %s %% of them early", metric.Number(100*m.Reorder))
	}
	return fmt.Sprintf("%s (%s)%s", said, name, router(m))
}

// router is the clients' NAT.
func router(m results.Manifest) string {
	switch {
	case !m.NAT:
		return ""
	case m.IdleFor > 0:
		return fmt.Sprintf(", behind a router that lets nobody in and forgets what is quiet for %s", duration(m.IdleFor))
	default:
		return ", behind a router that lets nobody in"
	}
}

// lineRate is what each direction carries.
func lineRate(m results.Manifest) string {
	if m.LineRate == 0 {
		return "a line without limit"
	}
	return metric.Number(float64(m.LineRate)/1e3) + " kB/s " + map[bool]string{true: "each way", false: "a connection"}[m.Network == results.PacketLink]
}

// notMeasured is what a reader might take for granted and must not.
func notMeasured(m results.Manifest) string {
	var not []string
	if m.RTT == 0 && !m.SweptRTT() {
		not = append(not, "a round trip (loopback has none, which flatters long polling)")
	}
	if m.Network == results.StreamLink {
		not = append(not, "loss and congestion (the link has neither)")
	}
	not = append(not, "several machines")
	if !slices.ContainsFunc(m.AllConfigurations(), func(c results.Configuration) bool { return c.TLS }) {
		not = append(not, "TLS")
	}
	not = append(not, "proxies and browsers")
	for _, n := range m.NotShown {
		not = append(not, results.Plain(n))
	}
	return strings.Join(not, "; ") + "."
}
