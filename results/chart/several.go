package chart

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/summary"
)

// Several draws runs on one chart each, in place of a chart per run: a row is a case of one
// of them, named with the run's folder. Their workloads may differ, which the basis
// says; nothing is judged across them.
func Several(runs []*results.Run, worths []string, only ...string) ([]Chart, error) {
	together, s, basis := merge(runs)
	mark := strings.Join(slices.Compact(slices.Sorted(slices.Values(worths))), ", ")
	return drawAll(cards(together, s, basis, mark), only)
}

// merge puts the rows of all runs below one another, those of a transport together.
func merge(runs []*results.Run) (*results.Run, summary.Summary, string) {
	together := &results.Run{Manifest: runs[0].Manifest}
	together.Manifest.Configurations = nil
	var s summary.Summary
	var basis []string
	for i, name := range runNames(runs) {
		run, sum := runs[i], summary.Of(runs[i])
		basis = append(basis, fmt.Sprintf("%s: %s, %d repetitions", name, results.Plain(run.Manifest.Workload.Scenario), sum.ValidRepetitions))
		called := func(c string) string { return c + " run=" + name }
		for _, r := range sum.Rows {
			r.Name = called(r.Name)
			s.Rows = append(s.Rows, r)
			together.Manifest.Configurations = append(together.Manifest.Configurations, r.Configuration)
		}
		for _, one := range run.Intervals {
			one.Configuration = called(one.ConfigurationName())
			together.Intervals = append(together.Intervals, one)
		}
	}
	order := transportsOf(s.Rows)
	slices.SortStableFunc(s.Rows, func(a, b summary.Row) int {
		return slices.Index(order, a.Transport) - slices.Index(order, b.Transport)
	})
	return together, s, strings.Join(basis, " · ")
}

// runNames are the names of the runs' folders, without spaces, each once.
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
