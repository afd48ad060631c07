package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pushbench/bench/inspect"
	"pushbench/cmd/internal/app"
)

// inspectOptions are the flags of inspect.
type inspectOptions struct {
	inspect.Target // but for its kind and URL
	negative       bool
	insecure       bool
}

func newInspectCommand() *cobra.Command {
	var o inspectOptions
	c := &cobra.Command{
		Use:   "inspect URL...",
		Short: "Make a handshake, a poll or a stream by hand, and explain it line by line",
		Long: `Make one request by hand and say of every line, up and down, what it is for, where
that is written and whether it is right, with the bytes and the time of each stage.

  ws://, wss://                      the opening handshake of a WebSocket (RFC 6455)
  http://, https://                  a poll
  sse+http://, sse+https://          a stream of server-sent events
  stream+http://, stream+https://    a stream of newline-delimited JSON

Several URLs are put side by side at the end. With --negative, WebSockets are also
asked with handshakes that a server must refuse, and with odd ones that it must not,
20 in all: only on this machine and in private networks.

Exit code 4 says that something was wrong.`,
		Example: "  pushbench inspect 'ws://127.0.0.1:8080/v1/ws?topic=a'\n  pushbench inspect --negative 'ws://127.0.0.1:8080/v1/ws?topic=a'\n  pushbench inspect 'http://127.0.0.1:8081/v1/poll?topic=a' 'sse+http://127.0.0.1:8082/v1/sse?topic=a'",
		RunE:    func(c *cobra.Command, args []string) error { return o.inspectAll(c, args) },
	}
	f := c.Flags()
	f.BoolVar(&o.negative, "negative", false, "also try handshakes that a server must refuse, and odd ones that it must not")
	f.StringVar(&o.Origin, "origin", "", `the page that asks, such as "http://127.0.0.1:8080" (default: none, as of a program that is no browser)`)
	f.StringVar(&o.Subprotocol, "subprotocol", "", "what to offer to speak inside the frames (default: nothing)")
	f.BoolVar(&o.Deflate, "deflate", false, "offer to compress messages (permessage-deflate)")
	f.BoolVar(&o.insecure, "insecure", false, "take any certificate, such as a self-signed one")
	f.DurationVar(&o.Wait, "wait", 2*time.Second, "for each answer, and for a first message, at most 1m")
	return c
}

// inspectAll reads all URLs before it sends a request to any.
func (o inspectOptions) inspectAll(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return app.Usagef("inspect needs a URL, such as ws://127.0.0.1:8080/v1/ws?topic=a")
	}
	if o.Wait <= 0 || o.Wait > time.Minute {
		return app.Usagef("--wait: %s is not allowed; allowed: more than 0s, at most 1m", o.Wait)
	}
	if o.insecure {
		o.TLS = &tls.Config{InsecureSkipVerify: true}
	}
	var targets []inspect.Target
	for _, arg := range args {
		t, err := inspect.ParseTarget(arg)
		if err != nil {
			return app.Usagef("%w", err)
		}
		if o.negative && t.Kind != inspect.WebSocket {
			return app.Usagef("--negative is about handshakes of WebSockets; allowed: with ws:// and wss://, but not with %q", arg)
		}
		o.Kind, o.URL = t.Kind, t.URL
		targets = append(targets, o.Target)
	}
	out := c.OutOrStdout()
	var all []*inspect.Exchange
	wrong := 0
	for i, t := range targets {
		if i > 0 {
			fmt.Fprintln(out)
		}
		e, err := inspect.Do(c.Context(), t)
		if err != nil {
			return fmt.Errorf("%s: %w", t.URL.Host, err)
		}
		if err := e.Print(out); err != nil {
			return err
		}
		all = append(all, e)
		wrong += len(e.Wrong())
		if e.Failed != nil {
			wrong++
		}
		if o.negative {
			n, err := tryNegative(c, t)
			if err != nil {
				return err
			}
			wrong += n
		}
	}
	if len(all) > 1 {
		fmt.Fprintln(out)
		if err := inspect.PrintSideBySide(out, all); err != nil {
			return err
		}
	}
	if wrong > 0 {
		return &app.Error{Code: app.Failed, Err: fmt.Errorf("wrong: %d of what the answers say or leave out; see above", wrong)}
	}
	return nil
}

// tryNegative tries handshakes that a server must refuse, and counts what is wrong.
func tryNegative(c *cobra.Command, t inspect.Target) (wrong int, err error) {
	trials, err := inspect.Negative(c.Context(), t)
	if errors.Is(err, inspect.ErrNotYours) {
		return 0, &app.Error{Code: app.Refused, Err: err}
	}
	if err != nil {
		return 0, err
	}
	for _, trial := range trials {
		if trial.Grade == inspect.Wrong {
			wrong++
		}
	}
	fmt.Fprintln(c.OutOrStdout())
	return wrong, inspect.PrintTrials(c.OutOrStdout(), trials)
}
