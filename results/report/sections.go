package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// sections are the tables of a run in reading order. Those without rows are left out.
func (r *Report) sections() []section {
	all := []section{r.overviewSection()}
	if r.Judgement.Withheld == "" {
		all = append(all, verdictsSection(r.Judgement), othersSection(r.Judgement))
	}
	all = append(all,
		r.answersSection(), r.visitsSection(), r.publishedSection(), r.claimsSection(), r.crossoverSection(), r.stackSection(),
		r.rangesSection(), r.alikeSection(), r.withinSection(), r.wireSection(), r.connectSection(), r.linkSection(), r.freshnessSection(),
		r.ledgerSection(), r.publishSection(), r.gatesSection(), r.theorySection(), r.manifestSection(), filesSection(),
	)
	return slices.DeleteFunc(all, func(s section) bool { return len(s.Rows) == 0 })
}

func (r *Report) overviewSection() section {
	columns := columnsOf(r.Run.Manifest)
	all := section{Title: "Figures", Heading: []string{"transport"}, Note: strings.Join(r.notes(), "\n"), Rows: r.overviewRows(columns)}
	for _, c := range columns {
		all.Heading = append(all.Heading, strings.TrimSpace(c.head+" "+c.unit))
	}
	return all
}

// answersSection is of requests that a server sent, and of the replies.
func (r *Report) answersSection() section {
	all := section{
		Title: "There and back: requests to clients, and their answers",
		Note: "Each message asks its client for an answer. The round trip counts from the message's due instant until the answer is in the hands of the backend that asked, " +
			"beside the server, which hears of it by a webhook on every transport alike. Rules: at the clients' router, which let the server in. Posts: of webhooks, to clients and to the backend, since the server began.",
		Heading: []string{"transport", "asked", "reached", "answered", "lost", "p50 ms", "p99 ms", "max ms", "rules", "posts", "failed"},
	}
	if !slices.ContainsFunc(r.Summary.Rows, func(r summary.Row) bool { return r.Pooled.Replies.Ledger.Expected > 0 }) {
		return all
	}
	for _, row := range r.Summary.Rows {
		a, w := row.Pooled.Replies, row.Pooled.Webhooks
		all.add(row.Name, a.Ledger.Expected, row.Pooled.Ledger.Unique, a.Ledger.Unique, a.Ledger.Lost,
			row.Value(metric.ReplyP50), row.Value(metric.ReplyP99), longest(a.Latency), w.Rules, w.Posts, byCause(w.Failed, w.FailedBy))
	}
	return all
}

// visitsSection is of short-lived clients.
func (r *Report) visitsSection() section {
	all := section{
		Title:   "Visitors: clients that come, hear a first message, and leave",
		Note:    "Beside the clients that stay, in the window. Milliseconds from when a visitor was due to come until it is subscribed, and until it has a first message. They are in no ledger, and in all costs.",
		Heading: []string{"transport", "came", "heard", "nothing", "subscribed p50 ms", "first message p50 ms", "p99 ms", "max ms"},
	}
	if !slices.ContainsFunc(r.Summary.Rows, func(r summary.Row) bool { return r.Pooled.Visits.Came > 0 }) {
		return all
	}
	for _, row := range r.Summary.Rows {
		v := row.Pooled.Visits
		all.add(row.Name, v.Came, v.First.Histogram.Count(), byCause(v.First.Infinite, v.LostBy),
			row.Value(metric.ShortLivedReadyP50), row.Value(metric.FirstMessageP50), row.Value(metric.FirstMessageP99), longest(v.First))
	}
	return all
}

// longest is the maximum, which is infinite where something never arrived.
func longest(l results.Latency) any {
	if l.Infinite > 0 {
		return "∞"
	}
	return l.Histogram.Max()
}

// publishedSection puts published figures beside the model and this run.
func (r *Report) publishedSection() section {
	p := r.Run.Manifest.Published
	all := section{Title: "Published, predicted, measured", Note: results.Plain(p.Source), Heading: []string{"", "published", "predicted", "measured"}}
	if p.Missing != "" {
		all.Note += " Not available, or not said here: " + results.Plain(p.Missing)
	}
	for _, f := range p.Values {
		predicted := results.Plain(f.Predicted)
		if predicted == "" {
			predicted = withUnit(r.Summary.Predicted(f), f.Unit)
		}
		all.add(f.What, f.Printed, predicted, withUnit(r.Summary.Measured(f), f.Unit))
	}
	return all
}

// ranged are the metrics whose range over the blocks is worth a table.
var ranged = []string{
	metric.P50, metric.P99, metric.P999, metric.AgeMean, metric.AgeP99, metric.AckP50, metric.AckP99,
	metric.CPUPerMessage, metric.ServerCPUPerMessage, metric.GeneratorCPUPerMessage,
	metric.WireBytesPerMessage, metric.PacketBytesPerMessage, metric.PayloadShare,
	metric.RequestsPerMessage, metric.EmptyResponseShare, metric.MessagesPerBatch,
	metric.ServerMemoryPerClient, metric.GeneratorMemoryPerClient, metric.ConnectP50, metric.ConnectRoundTrips,
}

func (r *Report) rangesSection() section {
	all := section{
		Title:   "Every metric, with its range over the blocks",
		Note:    "Pooled over the valid trials, then the lowest and highest of a single trial. The range shows the noise that was seen; it is no confidence interval.",
		Heading: append([]string{"metric"}, rowNames(r.Summary.Rows)...),
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
	said := r.Value(metric).String()
	if over, ok := r.Range(metric); ok {
		said += " (" + between(over) + ")"
	}
	return said
}

// alikeSection is each configuration against itself: the noise that any difference must exceed.
func (r *Report) alikeSection() section {
	all := section{
		Title: "Each case against itself: the noise floor",
		Note: "Every second block against the one before it (A/A): nothing differs but the noise, so a difference between two cases that is no larger says nothing. " +
			fmt.Sprintf("Each comparison stands by itself, without adjustment: one in twenty has a p below 0.05 by chance. It takes %d blocks, %d pairs, to conclude anything.", 2*compare.MinRepetitions, compare.MinRepetitions),
		Heading: []string{"metric", "case", "pairs", "ratio", "95 %", "p", "would be called"},
	}
	for _, d := range r.Alike {
		if r.Run.Manifest.Status == results.Invalid || d.Verdict == compare.Incomparable || d.Repetitions == 0 {
			continue
		}
		over, p := "–", "–"
		if d.Verdict != compare.TooFew {
			over, p = interval(d.Lo, d.Hi), figure(d.P)
		}
		all.add(metric.ByName(d.Metric).Title, d.Names[0], d.Repetitions, ratioSaid(d.Ratio), over, p, d.Verdict)
	}
	return all
}

// withinSection has the quantiles of each trial with their intervals within the run.
func (r *Report) withinSection() section {
	all := section{
		Title: "Each valid trial, with within-run intervals",
		Note: "In brackets the within-run 95 % interval, from order statistics of the trial's independent observations: how well this trial knows its own quantile. " +
			"It says nothing of what another trial would find; the spread from trial to trial does.",
		Heading: []string{"transport", "block", "independent n"},
	}
	for _, q := range summary.WithinQuantiles {
		all.Heading = append(all.Heading, metric.ByName(q.Metric).Title+", ms")
	}
	for _, row := range r.Summary.Rows {
		for _, t := range row.Trials {
			var quantiles []string
			for _, q := range summary.WithinQuantiles {
				said := summary.Measure(q.Metric, t).String()
				if over, ok := summary.Within(t.Latency, q.Q); ok {
					said += " (" + between(over) + ")"
				}
				quantiles = append(quantiles, said)
			}
			all.add(t.ConfigurationName(), t.Repetition, t.Latency.Independent, quantiles)
		}
	}
	return all
}

// ethernetHeader is what a frame adds to an IP packet, in bytes.
const ethernetHeader = 14

func (r *Report) wireSection() section {
	all := section{
		Title: "Bytes on the wire for each delivered message",
		Note: fmt.Sprintf("TCP payload at the clients' end over the window, publishes included. Up is client to server. What TCP/IP adds is not in it: %d B a segment, bare acknowledgements among them (IPv4, TCP with timestamps), and %d B more of options for each connection that is opened. "+
			"With TCP/IP headers, above, it is; Ethernet's %d B a frame are in neither. Connecting before the window stands with the stages of connecting.", summary.SegmentHeader, summary.HandshakeOptions, ethernetHeader),
		Heading: []string{"transport", "way", "payload", "envelope", "framing", "headers", "all", "segments"},
	}
	for _, row := range r.Summary.Rows {
		c := row.Pooled.Cost
		if c.Delivered == 0 {
			continue
		}
		each := func(n int64) float64 { return float64(n) / float64(c.Delivered) }
		for _, way := range []struct {
			name string
			results.Direction
		}{{"down", c.Wire.Down}, {"up", c.Wire.Up}} {
			segments := any("–")
			if way.Segments > 0 {
				segments = each(way.Segments)
			}
			all.add(row.Name, way.name, each(way.Payload), each(way.Envelope), each(way.Framing), each(way.Headers), each(way.Bytes), segments)
		}
	}
	return all
}

func (r *Report) connectSection() section {
	all := section{
		Title: "Connecting",
		Note: "tcp: the TCP handshake. tls: the TLS handshake. answer: the upgrade or the first poll answered. ready: all of it, until the subscription is acknowledged. Milliseconds from the dial. " +
			"Server CPU: while the clients connected, a client; kernel time is split off by 10 ms ticks. A core does so many connections a second at that cost.",
		Heading: []string{"transport", "clients", "failed"},
	}
	stages := slices.DeleteFunc(slices.Clone(results.Stages), func(stage string) bool { // that no row went through
		return !slices.ContainsFunc(r.Summary.Rows, func(r summary.Row) bool { return r.Pooled.Connect.Stages[stage].Count() > 0 })
	})
	for _, stage := range stages {
		all.Heading = append(all.Heading, stage+" p50", stage+" p99", stage+" max")
	}
	all.Heading = append(all.Heading, "round trips", "bytes up", "bytes down", "server CPU µs", "user", "kernel", "a core: /s")
	for _, row := range r.Summary.Rows {
		c := row.Pooled.Connect
		var took []string
		for _, stage := range stages {
			if h := c.Stages[stage]; h.Count() > 0 {
				took = append(took, cells(summary.StageQuantile(row.Pooled, stage, 0.5), summary.StageQuantile(row.Pooled, stage, 0.99), h.Max())...)
			} else {
				took = append(took, "–", "–", "–")
			}
		}
		cpu, perCore := row.Value(metric.ConnectServerCPU), any("–")
		if cpu.Known == summary.Shown && cpu.X > 0 {
			perCore = int64(1e6 / cpu.X) // of a core that does nothing else; CPU is in µs
		}
		all.add(row.Name, c.Clients, byCause(c.Failed, c.FailedBy), took, row.Value(metric.ConnectRoundTrips), row.Value(metric.ConnectBytesUp), row.Value(metric.ConnectBytesDown),
			cpu, row.Value(metric.ConnectServerUser), row.Value(metric.ConnectServerSystem), perCore)
	}
	return all
}

func (r *Report) linkSection() section {
	all := section{
		Title:   "The link of packets",
		Note:    "What the emulated link carried in all of each trial, connecting included. Lost and early ones are as asked; late is how long after it was due a packet was handed over. The CPU is the link's own, in no other figure, over the windows.",
		Heading: []string{"transport", "way", "packets", "bytes", "lost", "early", "queue full", "refused", "late p99 ms", "late max ms", "CPU ms"},
	}
	for _, row := range r.Summary.Rows {
		if l := row.Pooled.Link; l != nil {
			add := func(way string, w results.LinkDirection, cpu any) {
				all.add(row.Name, way, w.Packets, w.Bytes, w.Lost, w.Overtook, w.Overflowed, w.Refused, w.Late.Quantile(0.99), w.Late.Max(), cpu)
			}
			add("down", l.Down, row.Pooled.Cost.Link.CPU)
			add("up", l.Up, "")
		}
	}
	return all
}

// freshnessSection has the transports whose ages were measured: the oldest runs have none.
func (r *Report) freshnessSection() section {
	all := section{
		Title: "Freshness: how old what a client holds is",
		Note: "The age of information: at each instant, how long ago the newest message that the client holds of a topic was due. Quantiles are shares of the time. " +
			"Covered is the share of it in which a message was held; uncovered is before the first came; never is of topics that were published to and of which none came in the window. Milliseconds.",
		Heading: []string{"transport", "mean", "p50", "p99", "oldest", "covered", "uncovered", "never", "superseded"},
	}
	for _, row := range r.Summary.Rows {
		if f := row.Pooled.Age; f.Subscribed > 0 {
			share := func(part time.Duration) string { return metric.Number(100*float64(part)/float64(f.Subscribed)) + " %" }
			all.add(row.Name, row.Value(metric.AgeMean), summary.AgeQuantile(row.Pooled, 0.5), row.Value(metric.AgeP99), f.Oldest,
				share(f.Covered), share(f.Uncovered), share(f.Never), row.Value(metric.Superseded))
		}
	}
	return all
}

func (r *Report) ledgerSection() section {
	all := section{
		Title:   "Ledger: what every client was owed, and what became of it",
		Note:    "owed = unique + superseded + declared gap + lost · received = unique + duplicates + unexpected",
		Heading: []string{"transport", "owed", "unique", "superseded", "declared gap", "lost", "received", "duplicates", "unexpected", "reordered", "sums hold"},
	}
	for _, row := range r.Summary.Rows {
		l, hold := row.Pooled.Ledger, any("yes")
		identities := row.Pooled.Identities()
		if i := slices.IndexFunc(identities, func(i results.Identity) bool { return !i.Holds() }); i >= 0 {
			hold = identities[i]
		}
		all.add(row.Name, l.Expected, l.Unique, l.Superseded, l.DeclaredGap, byCause(l.Lost, l.LostBy), l.Received, l.Duplicates, l.Unexpected, l.Reordered, hold)
	}
	return all
}

func (r *Report) publishSection() section {
	all := section{
		Title:   "Publishes: what the schedule planned, and what was sent",
		Note:    "planned = on time + late + dropped · sent = acknowledged + failed + unknown. Lateness is the generator's own; held up is what an earlier publish on the connection cost. Milliseconds.",
		Heading: []string{"transport", "planned", "on time", "late", "dropped", "sent", "acknowledged", "failed", "unknown", "lateness p99", "lateness max", "held up max"},
	}
	for _, row := range r.Summary.Rows {
		p := row.Pooled.Publishes
		all.add(row.Name, p.Planned, p.OnTime, p.Late, byCause(p.Dropped, p.DroppedBy), p.Sent, p.Acknowledged, byCause(p.Failed, p.FailedBy), p.Unknown,
			p.Lateness.Quantile(0.99), p.Lateness.Max(), p.HeldUp.Max())
	}
	return all
}

// byCause is a count, and its parts with the largest first: "4 (reset 3, timeout 1)".
func byCause(n int64, by map[string]int64) string {
	var said []string
	for _, name := range slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		if by[a] != by[b] {
			return int(by[b] - by[a])
		}
		return strings.Compare(a, b)
	}) {
		said = append(said, name+" "+metric.Count(by[name]))
	}
	if len(said) == 0 {
		return metric.Count(n)
	}
	return metric.Count(n) + " (" + strings.Join(said, ", ") + ")"
}

// gatesSection has a row per check, with an example of what it measured, and one per failure.
func (r *Report) gatesSection() section {
	all := section{Title: "Gates: checks of the rig, each of which can void a trial", Heading: []string{"gate", "passed", "what was measured"}}
	for _, name := range gateNames(r.Run.Trials) {
		passed, of, detail := 0, 0, ""
		var failed section
		for _, t := range r.Run.Trials {
			for _, g := range t.Checks {
				switch {
				case g.Name != name:
					continue
				case g.Passed:
					passed, detail = passed+1, results.Plain(g.Detail)
				default:
					failed.add(name, "FAILED", t.Name()+": "+g.Detail)
				}
				of++
			}
		}
		if detail != "" {
			detail = "e.g. " + detail
		}
		all.add(name, fmt.Sprintf("%d of %d", passed, of), detail)
		all.Rows = append(all.Rows, failed.Rows...)
	}
	return all
}

// gateNames in the order in which trials list them.
func gateNames(trials []results.Trial) (names []string) {
	for _, t := range trials {
		for _, g := range t.Checks {
			if !slices.Contains(names, g.Name) {
				names = append(names, g.Name)
			}
		}
	}
	return names
}

func (r *Report) theorySection() section {
	all := section{
		Title:   "Theory: what arithmetic predicts",
		Note:    "A run that disagrees is wrong until shown otherwise. See the tolerances in the documentation.",
		Heading: []string{"transport", "metric", "predicted", "measured", "formula"},
	}
	for _, row := range r.Summary.Rows {
		for _, m := range metric.All {
			if p, ok := row.Predicted(m.Name); ok {
				all.add(row.Name, m.Title, withUnit(summary.Value{X: p.Value}, m.Unit), withUnit(row.Value(m.Name), m.Unit), p.Formula)
			}
		}
	}
	return all
}

func filesSection() section {
	all := section{Title: "Files of this folder", Heading: []string{"file", "what it holds"}}
	for _, file := range [][]string{
		{"manifest.json", "what ran where"},
		{"scenario.yaml", "the scenario, fully resolved"},
		{"trials.jsonl", "one line a trial: latencies, ledger, cost, gates"},
		{"intervals.jsonl", "one line a second of each trial"},
		{"latency.hlog", "HdrHistogram interval log, one tag a transport"},
		{"*.hgrm", "HdrHistogram percentiles in ms, one file a transport"},
		{"bench.txt", "Go benchmark format: benchstat -col /transport bench.txt"},
		{"metrics.txt", "every metric of every case, the latencies and the claims as OpenMetrics text"},
		{"summary.csv", "every metric of every trial"},
		{"comparisons.csv", "every ratio of two rows, its intervals, and its verdict where one was declared"},
		{"summary.json", "every metric of every case, comparisons, claims and sentences, for machines"},
		{"summary.md, report.html, charts/", "this summary, as a page and as pictures"},
		{"SHA256SUMS", "sha256sum --check SHA256SUMS"},
	} {
		all.add(file)
	}
	return all
}
