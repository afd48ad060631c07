package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/scenarios"
)

func newListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list [SCENARIO]",
		Short: "List the built-in scenarios, or print the file of one",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return app.Usagef("%s takes at most 1 argument (a scenario's name), got %d", c.CommandPath(), len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				return printSource(c, args[0])
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, name := range scenarios.Names() {
				s, err := scenarios.Load(name)
				if err != nil {
					return err
				}
				fmt.Fprintf(w, "%s\t%s\n", name, s.Question)
			}
			return w.Flush()
		},
	}
}

func printSource(c *cobra.Command, name string) error {
	source, err := scenarios.Source(name)
	if err != nil {
		return err
	}
	_, err = c.OutOrStdout().Write(source)
	return err
}

func newSchemaCommand() *cobra.Command {
	known := append([]string{"scenario"}, results.Schemas...)
	return &cobra.Command{
		Use:   "schema [" + strings.Join(known, "|") + "]",
		Short: "Print the JSON Schema of scenario files, for editors, or of the files of a run",
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
			if len(args) == 1 && args[0] != "scenario" {
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
