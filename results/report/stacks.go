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
// every stack that was measured, and is withdrawn where only some support it.
type claim struct {
	metric    string
	names     [2]string // rows without their stack: "sse batching_delay=5ms"
	on        []string  // per stack: the ratio of the second to the first, and what it shows
	direction int       // on the first stack that distinguishes the two: -1 the first costs less, +1 the second, 0 on none
	withdrawn string    // the stacks that do not support it, and why; empty: it holds
}

// A stackRows is the rows of one stack.
type stackRows struct {
	stack string
	rows  []summary.Row
}

// byStack splits the rows by the stack they were measured on.
func (r *Report) byStack() (all []stackRows) {
	for _, row := range r.Summary.Rows {
		i := slices.IndexFunc(all, func(s stackRows) bool { return s.stack == row.Library })
		if i < 0 {
			i, all = len(all), append(all, stackRows{stack: row.Library})
		}
		all[i].rows = append(all[i].rows, row)
	}
	return all
}

func stackNames(all []stackRows) (names []string) {
	for _, stack := range all {
		names = append(names, results.Plain(stack.stack))
	}
	return names
}

// row finds the row that is called so without its stack.
func (s stackRows) row(name string) (found summary.Row) {
	for _, row := range s.rows {
		if withoutStack(row) == name {
			return row
		}
	}
	return found
}

// withoutStack is the name that a row shares with those of the other stacks.
func withoutStack(r summary.Row) string { return strings.Replace(r.Name, " library="+r.Library, "", 1) }

// claims compares transports on each stack: those with the same flush window, and
// a short poll, which has none, with each. A claim must hold on every stack, which
// takes no adjustment beyond the family's (an intersection-union test: Berger,
// Technometrics 24, 1982).
func (r *Report) claims() (all []claim) {
	stacks := r.byStack()
	if len(stacks) < 2 {
		return nil
	}
	swept := func(r summary.Row) bool { return strings.Contains(r.Variant(), "batching_delay=") }
	for _, metric := range stackMetrics {
		for i, a := range stacks[0].rows {
			for _, b := range stacks[0].rows[i+1:] {
				if a.Transport != b.Transport && (a.BatchingDelay == b.BatchingDelay || !swept(a) || !swept(b)) {
					all = append(all, r.claim(metric, [2]string{withoutStack(a), withoutStack(b)}, stacks))
				}
			}
		}
	}
	return all
}

// claim compares two rows on every stack.
func (r *Report) claim(name string, names [2]string, stacks []stackRows) claim {
	c := claim{metric: name, names: names}
	directions := make([]int, len(stacks))
	for i, stack := range stacks {
		a, b := stack.row(names[0]), stack.row(names[1])
		directions[i] = r.told(a, b, name)
		if c.direction == 0 {
			c.direction = directions[i]
		}
		ratio := "–"
		if x, y := a.Value(name), b.Value(name); x.Known == summary.Shown && y.Known == summary.Shown && x.X > 0 {
			ratio = metric.Number(y.X/x.X) + "×"
		}
		c.on = append(c.on, ratio+map[int]string{-1: " more", 0: " open", +1: " less"}[directions[i]])
	}
	var reasons []string
	against := map[string][]string{} // stacks by reason
	for i, stack := range stacks {
		why := "it is the other way round"
		switch directions[i] {
		case c.direction:
			continue
		case 0:
			why = "they cannot be told apart"
			if unranked := whyUnranked([]summary.Row{stack.row(names[0]), stack.row(names[1])}, name); unranked != "" && !r.decides(name) {
				why = unranked
			}
		}
		if against[why] == nil {
			reasons = append(reasons, why)
		}
		against[why] = append(against[why], stack.stack)
	}
	for i, why := range reasons {
		reasons[i] = "on " + list(against[why]) + " " + why
	}
	c.withdrawn = strings.Join(reasons, ", ")
	return c
}

// order names the cheaper one first.
func (c claim) order() string {
	if c.direction > 0 {
		return c.names[1] + " below " + c.names[0]
	}
	return c.names[0] + " below " + c.names[1]
}

// stackSection is the table of the claims; it is empty where one stack was measured,
// and where no figure may be quoted.
func (r *Report) stackSection() section {
	all := section{
		Title: "Claims by stack: which differences in cost are the transport's",
		Note: "A ratio is the second transport's figure over the first's. What does not hold on every stack measured may be the library's doing, and is withdrawn.\n" +
			fmt.Sprintf("Metrics that were declared are told apart by the verdicts, where there are any; the others by ranges over the blocks that share no value, with at least %d valid trials of each.", rankedTrials),
		Heading: slices.Concat([]string{"metric", "of", "against"}, stackNames(r.byStack()), []string{"claim"}),
	}
	if r.Run.Manifest.Status == results.Invalid {
		return all
	}
	for _, c := range r.claims() {
		outcome := "no claim: cannot be told apart"
		switch {
		case c.direction != 0 && c.withdrawn == "":
			outcome = "holds: " + c.order()
		case c.direction != 0:
			outcome = "withdrawn: " + c.withdrawn
		}
		all.add(metric.ByName(c.metric).Title, c.names[1], c.names[0], c.on, outcome)
	}
	return all
}

// stackSentences say of each cost which differences hold on all stacks, and which
// are withdrawn.
func (r *Report) stackSentences() (said []string) {
	all := r.claims()
	if len(all) == 0 {
		return nil
	}
	for _, name := range stackMetrics {
		var holds, withdrawn []string
		for _, c := range all {
			switch {
			case c.metric != name || c.direction == 0:
			case c.withdrawn == "":
				holds = append(holds, c.order())
			default:
				withdrawn = append(withdrawn, c.order()+" ("+c.withdrawn+")")
			}
		}
		if len(holds) == 0 {
			holds = []string{"nothing"}
		}
		basis := "by ranges over the blocks that share no value"
		if r.decides(name) {
			basis = verdictLabel
		}
		sentence := fmt.Sprintf("%s (%s): on all stacks measured (%s) holds %s",
			results.Capital(metric.ByName(name).Title), basis, list(stackNames(r.byStack())), strings.Join(holds, ", "))
		if len(withdrawn) > 0 {
			sentence += "; withdrawn: " + strings.Join(withdrawn, ", ")
		}
		said = append(said, sentence+".")
	}
	return said
}
