package main

import (
	"bytes"
	"errors"
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

func newTraceCommand() *cobra.Command {
	var l trace.Ladder
	var folder string
	c := &cobra.Command{
		Use:   "trace [TRANSPORT...]",
		Short: "One message's life on each transport, as a ladder between client and server",
		Long: `Let one client subscribe and wait, have a backend publish a message and then the
client one of its own, and draw all that crossed the wire: connections, heads, empty
polls, waits, events and frames, with their bytes and times. A relay between the two
keeps every byte, and what it kept must be what the client counted.

It shows how a transport works. How fast one is, is what pushbench run is for.`,
		Example: "  pushbench trace\n  pushbench trace longpoll websocket --quiet 5s --hold 2s --out ladders",
		RunE:    func(c *cobra.Command, args []string) error { return traceEach(c, l, args, folder) },
	}
	f := c.Flags()
	f.DurationVar(&l.Interval, "interval", 500*time.Millisecond, "between short polls, 10ms to 10s")
	f.DurationVar(&l.PollTimeout, "hold", time.Second, "how long a long poll may wait for a message, 10ms to 25s")
	f.DurationVar(&l.Quiet, "quiet", 1200*time.Millisecond, "how long nothing is published at first, 0s to 30s")
	f.StringVar(&folder, "out", "", "a folder for each ladder as trace-TRANSPORT.svg and .txt")
	c.ValidArgsFunction = cobra.FixedCompletions(traced, cobra.ShellCompDirectiveNoFileComp)
	return c
}

// traceEach traces each transport that is named, or all.
func traceEach(c *cobra.Command, l trace.Ladder, names []string, folder string) error {
	for _, name := range names {
		if !slices.Contains(traced, name) {
			return app.Usagef("trace: %q is not one of %s", name, strings.Join(traced, ", "))
		}
	}
	if len(names) == 0 {
		names = traced
	}
	for _, flag := range []struct {
		name            string
		is, least, most time.Duration
	}{{"interval", l.Interval, 10 * time.Millisecond, 10 * time.Second}, {"hold", l.PollTimeout, 10 * time.Millisecond, 25 * time.Second}, {"quiet", l.Quiet, 0, 30 * time.Second}} {
		if flag.is < flag.least || flag.is > flag.most {
			return app.Usagef("--%s: %s is not allowed; allowed: %s to %s", flag.name, flag.is, flag.least, flag.most)
		}
	}
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	if folder != "" {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return app.Usagef("--out: %w", err)
		}
	}
	l.Engine = engines.Goroutine
	l.Serve = func(t scenarios.Transport, listen string) []string {
		return []string{executable, "serve", string(t), "--control", "--listen", listen}
	}
	for _, name := range names {
		t, err := l.Do(c.Context(), scenarios.Transport(name))
		if err != nil {
			return err
		}
		var text, picture bytes.Buffer
		if err := errors.Join(t.Text(&text), t.SVG(&picture)); err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), text.String())
		if folder == "" {
			continue
		}
		for ending, data := range map[string][]byte{".txt": text.Bytes(), ".svg": picture.Bytes()} {
			if err := results.WriteFile(filepath.Join(folder, "trace-"+name+ending), data); err != nil {
				return err
			}
		}
	}
	return nil
}
