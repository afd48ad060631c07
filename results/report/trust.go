package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pushbench/results"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/summary"
)

// trust is the evidence in one line: validity checks, noise floor, the reserve of the load
// generator, and the agreement with the model.
func (r *Report) trust(sections []Section) []Support {
	s := r.Summary
	all := []Support{{fmt.Sprintf("%s of %s validity checks passed", metric.Count(int64(s.ChecksPassed)), metric.Count(int64(s.Checks))), checksTitle}}
	compared := slices.DeleteFunc(slices.Clone(r.SelfComparisons), func(d compare.Difference) bool { return d.Metric != r.latency() && d.Metric != r.costMetric() })
	if floor := compare.NoiseFloor(compared); len(floor) > 0 && r.Run.Manifest.Status != results.Invalid {
		all = append(all, Support{"noise floor: " + list(floor), noiseTitle})
	}
	if share, ok := r.generatorShare(); ok {
		all = append(all, Support{fmt.Sprintf("load generator at %s of its maximum rate", metric.Percent(share)), evidenceTitle})
	}
	agree, known := 0, 0
	for _, row := range r.measured() {
		a, k := agreements(row)
		agree, known = agree+a, known+k
	}
	if known > 0 && r.Run.Manifest.Status != results.Invalid {
		all = append(all, Support{fmt.Sprintf("model agrees in %d of %s", agree, some(known, "prediction")), modelTitle})
	}
	for i, support := range all {
		if !slices.ContainsFunc(sections, func(s Section) bool { return s.Title == support.Section }) {
			all[i].Section = ""
		}
	}
	return all
}

// agreements counts the predictions of a row that a measured value can be compared with, and those that agree.
func agreements(row summary.Row) (agree, known int) {
	for _, m := range metric.All {
		if a, ok := row.Agreement(m.Name); ok && a.Known {
			known++
			if a.Agrees {
				agree++
			}
		}
	}
	return agree, known
}

// Titles of the sections that the line of trust refers to.
const (
	checksTitle   = "Validity checks: each can invalidate a trial"
	noiseTitle    = "Noise floor: each configuration compared with itself (A/A)"
	modelTitle    = "Model: predicted and measured"
	evidenceTitle = "Evidence"
)

// origin is when, where and from what a run was measured.
func (r *Report) origin() []string {
	m, repetitions := r.Run.Manifest, some(r.Summary.Repetitions, "repetition")
	if !m.Ended.IsZero() {
		repetitions += " in " + roughly(m.Ended.Sub(m.Started))
	}
	return append(origin(m.Started, m.Host, m.Tool), repetitions)
}

// origin is a date, a machine and a build.
func origin(started time.Time, host results.Host, tool results.Tool) []string {
	all := []string{
		results.Plain(host.CPUModel), some(host.Cores, "core"), results.Capital(strings.TrimSpace(results.Plain(host.OS + " " + host.Kernel))),
		"commit " + commitText(tool.Commit),
	}
	if !started.IsZero() {
		all = slices.Insert(all, 0, started.UTC().Format("2006-01-02 15:04 UTC"))
	}
	return slices.DeleteFunc(all, func(text string) bool { return text == "" })
}
