package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
)

// stackMetrics are the costs that depend on the library a server is built on.
var stackMetrics = []string{results.ServerCPUPerMessage, results.CPUPerMessage, results.ServerMemoryPerClient}

// A claim is that one transport costs less than another. It holds where it holds on
// every stack that was measured, and is withdrawn where only some bear it out.
type claim struct {
	metric string
	names  [2]string // rows without their stack: "sse flush=5ms"
	on     []finding // one a stack
}

// A finding is what one stack says of a claim.
type finding struct {
	stack     string
	direction int    // -1: the first costs less, +1: the second does, 0: they cannot be told apart
	said      string // the ratio of the second to the first
}

// A stackRows is the rows of one stack.
type stackRows struct {
	stack string
	rows  []results.Row
}

// byStack splits the rows by the stack they were measured on.
func byStack(rows []results.Row) []stackRows {
	var all []stackRows
	for _, r := range rows {
		i := slices.IndexFunc(all, func(s stackRows) bool { return s.stack == r.Stack })
		if i < 0 {
			i, all = len(all), append(all, stackRows{stack: r.Stack})
		}
		all[i].rows = append(all[i].rows, r)
	}
	return all
}

// withoutStack is the name that a row shares with those of the other stacks.
func withoutStack(r results.Row) string { return strings.Replace(r.Name, " stack="+r.Stack, "", 1) }

// claims compares transports on each stack: those with the same flush window, and
// a short poll, which has none, with each.
func claims(s results.Summary) []claim {
	stacks := byStack(s.Rows)
	if len(stacks) < 2 {
		return nil
	}
	var all []claim
	for _, metric := range stackMetrics {
		var of []claim
		for i, a := range stacks[0].rows {
			for _, b := range stacks[0].rows[i+1:] {
				if rivals(a, b) {
					of = append(of, claim{metric: metric, names: [2]string{withoutStack(a), withoutStack(b)}})
				}
			}
		}
		for _, stack := range stacks {
			find(of, stack, s.ValidBlocks >= results.VerdictBlocks)
		}
		all = append(all, of...)
	}
	return all
}

// rivals says whether two rows differ in their transport and, where both have
// a flush window that is swept, in nothing else.
func rivals(a, b results.Row) bool {
	swept := func(r results.Row) bool { return strings.Contains(r.Variant(), "flush=") }
	return a.Transport != b.Transport && (a.Flush == b.Flush || !swept(a) || !swept(b))
}

// find asks one stack about the claims on one metric. They are one family: a claim
// must then hold on every stack, which takes no further adjustment (an
// intersection-union test: Berger, Technometrics 24, 1982).
func find(of []claim, stack stackRows, judge bool) {
	var family []compare.Pairing
	var asked []int
	for i := range of {
		a, b := stack.row(of[i].names[0]), stack.row(of[i].names[1])
		f := finding{stack: stack.stack, said: ratioOf(a, b, of[i].metric)}
		if pairing, ok := paired(a, b, of[i].metric); judge && ok {
			family, asked = append(family, pairing), append(asked, i)
		} else if !judge {
			f.direction = byRanges(a, b, of[i].metric)
		}
		of[i].on = append(of[i].on, f)
	}
	for n, d := range (compare.Plan{}).All(family) {
		if d.Verdict != compare.Different {
			continue
		}
		last := &of[asked[n]].on[len(of[asked[n]].on)-1]
		last.direction = -1
		if d.Ratio < 1 {
			last.direction = +1
		}
	}
}

func (s stackRows) row(name string) results.Row {
	i := slices.IndexFunc(s.rows, func(r results.Row) bool { return withoutStack(r) == name })
	if i < 0 {
		return results.Row{}
	}
	return s.rows[i]
}

// paired are the figures of the blocks that have a valid trial of both rows; ok is
// false where one describes overload, or a figure has no ratio.
func paired(a, b results.Row, metric string) (p compare.Pairing, ok bool) {
	m := results.MetricByName(metric)
	p = compare.Pairing{Metric: metric, Names: [2]string{a.Name, b.Name}}
	for _, t := range a.Trials {
		i := slices.IndexFunc(b.Trials, func(o results.Trial) bool { return o.Block == t.Block })
		if i < 0 {
			continue
		}
		x, y := m.Of(t), m.Of(b.Trials[i])
		if x.Known != results.Shown || y.Known != results.Shown || x.X <= 0 || y.X <= 0 {
			return p, false
		}
		p.A, p.B = append(p.A, x.X), append(p.B, y.X)
	}
	return p, !a.Saturated && !b.Saturated
}

// byRanges tells two rows apart where their ranges over the blocks share no value.
func byRanges(a, b results.Row, metric string) int {
	if !canRank(a, metric) || !canRank(b, metric) {
		return 0
	}
	x, _ := a.Range(metric)
	y, _ := b.Range(metric)
	switch {
	case x.Overlaps(y):
		return 0
	case a.Value(metric).X < b.Value(metric).X:
		return -1
	default:
		return +1
	}
}

func ratioOf(a, b results.Row, metric string) string {
	x, y := a.Value(metric), b.Value(metric)
	if x.Known != results.Shown || y.Known != results.Shown || x.X <= 0 {
		return "–"
	}
	return results.Number(y.X/x.X) + "×"
}

// direction is the one that all stacks agree on, or 0.
func (c claim) direction() int {
	for _, f := range c.on {
		if f.direction != c.on[0].direction {
			return 0
		}
	}
	return c.on[0].direction
}

// told says whether any stack tells the two apart.
func (c claim) told() bool {
	return slices.ContainsFunc(c.on, func(f finding) bool { return f.direction != 0 })
}

// order names the cheaper one first.
func (c claim) order(direction int) string {
	if direction > 0 {
		return c.names[1] + " below " + c.names[0]
	}
	return c.names[0] + " below " + c.names[1]
}

// outcome is the last cell of a claim's row.
func (c claim) outcome() string {
	switch {
	case c.direction() != 0:
		return "holds: " + c.order(c.direction())
	case c.told():
		return "withdrawn: " + c.whyNot()
	default:
		return "no claim: cannot be told apart"
	}
}

// first is the direction on the first stack that tells the two apart.
func (c claim) first() int {
	i := slices.IndexFunc(c.on, func(f finding) bool { return f.direction != 0 })
	return c.on[i].direction
}

// whyNot names the stacks that do not bear the claim out.
func (c claim) whyNot() string {
	var round, open []string
	for _, f := range c.on {
		switch f.direction {
		case c.first():
		case 0:
			open = append(open, f.stack)
		default:
			round = append(round, f.stack)
		}
	}
	var said []string
	if len(round) > 0 {
		said = append(said, "on "+list(round)+" it is the other way round")
	}
	if len(open) > 0 {
		said = append(said, "on "+list(open)+" they cannot be told apart")
	}
	return strings.Join(said, ", ")
}

// claimBasis says by what two rows are told apart.
func claimBasis(s results.Summary) string {
	if s.ValidBlocks >= results.VerdictBlocks {
		return "VERDICT"
	}
	return "ESTIMATE, by ranges over the blocks that share no value"
}

// stackSection is the table of the claims; it is empty where one stack was measured.
func stackSection(s results.Summary) section {
	all := section{
		Title: "Claims by stack: which differences in cost are the transport's",
		Note: claimBasis(s) + ". A ratio is the second transport's figure over the first's. What does not hold on every stack measured may be the library's doing, and is withdrawn. " +
			fmt.Sprintf("With fewer than %d valid trials of each there is no order.", rankedTrials),
		Head: []string{"metric", "of", "against"},
	}
	for _, stack := range byStack(s.Rows) {
		all.Head = append(all.Head, results.Plain(stack.stack))
	}
	all.Head = append(all.Head, "claim")
	for _, c := range claims(s) {
		cells := []string{results.MetricByName(c.metric).Title, c.names[1], c.names[0]}
		for _, f := range c.on {
			cells = append(cells, f.said+map[int]string{-1: " more", 0: " open", +1: " less"}[f.direction])
		}
		all.Rows = append(all.Rows, line{Cells: append(cells, c.outcome())})
	}
	return all
}

// stackSentences say of each cost which differences hold on all stacks, and which
// are withdrawn.
func stackSentences(s results.Summary) []string {
	all := claims(s)
	if len(all) == 0 {
		return nil
	}
	var stacks, said []string
	for _, stack := range byStack(s.Rows) {
		stacks = append(stacks, results.Plain(stack.stack))
	}
	for _, metric := range stackMetrics {
		var holds, withdrawn []string
		for _, c := range all {
			switch {
			case c.metric != metric:
			case c.direction() != 0:
				holds = append(holds, c.order(c.direction()))
			case c.told():
				withdrawn = append(withdrawn, c.order(c.first())+" ("+c.whyNot()+")")
			}
		}
		title := capital(results.MetricByName(metric).Title)
		if len(holds) == 0 {
			holds = []string{"nothing"}
		}
		sentence := fmt.Sprintf("%s (%s): on all stacks measured (%s) holds %s", title, claimBasis(s), list(stacks), strings.Join(holds, ", "))
		if len(withdrawn) > 0 {
			sentence += "; withdrawn: " + strings.Join(withdrawn, ", ")
		}
		said = append(said, sentence+".")
	}
	return said
}

// onStack says of which stacks an order by cost is.
func onStack(s results.Summary) string {
	switch stacks := byStack(s.Rows); len(stacks) {
	case 0:
		return ""
	case 1:
		return ", on the " + results.Plain(stacks[0].stack) + " stack alone"
	default:
		return ", each on its stack"
	}
}
