package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os/signal"
	"time"

	"github.com/spf13/cobra"

	"pushbench/bench/inspect"
	"pushbench/cmd/internal/app"
	"pushbench/scenarios"
)

// inspectOptions are the flags of inspect.
type inspectOptions struct {
	inspect.Target // with kind and URL of the current argument
	negative       bool
	insecure       bool
	timeout        time.Duration
}

func newInspectCommand() *cobra.Command {
	var o inspectOptions
	c := &cobra.Command{
		Use:   "inspect URL...",
		Short: "Send one request and explain the exchange line by line",
		Long: `Send one request and explain every line of the request and the response: its purpose,
the standard that defines it and whether it is correct. The bytes and the time of each
stage are printed too.

  ws://, wss://                      WebSocket opening handshake (RFC 6455)
  http://, https://                  poll
  sse+http://, sse+https://          stream of server-sent events
  stream+http://, stream+https://    stream of newline-delimited JSON

With several URLs, a comparison of them is printed at the end. --negative also tries 20
WebSocket handshakes that a server must refuse, or must accept although they are unusual.
It works only on this machine and in private networks.

Each line is correct, incorrect, missing or contestable: allowed by the standards, or required by
one and forbidden by another. A server that does not respond in time has no verdict.

Exit code 4: a response is incorrect. Exit code 5: no connection to the server. Exit code 8:
no answer in time.`,
		Example: "  pushbench inspect 'ws://127.0.0.1:8080/v1/ws?topic=a'\n  pushbench inspect --negative 'ws://127.0.0.1:8080/v1/ws?topic=a'\n  pushbench inspect --header 'Authorization: Bearer x' --send '{\"id\":1,\"connect\":{}}' ws://127.0.0.1:8000/connection/websocket\n  pushbench inspect 'http://127.0.0.1:8081/v1/poll?topic=a' 'sse+http://127.0.0.1:8082/v1/sse?topic=a'",
		RunE:    func(c *cobra.Command, args []string) error { return o.inspectAll(c, args) },
	}
	f := c.Flags()
	f.BoolVar(&o.negative, "negative", false, "also try handshakes that a server must refuse, and unusual ones that it must accept")
	f.StringVar(&o.Origin, "origin", "", `origin to send in the request, such as "http://127.0.0.1:8080" (default: none, as clients other than browsers do)`)
	f.StringVar(&o.Subprotocol, "subprotocol", "", "WebSocket subprotocol to offer (default: none)")
	f.StringArrayVar(&o.Fields, "header", nil, `header field to add, such as "Authorization: Bearer x"; repeatable (default: none)`)
	f.StringArrayVar(&o.Send, "send", nil, `WebSocket message to send after the handshake: text, or bytes such as "hex:c0 00"; repeatable (default: none)`)
	f.StringVar(&o.Method, "method", "", "method of a poll or of the request for a stream: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS (default GET)")
	f.StringVar(&o.Body, "body", "", "body of the request, with --method POST, PUT or PATCH (default: none)")
	f.BoolVar(&o.Deflate, "deflate", false, "offer message compression (permessage-deflate)")
	f.BoolVar(&o.insecure, "insecure", false, "accept any TLS certificate, such as a self-signed one")
	f.DurationVar(&o.Wait, "wait", 2*time.Second, "longest wait for each response, and time for which messages are read, at most 1m")
	f.DurationVar(&o.timeout, "timeout", 5*time.Minute, "longest time for all URLs together, at most 1h; what is left then has no answer")
	completeWord(c, "method", inspect.Methods)
	return c
}

// inspectAll parses all URLs before it sends the first request.
func (o inspectOptions) inspectAll(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return app.Usagef("inspect takes at least 1 argument (a URL), such as ws://127.0.0.1:8080/v1/ws?topic=a; got none")
	}
	if o.Wait <= 0 || o.Wait > time.Minute {
		return app.Usagef("--wait: %s is not allowed; allowed: more than 0s, at most 1m", scenarios.Duration(o.Wait))
	}
	if o.timeout <= 0 || o.timeout > time.Hour {
		return app.Usagef("--timeout: %s is not allowed; allowed: more than 0s, at most 1h", scenarios.Duration(o.timeout))
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
			return app.Usagef("--negative tests WebSocket handshakes and cannot be used with %q; allowed: ws:// and wss://", arg)
		}
		o.Kind, o.URL = t.Kind, t.URL
		if err := o.Check(); err != nil {
			return app.Usagef("%w", err)
		}
		targets = append(targets, o.Target)
	}
	return o.sendAll(c, targets)
}

// sendAll inspects every target, also after one that refuses the connection, until the timeout or a signal.
func (o inspectOptions) sendAll(c *cobra.Command, targets []inspect.Target) error {
	late := fmt.Errorf("not complete within %s (--timeout)", scenarios.Duration(o.timeout))
	ctx, cancel := context.WithTimeoutCause(c.Context(), o.timeout, late)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, app.EndSignals()...)
	defer stop()
	out := c.OutOrStdout()
	var all []*inspect.Exchange
	var failed []error
	grades := map[inspect.Grade]int{}
	for _, t := range targets {
		e, err := inspect.Do(ctx, t)
		if err != nil {
			failed = append(failed, uninspected(ctx, t, err))
			continue
		}
		if len(all) > 0 {
			fmt.Fprintln(out)
		}
		if err := e.Print(out); err != nil {
			return err
		}
		all = append(all, e)
		grades[inspect.Wrong] += len(e.Wrong())
		if e.Verdict() == inspect.NoAnswer {
			grades[inspect.NoAnswer]++
		}
		if o.negative {
			reactions, err := inspect.Negative(ctx, t)
			for _, r := range reactions {
				grades[r.Grade]++
			}
			if len(reactions) > 0 {
				fmt.Fprintln(out)
				if err := inspect.PrintReactions(out, reactions); err != nil {
					return err
				}
			}
			if err != nil {
				failed = append(failed, uninspected(ctx, t, err))
			}
		}
	}
	if len(all) > 1 {
		fmt.Fprintln(out)
		if err := inspect.PrintSideBySide(out, all); err != nil {
			return err
		}
	}
	switch cause := context.Cause(ctx); {
	case ctx.Err() != nil && !errors.Is(cause, late):
		return &app.Error{Code: app.Interrupted, Err: errors.New("interrupted")}
	case len(failed) > 0:
		return errors.Join(failed...)
	case grades[inspect.Wrong] > 0:
		return &app.Error{Code: app.Failed, Err: fmt.Errorf("errors or omissions in the responses: %d, see above", grades[inspect.Wrong])}
	case grades[inspect.NoAnswer] > 0:
		return &app.Error{Code: app.Inconclusive, Err: fmt.Errorf("requests without an answer: %d, see above; --wait waits longer", grades[inspect.NoAnswer])}
	}
	return nil
}

// uninspected returns the error of a URL that refused, or was not reached in time.
func uninspected(ctx context.Context, t inspect.Target, err error) error {
	code := app.Refused
	if ctx.Err() != nil {
		code = app.Inconclusive
	}
	return &app.Error{Code: code, Err: fmt.Errorf("%s: %w", t.URL.Host, err)}
}
