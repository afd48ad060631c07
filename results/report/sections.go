package report

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// sections are the parts of a run's report in reading order. Empty ones are left out.
func (r *Report) sections() []Section {
	all := []Section{r.crossoverSection(), r.resultsSection()}
	if len(all[0].Rows) > 0 { // the map answers the question
		all[0].Shown, all[0].Chart, all[1].Detail = true, "crossover", Wide
	}
	all = append(all,
		Section{Title: "Losses", Shown: true, Paragraphs: losses(r.Summary)},
		r.requirementsSection(), r.scorecardSection(), r.reversalSection(),
		r.sweepSection(), r.repliesSection(), r.shortLivedSection(), r.publishedSection(),
		Section{Title: "Assertions", Shown: r.Outcome() != compare.Passed, Paragraphs: r.assertionSentences()},
		r.orderSection(), r.priceSection())
	if r.Analysis.Withheld == "" {
		all = append(all, verdictsSection(r.Analysis), othersSection(r.Analysis))
	}
	all = append(all, r.accountSections()...)
	all = append(all,
		r.assertionsSection(), r.librarySection(),
		r.rangesSection(), r.noiseSection(), r.withinSection(), r.wireSection(), r.connectSection(), r.linkSection(), r.agentsSection(), r.ageSection(),
		r.ledgerSection(), r.publishSection(), r.checksSection(), r.modelSection(), r.sourcesSection(), r.manifestSection(), filesSection(),
	)
	return slices.DeleteFunc(all, Section.empty)
}

// repliesSection has the requests that a server sent, and the replies to them.
func (r *Report) repliesSection() Section {
	all := Section{
		Title: "Requests to clients and their replies",
		Note: "Each message requests a reply from its client. " +
			"The round trip counts from the message's due instant until the requesting backend has the reply. " +
			"The backend runs next to the server, which forwards replies by a webhook on every transport.\n" +
			"Rules: entries of the clients' router that admit the server. " +
			"Posts: webhook requests to clients and to the backend, since the server started.",
		Columns: columns(r.subject(), "requested", "delivered", "replied", "lost", "p50 ms", "p99 ms", "max ms", "rules", "posts", "failed"),
	}
	if !slices.ContainsFunc(r.Summary.Rows, func(r summary.Row) bool { return r.Pooled.Replies.Ledger.Expected > 0 }) {
		return all
	}
	for _, row := range r.measured() {
		a, w := row.Pooled.Replies, row.Pooled.Webhooks
		all.add(row.Label(), a.Ledger.Expected, row.Pooled.Ledger.Delivered, a.Ledger.Delivered, a.Ledger.Lost,
			row.Typical(metric.ReplyP50), row.Typical(metric.ReplyP99), longest(a.Latency), w.Rules, w.Posts, byCause(w.Failed, w.FailedBy))
	}
	return all
}

// shortLivedSection has the clients that connect, receive one message and leave.
func (r *Report) shortLivedSection() Section {
	all := Section{
		Title: "Short-lived clients: subscribe, receive a first message, disconnect",
		Note: "They run next to the other clients, in the window. " +
			"Milliseconds from the time at which a client is due until it is subscribed, and until its first message. " +
			"No ledger includes these clients; all costs do.",
		Columns: columns(r.subject(), "started", "with a message", "without", "subscribed p50 ms", "first message p50 ms", "p99 ms", "max ms"),
	}
	if !slices.ContainsFunc(r.Summary.Rows, func(r summary.Row) bool { return r.Pooled.ShortLived.Started > 0 }) {
		return all
	}
	for _, row := range r.measured() {
		v := row.Pooled.ShortLived
		all.add(row.Label(), v.Started, v.First.Histogram.Count(), byCause(v.First.Infinite, v.LostBy),
			row.Typical(metric.ShortLivedReadyP50), row.Typical(metric.FirstMessageP50), row.Typical(metric.FirstMessageP99), longest(v.First))
	}
	return all
}

// longest is the maximum, which is infinite if something never arrived.
func longest(l results.Latency) any {
	if l.Infinite > 0 {
		return "∞"
	}
	return l.Histogram.Max()
}

// publishedSection compares published values with the model and this run.
func (r *Report) publishedSection() Section {
	p := r.Run.Manifest.Published
	all := Section{Title: "Published, predicted, measured", Note: results.Plain(p.Source), Columns: columns("", "published", "predicted", "measured")}
	if p.Missing != "" {
		all.Note += " Not available, or not shown here: " + results.Plain(p.Missing)
	}
	for _, v := range p.Values {
		predicted := results.Plain(v.Predicted)
		if predicted == "" {
			predicted = withUnit(r.Summary.Predicted(v), v.Unit)
		}
		all.add(v.What, v.Printed, predicted, withUnit(r.Summary.Measured(v), v.Unit))
	}
	return all
}

// ranged are the metrics of the table of ranges over the repetitions.
var ranged = []string{
	metric.P50, metric.P99, metric.P999, metric.AgeMean, metric.AgeP99, metric.AckP50, metric.AckP99,
	metric.CPUPerMessage, metric.ServerCPUPerMessage, metric.GeneratorCPUPerMessage,
	metric.WireBytesPerMessage, metric.PacketBytesPerMessage, metric.PayloadShare,
	metric.RequestsPerMessage, metric.EmptyResponseShare, metric.MessagesPerBatch,
	metric.ServerMemoryPerClient, metric.ServerMemoryStartup, metric.GeneratorMemoryPerClient, metric.ConnectP50, metric.ConnectRoundTrips,
}

func (r *Report) rangesSection() Section {
	all := Section{
		Title:   "All metrics, with their range over the repetitions",
		Detail:  Full,
		Note:    "Medians of the valid trials; in brackets the lowest and highest value of a single trial. The range shows the observed noise; it is not a confidence interval.",
		Columns: columns("metric"),
	}
	for _, row := range r.Summary.Rows {
		all.Columns = append(all.Columns, Column{Title: row.Label()})
	}
	for _, name := range ranged {
		m := metric.ByName(name)
		row := []string{strings.TrimSuffix(m.Title+", "+m.Unit, ", ")}
		for _, r := range r.Summary.Rows {
			row = append(row, valueAndRange(r, name))
		}
		all.add(row)
	}
	return all
}

func valueAndRange(r summary.Row, metric string) string {
	text := r.Typical(metric).String()
	if over, ok := r.Range(metric); ok {
		text += " (" + between(over) + ")"
	}
	return text
}

// noiseSection compares each configuration with itself: the noise that any difference must exceed.
func (r *Report) noiseSection() Section {
	all := Section{
		Title:  noiseTitle,
		Detail: Full,
		Note: "Valid repetitions form pairs: the second is compared with the first, the fourth with the third. " +
			"Only noise differs. Ignore differences between configurations that are smaller than these. " +
			"No comparison is adjusted for the others: " +
			fmt.Sprintf("one in twenty has a p below 0.05 by chance. A verdict on the noise needs %d repetitions, that is %d pairs.", 2*compare.MinRepetitions, compare.MinRepetitions),
		Columns: columns("metric", "configuration", "pairs", "ratio", "95 %", "p", "verdict"),
	}
	for _, d := range r.SelfComparisons {
		if r.Run.Manifest.Status == results.Invalid || d.Verdict == compare.Incomparable || d.Repetitions == 0 {
			continue
		}
		over, p := "–", "–"
		if d.Verdict != compare.TooFew {
			over, p = interval(d.Lo, d.Hi), twoDigits(d.P)
		}
		all.add(metric.ByName(d.Metric).Title, results.Label(d.Names[0]), d.Repetitions, ratioText(d.Ratio), over, p, string(d.Verdict))
	}
	return all
}

// withinSection has the quantiles of each trial with their intervals within the trial.
func (r *Report) withinSection() Section {
	all := Section{
		Title:  "Each valid trial, with intervals within the trial",
		Detail: Full,
		Note: "In brackets: the 95 % interval within the trial, from order statistics of its independent observations. " +
			"The spread between trials is usually larger.",
		Columns: columns(r.subject(), "repetition", "independent n"),
	}
	for _, q := range summary.WithinQuantiles {
		all.Columns = append(all.Columns, columns(metric.ByName(q.Metric).Title+", ms")...)
	}
	for _, row := range r.measured() {
		for _, t := range row.Trials {
			var quantiles []string
			for _, q := range summary.WithinQuantiles {
				text := summary.Measure(q.Metric, t).String()
				if over, ok := summary.Within(t.Latency, q.Q); ok {
					text += " (" + between(over) + ")"
				}
				quantiles = append(quantiles, text)
			}
			all.add(results.Label(t.ConfigurationName()), t.Repetition, t.Latency.Independent, quantiles)
		}
	}
	return all
}

// ethernetHeader is the number of bytes that a frame adds to an IP packet.
const ethernetHeader = 14

func (r *Report) wireSection() Section {
	all := Section{
		Title:  "Bytes on the wire per delivered message",
		Detail: Full,
		Note: fmt.Sprintf("TCP payload at the clients' end over the windows of all valid trials together, publishes included. Up is client to server.\n"+
			"TCP/IP headers are not included: %d B per segment, also of bare acknowledgements (IPv4, TCP with timestamps). "+
			"Each opened connection adds %d B of options. "+
			"The metric \"with TCP/IP headers\" includes both. No metric includes Ethernet headers (%d B per frame).\n"+
			"Envelope: the JSON around the payload. Framing: SSE fields, WebSocket frame headers and chunk sizes.\n"+
			"The table of connecting has the bytes before the window.", summary.SegmentHeader, summary.HandshakeOptions, ethernetHeader),
		Columns: columns(r.subject(), "direction", "payload", "envelope", "framing", "headers", "total", "segments"),
	}
	for _, row := range r.measured() {
		c := row.Pooled.Cost
		if c.Delivered == 0 {
			continue
		}
		each := func(n int64) float64 { return float64(n) / float64(c.Delivered) }
		for _, direction := range []struct {
			name string
			results.Direction
		}{{"down", c.Wire.Down}, {"up", c.Wire.Up}} {
			segments := any("–")
			if direction.Segments > 0 {
				segments = each(direction.Segments)
			}
			all.add(row.Label(), direction.name, each(direction.Payload), each(direction.Envelope), each(direction.Framing), each(direction.Headers), each(direction.Bytes), segments)
		}
	}
	return all
}

func (r *Report) connectSection() Section {
	all := Section{
		Title:  "Connecting",
		Detail: Full,
		Note: "tcp: the TCP handshake. tls: the TLS handshake. response: the response to the upgrade or the first poll. " +
			"ready: the total, from the start of the connection until the subscription is acknowledged. Milliseconds.\n" +
			"Values are medians of the repetitions; clients and failures are their sums, max is that of all.\n" +
			"Server CPU: per client, while the clients connected. The kernel reports user and system time in steps of 10 ms. " +
			"Per core: the connections per second that one core accepts at that cost.",
		Columns: columns(r.subject(), "clients", "failed"),
	}
	stages := slices.DeleteFunc(slices.Clone(results.Stages), func(stage string) bool { // that no row has
		return !slices.ContainsFunc(r.Summary.Rows, func(r summary.Row) bool { return r.Pooled.Connect.Stages[stage].Count() > 0 })
	})
	for _, stage := range stages {
		all.Columns = append(all.Columns, columns(stage+" p50", stage+" p99", stage+" max")...)
	}
	all.Columns = append(all.Columns, columns("round trips", "bytes up", "bytes down", "server CPU µs", "user", "kernel", "per core, /s")...)
	for _, row := range r.measured() {
		c := row.Pooled.Connect
		var took []Cell
		for _, stage := range stages {
			if h := c.Stages[stage]; h.Count() > 0 {
				took = append(took, cells(stageQuantile(row, stage, 0.5), stageQuantile(row, stage, 0.99), h.Max())...)
			} else {
				took = append(took, cells("–", "–", "–")...)
			}
		}
		cpu, perCore := row.Typical(metric.ConnectServerCPU), any("–")
		if cpu.Known == summary.Shown && cpu.X > 0 {
			perCore = int64(1e6 / cpu.X) // if the core does nothing else; CPU is in µs
		}
		all.add(row.Label(), c.Clients, byCause(c.Failed, c.FailedBy), took, row.Typical(metric.ConnectRoundTrips), row.Typical(metric.ConnectBytesUp), row.Typical(metric.ConnectBytesDown),
			cpu, row.Typical(metric.ConnectServerUser), row.Typical(metric.ConnectServerSystem), perCore)
	}
	return all
}

// stageQuantile is the typical time of a stage of connecting.
func stageQuantile(row summary.Row, stage string, q float64) summary.Value {
	return row.TypicalOf(func(t results.Trial) summary.Value { return summary.StageQuantile(t, stage, q) })
}

func (r *Report) linkSection() Section {
	all := Section{
		Title:  "Emulated packet link",
		Detail: Full,
		Note: "The link's traffic over all valid trials together, connecting included. Lost and early packets are as configured. " +
			"Late: how long after its due instant a packet was forwarded. " +
			"The CPU is the link's own, over the windows; no other value includes it.",
		Columns: columns(r.subject(), "direction", "packets", "bytes", "lost", "early", "queue full", "refused", "late p99 ms", "late max ms", "CPU ms"),
	}
	for _, row := range r.measured() {
		if l := row.Pooled.Link; l != nil {
			add := func(direction string, w results.LinkDirection, cpu any) {
				all.add(row.Label(), direction, w.Packets, w.Bytes, w.Lost, w.Overtook, w.Overflowed, w.Refused, w.Late.Quantile(0.99), w.Late.Max(), cpu)
			}
			add("down", l.Down, row.Pooled.Cost.Link.CPU)
			add("up", l.Up, "")
		}
	}
	return all
}

// agentsSection has what each agent measured, if there are any.
func (r *Report) agentsSection() Section {
	all := Section{
		Title:  "Agents",
		Detail: Full,
		Note: "All valid trials together. Latencies are of an agent's own messages to its own clients, by its own clock. " +
			"Clock error: the largest error of the offset between its clock and that of the run, by which it starts. " +
			"Control: what it exchanged with the run from the warm-up to the end of the drain, per second. " +
			"CPU over the windows; that of servers contains work for clients whose agent has the same machine.",
		Columns: columns(r.subject(), "agent", "machine", "clients", "delivered", "lost", "p50 ms", "p99 ms", "server CPU ms", "generator CPU ms", "clock error ms", "control B/s"),
	}
	for _, row := range r.measured() {
		for _, name := range agentsOf(row.Trials) {
			var a results.AgentShare
			var took time.Duration
			for _, t := range row.Trials {
				i := slices.IndexFunc(t.Agents, func(one results.AgentShare) bool { return one.Name == name })
				if i < 0 {
					continue
				}
				one := t.Agents[i]
				a.Machine, a.Clients, a.Bound = one.Machine, one.Clients, max(a.Bound, one.Bound)
				a.Server += one.Server
				a.Generator += one.Generator
				a.Control += one.Control
				took += r.Run.Manifest.Workload.Warmup + r.Run.Manifest.Workload.Window
				results.Merge(&a.Ledger, one.Ledger)
				results.Merge(&a.Latency, one.Latency)
			}
			all.add(row.Label(), results.Plain(name), fmt.Sprintf("%.8s", results.Plain(a.Machine)), a.Clients, a.Ledger.Delivered, a.Ledger.Lost,
				quantile(a.Latency, 0.5), quantile(a.Latency, 0.99), a.Server, a.Generator, a.Bound, float64(a.Control)/took.Seconds())
		}
	}
	return all
}

// quantile is a quantile of latencies in a table.
func quantile(l results.Latency, q float64) any {
	d, infinite, ok := l.Quantile(q)
	switch {
	case infinite:
		return "∞"
	case !ok:
		return "–"
	}
	return d
}

// agentsOf lists the names of agents.
func agentsOf(trials []results.Trial) (names []string) {
	for _, t := range trials {
		for _, a := range t.Agents {
			if !slices.Contains(names, a.Name) {
				names = append(names, a.Name)
			}
		}
	}
	return names
}

// ageSection has the transports whose ages were measured; runs of the earliest versions have none.
func (r *Report) ageSection() Section {
	all := Section{
		Title:  "Age of information: staleness of the clients' data",
		Detail: Full,
		Note: "Age: the time since the client's newest message of a topic was due. " +
			"Quantiles are over time: for half of the time, the age is below the median. Milliseconds.\n" +
			"Mean, p50 and p99 are medians of the repetitions. Oldest and the shares are over all valid trials.\n" +
			"Covered: the share of the time in which a client had a message. Uncovered: the share before its first message. " +
			"Never: the share of topics that had publishes but no delivery in the window.",
		Columns: columns(r.subject(), "mean", "p50", "p99", "oldest", "covered", "uncovered", "never", "superseded"),
	}
	for _, row := range r.measured() {
		if age := row.Pooled.Age; age.Subscribed > 0 {
			share := func(part time.Duration) string {
				return metric.Percent(float64(part) / float64(age.Subscribed))
			}
			all.add(row.Label(), row.Typical(metric.AgeMean), row.Typical("age_p50"), row.Typical(metric.AgeP99), age.Oldest,
				share(age.Covered), share(age.Uncovered), share(age.Never), row.Typical(metric.Superseded))
		}
	}
	return all
}

func (r *Report) ledgerSection() Section {
	all := Section{
		Title:  "Ledger: the outcome of every expected message",
		Detail: Full,
		Note: "Over all valid trials together.\n" +
			"expected = delivered + superseded + declared gap + lost · received = delivered + duplicates + unexpected\n" +
			"Superseded: replaced by a newer message. Declared gap: reported by the server as missed.",
		Columns: columns(r.subject(), "expected", "delivered", "superseded", "declared gap", "lost", "received", "duplicates", "unexpected", "reordered", "sums match"),
	}
	for _, row := range r.measured() {
		l, match := row.Pooled.Ledger, any("yes")
		identities := row.Pooled.Identities()
		if i := slices.IndexFunc(identities, func(i results.Identity) bool { return !i.Holds() }); i >= 0 {
			match = identities[i]
		}
		all.add(row.Label(), l.Expected, l.Delivered, l.Superseded, l.DeclaredGap, byCause(l.Lost, l.LostBy), l.Received, l.Duplicates, l.Unexpected, l.Reordered, match)
	}
	return all
}

func (r *Report) publishSection() Section {
	all := Section{
		Title:   "Publishes: planned and sent",
		Detail:  Full,
		Note:    "Over all valid trials together.\nplanned = on time + late + dropped · sent = acknowledged + failed + unknown.\nLateness is caused by the load generator. Blocked: delayed by an earlier publish on the same connection. Milliseconds.",
		Columns: columns(r.subject(), "planned", "on time", "late", "dropped", "sent", "acknowledged", "failed", "unknown", "lateness p99", "lateness max", "blocked max"),
	}
	for _, row := range r.measured() {
		p := row.Pooled.Publishes
		all.add(row.Label(), p.Planned, p.OnTime, p.Late, byCause(p.Dropped, p.DroppedBy), p.Sent, p.Acknowledged, byCause(p.Failed, p.FailedBy), p.Unknown,
			p.Lateness.Quantile(0.99), p.Lateness.Max(), p.HeldUp.Max())
	}
	return all
}

// byCause is a count, and its parts with the largest first: "4 (reset 3, timeout 1)".
func byCause(n int64, by map[string]int64) string { return metric.Count(n) + causes(by) }

// mostCauses is how many causes are named: a server may write a part of them.
const mostCauses = 6

// causes are the causes of a number in brackets, the most frequent first; "" for none.
func causes(by map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		return cmp.Or(cmp.Compare(by[b], by[a]), strings.Compare(a, b))
	})
	var parts []string
	others := int64(0)
	for i, name := range names {
		if i >= mostCauses && len(names) > mostCauses+1 {
			others += by[name]
			continue
		}
		parts = append(parts, name+" "+metric.Count(by[name]))
	}
	if others > 0 {
		parts = append(parts, fmt.Sprintf("%d other causes %s", len(names)-mostCauses, metric.Count(others)))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// notApplied is how the evidence of a validity check begins that a trial passed because the check did not
// apply to it.
const notApplied = "not applied: "

// checksSection has a row per validity check, with an example of its evidence, and a row per failure.
func (r *Report) checksSection() Section {
	all := Section{Title: checksTitle, Detail: Full, Columns: columns("check", "passed", "evidence")}
	type evidence struct {
		passed, of, skipped int
		detail              string
		failed              Section
	}
	by := map[string]*evidence{}
	for _, t := range r.Run.Trials {
		for _, check := range t.Checks {
			e := by[check.Name]
			if e == nil {
				e = new(evidence)
				by[check.Name] = e
			}
			e.of++
			if !check.Passed {
				e.failed.add(check.Name, "FAILED", t.Name()+": "+check.Detail)
				continue
			}
			e.passed++
			var unapplied bool
			if e.detail, unapplied = strings.CutPrefix(results.Plain(check.Detail), notApplied); unapplied {
				e.skipped++
			}
		}
	}
	for _, name := range checkNames(r.Run.Trials) {
		passed, of, skipped, detail := by[name].passed, by[name].of, by[name].skipped, by[name].detail
		if detail != "" {
			detail = "e.g. " + detail
		}
		outcome := fmt.Sprintf("%d of %d", passed, of)
		switch {
		case skipped == 0:
		case skipped == passed:
			outcome = "not applied: " + outcome
		default:
			outcome += fmt.Sprintf(", not applied: %d", skipped)
		}
		all.add(name, outcome, detail)
		all.Rows = append(all.Rows, by[name].failed.Rows...)
	}
	return all
}

// checkNames are the names of the validity checks in the order in which trials list them.
func checkNames(trials []results.Trial) (names []string) {
	seen := map[string]bool{}
	for _, t := range trials {
		for _, check := range t.Checks {
			if !seen[check.Name] {
				seen[check.Name] = true
				names = append(names, check.Name)
			}
		}
	}
	return names
}

func (r *Report) modelSection() Section {
	all := Section{
		Title:   modelTitle,
		Detail:  Full,
		Columns: columns(r.subject(), "metric", "measured", "predicted", "tolerance", "agrees", "formula"),
	}
	formulas := ""
	for _, row := range r.measured() {
		for _, m := range metric.All {
			a, ok := row.Agreement(m.Name)
			if !ok {
				continue
			}
			agrees := Cell{"✗", Bad}
			switch {
			case !a.Known:
				agrees = Cell{Text: "–"}
			case a.Agrees:
				agrees = Cell{"✓", Good}
			}
			formulas += a.Formula + "\n"
			all.add(row.Label(), m.Title, withUnit(a.Measured, m.Unit), withUnit(summary.Value{X: a.Predicted}, m.Unit), withUnit(summary.Value{X: a.Tolerance}, m.Unit), agrees, a.Formula)
		}
	}
	all.Note = "✓: a value between the lowest and the highest repetition is within the tolerance. docs/model.md has the reasons of the tolerances.\n" +
		symbolLegend(formulas)
	return all
}

// symbols are the symbols of the model's formulas: see package model.
var symbols = []struct{ symbol, meaning string }{
	{"d", "delay from publisher to subscriber"},
	{"q", "the quantile, as a share"},
	{"T", "interval of short polling"},
	{"k", "intervals from one poll to the next"},
	{"λ", "messages per second that one client expects"},
	{"P", "time between two publications for one client"},
	{"N", "subscribers of a message"},
	{"w", "server time per write to one subscriber"},
	{"R", "re-poll gap of long polling"},
	{"V", "requests of the short-lived clients per message of the others"},
	{"τ", "long-poll timeout"},
	{"D", "delay of a message that a waiting poll receives"},
	{"p₀", "share of the messages that a waiting poll receives"},
	{"b", "mean number of messages per response"},
	{"C", "mean time from one long poll to the next"},
	{"U", "uniformly distributed time"},
	{"Exp", "exponentially distributed time"},
}

// formulaWord matches a word in a formula, which is no product of symbols.
var formulaWord = regexp.MustCompile(`[A-Za-z]{3,}`)

// symbolLegend explains the symbols that the formulas use.
func symbolLegend(formulas string) string {
	formulas = strings.NewReplacer("qkT", "q k T", "Exp(", "Ex(").Replace(formulas)
	used := strings.ReplaceAll(formulaWord.ReplaceAllString(formulas, ""), "Ex(", "Exp(")
	var parts []string
	for _, s := range symbols {
		if strings.Contains(used, s.symbol) {
			parts = append(parts, s.symbol+": "+s.meaning+".")
		}
	}
	return strings.Join(parts, " ")
}

func filesSection() Section {
	all := Section{Title: "Files of this folder", Detail: Full, Columns: columns("file", "content")}
	for _, file := range [][]string{
		{"manifest.json", "software, machine and settings of the run"},
		{"scenario.yaml", "the scenario, fully resolved"},
		{"trials.jsonl", "one line per trial: latencies, ledger, cost, validity checks"},
		{"intervals.jsonl", "one line per second of each trial"},
		{"latency.hlog", "HdrHistogram interval log, one tag per configuration, excluded: for trials that are part of no result"},
		{"*.hgrm", "HdrHistogram percentiles in ms, one file per configuration"},
		{"bench.txt", "Go benchmark format: benchstat -col /transport bench.txt"},
		{"metrics.txt", "all metrics of all configurations, latencies and assertions, as OpenMetrics text"},
		{"summary.csv", "all metrics of all configurations: medians of their valid trials, sums of counts"},
		{"trials.csv", "all metrics of all trials"},
		{"comparisons.csv", "all ratios of two configurations, with intervals, and verdicts on declared metrics"},
		{"summary.json", "all metrics of all configurations, comparisons, assertions and sentences, for programs"},
		{"summary.md, report.html, charts/", "this summary, as a page and as images"},
		{"SHA256SUMS", "sha256sum --check SHA256SUMS"},
	} {
		all.add(file)
	}
	return all
}
