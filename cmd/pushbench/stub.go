package main

import (
	"github.com/spf13/cobra"

	"pushbench/bench/calibrate"
)

func newStubCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "stub",
		Short:  "Use up as much CPU and memory as standard input says, to test what reads them",
		Hidden: true, // calibration starts it
		Args:   noArguments,
		RunE:   func(c *cobra.Command, _ []string) error { return calibrate.Stub(c.InOrStdin(), c.OutOrStdout()) },
	}
}
