package app

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/report"
	"pushbench/scenarios"
)

// OpenRun opens a run. A wrong path is a usage error, a corrupt folder is not.
func OpenRun(path string) (*results.Run, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return nil, Usagef("%s is not a run folder", path)
	}
	run, err := results.Open(path)
	var corrupt *results.CorruptError
	switch {
	case err == nil || errors.As(err, &corrupt):
		return run, err
	case errors.Is(err, fs.ErrNotExist):
		return nil, nearReference(path, err)
	}
	return nil, Usagef("%w", err) // such as a link to itself
}

// nearReference is the error of a folder that does not exist, with a hint if its name is a reference run's or a
// scenario's.
func nearReference(path string, err error) error {
	folder := filepath.Join(References, path)
	switch _, missing := os.Stat(folder); {
	case !slices.Contains(scenarios.Names(), path):
		return Usagef("%w", err)
	case missing != nil:
		return Usagef("%w; %s is a scenario: pushbench run %s measures it", err, path, path)
	}
	return Usagef("%w; %s is a scenario, did you mean its reference run %s?", err, path, folder)
}

// OpenRuns opens several runs and prints their warnings.
func OpenRuns(stderr io.Writer, paths ...string) (runs []*results.Run, err error) {
	for _, path := range paths {
		run, err := OpenRun(path)
		if err != nil {
			return nil, err
		}
		for _, warning := range run.Warnings {
			fmt.Fprintf(stderr, "pushbench: %s: %s\n", results.Plain(path), results.Plain(warning))
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// Compare compares two runs of one workload. Given four, the second pair confirms the regressions
// of the first. Without allowInvalid it refuses runs that are not valid.
func (e Env) Compare(paths []string, allowInvalid bool) (*report.Comparison, error) {
	runs, err := OpenRuns(e.Err, paths...)
	if err != nil {
		return nil, err
	}
	for _, run := range runs {
		if err := comparable(run); err != nil && !allowInvalid {
			return nil, &Error{Invalid, fmt.Errorf("%w; to compare it without a verdict, add --allow-invalid", err)}
		}
	}
	return compareRuns(runs)
}

// compareRuns compares the runs of Compare.
func compareRuns(runs []*results.Run) (*report.Comparison, error) {
	found, err := report.Compare(runs[0], runs[1])
	if err == nil && len(runs) == 4 {
		var second *report.Comparison
		if second, err = report.Compare(runs[2], runs[3]); err == nil {
			err = found.Confirm(second)
		}
	}
	if err != nil {
		return nil, Usagef("%w", err)
	}
	return found, nil
}

// CompareMeasured compares the runs that Measure returned for a build and its baseline. The second
// error is that of the verdict, as Compare and Changed have it. A run of the build that is not valid is
// not in it, as ExitError reports that.
func CompareMeasured(runs []*results.Run) (found *report.Comparison, err, verdict error) {
	own, baseline := runs[0], runs[1]
	found, err = compareRuns([]*results.Run{baseline, own})
	switch {
	case err != nil || own.Manifest.Status != results.Complete:
	case comparable(baseline) != nil:
		verdict = &Error{Invalid, comparable(baseline)}
	default:
		verdict = Changed(found.Analysis)
	}
	return found, err, verdict
}

// comparable is the error of a run that can have no verdict.
func comparable(run *results.Run) error {
	if run.Manifest.Status == results.Complete {
		return nil
	}
	return fmt.Errorf("%s is %s: %s", run.Path, report.New(run).Badge(), report.Cause(run))
}

// WriteComparison writes the page, the table and the chart of a comparison into a folder.
func WriteComparison(dir string, found *report.Comparison) error {
	drawn, err := chart.Compared(found.Runs[0], found.Runs[1], found.Analysis, found.Document().Badge)
	if err != nil {
		return err
	}
	return found.Write(dir, drawn)
}

// Changed is the error of a comparison's verdict.
func Changed(j compare.Analysis) error {
	if worse := j.Regressions(); len(worse) > 0 {
		var names []string
		for _, d := range worse {
			names = append(names, compare.ConfigurationOf(d)+" "+metric.ByName(d.Metric).Title)
		}
		return &Error{Failed, fmt.Errorf("worse than the baseline: %s", strings.Join(names, ", "))}
	}
	if open := j.Unresolved(); len(open) > 0 {
		why := cmp.Or(j.Withheld, "try more repetitions")
		return &Error{Inconclusive, fmt.Errorf("%d of %d declared comparisons are inconclusive: %s", len(open), len(j.Family), why)}
	}
	return nil
}
