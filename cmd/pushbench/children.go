package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"pushbench/bench/calibrate"
	"pushbench/bench/generator"
	"pushbench/bench/host"
	"pushbench/bench/lab"
	"pushbench/bench/supervise"
	"pushbench/cmd/internal/app"
)

// newChildCommands returns the commands that this executable runs as child processes. Each is
// controlled by its standard input and exits when that ends.
func newChildCommands() (all []*cobra.Command) {
	for _, role := range []struct {
		name, short, long string // without long the command is hidden
		do                func(io.Reader, io.Writer) error
	}{
		{"drive", "Run a load generator that pushbench run controls over standard input", `Run a load generator. pushbench run starts one per trial and controls it by lines of
JSON over standard input and output. It exits when its input ends.`, generator.Drive},
		{"prevent-idle", "Prevent CPU idle states and monitor CPU stalls until standard input ends", "", host.PreventIdle},
		{"stub", "Use the CPU time and memory that standard input requests, to test their measurement", "", calibrate.Stub},
		{"link", "Carry packets between two devices with delay and loss until standard input ends", "", func(_ io.Reader, out io.Writer) error {
			return lab.Carry(os.Stdin, out)
		}},
	} {
		all = append(all, &cobra.Command{
			Use:    role.name,
			Short:  role.short,
			Long:   role.long,
			Hidden: role.long == "",
			Args:   noArguments,
			RunE:   func(c *cobra.Command, _ []string) error { return role.do(c.InOrStdin(), app.Raw(c.OutOrStdout())) },
		})
	}
	var address string
	supervisor := &cobra.Command{
		Use:    "supervise FILE",
		Short:  "Run the server of a target file until standard input ends",
		Hidden: true,
		Args:   exactly("a target file"),
		RunE: func(c *cobra.Command, args []string) error {
			return supervise.Run(args[0], address, c.InOrStdin(), app.Raw(c.OutOrStdout()))
		},
	}
	supervisor.Flags().StringVar(&address, "address", "", "address of a server that is running already: see package consent")
	return append(all, supervisor)
}
