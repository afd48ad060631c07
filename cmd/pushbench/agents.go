package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pushbench/bench/host"
	"pushbench/cmd/internal/app"
	"pushbench/results/metric"
)

func newAgentsCommand() *cobra.Command {
	var a app.Agents
	var asJSON bool
	c := &cobra.Command{
		Use:   "agents N",
		Short: "Check whether N agents are suitable for a run",
		Long: `Wait for N agents as a run does, check each, print a table of them and end them: their
machines, builds, clocks, limits, what pushbench doctor finds there, and the maximum rate
of their load generators. Agents on one machine are checked one after the other.
The exit code is 3 if an agent is not usable; warnings do not change it.

` + exitHelp,
		Example: "  pushbench agents 2 --broker 192.0.2.7:4222\n  pushbench agents 2 --nats tls://nats.example:4222 --creds bench.creds --json",
		Args:    exactly("the number of agents"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if a.Count, err = strconv.Atoi(args[0]); err != nil {
				return app.Usagef("%q is not a number of agents; allowed: 1 or more", args[0])
			}
			all, err := env(c).Survey(c.Context(), a)
			if len(all) == 0 {
				return err
			}
			if failed := printAgents(c.OutOrStdout(), all, asJSON); failed != nil {
				return failed
			}
			return err
		},
	}
	brokerFlags(c, &a, "")
	c.Flags().DurationVar(&a.Within, "within", app.AgentsWait, "how long to wait for the agents")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// printAgents prints a table of agents, and what is to be improved on each.
func printAgents(out io.Writer, all []app.Surveyed, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Agents []app.Surveyed `json:"agents"`
		}{all})
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AGENT\tMACHINE\tCORES\tMEMORY\tBUILD\tCLOCK\tOPEN FILES\tCEILING\tRESULT")
	for _, one := range all {
		warnings := 0
		for _, f := range one.Checks {
			if f.State == host.Warn {
				warnings++
			}
		}
		ceiling := "–"
		if one.Ceiling > 0 {
			ceiling = metric.Number(one.Ceiling) + "/s"
		}
		h := one.Host
		fmt.Fprintf(w, "%s\t%s %s\t%d\t%d MiB\t%s\t%s\t%d\t%s\t%s\n", one.Name, h.OS, h.Kernel, h.Cores, h.MemoryBytes>>20,
			one.Build(), one.Clock(), h.FileLimit, ceiling, suitability(one.Unusable == "", warnings))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var notes strings.Builder
	for _, one := range all {
		for _, f := range one.Checks {
			if f.State == host.Warn || f.State == host.Fail {
				fmt.Fprintf(&notes, "%s: %s: %s: %s. %s\n", one.Name, f.State, f.Check, f.Found, f.Advice)
			}
		}
	}
	if notes.Len() == 0 {
		return nil
	}
	_, err := fmt.Fprint(out, "\n"+notes.String())
	return err
}
