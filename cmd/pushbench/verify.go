package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"pushbench/bench/verify"
	"pushbench/cmd/internal/app"
	"pushbench/results"
	"pushbench/scenarios"
)

func newVerifyCommand() *cobra.Command {
	var transports []string
	var v verify.Verification
	var size string
	var format string
	var ladder bool
	c := &cobra.Command{
		Use:   "verify TARGET",
		Short: "Try a target file against its server",
		Long: `Try a target file against its server. TARGET is the path of a target file, or the name of
a folder in ` + app.TargetsFolder + `.

Over each transport of the file, two clients subscribe to one topic each. Messages are
published in every way that the file describes: by POST, or by another client of the
first topic. The checks say whether they arrive
unchanged, in order and only at their subscriber, whether the server acknowledges them,
and what a client receives after its connection was closed. The last line lists the
processes whose CPU time and memory pushbench run measures.

The exit code is 5 if a check fails. pushbench run makes the same checks first. It
refuses a server only if it breaks a promise of the file, or cannot be used at all.

` + exitHelp,
		Example: "  pushbench verify ./mine.yaml\n  pushbench verify nchan --transports websocket --ladder",
		Args:    exactly("a target file, or a name"),

		ValidArgsFunction: firstArgument(completeTargets),

		RunE: func(c *cobra.Command, args []string) error {
			var bytes scenarios.Size
			err := bytes.UnmarshalText([]byte(size))
			switch v.Size = int(bytes); {
			case err != nil:
				return app.Usagef("--size: %w; allowed: 32B to 64KiB", err)
			case v.Silent < 0 || v.Silent > 10*time.Minute:
				return app.Usagef("--silence: %s is not allowed; allowed: 0s to 10m", v.Silent)
			case bytes < 32 || bytes > 64<<10:
				return app.Usagef("--size: %s is not allowed; allowed: 32B to 64KiB", size)
			}
			found, err := env(c).Verify(c.Context(), args[0], transports, v)
			if err != nil {
				return err
			}
			if format == "json" {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return joinRefused(e.Encode(found), found)
			}
			return joinRefused(printFindings(c.OutOrStdout(), found, ladder), found)
		},
	}
	f := c.Flags()
	f.StringSliceVar(&transports, "transports", nil, "transports to try, such as sse,websocket (default: those of the file)")
	f.DurationVar(&v.Silent, "silence", 0, "time that a connection is left without messages, to see whether heartbeats keep it open; 0s: not checked")
	f.StringVar(&size, "size", "64B", "size of each payload, such as 16KiB, to see whether the server limits it")
	f.StringVar(&format, "format", "table", "output format: table or json")
	f.BoolVar(&ladder, "ladder", false, "also draw the traffic of the first client, and of a publisher on a WebSocket, as sequence diagrams")
	allowHostFlag(c)
	completeList(c, "transports", completeTransports(nil))
	completeWord(c, "format", []string{"table", "json"})
	return c
}

// joinRefused adds the error of a check that failed.
func joinRefused(err error, found []verify.Result) error {
	if err != nil {
		return err
	}
	return app.Refusal(found)
}

// marks are the outcomes as a person reads them.
var marks = map[verify.Outcome]string{verify.Passed: "✓", verify.Failed: "✗", verify.NotChecked: "–"}

func printFindings(w io.Writer, found []verify.Result, ladder bool) error {
	for i, r := range found {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, r.Transport)
		for _, f := range r.Findings {
			fmt.Fprintf(w, "  %s %-21s %s\n", marks[f.Outcome], f.Check, results.Plain(f.Detail))
		}
		if !ladder {
			continue
		}
		for _, l := range r.Ladders {
			fmt.Fprintln(w)
			if err := l.Text(w, 0); err != nil {
				return err
			}
		}
	}
	return nil
}
