package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// stackMetrics are the costs that depend on the library a server is built on.
var stackMetrics = []string{metric.ServerCPUPerMessage, metric.CPUPerMessage, metric.ServerMemoryPerClient}

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
	open      string // why it is 0
	said      string // the ratio of the second to the first
}

// A stackRows is the rows of one stack.
type stackRows struct {
	stack string
	rows  []summary.Row
}

// byStack splits the rows by the stack they were measured on.
func byStack(rows []summary.Row) []stackRows {
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
func withoutStack(r summary.Row) string { return strings.Replace(r.Name, " stack="+r.Stack, "", 1) }

// claims compares transports on each stack: those with the same flush window, and
// a short poll, which has none, with each. A claim must hold on every stack, which
// takes no adjustment beyond the family's (an intersection-union test: Berger,
// Technometrics 24, 1982).
func (r *Report) claims() []claim {
	stacks := byStack(r.Summary.Rows)
	if len(stacks) < 2 {
		return nil
	}
	var all []claim
	for _, metric := range stackMetrics {
		for i, a := range stacks[0].rows {
			for _, b := range stacks[0].rows[i+1:] {
				if rivals(a, b) {
					c := claim{metric: metric, names: [2]string{withoutStack(a), withoutStack(b)}}
					for _, stack := range stacks {
						c.on = append(c.on, r.find(c, stack))
					}
					all = append(all, c)
				}
			}
		}
	}
	return all
}

// rivals says whether two rows differ in their transport and, where both have
// a flush window that is swept, in nothing else.
func rivals(a, b summary.Row) bool {
	swept := func(r summary.Row) bool { return strings.Contains(r.Variant(), "flush=") }
	return a.Transport != b.Transport && (a.Flush == b.Flush || !swept(a) || !swept(b))
}

// find asks one stack about a claim.
func (r *Report) find(c claim, stack stackRows) finding {
	a, b := stack.row(c.names[0]), stack.row(c.names[1])
	f := finding{stack: stack.stack, said: ratioOf(a, b, c.metric), direction: r.told(a, b, c.metric)}
	if f.direction == 0 {
		f.open = "they cannot be told apart"
		if why := whyUnranked([]summary.Row{a, b}, c.metric); why != "" && !r.decides(c.metric) {
			f.open = strings.TrimPrefix(why, "; ")
		}
	}
	return f
}

func (s stackRows) row(name string) summary.Row {
	i := slices.IndexFunc(s.rows, func(r summary.Row) bool { return withoutStack(r) == name })
	if i < 0 {
		return summary.Row{}
	}
	return s.rows[i]
}

func ratioOf(a, b summary.Row, name string) string {
	x, y := a.Value(name), b.Value(name)
	if x.Known != summary.Shown || y.Known != summary.Shown || x.X <= 0 {
		return "–"
	}
	return metric.Number(y.X/x.X) + "×"
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
	var reasons []string
	on := map[string][]string{} // by reason
	for _, f := range c.on {
		why := f.open
		switch f.direction {
		case c.first():
			continue
		case -c.first():
			why = "it is the other way round"
		}
		if on[why] == nil {
			reasons = append(reasons, why)
		}
		on[why] = append(on[why], f.stack)
	}
	var said []string
	for _, why := range reasons {
		said = append(said, "on "+list(on[why])+" "+why)
	}
	return strings.Join(said, ", ")
}

// claimBasis says by what two rows are told apart.
func (r *Report) claimBasis(metric string) string {
	if r.decides(metric) {
		return verdictLabel
	}
	return "by ranges over the blocks that share no value"
}

// stackSection is the table of the claims; it is empty where one stack was measured,
// and where no figure may be quoted.
func (r *Report) stackSection() section {
	all := section{
		Title: "Claims by stack: which differences in cost are the transport's",
		Note: "A ratio is the second transport's figure over the first's. What does not hold on every stack measured may be the library's doing, and is withdrawn.\n" +
			fmt.Sprintf("Metrics that were declared are told apart by the verdicts, where there are any; the others by ranges over the blocks that share no value, with at least %d valid trials of each.", rankedTrials),
		Head: []string{"metric", "of", "against"},
	}
	if r.Run.Manifest.Status == results.Invalid {
		return all
	}
	for _, stack := range byStack(r.Summary.Rows) {
		all.Head = append(all.Head, results.Plain(stack.stack))
	}
	all.Head = append(all.Head, "claim")
	for _, c := range r.claims() {
		cells := []string{metric.ByName(c.metric).Title, c.names[1], c.names[0]}
		for _, f := range c.on {
			cells = append(cells, f.said+map[int]string{-1: " more", 0: " open", +1: " less"}[f.direction])
		}
		all.Rows = append(all.Rows, line{Cells: append(cells, c.outcome())})
	}
	return all
}

// stackSentences say of each cost which differences hold on all stacks, and which
// are withdrawn.
func (r *Report) stackSentences() []string {
	all := r.claims()
	if len(all) == 0 {
		return nil
	}
	var stacks, said []string
	for _, stack := range byStack(r.Summary.Rows) {
		stacks = append(stacks, results.Plain(stack.stack))
	}
	for _, name := range stackMetrics {
		var holds, withdrawn []string
		for _, c := range all {
			switch {
			case c.metric != name:
			case c.direction() != 0:
				holds = append(holds, c.order(c.direction()))
			case c.told():
				withdrawn = append(withdrawn, c.order(c.first())+" ("+c.whyNot()+")")
			}
		}
		title := results.Capital(metric.ByName(name).Title)
		if len(holds) == 0 {
			holds = []string{"nothing"}
		}
		sentence := fmt.Sprintf("%s (%s): on all stacks measured (%s) holds %s", title, r.claimBasis(name), list(stacks), strings.Join(holds, ", "))
		if len(withdrawn) > 0 {
			sentence += "; withdrawn: " + strings.Join(withdrawn, ", ")
		}
		said = append(said, sentence+".")
	}
	return said
}

// onStack says of which stacks an order by cost is.
func onStack(s summary.Summary) string {
	switch stacks := byStack(s.Rows); len(stacks) {
	case 0:
		return ""
	case 1:
		return ", on the " + results.Plain(stacks[0].stack) + " stack alone"
	default:
		return ", each on its stack"
	}
}
