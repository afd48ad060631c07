package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pushbench/bench"
	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/scenarios"
)

func newListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list [SCENARIO]",
		Short: "List the built-in scenarios, or print the file of one",
		Long: `List the built-in scenarios, grouped by purpose: the time of a run with the default
settings, the number of clients, whether it requires root, and the question in short.

With a SCENARIO, the name of a built-in scenario or the path of a YAML file, print its
file if it is valid.`,
		Example: "  pushbench list\n  pushbench list chat > mine.yaml\n  pushbench list ./mine.yaml",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return app.Usagef("%s takes at most 1 argument (a scenario's name or file), got %d", c.CommandPath(), len(args))
			}
			return nil
		},
		ValidArgsFunction: firstArgument(completeScenarios),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				return printSource(c, args[0])
			}
			return listScenarios(c.OutOrStdout())
		},
	}
}

// purposes are the headings of the list.
var purposes = map[scenarios.Purpose]string{
	scenarios.FirstLook:   "First look",
	scenarios.Application: "Applications",
	scenarios.Mechanism:   "Cost of a mechanism",
	scenarios.NetworkPath: "Networks",
	scenarios.Lab:         "Exercises (docs/labs)",
	scenarios.Published:   "Published results",
}

// listScenarios prints a line of at most 80 columns per built-in scenario.
func listScenarios(out io.Writer) error {
	groups := map[scenarios.Purpose][]string{}
	const line = "%-19s  %6s  %7s  %-4s  %s\n"
	for _, name := range scenarios.Names() {
		s, err := scenarios.Load(name)
		if err != nil {
			return err
		}
		root := "–"
		if s.Network.Link == scenarios.PacketLink {
			root = "yes*"
		}
		groups[s.Purpose] = append(groups[s.Purpose], fmt.Sprintf(line, name, app.InMinutes(bench.Duration(s, 1)), metric.Count(int64(s.MostClients()+s.PublishOnly())), root, s.ShortQuestion))
	}
	text := fmt.Sprintf(line, "", "time", "clients", "root", "question")
	for _, p := range scenarios.Purposes {
		text += purposes[p] + "\n" + strings.Join(groups[p], "") + "\n"
	}
	_, err := io.WriteString(out, text+`* Linux, as root or with the right to create a user namespace
pushbench list NAME prints the scenario with the reason of each choice.
`)
	return err
}

// printSource prints the file of a scenario if it is valid.
func printSource(c *cobra.Command, nameOrPath string) error {
	source, err := scenarios.Source(nameOrPath)
	if err != nil {
		return err
	}
	s, err := scenarios.Read(nameOrPath, bytes.NewReader(source))
	if err != nil {
		return err
	}
	env(c).Warn(s)
	_, err = c.OutOrStdout().Write(source)
	return err
}

func newSchemaCommand() *cobra.Command {
	known := append([]string{"scenario", "target"}, results.Schemas...)
	return &cobra.Command{
		Use:   "schema [" + strings.Join(known, "|") + "]",
		Short: "Print the JSON Schema of scenario or target files, for editors, or of the files of a run",
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return app.Usagef("%s takes at most 1 argument, got %d", c.CommandPath(), len(args))
			case len(args) == 1 && !slices.Contains(known, args[0]):
				return app.Usagef("schema: %q is not one of %s", args[0], strings.Join(known, ", "))
			}
			return nil
		},
		ValidArgsFunction: cobra.FixedCompletions(known, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(c *cobra.Command, args []string) error {
			schema := scenarios.Schema()
			switch {
			case len(args) == 0, args[0] == "scenario":
			case args[0] == "target":
				schema = scenarios.TargetSchema()
			default:
				var err error
				if schema, err = results.JSONSchema(args[0]); err != nil {
					return err
				}
			}
			_, err := c.OutOrStdout().Write(schema)
			return err
		},
	}
}
