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

// traced are the transports whose clients open the connections.
var traced = transports.Names[string](transports.ClientDials)

func newTraceCommand() *cobra.Command {
	var l trace.Ladder
	var folder string
	c := &cobra.Command{
		Use:   "trace [TRANSPORT...]",
		Short: "Draw one message on each transport as a sequence diagram",
		Long: `Draw a sequence diagram of one message on each transport. One client subscribes and
waits, a backend publishes a message, then the client publishes one. The diagram shows
everything between client and server: connections, headers, empty polls, waits, events
and frames, with their bytes and times. A relay between the two records every byte; its
byte count must equal the client's.

The diagram shows how a transport works. To measure how fast it is, use pushbench run.`,
		Example: "  pushbench trace\n  pushbench trace longpoll websocket --silence 5s --poll-timeout 2s --out ladders",
		RunE:    func(c *cobra.Command, args []string) error { return traceEach(c, l, args, folder) },
	}
	f := c.Flags()
	f.DurationVar(&l.Interval, "interval", 500*time.Millisecond, "time between short polls, 10ms to 10s")
	f.DurationVar(&l.PollTimeout, "poll-timeout", time.Second, "longest time a long poll waits for a message, 10ms to 25s")
	f.DurationVar(&l.Silence, "silence", 1200*time.Millisecond, "time before the first message is published, 0s to 30s")
	f.StringVar(&folder, "out", "", "folder for the diagrams, as trace-TRANSPORT.svg and .txt (default: none)")
	acceptDeprecated(c)
	c.ValidArgsFunction = cobra.FixedCompletions(completeTransports(transports.ClientDials), cobra.ShellCompDirectiveNoFileComp)
	return c
}

// traceEach traces the named transports, or all.
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
		value, min, max time.Duration
	}{{"interval", l.Interval, 10 * time.Millisecond, 10 * time.Second}, {"poll-timeout", l.PollTimeout, 10 * time.Millisecond, 25 * time.Second}, {"silence", l.Silence, 0, 30 * time.Second}} {
		if flag.value < flag.min || flag.value > flag.max {
			return app.Usagef("--%s: %s is not allowed; allowed: %s to %s", flag.name, flag.value, flag.min, flag.max)
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
		if err := errors.Join(t.Text(c.OutOrStdout(), app.Columns(c.OutOrStdout())), t.Text(&text, 0), t.SVG(&picture)); err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout())
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
