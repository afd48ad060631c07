package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"pushbench/bench/inspect"
	"pushbench/cmd/internal/app"
	"pushbench/scenarios"
)

// inspectOptions are the flags of inspect.
type inspectOptions struct {
	inspect.Target // without kind and URL
	negative       bool
	insecure       bool
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

Exit code 4: a response is incorrect. Exit code 5: no connection to the server.`,
		Example: "  pushbench inspect 'ws://127.0.0.1:8080/v1/ws?topic=a'\n  pushbench inspect --negative 'ws://127.0.0.1:8080/v1/ws?topic=a'\n  pushbench inspect 'http://127.0.0.1:8081/v1/poll?topic=a' 'sse+http://127.0.0.1:8082/v1/sse?topic=a'",
		RunE:    func(c *cobra.Command, args []string) error { return o.inspectAll(c, args) },
	}
	f := c.Flags()
	f.BoolVar(&o.negative, "negative", false, "also try handshakes that a server must refuse, and unusual ones that it must accept")
	f.StringVar(&o.Origin, "origin", "", `origin to send in the request, such as "http://127.0.0.1:8080" (default: none, as clients other than browsers do)`)
	f.StringVar(&o.Subprotocol, "subprotocol", "", "WebSocket subprotocol to offer (default: none)")
	f.BoolVar(&o.Deflate, "deflate", false, "offer message compression (permessage-deflate)")
	f.BoolVar(&o.insecure, "insecure", false, "accept any TLS certificate, such as a self-signed one")
	f.DurationVar(&o.Wait, "wait", 2*time.Second, "longest wait for each response and for the first message, at most 1m")
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
			return &app.Error{Code: app.Refused, Err: fmt.Errorf("%s: %w", t.URL.Host, err)}
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
		return &app.Error{Code: app.Failed, Err: fmt.Errorf("%d errors or omissions in the responses: see above", wrong)}
	}
	return nil
}

// tryNegative tries handshakes that a server must refuse or accept, and counts its errors.
func tryNegative(c *cobra.Command, t inspect.Target) (wrong int, err error) {
	all, err := inspect.Negative(c.Context(), t)
	if errors.Is(err, inspect.ErrPublicAddress) {
		return 0, &app.Error{Code: app.Refused, Err: err}
	}
	if err != nil {
		return 0, err
	}
	for _, r := range all {
		if r.Grade == inspect.Wrong {
			wrong++
		}
	}
	fmt.Fprintln(c.OutOrStdout())
	return wrong, inspect.PrintReactions(c.OutOrStdout(), all)
}
