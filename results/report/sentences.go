package report

import (
	"fmt"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
)

// Sentences say what the run found, what it holds for and what it did not
// measure. The first one begins with VERDICT, or with ESTIMATE, PARTIAL, INVALID or
// SATURATED when that is what the run is worth.
func Sentences(run *results.Run) []string {
	s := run.Summary()
	said := headline(run, s)
	if run.Manifest.Status != results.Invalid {
		said = append(said, variants(s)...)
	}
	if run.Manifest.Status != results.Invalid {
		said = append(said, losses(s)...)
	}
	said = append(said, exclusions(s)...)
	said = append(said, holdsFor(run.Manifest))
	return append(said, notMeasured(run.Manifest))
}

// headline is the label and the answer.
func headline(run *results.Run, s results.Summary) []string {
	m := run.Manifest
	if m.Status == results.Invalid {
		return []string{fmt.Sprintf("INVALID: %s. The rig failed, so no figure of this run may be quoted.", results.Plain(m.Reason))}
	}
	var said []string
	if m.Status != results.Complete {
		said = append(said, fmt.Sprintf("%s: %s.", m.Status, results.Plain(m.Reason)))
	}
	j := compare.Judge(run, s)
	if j.Withheld == "" {
		said = append(said, verdicts(j)...)
	} else {
		said = append(said, estimate(run, s, j))
	}
	return append(said, answer(m, s, j)...)
}

// estimate says how far the run is from a judgement, or why it supports none.
func estimate(run *results.Run, s results.Summary, j compare.Judgement) string {
	if s.ValidBlocks >= results.VerdictBlocks {
		return fmt.Sprintf("ESTIMATE, no verdict: %s.", j.Withheld)
	}
	missing := results.VerdictBlocks - s.ValidBlocks
	about := ""
	if took := run.BlockTook(); took > 0 {
		about = fmt.Sprintf("; the other %d take about %s", missing, duration(took*time.Duration(missing)))
	}
	said := fmt.Sprintf("ESTIMATE: %d of the %d valid blocks that a verdict needs%s.", s.ValidBlocks, results.VerdictBlocks, about)
	if j.Decisive > results.VerdictBlocks {
		said += fmt.Sprintf(" Of %s declared, none can be significant before %d blocks.", some(len(j.Family), "comparison"), j.Decisive)
	}
	return said
}

// answer says which transport delivers soonest, or keeps its clients freshest where only
// the latest is delivered, and which costs least, as far as the verdicts can tell them
// apart or, of what has none, the ranges over the blocks.
func answer(m results.Manifest, s results.Summary, j compare.Judgement) []string {
	best, metric := "Soonest by ", orWhenTooFew(s.Rows, results.P99, results.P50)
	if m.Workload.Delivery == latest {
		best, metric = "Freshest by ", orWhenTooFew(s.Rows, results.AgeP99, results.AgeMean)
	}
	title := results.MetricByName(metric).Title
	said := phrase(best+title, title, s.Rows, metric, j)
	return append(said, phrase("Cheapest by CPU a message, server and generator together"+onStack(s),
		"CPU a message, server and generator together", s.Rows, results.CPUPerMessage, j)...)
}

// orWhenTooFew is the metric, or the other when a transport has too few observations for it.
func orWhenTooFew(rows []results.Row, metric, other string) string {
	for _, r := range rows {
		for _, t := range r.Trials {
			if results.MetricByName(metric).Of(t).Known == results.TooFew {
				return other
			}
		}
	}
	return metric
}

// phrase says an order, with each value's range over the blocks: "Soonest: sse
// 2.1 ms (2.0–2.2), then longpoll 6.3 ms (6.1–6.4)." What cannot be put in an
// order is said in the order of the report.
func phrase(order, listing string, rows []results.Row, metric string, j compare.Judgement) []string {
	ordered, unranked := tiers(rows, metric, j)
	var said []string
	if len(ordered) > 0 {
		var places []string
		for _, t := range ordered {
			places = append(places, t.say(metric))
		}
		said = append(said, fmt.Sprintf("%s: %s.", order, strings.Join(places, ", then ")))
	}
	if values := values(unranked, metric); len(values) > 0 {
		said = append(said, fmt.Sprintf("%s, in no order: %s%s.", capital(listing), list(values), whyUnranked(unranked)))
	}
	return said
}

// say names the tier's transports with their value and their range.
func (t tier) say(metric string) string {
	said := list(values(t, metric))
	if len(t) > 1 {
		said += ", too close to call"
	}
	return said
}

// values says what each row that has a value has.
func values(rows []results.Row, metric string) []string {
	var said []string
	for _, r := range rows {
		v := r.Value(metric)
		if len(r.Trials) == 0 || v.Known == results.NotShown {
			continue
		}
		value := r.Name + " " + withUnit(v, results.MetricByName(metric).Unit)
		if over, ok := r.Range(metric); ok {
			value += " (" + between(over) + ")"
		}
		said = append(said, value)
	}
	return said
}

// whyUnranked says why there is no order: overload, or too few trials.
func whyUnranked(rows []results.Row) string {
	var overloaded []string
	for _, r := range rows {
		if r.Saturated {
			overloaded = append(overloaded, r.Name)
		}
	}
	if len(overloaded) > 0 {
		return fmt.Sprintf("; %s was overloaded, and its figures describe that", list(overloaded))
	}
	return fmt.Sprintf("; an order takes %d valid trials of each", rankedTrials)
}

// variants say what a sweep of stacks or flush windows found.
func variants(s results.Summary) []string { return append(stackSentences(s), batchingSentences(s)...) }

// losses says who lost messages: a low latency of the rest is no merit then.
func losses(s results.Summary) []string {
	var lost []string
	for _, r := range s.Rows {
		if l := r.Pooled.Ledger; l.Lost > 0 {
			lost = append(lost, fmt.Sprintf("%s %s of %s", r.Name, results.Count(l.Lost), results.Count(l.Owed)))
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return []string{"Messages were lost: " + list(lost) + "."}
}

// exclusions says how many trials enter no figure; the tables name them.
func exclusions(s results.Summary) []string {
	if len(s.Excluded) == 0 {
		return nil
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
	return []string{fmt.Sprintf("%s excluded from every figure%s, the first being %s (%s).",
		some(len(s.Excluded), "trial"), how, first.Trial, results.Plain(first.Reason))}
}

// holdsFor is the workload that the answer is for, and for no other.
func holdsFor(m results.Manifest) string {
	w := m.Workload
	return fmt.Sprintf("This holds for %s, %s messages a second published and %s delivered, payloads of %s B, %s, and the %s stack%s.",
		some(w.Clients, "client"), results.Number(w.PublishRate), results.Number(w.DeliveryRate),
		results.Number(w.PayloadBytes), network(m), results.Plain(m.Stack), map[bool]string{true: "s"}[strings.Contains(m.Stack, ",")])
}

// network is what lay between the clients and the server.
func network(m results.Manifest) string {
	name := results.Plain(m.Network)
	if m.RTT == 0 && m.Jitter == 0 && m.LineRate == 0 {
		return name
	}
	said := "no round trip"
	if m.RTT > 0 {
		said = fmt.Sprintf("a round trip of %s", duration(m.RTT))
	}
	if m.Jitter > 0 {
		said += fmt.Sprintf(" and up to %s more each way", duration(m.Jitter))
	}
	if m.LineRate > 0 {
		said += " at " + lineRate(m)
	}
	return fmt.Sprintf("%s (%s)", said, name)
}

// lineRate is what each direction of each connection carries.
func lineRate(m results.Manifest) string {
	if m.LineRate == 0 {
		return "a line without limit"
	}
	return results.Number(float64(m.LineRate)/1e3) + " kB/s a connection"
}

// notMeasured is what a reader might take for granted and must not.
func notMeasured(m results.Manifest) string {
	var not []string
	if m.RTT == 0 {
		not = append(not, "a round trip (loopback has none, which flatters long polling)")
	}
	if m.Network == results.StreamLink {
		not = append(not, "loss and congestion (the link has neither)")
	}
	not = append(not, "several machines", "TLS", "proxies and browsers")
	for _, n := range m.NotShown {
		not = append(not, results.Plain(n))
	}
	return "Not measured: " + strings.Join(not, "; ") + "."
}
