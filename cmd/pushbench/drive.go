package main

import (
	"github.com/spf13/cobra"

	"pushbench/bench/generator"
)

func newDriveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "drive",
		Short: "A load generator; run starts it and speaks to it over its standard input",
		Long: `A load generator. pushbench run starts one per trial and speaks to it in lines of
JSON over its standard input and output; it ends when its input does.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return generator.Drive(c.InOrStdin(), c.OutOrStdout())
		},
	}
}
