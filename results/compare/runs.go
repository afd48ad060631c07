package compare

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// Sides are the names of the two runs in a comparison: the reference, and the one under test.
var Sides = [2]string{"A", "B"}

// Runs compares each configuration of run b with that of run a, by the metrics that both declared
// and, without verdicts, by all others. The name of a side consists of its row and its run:
// "websocket (A)".
//
// There are verdicts only if the trials of the runs alternated on one machine. Otherwise a change of
// the machine between the runs, such as its temperature or another virtual machine, affects all
// repetitions of a run alike. No number of repetitions distinguishes it from a difference of the
// builds, so there are only ratios and intervals.
func Runs(a, b *results.Run) (Analysis, error) {
	if why := mismatches(a.Manifest, b.Manifest); len(why) > 0 {
		return Analysis{}, fmt.Errorf("%w: %s", ErrDifferentWorkloads, strings.Join(why, "; "))
	}
	sums := [2]summary.Summary{summary.Of(a), summary.Of(b)}
	analysis := Analysis{Declared: common(a.Manifest, b.Manifest), Variants: 1}
	analysis.Repetitions = slices.DeleteFunc(slices.Clone(sums[0].Common), func(repetition int) bool { return !slices.Contains(sums[1].Common, repetition) })
	analysis.Discarded = discarded(slices.Concat(a.Trials, b.Trials), analysis.Repetitions)
	var pairs []pair
	for _, row := range sums[1].Rows {
		if other, ok := sums[0].Row(row.Name); ok {
			pairs = append(pairs, pair{[2]string{sideName(row.Name, 0), sideName(row.Name, 1)}, [2]summary.Row{other, row}, true})
		}
	}
	analysis.compare(pairs, slices.Concat(sums[0].Rows, sums[1].Rows))
	analysis.withhold(worseStatus(a.Manifest, b.Manifest))
	if why := notAlternated(a.Manifest, b.Manifest); why != "" && (analysis.Withheld == "" || analysis.TooFewOnly) { // more repetitions would not help
		analysis.Withheld, analysis.TooFewOnly = why, false
		analysis.removeVerdicts()
	}
	return analysis, nil
}

// ErrDifferentWorkloads reports that runs do not measure the same workload.
var ErrDifferentWorkloads = errors.New("these runs cannot be compared")

// common is what both runs declare. Runs of one measurement declare the same. A run with a baseline declares more
// metrics than one without.
func common(a, b results.Manifest) results.Declared {
	both := b.Compare.OrDefault()
	both.Primary = slices.DeleteFunc(slices.Clone(both.Primary), func(name string) bool { return !slices.Contains(a.Compare.OrDefault().Primary, name) })
	return both
}

// mismatches returns the differences between the workloads of two runs.
func mismatches(a, b results.Manifest) (why []string) {
	differ := func(what string, parts ...part) {
		if texts := differing(parts); texts != nil {
			why = append(why, what+" differs: "+strings.Join(texts, ", "))
		}
	}
	differ("the scenario", part{"", a.Workload.Scenario, b.Workload.Scenario})
	differ("the seed", part{"", a.Seed, b.Seed})
	differ("the network", part{"", a.Network, b.Network}, part{"round trip", a.RTT, b.RTT}, part{"jitter", a.Jitter, b.Jitter}, part{"line rate", a.LineRate, b.LineRate},
		part{"loss", a.Loss, b.Loss}, part{"reordering", a.Reorder, b.Reorder}, part{"NAT", a.NAT, b.NAT}, part{"idle timeout", a.IdleFor, b.IdleFor})
	differ("the client engine", part{"", a.Engine, b.Engine})
	declared := [2]results.Declared{a.Compare.OrDefault(), b.Compare.OrDefault()}
	metrics := part{"metrics", declared[0].Primary, declared[1].Primary}
	if len(common(a, b).Primary) > 0 {
		metrics = part{}
	}
	differ("the declared comparison", metrics, part{"margin", declared[0].Margin, declared[1].Margin})
	differ("the list of configurations", part{"", configurationNames(a), configurationNames(b)})
	differ("the workload", workloadParts(a.Workload, b.Workload)...)
	for i := range min(len(a.Schedules), len(b.Schedules)) {
		if a.Schedules[i] != b.Schedules[i] {
			why = append(why, fmt.Sprintf("the publish schedule differs in repetition %d", i+1))
			break
		}
	}
	return why
}

// A part is a value in both runs. An empty name needs no name.
type part struct {
	name string
	a, b any
}

// differing formats the parts that differ: "clients 10 and 5".
func differing(parts []part) (texts []string) {
	for _, p := range parts {
		if one, other := text(p.a), text(p.b); one != other {
			texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %s and %s", p.name, brief(one), brief(other))))
		}
	}
	return texts
}

// text formats a value for a sentence. Different values have different texts.
func text(value any) string {
	switch v := value.(type) {
	case []string:
		return cmp.Or(strings.Join(v, ", "), "none")
	case map[string]time.Duration:
		var texts []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			texts = append(texts, fmt.Sprintf("%s %s", key, v[key]))
		}
		return text(texts)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		return cmp.Or(v, "none")
	default:
		return fmt.Sprint(v)
	}
}

// workloadParts returns the fields of two workloads, except those that do not affect the measurement:
// the texts of the scenario, and its hash, which depends on the number of repetitions.
func workloadParts(a, b results.Workload) (parts []part) {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		switch name := x.Type().Field(i).Name; name {
		case "Scenario", "Description", "Question", "SHA256":
		default:
			parts = append(parts, part{inWords(name), x.Field(i).Interface(), y.Field(i).Interface()})
		}
	}
	return parts
}

// capitals matches the first letter of each word in the name of a field except the first.
var capitals = regexp.MustCompile(`\B[A-Z]`)

// inWords returns the name of a field as text: "poll interval".
func inWords(name string) string { return strings.ToLower(capitals.ReplaceAllString(name, " $0")) }

func configurationNames(m results.Manifest) (names []string) {
	for _, c := range m.AllConfigurations() {
		names = append(names, c.Name)
	}
	return names
}

// brief truncates text that is too long for a sentence.
func brief(s string) string {
	const limit = 80
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return s
}

// notAlternated returns why two runs cannot have a verdict: their trials did not alternate on one
// machine. It returns "" if they did.
func notAlternated(a, b results.Manifest) string {
	if differences := hostDifferences(a.Host, b.Host); len(differences) > 0 {
		return "the two runs were measured on different machines: " + strings.Join(differences, "; ")
	}
	if slices.Contains(a.Baseline, b.RunID) && slices.Contains(b.Baseline, a.RunID) {
		return ""
	}
	if a.RunID == b.RunID {
		return "A and B are the same run"
	}
	return "the two runs were not measured in turns, so every ratio includes changes of the machine. For a verdict, use pushbench run --baseline"
}

// hostDifferences lists the differences between two hosts that affect latencies and costs.
func hostDifferences(a, b results.Host) (list []string) {
	for _, field := range []struct{ name, a, b string }{
		{"CPU", a.CPUModel, b.CPUModel},
		{"CPU quota", a.CPUQuota, b.CPUQuota},
		{"congestion control", a.CongestionControl, b.CongestionControl},
		{"cores", fmt.Sprint(a.Cores), fmt.Sprint(b.Cores)},
		{"kernel", a.Kernel, b.Kernel},
		{"system", a.OS + " " + a.Arch, b.OS + " " + b.Arch},
	} {
		if field.a != field.b {
			list = append(list, fmt.Sprintf("%s %s and %s", field.name, brief(field.a), brief(field.b)))
		}
	}
	return list
}

// worseStatus returns the manifest of the run with the worse status: INVALID is worst, then INTERRUPTED.
func worseStatus(a, b results.Manifest) results.Manifest {
	for _, status := range []results.Status{results.Invalid, results.Partial} {
		if a.Status == status {
			return a
		}
	}
	return b
}

// sideName returns the name of a configuration on one of the sides.
func sideName(name string, side int) string { return name + " (" + Sides[side] + ")" }

// ConfigurationOf returns the configuration of a comparison of two runs.
func ConfigurationOf(d Difference) string { return strings.TrimSuffix(d.Names[1], " ("+Sides[1]+")") }

// Confirm returns the analysis with its regressions compared with a second measurement of the same
// two builds, because one family of comparisons in twenty has a false positive. A regression that the
// second measurement does not show becomes Refuted; one on which it is inconclusive, Unconfirmed.
func (a Analysis) Confirm(second Analysis) Analysis {
	a.Family = slices.Clone(a.Family)
	for i := range a.Family {
		d := &a.Family[i]
		if !d.worse() {
			continue
		}
		i := slices.IndexFunc(second.Family, func(o Difference) bool { return o.Names == d.Names && o.Metric == d.Metric })
		switch {
		case i >= 0 && second.Family[i].worse():
		case i >= 0 && slices.Contains([]Verdict{Different, Equivalent, Small}, second.Family[i].Verdict):
			d.Verdict = Refuted
		default:
			d.Verdict = Unconfirmed
		}
	}
	return a
}

// worse reports whether the second of two runs is significantly worse.
func (d Difference) worse() bool {
	return d.Verdict == Different && (d.Ratio > 1) == (metric.ByName(d.Metric).Better == metric.Lower)
}

// CheckSecondMeasurement returns an error unless two further runs measure the same workload and builds again.
func CheckSecondMeasurement(first, second [2]*results.Run) error {
	var why []string
	for i := range first {
		a, b := first[i].Manifest, second[i].Manifest
		b.Seed, b.Schedules = a.Seed, a.Schedules // the second measurement may use another seed
		why = append(why, mismatches(a, b)...)
		if one, other := build(a), build(b); one != other {
			why = append(why, fmt.Sprintf("the servers of %s are a different build", Sides[i]))
		}
		if a.RunID == b.RunID {
			why = append(why, fmt.Sprintf("%s is the same run twice", Sides[i]))
		}
	}
	if len(why) > 0 {
		return fmt.Errorf("%w with their confirmation: %s", ErrDifferentWorkloads, strings.Join(why, "; "))
	}
	return nil
}

// build identifies the build whose servers a run measured. The checksum of a target file does not: the commit of its folder
// does, if there is one.
func build(m results.Manifest) string {
	measured := m.Measured()
	if measured.Target == "" {
		return measured.SHA256
	}
	return fmt.Sprint(measured.SHA256, measured.Commit, measured.Dirty)
}

// Regressions returns the comparisons in which the second of two runs is significantly worse.
func (a Analysis) Regressions() []Difference { return filter(a.Family, Difference.worse) }

// Unresolved returns the declared comparisons without a conclusion.
func (a Analysis) Unresolved() []Difference {
	return filter(a.Family, func(d Difference) bool {
		return !slices.Contains([]Verdict{Different, Equivalent, Small, Refuted}, d.Verdict)
	})
}
