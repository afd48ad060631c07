package report

import (
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// Outcome is what the run says of all its claims together: broken if one is, else
// undecided if one is, else that they hold. Without claims, or where the rig failed,
// it is "".
func (r *Report) Outcome() compare.Outcome {
	for _, o := range []compare.Outcome{compare.Broken, compare.Undecided, compare.Holds} {
		if slices.ContainsFunc(r.Claims, func(f compare.Finding) bool { return f.Outcome == o }) {
			return o
		}
	}
	return ""
}

// claimSentences say how many of the claims hold, and name those that do not.
func (r *Report) claimSentences() []string {
	if len(r.Claims) == 0 {
		return nil
	}
	said := []string{""}
	for _, f := range r.Claims {
		if f.Outcome != compare.Holds {
			said = append(said, fmt.Sprintf("%s: %s: %s.", strings.ToUpper(string(f.Outcome)), claimed(f), found(f)))
		}
	}
	hold := fmt.Sprintf("%d of %d", len(r.Claims)-len(said)+1, len(r.Claims))
	if len(said) == 1 {
		hold = "all " + metric.Count(int64(len(r.Claims)))
	}
	said[0] = fmt.Sprintf("Claims: %s hold, each transport by itself.", hold)
	return said
}

// claimed is the claim, with the case that it was held against where it names none.
func claimed(f compare.Finding) string {
	text := results.Plain(f.Claim.Text)
	if f.Claim.Case == "" {
		text = f.Case + " " + text
	}
	return text
}

// found is what was measured of it, and in how many blocks it holds or why it is undecided.
func found(f compare.Finding) string {
	said := f.Why
	if said == "" {
		said = fmt.Sprintf("in %d of %s", f.Held, some(f.Of, "block"))
	}
	if f.Measured.Known == summary.Shown || f.Measured.Known == summary.Infinite {
		said = measuredOf(f) + ", " + said
	}
	return said
}

// measuredOf is what was measured of a claim: a value, or how many times another it is. Where
// too few observations make a percentile, it is the maximum.
func measuredOf(f compare.Finding) string {
	if f.Claim.OtherCase != "" {
		return withUnit(f.Measured, "times")
	}
	m, _ := metric.Find(f.Claim.Metric)
	said := withUnit(f.Measured, m.Unit)
	if f.AtMost {
		said = "at most " + said
	}
	return said
}

func (r *Report) claimsSection() section {
	all := section{
		Title: "Claims: what the scenario said that a run must find",
		Note: "Measured: the median of the blocks, for a ratio how many times the other figure it is. A claim holds, or is broken, where as many blocks say so as a coin would in one run of sixteen " +
			"(all of four to six, all but one of seven to nine); equality is broken by one block.",
		Head: []string{"claim", "of", "outcome", "measured", "blocks"},
	}
	for _, f := range r.Claims {
		blocks := fmt.Sprintf("%d of %d", f.Held, f.Of)
		if f.Of == 0 {
			blocks = results.Plain(f.Why)
		}
		all.Rows = append(all.Rows, line{Cells: []string{results.Plain(f.Claim.Text), f.Case, string(f.Outcome), measuredOf(f), blocks}})
	}
	return all
}

// met says which transports meet the needs that were declared, and why the others were not
// found to.
func (r *Report) met() []string {
	needs := r.Run.Manifest.Needs
	if len(needs) == 0 {
		return nil
	}
	meeting, failing := r.meeting()
	var asked []string
	for _, n := range needs {
		asked = append(asked, results.Plain(n.Text))
	}
	what := list(asked)
	if len(meeting) == 0 {
		return []string{fmt.Sprintf("Needs: none was found to meet %s: %s.", what, strings.Join(failing, "; "))}
	}
	said := fmt.Sprintf("Needs: %s %s %s", list(meeting), map[bool]string{true: "meets", false: "meet"}[len(meeting) == 1], what)
	if len(failing) > 0 {
		said += " (" + strings.Join(failing, "; ") + ")"
	}
	return []string{said + "."}
}

// meeting are the cases that meet every need, and why each of the others was not found to.
func (r *Report) meeting() (meeting, failing []string) {
	for _, row := range r.Summary.Rows {
		outcome, missed := r.meets(row)
		if outcome == compare.Holds {
			meeting = append(meeting, row.Name)
		}
		failing = append(failing, missed...)
	}
	return meeting, failing
}

// meets says whether a case meets every need, and of which ones it was not found to.
func (r *Report) meets(row summary.Row) (outcome compare.Outcome, missed []string) {
	outcome = compare.Holds
	for _, f := range r.Needs {
		if f.Case != row.Name || f.Outcome == compare.Holds {
			continue
		}
		said := "%s misses %s: %s"
		if f.Outcome == compare.Undecided {
			said = "whether %s meets %s is open: %s"
		}
		if outcome != compare.Broken {
			outcome = f.Outcome
		}
		missed = append(missed, fmt.Sprintf(said, row.Name, results.Plain(f.Claim.Text), found(f)))
	}
	return outcome, missed
}

// best are those of some rows that may be the best by a metric: that none of the others is told to
// beat. A tier would take in whoever is told apart from the best but not from the second best.
func (r *Report) best(metric string, rows []summary.Row) (best []summary.Row) {
	ranked, _ := rank(rows, metric)
	for _, row := range ranked {
		if !slices.ContainsFunc(ranked, func(other summary.Row) bool { return r.told(other, row, metric) < 0 }) {
			best = append(best, row)
		}
	}
	return best
}

func rowNames(rows []summary.Row) (names []string) {
	for _, row := range rows {
		names = append(names, row.Name)
	}
	return names
}

// or lists rows of which any may be meant.
func or(rows []summary.Row) string { return strings.Join(rowNames(rows), " or ") }

// deliver is what each of some rows does for what.
func (r *Report) deliver(rows []summary.Row) string {
	var said []string
	for _, row := range rows {
		one := r.delivers(row)
		if len(rows) > 1 {
			one = row.Name + " " + one
		}
		said = append(said, one)
	}
	return strings.Join(said, "; ")
}

// latency is the metric that an application feels: how old what its clients hold is where
// only the latest counts, else how soon a message is there.
func (r *Report) latency() string {
	if r.Run.Manifest.Workload.LatestOnly() {
		return orWhenTooFew(r.Summary.Rows, metric.AgeP99, metric.AgeMean)
	}
	return orWhenTooFew(r.Summary.Rows, metric.P99, metric.P50)
}

// delivers is a row's latency and costs in a phrase.
func (r *Report) delivers(row summary.Row) string {
	shown := []struct{ name, before, after string }{
		{metric.P50, "p50 ", ""},
		{metric.P99, "p99 ", ""},
		{metric.AckP99, "inputs p99 ", ""},
		{metric.CPUPerMessage, "", " of CPU a message"},
		{metric.WireBytesPerMessage, "", " on the wire"},
		{metric.ServerMemoryPerClient, "", " of server memory a client"},
	}
	if r.Run.Manifest.Workload.LatestOnly() {
		shown[0].name, shown[0].before = metric.AgeMean, "age mean "
		shown[1].name = metric.AgeP99
		shown[3].name, shown[3].after = metric.Cores, " cores of CPU"
	}
	if r.Run.Manifest.Workload.InputRate == 0 {
		shown = slices.Delete(shown, 2, 3)
	}
	var said []string
	for _, s := range shown {
		if v := medianOf(row, s.name); v.Known == summary.Shown || v.Known == summary.Infinite {
			said = append(said, s.before+withUnit(v, metric.ByName(s.name).Unit)+s.after)
		}
	}
	return strings.Join(said, ", ")
}
