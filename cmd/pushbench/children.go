package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"pushbench/bench/calibrate"
	"pushbench/bench/generator"
	"pushbench/bench/host"
	"pushbench/bench/lab"
)

// newChildCommands are the roles in which this executable starts itself. Each obeys its standard
// input and ends when that does.
func newChildCommands() (all []*cobra.Command) {
	for _, role := range []struct {
		name, short, long string // without long it is hidden
		do                func(io.Reader, io.Writer) error
	}{
		{"drive", "A load generator; run starts it and speaks to it over its standard input", `A load generator. pushbench run starts one per trial and speaks to it in lines of
JSON over its standard input and output; it ends when its input does.`, generator.Drive},
		{"awake", "Keep the cores from sleeping, and watch them, until standard input ends", "", host.PreventIdle},
		{"stub", "Use up as much CPU and memory as standard input says, to test what reads them", "", calibrate.Stub},
		{"link", "Carry packets between two devices, late and lossy as asked, until standard input ends", "", func(_ io.Reader, out io.Writer) error {
			return lab.Carry(os.Stdin, out)
		}},
	} {
		all = append(all, &cobra.Command{
			Use:    role.name,
			Short:  role.short,
			Long:   role.long,
			Hidden: role.long == "",
			Args:   noArguments,
			RunE:   func(c *cobra.Command, _ []string) error { return role.do(c.InOrStdin(), c.OutOrStdout()) },
		})
	}
	return all
}
