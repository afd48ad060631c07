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

type inspectOptions struct {
	negative    bool
	origin      string
	subprotocol string
	deflate     bool
	insecure    bool
	wait        time.Duration
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
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return app.Usagef("inspect needs a URL, such as ws://127.0.0.1:8080/v1/ws?topic=a")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return inspectAll(c, args, o) },
	}
	f := c.Flags()
	f.BoolVar(&o.negative, "negative", false, "also try handshakes that a server must refuse, and odd ones that it must not")
	f.StringVar(&o.origin, "origin", "", `the page that asks, such as "http://127.0.0.1:8080" (default: none, as of a program that is no browser)`)
	f.StringVar(&o.subprotocol, "subprotocol", "", "what to offer to speak inside the frames (default: nothing)")
	f.BoolVar(&o.deflate, "deflate", false, "offer to compress messages (permessage-deflate)")
	f.BoolVar(&o.insecure, "insecure", false, "take any certificate, such as a self-signed one")
	f.DurationVar(&o.wait, "wait", 2*time.Second, "for each answer, and for a first message, at most 1m")
	return c
}

// inspectAll reads all URLs before it asks any.
func inspectAll(c *cobra.Command, args []string, o inspectOptions) error {
	if o.wait <= 0 || o.wait > time.Minute {
		return app.Usagef("--wait: %s is not allowed; allowed: more than 0s, at most 1m", o.wait)
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
		t.Origin, t.Subprotocol, t.Deflate, t.Wait = o.origin, o.subprotocol, o.deflate, o.wait
		if o.insecure {
			t.TLS = &tls.Config{InsecureSkipVerify: true}
		}
		targets = append(targets, t)
	}
	var all []*inspect.Exchange
	wrong := 0
	for i, t := range targets {
		if i > 0 {
			fmt.Fprintln(c.OutOrStdout())
		}
		e, n, err := o.inspect(c, t)
		if err != nil {
			return err
		}
		all = append(all, e)
		wrong += n
	}
	if len(all) > 1 {
		fmt.Fprintln(c.OutOrStdout())
		if err := inspect.PrintSideBySide(c.OutOrStdout(), all); err != nil {
			return err
		}
	}
	if wrong > 0 {
		return &app.Error{Code: app.Broken, Err: fmt.Errorf("wrong: %d of what the answers say or leave out; see above", wrong)}
	}
	return nil
}

// inspect shows one target, and counts what is wrong.
func (o inspectOptions) inspect(c *cobra.Command, t inspect.Target) (e *inspect.Exchange, wrong int, err error) {
	e, err = inspect.Do(c.Context(), t)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", t.URL.Host, err)
	}
	if err := e.Print(c.OutOrStdout()); err != nil {
		return e, 0, err
	}
	wrong = len(e.Wrong())
	if e.Failed != nil {
		wrong++
	}
	if !o.negative {
		return e, wrong, nil
	}
	trials, err := inspect.Negative(c.Context(), t)
	switch {
	case errors.Is(err, inspect.ErrNotYours):
		return e, wrong, &app.Error{Code: app.Refused, Err: err}
	case err != nil:
		return e, wrong, err
	}
	fmt.Fprintln(c.OutOrStdout())
	for _, trial := range trials {
		if trial.Verdict == inspect.Wrong {
			wrong++
		}
	}
	return e, wrong, inspect.PrintTrials(c.OutOrStdout(), trials)
}
