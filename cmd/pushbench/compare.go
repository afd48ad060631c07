package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/compare"
	"pushbench/results/metric"
	"pushbench/results/report"
)

func newCompareCommand() *cobra.Command {
	var out, format, junit string
	var allowInvalid bool
	c := &cobra.Command{
		Use:   "compare A B [A-AGAIN B-AGAIN]",
		Short: "What changed between two runs of one workload",
		Long: `Compare two runs of one workload, case by case: each ratio is B over A.

Runs that were measured in turns (pushbench run --beside) are judged by the metrics
that they declared before the first trial. Of others there are ratios and
intervals but no verdict: what the machine did between them is in every ratio, and
no number of blocks tells that from a change.

Of two builds that are the same, one family of comparisons in twenty finds a
difference. Given a second pair of runs of the same two builds, only what is worse in
both is taken for worse; what the second cannot decide stays open.

Exit code 4: something declared is different, and worse. 8: of something declared
nothing can be said yet.

` + exitHelp,
		Example: "  pushbench run chat --beside ../main/bin/pushbench --blocks 12 --out results/runs/mine\n  pushbench compare results/runs/mine-beside results/runs/mine",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 4 {
				return nil
			}
			return exactly("the run from before", "the run that is asked about")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkFormat(format, comparisonFormats); err != nil {
				return err
			}
			found, err := comparison(c, args[0], args[1], allowInvalid)
			if err != nil {
				return err
			}
			if len(args) == 4 {
				again, err := comparison(c, args[2], args[3], allowInvalid)
				if err != nil {
					return err
				}
				if err := found.Confirm(again); err != nil {
					return usageError("%w", err)
				}
			}
			if err := errors.Join(writeJUnit(junit, found.JUnit()), printComparison(c.OutOrStdout(), found, format)); err != nil {
				return err
			}
			if out != "" {
				if err := writeComparison(out, found); err != nil {
					return err
				}
			}
			return changed(found.Judgement)
		},
	}
	c.Flags().StringVar(&out, "out", "", "a folder for the comparison as compare.html, compare.md, comparisons.csv and a chart")
	formatFlag(c, &format, comparisonFormats)
	junitFlag(c, &junit)
	c.Flags().BoolVar(&allowInvalid, "allow-invalid", false, "take a run that is INVALID or PARTIAL too; nothing is judged then")
	return c
}

// comparison opens two runs and compares them.
func comparison(c *cobra.Command, before, after string, allowInvalid bool) (*report.Comparison, error) {
	var runs [2]*results.Run
	for i, path := range []string{before, after} {
		var err error
		if runs[i], err = comparable(c, path, allowInvalid); err != nil {
			return nil, err
		}
	}
	found, err := report.Compare(runs[0], runs[1])
	if err != nil {
		return nil, usageError("%w", err)
	}
	return found, nil
}

// comparable opens a run, and refuses one whose figures may not be quoted.
func comparable(c *cobra.Command, path string, allowInvalid bool) (*results.Run, error) {
	run, err := openRun(path)
	if err != nil {
		return nil, err
	}
	for _, warning := range run.Warnings {
		fmt.Fprintf(c.ErrOrStderr(), "pushbench: %s: %s\n", path, warning)
	}
	if s := run.Manifest.Status; s != results.Complete && !allowInvalid {
		return nil, &exitError{exitInvalid, fmt.Errorf("%s is %s: %s; --allow-invalid compares it all the same, and judges nothing", path, s, run.Manifest.Reason)}
	}
	return run, nil
}

// writeComparison writes what people and machines read into a folder.
func writeComparison(dir string, found *report.Comparison) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	figure, err := chart.Compared(found.Runs[0], found.Runs[1], found.Judgement)
	if err != nil {
		return err
	}
	return found.Write(dir, figure)
}

// changed is the error that a comparison deserves.
func changed(j compare.Judgement) error {
	if worse := j.Regressions(); len(worse) > 0 {
		return &exitError{exitBroken, fmt.Errorf("worse than before: %s", pairsNamed(worse))}
	}
	if open := j.Open(); len(open) > 0 {
		why := "more blocks may decide it"
		if j.Withheld != "" {
			why = j.Withheld
		}
		return &exitError{exitInconclusive, fmt.Errorf("inconclusive for %d of %d declared comparisons: %s", len(open), len(j.Family), why)}
	}
	return nil
}

func pairsNamed(all []compare.Difference) string {
	var names []string
	for _, d := range all {
		names = append(names, compare.CaseOf(d)+" "+metric.ByName(d.Metric).Title)
	}
	return strings.Join(names, ", ")
}

// besidePath is where the other side of an interleaved run goes.
func besidePath(path string) string { return filepath.Clean(path) + "-beside" }

// otherBuild checks the executable whose servers are measured beside ours, and says which
// pushbench it is.
func otherBuild(path string) (executable string, is results.Tool, err error) {
	executable, err = filepath.Abs(path)
	if err != nil {
		return "", is, usageError("--beside: %w", err)
	}
	info, err := os.Stat(executable)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", is, usageError("--beside: there is no file %s; wanted: another build of pushbench", executable)
	case err != nil:
		return "", is, usageError("--beside: %w", err)
	case info.IsDir() || info.Mode()&0o111 == 0:
		return "", is, usageError("--beside: %s cannot be executed; wanted: another build of pushbench", executable)
	}
	is, err = toolOf(executable)
	if err != nil {
		return "", is, usageError("--beside: %s does not say which pushbench it is: %w", executable, err)
	}
	return executable, is, nil
}
