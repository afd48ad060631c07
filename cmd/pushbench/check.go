package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/results/report"
)

func newCheckCommand() *cobra.Command {
	var o app.Options
	var out output
	c := &cobra.Command{
		Use:   "check REFERENCE...",
		Short: "Repeat a reference run and check its assertions",
		Long: `Repeat a reference run on this machine and check its assertions. REFERENCE is the folder
of a complete run. Assertions check counts, rankings and ratios, so the speed of the
reference machine does not matter.

Several references are measured one after the other. At the end, the command lists the
references that did not pass. It exits with the most severe code: 4 (failed assertion),
then 3 (invalid measurement), then 8 (undecided assertion).

The first Ctrl-C stops publishing, waits for messages in transit, prints the results and
skips the remaining references (exit code 6). The second stops immediately.

` + exitHelp,
		Example: "  pushbench check results/reference/chat",
		Args:    atLeastOne("a run's folder"),

		ValidArgsFunction: completeFolders,

		RunE: func(c *cobra.Command, args []string) error {
			return env(c).Check(c.Context(), args, o, func(found report.Check) error {
				own := out
				if info, err := os.Stat(out.junit); out.junit != "" && len(args) > 1 && (err != nil || info.Mode().IsRegular()) {
					own.junit = filepath.Join(filepath.Dir(out.junit), filepath.Base(filepath.Clean(found.Reference.Run.Path))+"-"+filepath.Base(out.junit))
				}
				return own.printCheck(c, found)
			})
		},
	}
	c.Flags().StringVar(&o.Out, "out", app.RunsFolder, "folder for the runs, one per reference")
	c.Flags().StringSliceVar(&o.Targets, "target", nil, "target files of the servers that the references measured (default: those in "+app.TargetsFolder+")")
	register(c, "target", completeTargetList)
	hostFlags(c)
	quickFlag(c, &o.Quick)
	c.Flags().StringVar(&out.junit, "junit", "", "JUnit file for the assertions' outcomes, for CI systems; with several references one file each, NAME-FILE (default: none)")
	out.addTo(c, []string{tableFormat, markdownFormat})
	return c
}

// printCheck prints the outcomes of the assertions.
func (o output) printCheck(c *cobra.Command, found report.Check) error {
	out := c.OutOrStdout()
	err := errors.Join(o.writeJUnit(found.Here.JUnit()), o.printDocument(out, found.Document()))
	fmt.Fprintf(out, "\n%s\n\n", results.Plain(filepath.Join(found.Here.Run.Path, "report.html")))
	return err
}
