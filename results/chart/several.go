package chart

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/summary"
)

// Several draws runs on one chart each, in place of a chart a run: a row is a case of one
// of them, named with the run's folder. They may be of different workloads, which the basis
// says; nothing is judged across them.
func Several(runs []*results.Run, worths []string, only ...string) ([]results.Figure, error) {
	together, s, basis := merge(runs)
	mark := strings.Join(slices.Compact(slices.Sorted(slices.Values(worths))), ", ")
	all := cards(together, s, strings.TrimPrefix(mark, "VERDICT"))
	for i := range all {
		all[i].basis = basis
	}
	return drawAll(all, only)
}

// merge puts the rows of all runs below one another, those of a transport together.
func merge(runs []*results.Run) (*results.Run, summary.Summary, string) {
	together := &results.Run{Manifest: runs[0].Manifest}
	together.Manifest.Cases = nil
	var s summary.Summary
	var basis []string
	for i, name := range runNames(runs) {
		run, sum := runs[i], summary.Of(runs[i])
		basis = append(basis, fmt.Sprintf("%s: %s, %d blocks", name, results.Plain(run.Manifest.Workload.Scenario), sum.ValidBlocks))
		called := func(c string) string { return c + " run=" + name }
		for _, r := range sum.Rows {
			r.Name = called(r.Name)
			s.Rows = append(s.Rows, r)
			together.Manifest.Cases = append(together.Manifest.Cases, r.Case)
		}
		for _, one := range run.Intervals {
			one.Case = called(one.CaseName())
			together.Intervals = append(together.Intervals, one)
		}
	}
	var order []string
	for _, r := range s.Rows {
		if !slices.Contains(order, r.Transport) {
			order = append(order, r.Transport)
		}
	}
	slices.SortStableFunc(s.Rows, func(a, b summary.Row) int {
		return slices.Index(order, a.Transport) - slices.Index(order, b.Transport)
	})
	return together, s, strings.Join(basis, " · ")
}

// runNames are the runs' folders, without spaces, and told apart.
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
