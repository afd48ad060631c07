package main

import (
	"github.com/spf13/cobra"

	"pushbench/bench/host"
)

func newAwakeCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "awake",
		Short:  "Keep the cores from sleeping, and watch them, until standard input ends",
		Hidden: true, // run starts it
		Args:   noArguments,
		RunE:   func(c *cobra.Command, _ []string) error { return host.PreventIdle(c.InOrStdin(), c.OutOrStdout()) },
	}
}
