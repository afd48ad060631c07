package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pushbench/cmd/internal/app"
)

// run runs a command line and returns its exit code. Results go to stdout, everything else to
// stderr; both without what could control a terminal.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &app.Clean{To: stdout, Colors: app.IsTerminal(stdout) && noColorUnset()}
	stderr = &app.Clean{To: stderr}
	root := newRootCommand()
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	root.SetArgs(args)
	addCompletion(root)
	err := unknownCommand(root, args)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	if err == nil {
		err = out.Err() // help and lists do not look at it
	}
	if err != nil && !errors.Is(err, app.ErrReported) {
		fmt.Fprintln(stderr, app.Fitted(inLines(err), app.Columns(stderr)))
	}
	return int(app.CodeOf(err))
}

// addressSpace is what a process needs: the Go runtime reserves more than a GiB that it never uses (measured: reports and
// short runs fail below 1.8 GiB, as crashes in the middle).
const addressSpace = 2 << 30

// enoughAddressSpace returns an error for a limit below addressSpace.
func enoughAddressSpace(limit uint64) error {
	if limit >= addressSpace {
		return nil
	}
	return &app.Error{Code: app.Invalid, Err: fmt.Errorf("the address space of a process is limited to %d MiB (ulimit -v); required: at least %d MiB, as the Go runtime reserves more than it uses", limit>>20, addressSpace>>20)}
}

// commands lists the commands that users run.
const commands = "run, check, compare, crossover, capacity, doctor, selftest, list, report, plot, trace, inspect, serve, agent, agents, verify, target, prices, schema, version"

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "pushbench",
		Short: "Benchmark how servers deliver messages to clients",
		Long: `pushbench measures how a server should deliver messages to its clients: by short
polling, long polling, SSE (server-sent events), HTTP streaming, WebSocket or webhooks.
It compares their latency and cost for a given workload and network.

  pushbench run quick         compare the transports in 20 seconds: a first look
  pushbench run chat          measure a scenario and compare its transports
  pushbench run batching      the same with several batching delays (--batching-delay)
  pushbench check REFERENCE   repeat a reference run and check its assertions
  pushbench compare A B       compare two runs of one workload
  pushbench capacity chat     find the highest load at which each transport meets a requirement
  pushbench crossover chat    show the cheapest transport for each load and acceptable staleness
  pushbench doctor            check whether this machine is suitable for benchmarking
  pushbench selftest          check measurements against known values
  pushbench list              list the built-in scenarios by purpose
  pushbench report FOLDER     regenerate table, page and charts of a run
  pushbench plot RUN...       write the charts of one or several runs as files
  pushbench trace             draw one message on each transport as a sequence diagram
  pushbench inspect URL       send one request and explain the exchange line by line
  pushbench serve websocket   start one of the reference servers
  pushbench agent --join URL  take part in a run of another machine
  pushbench agents 2          check whether agents are suitable for a run
  pushbench target new        write a target file for your server
  pushbench verify mine.yaml  try the target file of another server
  pushbench prices            print the default prices, as a template for --prices
  pushbench schema            print the JSON Schema of scenario files, for editors
  pushbench version           print the version, like --version

` + exitHelp,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			fmt.Fprintln(c.ErrOrStderr(), wrapped(c.UsageString()))
			return app.Usagef("no command given; allowed: %s", commands)
		},
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),

		PersistentPreRunE: func(c *cobra.Command, args []string) error {
			var limit syscall.Rlimit
			if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err == nil {
				if err := enoughAddressSpace(uint64(limit.Cur)); err != nil {
					return err
				}
			}
			return checkFlags(c, args)
		},

		SuggestionsMinimumDistance: 2, // so that "rnu" suggests "run"
	}
	root.SetVersionTemplate("pushbench {{.Version}}\n")
	root.SetFlagErrorFunc(badFlag)
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [command]",
		Short: "Show help for a command",
		ValidArgsFunction: func(c *cobra.Command, args []string, typed string) (found []cobra.Completion, _ cobra.ShellCompDirective) {
			if topic, rest, err := c.Root().Find(args); err == nil && len(rest) == 0 {
				for _, sub := range topic.Commands() {
					if !sub.Hidden && strings.HasPrefix(sub.Name(), typed) {
						found = append(found, cobra.CompletionWithDesc(sub.Name(), sub.Short))
					}
				}
			}
			return found, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			topic, rest, err := c.Root().Find(args)
			switch {
			case err == nil && len(rest) > 0 && !topic.HasSubCommands():
				return app.Usagef("%s takes no arguments after %s, got %q", c.CommandPath(), topic.Name(), rest[0])
			case err != nil || len(rest) > 0:
				return unknown(topic, rest[0])
			}
			topic.InitDefaultHelpFlag() // or help omits it
			topic.InitDefaultVersionFlag()
			return topic.Help()
		},
	})
	root.AddCommand(newChildCommands()...)
	root.AddCommand(newRunCommand(), newServeCommand(), newDoctorCommand(), newSelftestCommand(), newReportCommand(), newPlotCommand(), newTraceCommand(), newVerifyCommand(), newTargetCommand(), newCheckCommand(), newCompareCommand(), newCapacityCommand(), newCrossoverCommand(), newInspectCommand(), newListCommand(), newPricesCommand(), newSchemaCommand(), newVersionCommand(), newAgentCommand(), newAgentsCommand())
	root.SetUsageTemplate(usageTemplate(root))
	wrapHelp(root)
	return root
}

// addCompletion adds the command of cobra that prints completions, which writes to the output that root
// has now. Cobra's own prints help for a wrong argument.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	completion, _, _ := root.Find([]string{"completion"}) // just added
	completion.RunE = func(c *cobra.Command, _ []string) error {
		return app.Usagef("%s takes 1 argument (a shell), got 0; allowed: %s", c.CommandPath(), subcommands(c))
	}
	for _, shell := range completion.Commands() {
		shell.Args = noArguments
	}
}

// badFlag rewrites the errors of pflag, whose texts are those of strconv.
func badFlag(c *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return app.Usagef("%w (see pushbench help%s)", err, strings.TrimPrefix(c.CommandPath(), c.Root().Name()))
	}
	kind := map[string]string{
		"int":      "a whole number",
		"uint64":   "a whole number, 0 or more",
		"float64":  "a number such as 1000 or 0.5",
		"duration": "a duration such as 250ms or 1m30s",
		"bool":     "true or false",
		"limits":   "a list of limits such as connections=5000,connects=500/s,messages=20000/s",
	}[invalid.GetFlag().Value.Type()]
	if errors.Is(err, strconv.ErrRange) {
		return app.Usagef("--%s: %s is too large or too small", invalid.GetFlag().Name, invalid.GetValue())
	}
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
	return unknown(c, args[0])
}

// unknown is the error of a word that names no command of c.
func unknown(c *cobra.Command, word string) error {
	if near := c.SuggestionsFor(word); len(near) > 0 {
		return app.Usagef("unknown command %q; did you mean %q?", word, near[0])
	}
	return app.Usagef("unknown command %q; allowed: %s", word, subcommands(c))
}

// subcommands lists the commands of c that users run.
func subcommands(c *cobra.Command) string {
	if !c.HasParent() {
		return commands
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return strings.Join(names, ", ")
}

// unknownCommand refuses a word in the place of a command that is none. Cobra would print help for
// "bogus --help" and "completion bogus" and the version for "bogus --version", with exit code 0.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) { // the shell's requests for completions
		return nil
	}
	c, rest, err := root.Find(args)
	if err != nil || !c.HasSubCommands() || len(args) > 0 && args[0] == "help" {
		return nil // Execute reports the error
	}
	for _, word := range rest {
		if !strings.HasPrefix(word, "-") { // no flag here takes a value
			return unknown(c, word)
		}
	}
	return nil
}

// env returns the environment of a command.
func env(c *cobra.Command) app.Env {
	e := app.Env{In: c.InOrStdin(), Out: c.OutOrStdout(), Err: c.ErrOrStderr(), Args: os.Args[1:], Tool: hashed}
	if limits := c.Flags().Lookup(hostLimits); limits != nil {
		e.Hosts.Limits = *limits.Value.(*app.HostLoad)
	}
	if hosts, err := c.Flags().GetStringArray(allowHost); err == nil { // the command sends load
		e.Hosts.Allowed = hosts
	}
	return e
}

// Flags of the commands that send load: see hostFlags.
const (
	allowHost  = "allow-host"
	hostLimits = "host-limits"
)

// allowHostFlag adds the user's permission to reach other hosts, for env.
func allowHostFlag(c *cobra.Command) {
	c.Flags().StringArray(allowHost, nil, "host of a target's url that is not this machine; the host must allow it as well, see docs/your-server.md; repeat the flag for other hosts (default: none)")
}

// hostFlags adds the flags of commands that measure targets on other hosts, for env.
func hostFlags(c *cobra.Command) {
	allowHostFlag(c)
	limits := app.DefaultHostLimits
	c.Flags().Var(&limits, hostLimits, "highest load on other hosts: some of connections, connects and messages")
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
