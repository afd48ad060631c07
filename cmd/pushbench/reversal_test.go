package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"pushbench/bench"
	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/results/report"
	"pushbench/scenarios"
)

// A report proposes commands. They must be accepted for every scenario that ships.
func TestCommandsInReportsAreAccepted(t *testing.T) {
	t.Setenv("PUSHBENCH_LOCK", t.TempDir())
	for _, name := range scenarios.Names() {
		t.Run(name, func(t *testing.T) {
			proposed := 0
			for _, section := range report.New(planned(t, name)).Document().Sections {
				for _, p := range section.Paragraphs {
					for _, item := range p.Items {
						line, isCommand := strings.CutPrefix(item, "pushbench ")
						if !isCommand {
							continue
						}
						proposed++
						if err := accepted(t, arguments(line)); err != nil {
							t.Errorf("%s: %v", item, err)
						}
					}
				}
			}
			if proposed == 0 {
				t.Error("no command")
			}
		})
	}
}

// planned is a run of a scenario before its first trial, as far as the conditions of its answer depend on it.
func planned(t *testing.T, name string) *results.Run {
	t.Helper()
	s, err := scenarios.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	run := bench.Planned(s, 1)
	m := &run.Manifest
	m.Command, m.Workload.Scenario, m.Workload.Delivery = []string{"pushbench", "run", "--out", "runs/" + s.Name, name}, s.Name, string(s.Delivery)
	m.Workload.Warmup, m.Workload.Window, m.Workload.Drain = time.Duration(s.Warmup), time.Duration(s.Window), time.Duration(s.Drain)
	m.Workload.PublishRate, m.Workload.PollInterval = float64(s.Publish.Rate), time.Duration(s.ShortPoll.Interval)
	m.Requirements, m.RTT = s.Requirements, time.Duration(s.Network.RTT)
	if s.Network.Link == scenarios.PacketLink {
		m.Network = results.PacketLink
	}
	for _, transport := range s.Transports {
		m.Transports = append(m.Transports, string(transport))
	}
	return run
}

// accepted reads a command line as the command does, up to its first measurement.
func accepted(t *testing.T, args []string) error {
	t.Helper()
	if args[0] == "run" {
		var out, problems strings.Builder
		if code := run(context.Background(), append(args, "--dry-run"), strings.NewReader(""), &out, &problems); code != 0 {
			t.Errorf("exit code %d: %s", code, problems.String())
		}
		return nil
	}
	c, rest, err := newRootCommand().Find(args)
	if err != nil {
		return err
	}
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	name := c.Flags().Arg(0)
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		return err
	}
	if c.Name() == "capacity" {
		limit, err := c.Flags().GetStringArray("require")
		if err != nil {
			return err
		}
		_, err = (&app.CapacityOptions{Limit: limit, Axis: c.Flag("over").DefValue, Window: c.Flag("window").Value.String(), Max: 1e6}).Prepare(name)
		return err
	}
	staleness, err := c.Flags().GetStringSlice("staleness")
	if err != nil {
		return err
	}
	_, err = (&app.CrossoverOptions{Rates: c.Flag("rates").Value.String(), Staleness: staleness, Repetitions: 1}).Prepare(name)
	return err
}
