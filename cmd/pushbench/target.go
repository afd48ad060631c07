package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"pushbench/bench/supervise"
	"pushbench/cmd/internal/app"
	"pushbench/results/report"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
	"pushbench/servers/foreign"
)

func newTargetCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "target",
		Short: "Write a target file for your server, and list and install those that ship with pushbench",
		Long: `Target files describe servers that are not pushbench's own: docs/your-server.md. Try one
with pushbench verify, and measure it with pushbench run --target.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return app.Usagef("%s takes a command; allowed: %s", c.CommandPath(), subcommands(c))
		},
	}
	c.AddCommand(newTargetNewCommand(), newTargetListCommand(), newTargetInstallCommand())
	return c
}

func newTargetListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the target files that ship with pushbench",
		Long: `List the target files that ship with pushbench: their servers and transports, and the
programs that are not installed here.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return listTargets(c.OutOrStdout(), supervise.Missing) },
	}
}

// listTargets prints the servers and transports of each target that ships with pushbench.
func listTargets(w io.Writer, missing func(*scenarios.Target) []string) error {
	for _, name := range foreign.Names() {
		t, err := shippedTarget(name)
		if err != nil {
			return err
		}
		var titles []string
		for _, transport := range t.Offered() {
			titles = append(titles, transports.Of(string(transport)).Title)
		}
		state := ""
		if programs := missing(t); len(programs) > 0 {
			state = "; not installed: " + strings.Join(programs, ", ")
		}
		for _, line := range append(report.Wrapped(t.About, helpWidth-16), report.Wrapped(strings.Join(titles, ", ")+state, helpWidth-16)...) {
			fmt.Fprintf(w, "%-15s %s\n", name, line)
			name = ""
		}
	}
	_, err := fmt.Fprint(w, `
docs/targets has a page for each. In a checkout:
  pushbench target install NAME
  pushbench verify NAME
  pushbench run chat --target NAME
`)
	return err
}

// shippedTarget reads a target file that is part of this program.
func shippedTarget(name string) (*scenarios.Target, error) {
	source, err := foreign.Source(name)
	if err != nil {
		return nil, err
	}
	return scenarios.ReadTarget(name, bytes.NewReader(source))
}

func newTargetInstallCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "install [TARGET...]",
		Short: "Install the servers of targets",
		Long: `Install the servers of targets: if a program of start.programs is missing, run
start.install; then run start.build. Without a TARGET, install those in
` + app.TargetsFolder + `. A failure does not stop the others.

Debian packages need root. Without it, the command to run is printed. The exit code is
5 if a server is not installed.`,
		ValidArgsFunction: completeTargets,
		Example:           "  pushbench target install\n  pushbench target install nchan socketio",
		RunE:              func(c *cobra.Command, args []string) error { return env(c).InstallTargets(c.Context(), args) },
	}
}
