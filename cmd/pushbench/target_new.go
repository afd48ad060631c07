package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pushbench/cmd/internal/app"
)

func newTargetNewCommand() *cobra.Command {
	var out string
	var insecure bool
	c := &cobra.Command{
		Use:   "new [URL]",
		Short: "Write a target file to fill in",
		Long: `Write a target file to fill in: every field with its explanation.

With the URL of a server that is running on this machine, at most ` + fmt.Sprint(app.MostRequests) + ` requests find out whether
it upgrades to WebSocket or streams events. If it speaks a known protocol, the file begins
with the transports of that protocol's target. {topic} in the URL stands for a topic.

No message is published, and no topic is subscribed. A frame is sent only at a path of a
protocol whose clients send first, such as /connection/websocket.

A file that exists is not overwritten (exit code 2). Exit code 5: no connection to the
server.`,
		Example: "  pushbench target new\n  pushbench target new http://127.0.0.1:3000/ --out mine.yaml",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return app.Usagef("%s takes at most 1 argument (a URL), got %d", c.CommandPath(), len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return env(c).NewTarget(c.Context(), out, strings.Join(args, ""), insecure)
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "target.yaml", "file to write")
	c.Flags().BoolVar(&insecure, "insecure", false, "accept any TLS certificate, such as a self-signed one; for a run the file needs ca")
	return c
}
