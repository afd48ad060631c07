package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// A section is a titled table. The Markdown summary and the HTML page are the
// same sections in another dress.
type section struct {
	Title string
	Note  string
	Head  []string
	Rows  []line
}

// A line of a section's table. Dim ones are predicted rather than measured.
type line struct {
	Cells []string
	Dim   bool
}

func lines(rows ...[]string) []line {
	var all []line
	for _, cells := range rows {
		all = append(all, line{Cells: cells})
	}
	return all
}

// sections are the tables of a run in reading order.
func (r *Report) sections() []section {
	run, s := r.Run, r.Summary
	all := []section{overviewSection(run, s)}
	if j := r.Judgement; j.Withheld == "" {
		all = append(all, verdictsSection(j), othersSection(j))
	}
	all = append(all,
		answersSection(s),
		visitsSection(s),
		publishedSection(run, s),
		r.claimsSection(),
		r.crossoverSection(),
		r.stackSection(),
		rangesSection(s),
		r.alikeSection(),
		withinSection(s),
		wireSection(s),
		connectSection(s),
		linkSection(s),
		freshnessSection(s),
		ledgerSection(s),
		publishSection(s),
		gatesSection(run),
		theorySection(s),
		manifestSection(run.Manifest),
		filesSection(),
	)
	return slices.DeleteFunc(all, func(s section) bool { return len(s.Rows) == 0 })
}

func overviewSection(run *results.Run, s summary.Summary) section {
	head, columns := []string{"transport"}, columnsOf(run.Manifest)
	for _, c := range columns {
		head = append(head, strings.TrimSpace(c.head+" "+c.unit))
	}
	overview := section{Title: "Figures", Head: head, Note: strings.Join(notes(run, s), "\n")}
	for _, r := range s.Rows {
		overview.Rows = append(overview.Rows, line{Cells: measuredCells(r, columns)})
		if predicted := theoryCells(r, columns); predicted != nil {
			overview.Rows = append(overview.Rows, line{Cells: predicted, Dim: true})
		}
	}
	return overview
}

// ranged are the metrics whose range over the blocks is worth a table.
var ranged = []string{
	metric.P50, metric.P99, metric.P999, metric.AgeMean, metric.AgeP99, metric.AckP50, metric.AckP99,
	metric.CPUPerMessage, metric.ServerCPUPerMessage, metric.GeneratorCPUPerMessage,
	metric.WireBytesPerMessage, metric.PacketBytesPerMessage, metric.PayloadShare,
	metric.RequestsPerMessage, metric.EmptyAnswerShare, metric.MessagesPerBatch,
	metric.ServerMemoryPerClient, metric.GeneratorMemoryPerClient, metric.ConnectP50, metric.ConnectRoundTrips,
}

func rangesSection(s summary.Summary) section {
	all := section{
		Title: "Every metric, with its range over the blocks",
		Note:  "Pooled over the valid trials, then the lowest and highest of a single trial. The range shows the noise that was seen; it is no confidence interval.",
		Head:  append([]string{"metric"}, rowNames(s.Rows)...),
	}
	for _, name := range ranged {
		m := metric.ByName(name)
		title := m.Title
		if m.Unit != "" {
			title += ", " + m.Unit
		}
		cells := []string{title}
		for _, r := range s.Rows {
			cells = append(cells, valueAndRange(r, name))
		}
		all.Rows = append(all.Rows, line{Cells: cells})
	}
	return all
}

func valueAndRange(r summary.Row, metric string) string {
	over, ok := r.Range(metric)
	if !ok {
		return r.Value(metric).String()
	}
	return fmt.Sprintf("%s (%s)", r.Value(metric), between(over))
}

// ethernetHeader is what a frame adds to an IP packet, in bytes.
const ethernetHeader = 14

func wireSection(s summary.Summary) section {
	all := section{
		Title: "Bytes on the wire for each delivered message",
		Note: fmt.Sprintf("TCP payload at the clients' end over the window, publishes included. Up is client to server. What TCP/IP adds is not in it: %d B a segment, bare acknowledgements among them (IPv4, TCP with timestamps), and %d B more of options for each connection that is opened. "+
			"With TCP/IP headers, above, it is; Ethernet's %d B a frame are in neither. Connecting before the window stands with the stages of connecting.", summary.SegmentHeader, summary.HandshakeOptions, ethernetHeader),
		Head: []string{"transport", "way", "payload", "envelope", "framing", "headers", "all", "segments"},
	}
	for _, r := range s.Rows {
		c := r.Pooled.Cost
		if c.Delivered > 0 {
			all.Rows = append(all.Rows, lines(wireCells(r.Name, "down", c.Wire.Down, c.Delivered), wireCells(r.Name, "up", c.Wire.Up, c.Delivered))...)
		}
	}
	return all
}

func wireCells(transport, way string, d results.Direction, delivered int64) []string {
	each := func(n int64) string { return metric.Number(float64(n) / float64(delivered)) }
	segments := "–"
	if d.Segments > 0 {
		segments = each(d.Segments)
	}
	return []string{transport, way, each(d.Payload), each(d.Envelope), each(d.Framing), each(d.Headers), each(d.Bytes), segments}
}

func connectSection(s summary.Summary) section {
	all := section{
		Title: "Connecting",
		Note: "tcp: the TCP handshake. tls: the TLS handshake. answer: the upgrade or the first poll answered. ready: all of it, until the subscription is acknowledged. Milliseconds from the dial. " +
			"Server CPU: while the clients connected, a client; kernel time is split off by 10 ms ticks. A core does so many connections a second at that cost.",
		Head: []string{"transport", "clients", "failed"},
	}
	stages := stagesOf(s)
	for _, stage := range stages {
		all.Head = append(all.Head, stage+" p50", stage+" p99", stage+" max")
	}
	all.Head = append(all.Head, "round trips", "bytes up", "bytes down", "server CPU µs", "user", "kernel", "a core: /s")
	for _, r := range s.Rows {
		all.Rows = append(all.Rows, line{Cells: connectCells(r, stages)})
	}
	return all
}

// stagesOf are the stages that some row went through.
func stagesOf(s summary.Summary) []string {
	return slices.DeleteFunc(slices.Clone(results.Stages), func(stage string) bool {
		return !slices.ContainsFunc(s.Rows, func(r summary.Row) bool { return r.Pooled.Connect.Stages[stage].Count() > 0 })
	})
}

func connectCells(r summary.Row, stages []string) []string {
	c := r.Pooled.Connect
	cells := []string{r.Name, metric.Count(c.Clients), metric.Count(c.Failed) + causes(c.FailedBy)}
	for _, stage := range stages {
		h := c.Stages[stage]
		if h.Count() == 0 {
			cells = append(cells, "–", "–", "–")
			continue
		}
		cells = append(cells, summary.StageQuantile(r.Pooled, stage, 0.5).String(), summary.StageQuantile(r.Pooled, stage, 0.99).String(), metric.Number(metric.Milliseconds(h.Max())))
	}
	cpu := r.Value(metric.ConnectServerCPU)
	return append(cells, r.Value(metric.ConnectRoundTrips).String(),
		r.Value(metric.ConnectBytesUp).String(), r.Value(metric.ConnectBytesDown).String(),
		cpu.String(), r.Value(metric.ConnectServerUser).String(), r.Value(metric.ConnectServerSystem).String(), connectionsOfACore(cpu))
}

// connectionsOfACore is how many connections a second one core can set up that does
// nothing else.
func connectionsOfACore(cpu summary.Value) string {
	if cpu.Known != summary.Shown || cpu.X <= 0 {
		return "–"
	}
	const second = 1e6 // µs
	return metric.Count(int64(second / cpu.X))
}

func linkSection(s summary.Summary) section {
	all := section{
		Title: "The link of packets",
		Note:  "What the emulated link carried in all of each trial, connecting included. Lost and early ones are as asked; late is how long after it was due a packet was handed over. The CPU is the link's own, in no other figure, over the windows.",
		Head:  []string{"transport", "way", "packets", "bytes", "lost", "early", "queue full", "refused", "late p99 ms", "late max ms", "CPU ms"},
	}
	for _, r := range s.Rows {
		l := r.Pooled.Link
		if l == nil {
			continue
		}
		all.Rows = append(all.Rows, lines(
			append(linkCells(r.Name, "down", l.Down), metric.Number(metric.Milliseconds(r.Pooled.Cost.Link.CPU))),
			append(linkCells(r.Name, "up", l.Up), ""))...)
	}
	return all
}

func linkCells(transport, way string, w results.LinkWay) []string {
	cells := []string{transport, way}
	for _, n := range []int64{w.Packets, w.Bytes, w.Lost, w.Overtook, w.Overflowed, w.Refused} {
		cells = append(cells, metric.Count(n))
	}
	return append(cells, millis(w.Late.Quantile(0.99)), millis(w.Late.Max()))
}

// causes lists counts by cause, the largest first: " (reset 3, timeout 1)".
func causes(by map[string]int64) string {
	if len(by) == 0 {
		return ""
	}
	names := slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		if by[a] != by[b] {
			return int(by[b] - by[a])
		}
		return strings.Compare(a, b)
	})
	var said []string
	for _, name := range names {
		said = append(said, results.Plain(name)+" "+metric.Count(by[name]))
	}
	return " (" + strings.Join(said, ", ") + ")"
}

func ledgerSection(s summary.Summary) section {
	all := section{
		Title: "Ledger: what every client was owed, and what became of it",
		Note:  "owed = unique + superseded + declared gap + lost · received = unique + duplicates + unexpected",
		Head:  []string{"transport", "owed", "unique", "superseded", "declared gap", "lost", "received", "duplicates", "unexpected", "reordered", "sums hold"},
	}
	for _, r := range s.Rows {
		l := r.Pooled.Ledger
		cells := []string{r.Name}
		for _, n := range []int64{l.Owed, l.Unique, l.Superseded, l.DeclaredGap} {
			cells = append(cells, metric.Count(n))
		}
		cells = append(cells, metric.Count(l.Lost)+causes(l.LostBy))
		for _, n := range []int64{l.Received, l.Duplicates, l.Unexpected, l.Reordered} {
			cells = append(cells, metric.Count(n))
		}
		all.Rows = append(all.Rows, line{Cells: append(cells, sumsHold(r.Pooled))})
	}
	return all
}

func sumsHold(t results.Trial) string {
	for _, i := range t.Identities() {
		if !i.Holds() {
			return i.String()
		}
	}
	return "yes"
}

func publishSection(s summary.Summary) section {
	all := section{
		Title: "Publishes: what the schedule planned, and what was sent",
		Note:  "planned = on time + late + dropped · sent = acknowledged + failed + unknown. Lateness is the generator's own; held up is what an earlier publish on the connection cost. Milliseconds.",
		Head:  []string{"transport", "planned", "on time", "late", "dropped", "sent", "acknowledged", "failed", "unknown", "lateness p99", "lateness max", "held up max"},
	}
	for _, r := range s.Rows {
		p := r.Pooled.Publishes
		all.Rows = append(all.Rows, line{Cells: []string{
			r.Name, metric.Count(p.Planned), metric.Count(p.OnTime), metric.Count(p.Late), metric.Count(p.Dropped) + causes(p.DroppedBy),
			metric.Count(p.Sent), metric.Count(p.Acknowledged), metric.Count(p.Failed) + causes(p.FailedBy), metric.Count(p.Unknown),
			millis(p.Lateness.Quantile(0.99)), millis(p.Lateness.Max()), millis(p.HeldUp.Max()),
		}})
	}
	return all
}

func millis(d time.Duration) string { return metric.Number(metric.Milliseconds(d)) }

// gatesSection shows one line a gate when it always passed, and each failure.
func gatesSection(run *results.Run) section {
	all := section{
		Title: "Gates: checks of the rig, each of which can void a trial",
		Head:  []string{"gate", "passed", "what was measured"},
	}
	for _, name := range gateNames(run.Trials) {
		var passed, of int
		var failures []line
		detail := ""
		for _, t := range run.Trials {
			for _, g := range t.Gates {
				if g.Name != name {
					continue
				}
				of++
				if g.Passed {
					passed, detail = passed+1, results.Plain(g.Detail)
				} else {
					failures = append(failures, line{Cells: []string{results.Plain(name), "FAILED", t.Name() + ": " + results.Plain(g.Detail)}})
				}
			}
		}
		if detail != "" {
			detail = "e.g. " + detail
		}
		all.Rows = append(append(all.Rows, line{Cells: []string{results.Plain(name), fmt.Sprintf("%d of %d", passed, of), detail}}), failures...)
	}
	return all
}

// gateNames in the order in which trials list them.
func gateNames(trials []results.Trial) []string {
	var names []string
	for _, t := range trials {
		for _, g := range t.Gates {
			if !slices.Contains(names, g.Name) {
				names = append(names, g.Name)
			}
		}
	}
	return names
}

func theorySection(s summary.Summary) section {
	all := section{
		Title: "Theory: what arithmetic predicts",
		Note:  "A run that disagrees is wrong until shown otherwise. See the tolerances in the documentation.",
		Head:  []string{"transport", "metric", "predicted", "measured", "formula"},
	}
	for _, r := range s.Rows {
		for _, m := range metric.All {
			if p, ok := r.Theory(m.Name); ok {
				predicted := summary.Value{X: p.Value}
				all.Rows = append(all.Rows, line{Cells: []string{
					r.Name, m.Title, withUnit(predicted, m.Unit), withUnit(r.Value(m.Name), m.Unit), results.Plain(p.Formula),
				}})
			}
		}
	}
	return all
}

func filesSection() section {
	return section{
		Title: "Files of this folder",
		Head:  []string{"file", "what it holds"},
		Rows: lines(
			[]string{"manifest.json", "what ran where"},
			[]string{"scenario.yaml", "the scenario, fully resolved"},
			[]string{"trials.jsonl", "one line a trial: latencies, ledger, cost, gates"},
			[]string{"intervals.jsonl", "one line a second of each trial"},
			[]string{"latency.hlog", "HdrHistogram interval log, one tag a transport"},
			[]string{"*.hgrm", "HdrHistogram percentiles in ms, one file a transport"},
			[]string{"bench.txt", "Go benchmark format: benchstat -col /transport bench.txt"},
			[]string{"metrics.txt", "every metric of every case, the latencies and the claims as OpenMetrics text"},
			[]string{"summary.csv", "every metric of every trial"},
			[]string{"comparisons.csv", "every ratio of two rows, its intervals, and its verdict where one was declared"},
			[]string{"summary.json", "every metric of every case, comparisons, claims and sentences, for machines"},
			[]string{"summary.md, report.html, charts/", "this summary, as a page and as pictures"},
			[]string{"SHA256SUMS", "sha256sum --check SHA256SUMS"},
		),
	}
}
