package chart

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/summary"
)

// Several draws several runs in one set of charts. A row is a configuration of one run, named with
// the run's folder. The workloads may differ, as the basis shows; there is no verdict across runs.
func Several(runs []*results.Run, badges []string, only ...string) ([]Chart, error) {
	together, s, basis := merge(runs)
	return drawAll(charts(together, s, basis, marks(badges)), only)
}

// marks returns the badges of several runs, each once. Some with a verdict do not make the others quotable.
func marks(badges []string) string {
	marked := slices.DeleteFunc(slices.Clone(badges), func(badge string) bool { return markOf(badge) == "" })
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(marked))), ", ")
}

// merge returns a run with the rows of all runs, grouped by transport.
func merge(runs []*results.Run) (*results.Run, summary.Summary, string) {
	together := &results.Run{Manifest: runs[0].Manifest}
	together.Manifest.Configurations = nil
	var s summary.Summary
	var basis []string
	for i, name := range runNames(runs) {
		run, sum := runs[i], summary.Of(runs[i])
		if run.Manifest.Workload.Window != runs[0].Manifest.Workload.Window {
			together.Manifest.Workload.Window = 0 // there is no common one
		}
		basis = append(basis, fmt.Sprintf("%s: %s, %d repetitions", name, results.Plain(run.Manifest.Workload.Scenario), sum.ValidRepetitions))
		nameIn := func(c string) string { return c + " run=" + name }
		for _, r := range sum.Rows {
			r.Name, r.DeliveryRate = nameIn(r.Name), cmp.Or(r.DeliveryRate, run.Manifest.Workload.DeliveryRate)
			s.Rows = append(s.Rows, r)
			together.Manifest.Configurations = append(together.Manifest.Configurations, r.Configuration)
		}
		for _, one := range run.Intervals {
			one.Configuration = nameIn(one.ConfigurationName())
			together.Intervals = append(together.Intervals, one)
		}
	}
	order := transportsOf(s.Rows)
	slices.SortStableFunc(s.Rows, func(a, b summary.Row) int {
		return slices.Index(order, a.Transport) - slices.Index(order, b.Transport)
	})
	return together, s, strings.Join(basis, " · ")
}

// runNames returns unique names of the runs' folders, without spaces.
func runNames(runs []*results.Run) (names []string) {
	for i, run := range runs {
		name := strings.Join(strings.Fields(results.Plain(filepath.Base(filepath.Clean(run.Path)))), "-")
		if slices.Contains(names, name) {
			name = fmt.Sprintf("%s-%d", name, i+1)
		}
		names = append(names, name)
	}
	return names
}
