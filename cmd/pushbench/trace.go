package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pushbench/bench/client/engines"
	"pushbench/bench/trace"
	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// traced are the transports whose client opens the connections.
var traced = transports.Names[string](transports.ClientDials)

type traceOptions struct {
	interval, hold, quiet time.Duration
	out                   string
}

func newTraceCommand() *cobra.Command {
	var o traceOptions
	c := &cobra.Command{
		Use:   "trace [TRANSPORT...]",
		Short: "One message's life on each transport, as a ladder between client and server",
		Long: `Let one client subscribe and wait, have a backend publish a message and then the
client one of its own, and draw all that crossed the wire: connections, heads, empty
polls, waits, events and frames, with their bytes and times. A relay between the two
keeps every byte, and what it kept must be what the client counted.

It shows how a transport works. How fast one is, is what pushbench run is for.`,
		Example: "  pushbench trace\n  pushbench trace longpoll websocket --quiet 5s --hold 2s --out ladders",
		RunE:    func(c *cobra.Command, args []string) error { return o.do(c, args) },
	}
	f := c.Flags()
	f.DurationVar(&o.interval, "interval", 500*time.Millisecond, "between short polls, 10ms to 10s")
	f.DurationVar(&o.hold, "hold", time.Second, "how long a long poll may wait for a message, 10ms to 25s")
	f.DurationVar(&o.quiet, "quiet", 1200*time.Millisecond, "how long nothing is published at first, 0s to 30s")
	f.StringVar(&o.out, "out", "", "a folder for each ladder as trace-TRANSPORT.svg and .txt")
	c.ValidArgsFunction = cobra.FixedCompletions(traced, cobra.ShellCompDirectiveNoFileComp)
	return c
}

func (o traceOptions) do(c *cobra.Command, args []string) error {
	for _, arg := range args {
		if !slices.Contains(traced, arg) {
			return app.Usagef("trace: %q is not one of %s", arg, strings.Join(traced, ", "))
		}
	}
	chosen := args
	if len(chosen) == 0 {
		chosen = traced
	}
	for _, d := range []struct {
		name        string
		is          time.Duration
		least, most time.Duration
	}{{"interval", o.interval, 10 * time.Millisecond, 10 * time.Second}, {"hold", o.hold, 10 * time.Millisecond, 25 * time.Second}, {"quiet", o.quiet, 0, 30 * time.Second}} {
		if d.is < d.least || d.is > d.most {
			return app.Usagef("--%s: %s is not allowed; allowed: %s to %s", d.name, d.is, d.least, d.most)
		}
	}
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := os.MkdirAll(o.out, 0o755); err != nil {
			return app.Usagef("--out: %w", err)
		}
	}
	ladder := trace.Ladder{
		Engine: engines.Goroutine, Interval: o.interval, Hold: o.hold, Quiet: o.quiet,
		Serve: func(t scenarios.Transport, listen string) []string {
			return []string{executable, "serve", string(t), "--control", "--listen", listen}
		},
	}
	for _, transport := range chosen {
		t, err := ladder.Do(c.Context(), scenarios.Transport(transport))
		if err != nil {
			return err
		}
		var text, picture bytes.Buffer
		if err := t.Text(&text); err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), text.String())
		if o.out == "" {
			continue
		}
		if err := t.SVG(&picture); err != nil {
			return err
		}
		for ending, data := range map[string][]byte{".txt": text.Bytes(), ".svg": picture.Bytes()} {
			if err := results.WriteFile(filepath.Join(o.out, "trace-"+transport+ending), data); err != nil {
				return err
			}
		}
	}
	return nil
}
