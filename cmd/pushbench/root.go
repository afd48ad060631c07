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

// run runs a command line and returns its exit code. Results go to stdout, everything else to
// stderr.
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

// commands lists the commands that users run.
const commands = "run, check, compare, crossover, capacity, doctor, selftest, list, report, plot, trace, inspect, serve, schema"

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "pushbench",
		Short: "Benchmark how servers deliver messages to clients",
		Long: `pushbench measures how a server should deliver messages to its clients: by short
polling, long polling, SSE (server-sent events), HTTP streaming, WebSocket or webhooks.
It compares their latency and cost for a given workload and network.

  pushbench run chat          measure a scenario and compare its transports
  pushbench run batching      the same with several batching delays (--batching-delay)
  pushbench check REFERENCE   repeat a reference run and check its assertions
  pushbench compare A B       compare two runs of one workload
  pushbench capacity chat     find the highest load at which each transport meets a requirement
  pushbench crossover chat    show the cheapest transport for each load and acceptable staleness
  pushbench doctor            check whether this machine is suitable for benchmarking
  pushbench selftest          check measurements against known values
  pushbench list              list the built-in scenarios
  pushbench report FOLDER     regenerate table, page and charts of a run
  pushbench plot RUN...       write the charts of one or several runs as files
  pushbench trace             draw one message on each transport as a sequence diagram
  pushbench inspect URL       send one request and explain the exchange line by line
  pushbench serve websocket   start one of the reference servers
  pushbench schema            print the JSON Schema of scenario files, for editors

` + exitHelp,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			fmt.Fprintln(c.ErrOrStderr(), c.UsageString())
			return app.Usagef("no command given; allowed: %s", commands)
		},
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),

		PersistentPreRunE: checkDeprecated,

		SuggestionsMinimumDistance: 2, // so that "rnu" suggests "run"
	}
	root.SetVersionTemplate("pushbench {{.Version}}\n")
	root.SetFlagErrorFunc(badFlag)
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [command]",
		Short: "Show help for a command",
		RunE: func(c *cobra.Command, args []string) error {
			topic, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return noArguments(c.Root(), args)
			}
			topic.InitDefaultHelpFlag() // or help omits it
			topic.InitDefaultVersionFlag()
			return topic.Help()
		},
	})
	root.AddCommand(newChildCommands()...)
	root.AddCommand(newRunCommand(), newServeCommand(), newDoctorCommand(), newSelftestCommand(), newReportCommand(), newPlotCommand(), newTraceCommand(), newCheckCommand(), newCompareCommand(), newCapacityCommand(), newCrossoverCommand(), newInspectCommand(), newListCommand(), newSchemaCommand())
	root.SetUsageTemplate(usageTemplate(root))
	return root
}

// badFlag rewrites the errors of pflag, whose texts are those of strconv.
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

// noArguments refuses arguments. Those of the root are unknown commands.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasParent() {
		return app.Usagef("%s takes no arguments, got %q", c.CommandPath(), args[0])
	}
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return app.Usagef("unknown command %q; did you mean %q?", args[0], near[0])
	}
	return app.Usagef("unknown command %q; allowed: %s", args[0], commands)
}

// env returns the environment of a command.
func env(c *cobra.Command) app.Env {
	return app.Env{In: c.InOrStdin(), Out: c.OutOrStdout(), Err: c.ErrOrStderr(), Args: os.Args[1:], Tool: hashed}
}

// atLeastOne requires an argument, which the error names.
func atLeastOne(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return app.Usagef("%s takes at least 1 argument (%s), got none", c.CommandPath(), name)
		}
		return nil
	}
}

// exactly requires these arguments, which the error names.
func exactly(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		noun := "argument"
		if len(names) > 1 {
			noun += "s"
		}
		return app.Usagef("%s takes %d %s (%s), got %d", c.CommandPath(), len(names), noun, strings.Join(names, ", "), len(args))
	}
}
