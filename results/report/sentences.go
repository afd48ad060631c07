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
	said := r.headline()
	if r.Run.Manifest.Status != results.Invalid {
		said = append(said, r.met()...)
		said = append(said, r.variants()...)
		said = append(said, losses(r.Summary)...)
	}
	said = append(said, r.claimSentences()...)
	said = append(said, exclusions(r.Summary)...)
	said = append(said, holdsFor(r.Run.Manifest))
	return append(said, notMeasured(r.Run.Manifest))
}

// estimateLabel begins what does not judge.
const estimateLabel = "ESTIMATE"

// headline is the label and the answer.
func (r *Report) headline() []string {
	m := r.Run.Manifest
	if m.Status == results.Invalid {
		return []string{fmt.Sprintf("INVALID: %s. The rig failed, so no figure of this run may be quoted.", results.Plain(m.Reason))}
	}
	var said []string
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
	return append(said, r.answer()...)
}

// estimate says how far the run is from a judgement, or why it supports none.
func (r *Report) estimate() string {
	j, missing := r.Judgement, results.VerdictBlocks-r.Summary.ValidBlocks
	if !j.Short {
		return j.Withheld + "."
	}
	about := ""
	if took := summary.BlockTook(r.Run); took > 0 {
		about = fmt.Sprintf("; the other %d take about %s", missing, duration(took*time.Duration(missing)))
	}
	said := fmt.Sprintf("%s%s.", j.Withheld, about)
	if j.Decisive > results.VerdictBlocks {
		said += fmt.Sprintf(" Of %s declared, none can be significant before %d blocks.", some(len(j.Family), "comparison"), j.Decisive)
	}
	return said
}

// answer says which transport delivers soonest, or keeps its clients freshest where only
// the latest is delivered, and which costs least, as far as the verdicts can tell them
// apart or, of what has none, the ranges over the blocks.
func (r *Report) answer() []string {
	soonest, cost := r.latency(), r.costMetric()
	title, spent := metric.ByName(soonest).Title, metric.ByName(cost).Title
	return append(r.phrase(results.Capital(r.soonestWord())+" by "+title, title, soonest),
		r.phrase("Cheapest by "+spent+onStack(r.Summary), "cost by "+spent, cost)...)
}

// orWhenTooFew is the metric, or the other when a transport has too few observations for it.
func orWhenTooFew(rows []summary.Row, metric, other string) string {
	for _, r := range rows {
		for _, t := range r.Trials {
			if summary.Measure(metric, t).Known == summary.TooFew {
				return other
			}
		}
	}
	return metric
}

// phrase says an order, by the median of the blocks, with the range over them:
// "Soonest: sse 2.1 ms (2.0–2.2), then longpoll 6.3 ms (6.1–6.4)." What cannot be put
// in an order is said in the order of the report.
func (r *Report) phrase(order, listing, metric string) []string {
	ordered, unranked := r.tiers(metric)
	var said []string
	if len(ordered) > 0 {
		var places []string
		for _, t := range ordered {
			places = append(places, t.say(metric))
		}
		if by := r.by(metric); by != "" {
			order += "," + by
		}
		said = append(said, fmt.Sprintf("%s, the median block of each: %s.", order, strings.Join(places, ", then ")))
	}
	switch values := values(unranked, metric, func(r summary.Row) summary.Value { return r.Value(metric) }); {
	case len(values) > listed:
		said = append(said, fmt.Sprintf("%s, in no order: %d cases, in the table%s.", results.Capital(listing), len(values), whyUnranked(unranked, metric)))
	case len(values) > 0:
		said = append(said, fmt.Sprintf("%s, in no order: %s%s.", results.Capital(listing), list(values), whyUnranked(unranked, metric)))
	}
	return said
}

// listed is how many cases a sentence without an order names: more are a table.
const listed = 8

// by says, in a run that has verdicts, of an order that none of them gave what gave it.
func (r *Report) by(metric string) string {
	if r.Judgement.Withheld == "" && !r.decides(metric) {
		return " by ranges over the blocks"
	}
	return ""
}

// say names the tier's transports with the median of their blocks and the range.
func (t tier) say(metric string) string {
	said := list(values(t, metric, func(r summary.Row) summary.Value { v, _ := r.Median(metric); return v }))
	switch {
	case len(t) > 2:
		said += ", not all told apart"
	case len(t) == 2:
		said += ", too close to call"
	}
	return said
}

// values says what each row that has a value has.
func values(rows []summary.Row, name string, of func(summary.Row) summary.Value) []string {
	var said []string
	for _, r := range rows {
		v := of(r)
		if len(r.Trials) == 0 || v.Known == summary.NotShown {
			continue
		}
		value := r.Name + " " + withUnit(v, metric.ByName(name).Unit)
		if over, ok := r.Range(name); ok {
			value += " (" + between(over) + ")"
		}
		said = append(said, value)
	}
	return said
}

// whyUnranked says why there is no order.
func whyUnranked(rows []summary.Row, metric string) string {
	var why []string
	for _, r := range rows {
		if reason := whyNoRank(r, metric); reason != "" && !slices.Contains(why, reason) {
			why = append(why, reason)
		}
	}
	if len(why) == 0 {
		return ""
	}
	return "; " + strings.Join(why, "; ")
}

// variants say what a sweep of stacks or flush windows found.
func (r *Report) variants() []string {
	return slices.Concat(r.stackSentences(), r.batchingSentences())
}

// losses says who lost messages: a low latency of the rest is no merit then. What a
// server declares that it cannot deliver is as infinite in the quantiles.
func losses(s summary.Summary) []string {
	count := func(of func(results.Ledger) int64) string {
		var said []string
		for _, r := range s.Rows {
			if n := of(r.Pooled.Ledger); n > 0 {
				said = append(said, fmt.Sprintf("%s %s of %s", r.Name, metric.Count(n), metric.Count(r.Pooled.Ledger.Owed)))
			}
		}
		return list(said)
	}
	var said []string
	if lost := count(func(l results.Ledger) int64 { return l.Lost }); lost != "" {
		said = append(said, "Messages were lost: "+lost+".")
	}
	if gaps := count(func(l results.Ledger) int64 { return l.DeclaredGap }); gaps != "" {
		said = append(said, "Messages were declared undeliverable by the server, which counts as never delivered: "+gaps+".")
	}
	return said
}

// exclusions says how many trials enter no figure; the tables name them.
func exclusions(s summary.Summary) []string {
	var said []string
	if len(s.Dropped) > 0 {
		said = append(said, leftOut(s)+".")
	}
	if len(s.Excluded) == 0 {
		return said
	}
	first := s.Excluded[0]
	again := 0
	for _, e := range s.Excluded {
		if e.Repeated {
			again++
		}
	}
	how := ""
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
	return fmt.Sprintf("Left out of every figure whole, for want of a valid trial of some case: %s %s",
		plural(len(s.Dropped), "block"), list(numbers(s.Dropped)))
}

// holdsFor is the workload that the answer is for, and for no other.
func holdsFor(m results.Manifest) string {
	w := m.Workload
	swept := func(of func(results.Case) float64, own float64) string { return spread(m, of, own) }
	return fmt.Sprintf("This holds for %s%s, %s messages a second published and %s delivered, payloads of %s B, %s, and the %s stack%s.",
		clients(swept(func(c results.Case) float64 { return float64(c.Clients) }, float64(w.Clients))), beside(w),
		swept(func(c results.Case) float64 { return c.PublishRate }, w.PublishRate),
		swept(func(c results.Case) float64 { return c.DeliveryRate }, w.DeliveryRate),
		swept(func(c results.Case) float64 { return c.PayloadBytes }, w.PayloadBytes),
		network(m), results.Plain(m.Stack), map[bool]string{true: "s"}[strings.Contains(m.Stack, ",")])
}

// spread is the least and the most that any case has of something, or the run's own value
// of what is not swept.
func spread(m results.Manifest, of func(results.Case) float64, own float64) string {
	least, most := math.Inf(1), 0.0
	for _, c := range m.AllCases() {
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

// beside is what goes up beside the messages, or from clients beside the subscribers.
func beside(w results.Workload) string {
	said := ""
	if w.Reporters > 0 {
		said += fmt.Sprintf(" and %s that only publish", metric.Count(int64(w.Reporters)))
	}
	if w.InputRate > 0 {
		said += fmt.Sprintf(" that send %s inputs a second of %s B", metric.Number(w.InputRate), metric.Number(w.InputBytes))
	}
	return said
}

// network is what lay between the clients and the server.
func network(m results.Manifest) string {
	name := results.Plain(m.Network)
	if m.RTT == 0 && !m.SweptRTT() && m.Jitter == 0 && m.LineRate == 0 && m.Loss == 0 && m.Reorder == 0 {
		return name + router(m)
	}
	said := "no round trip"
	if m.SweptRTT() {
		said = "round trips " + roundTrips(m)
	} else if m.RTT > 0 {
		said = fmt.Sprintf("a round trip of %s", duration(m.RTT))
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

// roundTrips are the shortest and the longest of the cases.
func roundTrips(m results.Manifest) string {
	shortest, longest := m.AllCases()[0].RTT, time.Duration(0)
	for _, c := range m.AllCases() {
		shortest, longest = min(shortest, c.RTT), max(longest, c.RTT)
	}
	return fmt.Sprintf("from %s to %s", duration(shortest), duration(longest))
}

// router is what the clients are behind.
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
	if m.Network == results.PacketLink {
		return metric.Number(float64(m.LineRate)/1e3) + " kB/s each way"
	}
	return metric.Number(float64(m.LineRate)/1e3) + " kB/s a connection"
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
	if !slices.ContainsFunc(m.AllCases(), func(c results.Case) bool { return c.TLS }) {
		not = append(not, "TLS")
	}
	not = append(not, "proxies and browsers")
	for _, n := range m.NotShown {
		not = append(not, results.Plain(n))
	}
	return "Not measured: " + strings.Join(not, "; ") + "."
}
