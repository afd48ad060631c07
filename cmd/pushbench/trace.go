package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
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

// A tracing is a ladder of each transport of one server.
type tracing struct {
	trace.Ladder
	target string // "": pushbench's own
}

// ladder prepares the server, and returns the named transports; without names all.
func (l *tracing) ladder(c *cobra.Command, names []string) (chosen []scenarios.Transport, err error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	l.Engine = engines.Goroutine
	if l.target != "" {
		if c.Flags().Changed("poll-timeout") {
			return nil, app.Usagef("--poll-timeout: is a setting of pushbench's servers; allowed: without --target")
		}
		l.Target, chosen, err = env(c).Ready(c.Context(), "trace: --target", l.target, names)
		l.Serve = func(scenarios.Transport, string) []string { return app.Supervised(executable, l.Target) }
		return chosen, err
	}
	l.Serve = func(t scenarios.Transport, listen string) []string {
		return []string{executable, "serve", string(t), "--control", "--listen", listen}
	}
	if len(names) == 0 {
		names = traced
	}
	for _, name := range names {
		if !slices.Contains(traced, name) {
			return nil, app.Usagef("trace: %q is not one of %s", name, strings.Join(traced, ", "))
		}
		chosen = append(chosen, scenarios.Transport(name))
	}
	return chosen, nil
}

// file is the name of a diagram, without its ending.
func (l tracing) file(t scenarios.Transport) string {
	if l.Target != nil {
		return fmt.Sprintf("trace-%s-%s", l.Target.Name, t)
	}
	return "trace-" + string(t)
}

func newTraceCommand() *cobra.Command {
	var l tracing
	var folder string
	c := &cobra.Command{
		Use:   "trace [TRANSPORT...]",
		Short: "Draw one message on each transport as a sequence diagram",
		Long: `Draw a sequence diagram of one message on each transport. One client subscribes and
waits, a backend publishes a message, then the client publishes one. The diagram shows
everything between client and server: connections, headers, empty polls, waits, events
and frames, with their bytes and times. A relay between the two records every byte; its
byte count must equal the client's.

With --target, the server is that of a target file. The diagram then shows how each record
begins, without the values of environment variables.

The diagram shows how a transport works. To measure how fast it is, use pushbench run.`,
		Example: "  pushbench trace\n  pushbench trace longpoll websocket --silence 5s --poll-timeout 2s --out ladders",
		RunE:    func(c *cobra.Command, args []string) error { return l.each(c, args, folder) },
	}
	f := c.Flags()
	f.DurationVar(&l.Interval, "interval", 500*time.Millisecond, "time between short polls, 10ms to 10s")
	f.DurationVar(&l.PollTimeout, "poll-timeout", time.Second, "longest time a long poll waits for a message, 10ms to 25s")
	f.DurationVar(&l.Silence, "silence", 1200*time.Millisecond, "time before the first message is published, 0s to 30s")
	f.StringVar(&l.target, "target", "", "server to trace, by its target file or a name in "+app.TargetsFolder+" (default: pushbench's own)")
	register(c, "target", completeTargets)
	allowHostFlag(c)
	f.StringVar(&folder, "out", "", "folder for the diagrams, as trace-TRANSPORT.svg and .txt, or trace-TARGET-TRANSPORT (default: none)")
	acceptDeprecated(c)
	c.ValidArgsFunction = cobra.FixedCompletions(completeTransports(transports.ClientDials), cobra.ShellCompDirectiveNoFileComp)
	return c
}

// each traces the named transports, or all.
func (l tracing) each(c *cobra.Command, names []string, folder string) error {
	for _, flag := range []struct {
		name            string
		value, min, max time.Duration
	}{{"interval", l.Interval, 10 * time.Millisecond, 10 * time.Second}, {"poll-timeout", l.PollTimeout, 10 * time.Millisecond, 25 * time.Second}, {"silence", l.Silence, 0, 30 * time.Second}} {
		if flag.value < flag.min || flag.value > flag.max {
			return app.Usagef("--%s: %s is not allowed; allowed: %s to %s", flag.name, flag.value, flag.min, flag.max)
		}
	}
	chosen, err := l.ladder(c, names)
	if err != nil {
		return err
	}
	var dir *results.Dir
	if folder != "" {
		if dir, err = results.OpenDir(folder); err != nil {
			return app.Usagef("--out: %w", err)
		}
		defer dir.Close()
	}
	for _, transport := range chosen {
		t, err := l.Do(c.Context(), transport)
		switch {
		case err != nil && l.Target == nil:
			return err
		case err != nil:
			err = &app.Error{Code: app.Refused, Err: fmt.Errorf("%s: %w", l.Target.Name, err)}
			if len(t.Steps) > 0 {
				err = errors.Join(t.Text(c.OutOrStdout(), app.Columns(c.OutOrStdout())), err)
			}
			return err
		}
		var text, picture bytes.Buffer
		if err := errors.Join(t.Text(c.OutOrStdout(), app.Columns(c.OutOrStdout())), t.Text(&text, 0), t.SVG(&picture)); err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout())
		if dir == nil {
			continue
		}
		for ending, data := range map[string][]byte{".txt": text.Bytes(), ".svg": picture.Bytes()} {
			if err := dir.Write(l.file(transport)+ending, data); err != nil {
				return err
			}
		}
	}
	return nil
}
