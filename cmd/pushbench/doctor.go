package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pushbench/bench/host"
	"pushbench/scenarios"
)

func newDoctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "What this machine is worth as an instrument, in ten seconds",
		Long: `Look at this machine before measuring on it: limits, clocks, timers, pinning, how
long its idle cores stand still, who else is busy. Each line says what was found,
whether that is ok, and what to do about it. What the system does not show is
listed as such, never guessed. It ends with 3 only where a measurement would be
void for sure; warnings are allowed.

` + exitHelp,
		Example: "  pushbench doctor\n  pushbench doctor --json",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return examine(c, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object, for machines")
	return c
}

// examine looks while nobody measures, and prints.
func examine(c *cobra.Command, asJSON bool) error {
	unlock, err := lockMachine()
	if err != nil {
		return err
	}
	defer unlock()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this executable: %w", err)
	}
	needs, err := shippedNeeds()
	if err != nil {
		return err
	}
	found, err := host.Examination{Idle: []string{self, "awake"}, Needs: needs, Last: sameTwice}.Do(c.Context())
	if err != nil {
		return err
	}
	unusable := host.Usable(found)
	if err := printFindings(c.OutOrStdout(), found, unusable == nil, asJSON); err != nil {
		return err
	}
	if unusable != nil {
		return &exitError{exitInvalid, unusable}
	}
	return nil
}

// shippedNeeds are the open files that a process of the scenarios that come with pushbench
// takes at least: with as many servers as may share the clients.
func shippedNeeds() (needs []host.Need, err error) {
	for _, name := range scenarios.Names() {
		s, err := scenarios.Load(name)
		if err != nil {
			return nil, err
		}
		if s.Publish.By == scenarios.ByBackend {
			s.Servers = min(s.Clients.Count, scenarios.MaxServers)
		}
		needs = append(needs, host.Need{Scenario: name, Files: openFiles(s)})
	}
	return needs, nil
}

func printFindings(out io.Writer, found []host.Finding, usable, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Usable bool           `json:"usable"`
			Checks []host.Finding `json:"checks"`
		}{usable, found})
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range found {
		said := f.Found
		if f.Advice != "" {
			said += ". " + f.Advice
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.State, f.Check, said)
	}
	return w.Flush()
}
