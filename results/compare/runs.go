package compare

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// Sides are what two runs are called where they are compared: the one that was there
// before, and the one that is asked about.
var Sides = [2]string{"A", "B"}

// Runs compares each case of run b with the same case of run a, by the metrics that both
// declared and, without verdicts, by all others. A case's name is that of its row, and the
// side: "websocket (A)".
//
// Only trials that took turns on one machine are judged. What lies between two runs that were
// made one after the other, an hour's warmth or another guest of the machine, is in each of
// their blocks alike, and no number of blocks tells it from what is asked about: those have
// ratios and intervals, and no verdict.
func Runs(a, b *results.Run) (Analysis, error) {
	if why := unlike(a.Manifest, b.Manifest); len(why) > 0 {
		return Analysis{}, fmt.Errorf("%w: %s", ErrUnlike, strings.Join(why, "; "))
	}
	sums := [2]summary.Summary{summary.Of(a), summary.Of(b)}
	j := Analysis{Declared: b.Manifest.Compare.OrDefault(), Variants: 1}
	j.Repetitions = slices.DeleteFunc(slices.Clone(sums[0].Common), func(block int) bool { return !slices.Contains(sums[1].Common, block) })
	j.Discarded = voidBlocks(slices.Concat(a.Trials, b.Trials), j.Repetitions)
	var pairs []pair
	for _, row := range sums[1].Rows {
		if other, ok := sums[0].Row(row.Name); ok {
			pairs = append(pairs, pair{[2]string{sided(row.Name, 0), sided(row.Name, 1)}, [2]summary.Row{other, row}})
		}
	}
	j.compare(pairs, slices.Concat(sums[0].Rows, sums[1].Rows))
	j.withhold(worse(a.Manifest, b.Manifest))
	if why := apart(a.Manifest, b.Manifest); why != "" && (j.Withheld == "" || j.Short) { // more blocks would not help
		j.Withheld, j.Short = why, false
		j.takeBack()
	}
	return j, nil
}

// ErrUnlike: the runs do not measure the same thing.
var ErrUnlike = errors.New("these runs cannot be compared")

// unlike says what of the workload two runs do not share.
func unlike(a, b results.Manifest) (why []string) {
	differ := func(what string, x, y any) {
		if one, other := fmt.Sprint(x), fmt.Sprint(y); one != other {
			why = append(why, fmt.Sprintf("%s differs: %s and %s", what, brief(one), brief(other)))
		}
	}
	differ("the scenario", a.Workload.Scenario, b.Workload.Scenario)
	differ("the seed", a.Seed, b.Seed)
	differ("the network", network(a), network(b))
	differ("the client engine", a.Engine, b.Engine)
	differ("the declared comparison", a.Compare.OrDefault(), b.Compare.OrDefault())
	differ("the list of configurations", caseNames(a), caseNames(b))
	differ("the workload", plain(a.Workload), plain(b.Workload))
	for i := range min(len(a.Schedules), len(b.Schedules)) {
		if a.Schedules[i] != b.Schedules[i] {
			why = append(why, fmt.Sprintf("the publish schedule differs in repetition %d", i+1))
			break
		}
	}
	return why
}

// plain is a workload without what says nothing of how it is measured: a scenario's words,
// and its hash, in which the number of blocks is.
func plain(w results.Workload) results.Workload {
	w.Description, w.Question, w.SHA256 = "", "", ""
	return w
}

func network(m results.Manifest) string {
	return fmt.Sprint(m.Network, m.RTT, m.Jitter, m.LineRate, m.Loss, m.Reorder, m.NAT, m.IdleFor)
}

func caseNames(m results.Manifest) (names []string) {
	for _, c := range m.AllConfigurations() {
		names = append(names, c.Name)
	}
	return names
}

// brief cuts what is too long for a sentence.
func brief(s string) string {
	const most = 80
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// apart says why two runs cannot be judged: they were not made in turns on one machine.
// It is empty where they were.
func apart(a, b results.Manifest) string {
	if where := otherHost(a.Host, b.Host); len(where) > 0 {
		return "they were measured on different machines: " + strings.Join(where, "; ")
	}
	if slices.Contains(a.Baseline, b.RunID) && slices.Contains(b.Baseline, a.RunID) {
		return ""
	}
	return "they were measured one after the other, so changes of the machine are in every ratio; for a verdict, measure them in turns (pushbench run --baseline)"
}

// otherHost lists what two hosts do not share of what latencies and costs depend on.
func otherHost(a, b results.Host) (list []string) {
	for _, of := range []struct{ what, a, b string }{
		{"CPU", a.CPUModel, b.CPUModel},
		{"CPU quota", a.CPUQuota, b.CPUQuota},
		{"congestion control", a.CongestionControl, b.CongestionControl},
		{"cores", fmt.Sprint(a.Cores), fmt.Sprint(b.Cores)},
		{"kernel", a.Kernel, b.Kernel},
		{"system", a.OS + " " + a.Arch, b.OS + " " + b.Arch},
	} {
		if of.a != of.b {
			list = append(list, fmt.Sprintf("%s %s and %s", of.what, brief(of.a), brief(of.b)))
		}
	}
	return list
}

// worse is whichever manifest is of the run that is worth less.
func worse(a, b results.Manifest) results.Manifest {
	for _, status := range []results.Status{results.Invalid, results.Partial} {
		if a.Status == status {
			return a
		}
	}
	return b
}

// sided is a case of one of the sides.
func sided(name string, side int) string { return name + " (" + Sides[side] + ")" }

// CaseOf is the case that a comparison of two runs is about.
func ConfigurationOf(d Difference) string { return strings.TrimSuffix(d.Names[1], " ("+Sides[1]+")") }

// Confirm takes back what was worse and, when the same two builds were measured again, was not:
// one family of comparisons in twenty finds a difference that is not there. What nothing can be
// said of the second time stays open.
func (j Analysis) Confirm(again Analysis) Analysis {
	j.Family = slices.Clone(j.Family)
	for i := range j.Family {
		d := &j.Family[i]
		if !d.worse() {
			continue
		}
		k := slices.IndexFunc(again.Family, func(o Difference) bool { return o.Names == d.Names && o.Metric == d.Metric })
		switch {
		case k >= 0 && again.Family[k].worse():
		case k >= 0 && slices.Contains([]Verdict{Different, Equivalent, Small}, again.Family[k].Verdict):
			d.Verdict = Refuted
		default:
			d.Verdict = Unconfirmed
		}
	}
	return j
}

// worse says whether the second of two runs is different, and worse.
func (d Difference) worse() bool {
	return d.Verdict == Different && (d.Ratio > 1) == (metric.ByName(d.Metric).Better == metric.Lower)
}

// SameAgain refuses to take two other runs for another measurement of the same two builds.
func SameAgain(first, again [2]*results.Run) error {
	var why []string
	for i := range first {
		a, b := first[i].Manifest, again[i].Manifest
		b.Seed, b.Schedules = a.Seed, a.Schedules // another draw is as good, or better
		why = append(why, unlike(a, b)...)
		if one, other := served(a), served(b); one != other {
			why = append(why, fmt.Sprintf("the servers of %s are a different build", Sides[i]))
		}
		if a.RunID == b.RunID {
			why = append(why, fmt.Sprintf("%s is the same run twice", Sides[i]))
		}
	}
	if len(why) > 0 {
		return fmt.Errorf("%w with their confirmation: %s", ErrUnlike, strings.Join(why, "; "))
	}
	return nil
}

// served is the build whose servers a run measured.
func served(m results.Manifest) string {
	if m.Served.SHA256 != "" {
		return m.Served.SHA256
	}
	return m.Tool.SHA256
}

// Regressions are the comparisons of two runs in which the second is different, and worse.
func (j Analysis) Regressions() []Difference { return filter(j.Family, Difference.worse) }

// Open are the declared comparisons of which nothing can be said.
func (j Analysis) Open() []Difference {
	return filter(j.Family, func(d Difference) bool {
		return !slices.Contains([]Verdict{Different, Equivalent, Small, Refuted}, d.Verdict)
	})
}
