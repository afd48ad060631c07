package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbench/cmd/internal/app"
)

// run is the whole command: arguments in, exit code out. Results go to stdout,
// everything else to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && !errors.Is(err, app.ErrReported) {
		fmt.Fprintln(stderr, inLines(err))
	}
	return int(app.CodeOf(err))
}

// commands are those that a person may give.
const commands = "run, check, compare, crossover, capacity, doctor, selftest, list, report, plot, trace, inspect, serve, schema"

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "pushbench",
		Short: "Measure how a server's messages should reach its clients",
		Long: `pushbench settles, for a given workload and network, how a server's messages
should reach its clients: HTTP short polling, long polling, server-sent events
or WebSocket, and what each costs.

  pushbench run chat          measure a scenario and draw the comparison
  pushbench run batching      the same with several flush windows; see --flush and --stack
  pushbench check FOLDER      measure what a committed run measured, and hold its claims against it
  pushbench compare A B       what changed between two runs of one workload
  pushbench capacity chat     the highest load at which each transport keeps to a limit
  pushbench crossover chat    the cheapest transport, by load and acceptable staleness
  pushbench doctor            what this machine is worth as an instrument, in ten seconds
  pushbench selftest          hold this instrument to known truths
  pushbench list              the scenarios that come with pushbench
  pushbench report FOLDER     draw a run again from its files
  pushbench plot RUN...       its charts as files, or those of several runs on one
  pushbench trace             one message's life on each transport, as a ladder
  pushbench inspect URL       a handshake, a poll or a stream, explained line by line
  pushbench serve websocket   one of the reference servers
  pushbench schema            JSON Schema of scenario files, for editors

` + exitHelp,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			fmt.Fprintln(c.ErrOrStderr(), c.UsageString())
			return app.Usagef("no command given; allowed: %s", commands)
		},
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),

		SuggestionsMinimumDistance: 2, // "rnu" is near "run"
	}
	root.SetVersionTemplate("pushbench {{.Version}}\n")
	root.SetFlagErrorFunc(badFlag)
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		RunE: func(c *cobra.Command, args []string) error {
			topic, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return noArguments(c.Root(), args)
			}
			topic.InitDefaultHelpFlag() // else help would not name it
			topic.InitDefaultVersionFlag()
			return topic.Help()
		},
	})
	root.AddCommand(newChildCommands()...)
	root.AddCommand(newRunCommand(), newServeCommand(), newDoctorCommand(), newSelftestCommand(), newReportCommand(), newPlotCommand(), newTraceCommand(), newCheckCommand(), newCompareCommand(), newCapacityCommand(), newCrossoverCommand(), newInspectCommand(), newListCommand(), newSchemaCommand())
	return root
}

// badFlag says what is wrong with a flag in our words, not in those of strconv.
func badFlag(c *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return app.Usagef("%w (see pushbench help %s)", err, c.Name())
	}
	kind := map[string]string{
		"int":      "a whole number",
		"uint64":   "a whole number, 0 or more",
		"duration": "a duration such as 250ms or 1m30s",
		"bool":     "true or false",
	}[invalid.GetFlag().Value.Type()]
	return app.Usagef("--%s: %q is not %s", invalid.GetFlag().Name, invalid.GetValue(), kind)
}

// noArguments refuses arguments; of the root they are commands that do not exist.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasParent() {
		return app.Usagef("%s takes no arguments, was given %q", c.CommandPath(), args[0])
	}
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return app.Usagef("unknown command %q; did you mean %q?", args[0], near[0])
	}
	return app.Usagef("unknown command %q; allowed: %s", args[0], commands)
}

// env is what a command was started with.
func env(c *cobra.Command) app.Env {
	return app.Env{In: c.InOrStdin(), Out: c.OutOrStdout(), Err: c.ErrOrStderr(), Args: os.Args[1:], Tool: hashed}
}

// atLeastOne refuses to go on without an argument, and says what it is.
func atLeastOne(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return app.Usagef("%s takes at least 1 argument (%s), was given none", c.CommandPath(), name)
		}
		return nil
	}
}

// exactly refuses any other number of arguments, and says what they are.
func exactly(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		noun := "argument"
		if len(names) > 1 {
			noun += "s"
		}
		return app.Usagef("%s takes %d %s (%s), was given %d", c.CommandPath(), len(names), noun, strings.Join(names, ", "), len(args))
	}
}
