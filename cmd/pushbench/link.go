package main

import (
	"os"

	"github.com/spf13/cobra"

	"pushbench/bench/lab"
)

func newLinkCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "link",
		Short:  "Carry packets between two devices, late and lossy as asked, until standard input ends",
		Hidden: true, // run starts it
		Args:   noArguments,
		RunE:   func(c *cobra.Command, _ []string) error { return lab.Carry(os.Stdin, c.OutOrStdout()) },
	}
}
