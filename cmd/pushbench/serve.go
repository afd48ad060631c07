package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pushbench/bench/child"
	"pushbench/cmd/internal/app"
	"pushbench/cmd/internal/edges"
	"pushbench/scenarios/transports"
	"pushbench/servers/faults"
	"pushbench/servers/hub"
	"pushbench/servers/webhook"
	"pushbench/servers/wire"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	transport string
	listen    string
	anywhere  bool
	control   bool
	library   wire.Library
	tls       bool
	inject    string
	access    wire.Access
	hooks     []string
	allowed   []netip.Prefix // hooks, parsed
	limits    wire.Limits
	hub       hub.Options
	faults    faults.Faults // inject, parsed
}

// newServeCommand is `pushbench serve`: one server of one transport.
func newServeCommand() *cobra.Command {
	var o serveOptions
	c := &cobra.Command{
		Use:   "serve <" + strings.Join(transports.Names[string](nil), "|") + ">",
		Short: "Serve one transport, as specified in servers/PROTOCOL.md",
		Args: func(_ *cobra.Command, args []string) error {
			allowed := transports.Or(transports.Names[string](nil))
			if len(args) != 1 {
				return app.Usagef("serve: give exactly one transport; allowed: %s", allowed)
			}
			if edges.New[args[0]] == nil {
				return app.Usagef("serve: %q is not one of %s", args[0], allowed)
			}
			return nil
		},
		ValidArgsFunction: firstArgument(cobra.FixedCompletions(completeTransports(nil), cobra.ShellCompDirectiveNoFileComp)),
		RunE: func(c *cobra.Command, args []string) error {
			o.transport = args[0]
			return o.run(c.Context(), c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	o.addFlags(c)
	completeWord(c, "library", libraries)
	completeWord(c, "slow-consumer", []string{string(wire.SlowClose), string(wire.SlowGap)})
	acceptDeprecated(c)
	return c
}

func (o *serveOptions) addFlags(c *cobra.Command) {
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address to listen on; port 0 selects a free port")
	f.BoolVar(&o.anywhere, "listen-anywhere", false, "allow --listen addresses that other machines can reach")
	f.StringSliceVar(&o.access.Hosts, "public-host", nil, "name by which requests may address the server, such as bench.example, also through a proxy with TLS; repeat the flag for other names (default: only this machine's)")
	f.StringSliceVar(&o.access.Origins, "allow-origin", nil, "origin whose pages may use the server, such as https://app.example; repeat the flag for other origins (default: only the server's own)")
	f.StringVar((*string)(&o.library), "library", string(wire.Reference), "HTTP library of the server: nethttp, fasthttp, or reference (WebSocket on nethttp, the others on fasthttp)")
	f.BoolVar(&o.tls, "tls", false, "serve over TLS 1.3 with a certificate generated at start for the address of --listen")
	f.DurationVar(&o.hub.BatchingDelay, "batching-delay", 0, "longest time to delay messages to send several in one write; 0s: no delay (default: 0s)")
	f.DurationVar(&o.limits.MaxPollTimeout, "max-poll-timeout", 30*time.Second, "longest wait that a poll may request")
	f.IntVar(&o.limits.ResponseHeaderBytes, "response-header-bytes", 0, "pad the headers of each successful response to a poll or a publish to this many bytes; 0: no padding (default: 0)")
	f.DurationVar(&o.limits.Heartbeat, "heartbeat", 0, "idle time of a stream or a WebSocket after which the server sends a comment, an empty line or a ping; 0s: never (default: 0s)")
	f.IntVar(&o.hub.RingMessages, "ring-messages", 1024, "messages buffered per topic")
	f.IntVar(&o.hub.RingBytes, "ring-bytes", 1<<20, "bytes buffered per topic")
	f.IntVar(&o.limits.MaxPayload, "max-payload", 64<<10, "largest size of a message in bytes")
	f.IntVar(&o.hub.MaxTopics, "max-topics", 100_000, "largest number of topics")
	f.IntVar(&o.hub.MaxBytes, "max-buffered-bytes", 512<<20, "bytes buffered of all topics together")
	f.DurationVar(&o.limits.ReadTimeout, "read-timeout", 5*time.Second, "longest time to receive a request")
	f.StringVar((*string)(&o.limits.Slow), "slow-consumer", "close", "handling of a client that does not keep up: close its connection, or gap (continue, and report the missed messages)")
	f.DurationVar(&o.limits.SlowAfter, "slow-after", 5*time.Second, "longest time that a client may leave written data unread")
	f.StringSliceVar(&o.hooks, "webhooks-to", nil, "networks to which this server may send webhooks, such as 10.0.0.0/8 (default: 127.0.0.0/8 for webhook, none for the other transports)")
	f.StringVar(&o.inject, "inject", "", "inject faults to test measurements: drop=N, double=N, swap=N, corrupt=N affect every N-th message; delay=10ms delays each message, work=2ms uses that much time to accept it; nagle turns TCP_NODELAY off and splits each write in two (default: none)")
	f.BoolVar(&o.control, "control", false, "for a parent process: print the listening address as JSON, exit when standard input ends")
	_ = f.MarkHidden("control") // fails only for a flag that does not exist
}

// check validates the flags and parses those that are text.
func (o *serveOptions) check() error {
	for _, flag := range []struct {
		valid bool
		must  string
		got   any
	}{
		{o.hub.RingMessages >= 1, "--ring-messages must be at least 1", o.hub.RingMessages},
		{o.hub.RingBytes >= 1, "--ring-bytes must be at least 1", o.hub.RingBytes},
		{o.limits.MaxPayload >= 1, "--max-payload must be at least 1", o.limits.MaxPayload},
		{o.hub.MaxTopics >= 1, "--max-topics must be at least 1", o.hub.MaxTopics},
		{o.hub.MaxBytes >= 1, "--max-buffered-bytes must be at least 1", o.hub.MaxBytes},
		{o.limits.MaxPollTimeout > 0, "--max-poll-timeout must be more than 0s", o.limits.MaxPollTimeout},
		{o.limits.ReadTimeout > 0, "--read-timeout must be more than 0s", o.limits.ReadTimeout},
		{o.limits.SlowAfter > 0, "--slow-after must be more than 0s", o.limits.SlowAfter},
		{o.hub.BatchingDelay >= 0 && o.hub.BatchingDelay <= time.Second, "--batching-delay must be from 0s to 1s", o.hub.BatchingDelay},
		{o.limits.ResponseHeaderBytes >= 0 && o.limits.ResponseHeaderBytes <= 4<<10, "--response-header-bytes must be from 0 to 4096", o.limits.ResponseHeaderBytes},
		{o.limits.Heartbeat == 0 || o.limits.Heartbeat >= time.Second, "--heartbeat must be 0s or at least 1s", o.limits.Heartbeat},
		{o.limits.Slow == wire.SlowClose || o.limits.Slow == wire.SlowGap, "--slow-consumer must be close or gap", strconv.Quote(string(o.limits.Slow))},
		{slices.Contains(wire.Libraries, o.library), "--library must be reference, nethttp or fasthttp", strconv.Quote(string(o.library))},
	} {
		if !flag.valid {
			return app.Usagef("serve: %s, got %v", flag.must, flag.got)
		}
	}
	var err error
	if o.faults, err = faults.Parse(o.inject); err != nil {
		return app.Usagef("serve: --inject: %v", err)
	}
	if transports.Of(o.transport).ServerDials && len(o.hooks) == 0 {
		o.hooks = []string{"127.0.0.0/8"}
	}
	for _, network := range o.hooks {
		p, err := netip.ParsePrefix(network)
		if err != nil {
			return app.Usagef("serve: --webhooks-to: %q is not a network such as 10.0.0.0/8", network)
		}
		o.allowed = append(o.allowed, p)
	}
	if err := o.checkAccess(); err != nil {
		return err
	}
	return o.checkListen()
}

// checkAccess refuses origins that no browser sends, and names with a port.
func (o *serveOptions) checkAccess() error {
	for _, origin := range o.access.Origins {
		if u, err := url.Parse(origin); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ToLower(u.Scheme+"://"+u.Host) != origin {
			return app.Usagef("serve: --allow-origin %q is not an origin such as https://app.example: scheme, name in lower case, and port if it is not the usual one", origin)
		}
	}
	for _, host := range o.access.Hosts {
		if u := (&url.URL{Host: host}); host == "" || strings.ContainsAny(host, "/@: ") || u.Hostname() != host {
			return app.Usagef("serve: --public-host %q is not a name such as bench.example, without a port", host)
		}
	}
	return nil
}

// checkListen refuses addresses that other machines can reach, unless --listen-anywhere is given.
func (o *serveOptions) checkListen() error {
	host, port, err := net.SplitHostPort(o.listen)
	if err != nil {
		return app.Usagef("serve: --listen %q is not host:port; allowed: an address such as 127.0.0.1:8080", o.listen)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return app.Usagef("serve: --listen %q: the port %q is not allowed; allowed: 0 to 65535, where 0 selects a free port", o.listen, port)
	}
	ip := net.ParseIP(host)
	if o.anywhere || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return app.Usagef("serve: --listen %q can be reached from other machines, and this server is unauthenticated; to allow it, add --listen-anywhere", o.listen)
}

// settings is the line that a parent process records with its results.
func (o *serveOptions) settings() string {
	return fmt.Sprintf("library=%s tls=%t batching-delay=%s max-poll-timeout=%s heartbeat=%s response-header-bytes=%d ring=%d/%dB payload=%dB topics=%d read-timeout=%s slow=%s/%s webhooks=%s inject=%q",
		o.library, o.tls, o.hub.BatchingDelay, o.limits.MaxPollTimeout, o.limits.Heartbeat, o.limits.ResponseHeaderBytes, o.hub.RingMessages, o.hub.RingBytes, o.limits.MaxPayload,
		o.hub.MaxTopics, o.limits.ReadTimeout, o.limits.Slow, o.limits.SlowAfter, cmp.Or(strings.Join(o.hooks, ","), "none"), o.inject)
}

// run serves until a signal, the end of ctx or, with --control, of stdin.
func (o *serveOptions) run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, app.EndSignals()...)
	defer stop()
	ln, err := net.Listen("tcp", o.listen)
	if err != nil {
		return app.Usagef("serve: --listen: %w", err) // names the address and the cause
	}
	defer ln.Close() // for returns before Serve, which closes it too
	service, err := wire.New(o.transport, o.library, o.limits, o.hub)
	if err != nil {
		return err
	}
	defer service.Close()
	service.Access = o.access
	if o.faults != (faults.Faults{}) {
		service.Inject(o.faults)
	}
	var certificate []byte
	if o.tls {
		if service.TLS, certificate, err = edges.Secured(ln.Addr()); err != nil {
			return err
		}
	}
	if err := o.announce(stdout, stderr, ln.Addr(), certificate); err != nil {
		return err
	}
	if o.control {
		ctx = controlled(ctx, stdin, stdout)
	}
	edge := edges.New[o.transport](service, o.allowed)
	if !transports.Of(o.transport).ServerDials && len(o.allowed) > 0 {
		defer webhook.Enable(service, o.allowed).Close()
	}
	return edges.Serve(ctx, edge, ln)
}

// announce prints the server's address and with TLS its certificate (PEM), and for users how to
// subscribe and publish. The kernel queues connections from now on.
func (o *serveOptions) announce(stdout, stderr io.Writer, addr net.Addr, certificate []byte) error {
	if !o.control {
		s := ""
		if o.tls {
			s = "s"
		}
		subscribe := fmt.Sprintf("http%s://%s", s, addr)
		switch traits := transports.Of(o.transport); {
		case traits.ServerDials:
			subscribe = "POST " + subscribe + wire.SubscriptionPath(o.transport) + "?topic=demo (body: your URL)"
		case traits.Upgrades:
			subscribe = fmt.Sprintf("ws%s://%s%s?topic=demo", s, addr, wire.SubscriptionPath(o.transport))
		default:
			subscribe += wire.SubscriptionPath(o.transport) + "?topic=demo"
		}
		_, err := fmt.Fprintf(stdout, "%s on http%s://%s (%s)\n%s", o.transport, s, addr, o.settings(), certificate)
		_, hint := fmt.Fprintf(stderr, "subscribe: %s\npublish: POST http%s://%s/v1/topics/demo\n", subscribe, s, addr)
		return errors.Join(err, hint)
	}
	return json.NewEncoder(stdout).Encode(struct {
		Listening   string `json:"listening"`
		PID         int    `json:"pid"`
		Transport   string `json:"transport"`
		Settings    string `json:"settings"`
		Certificate string `json:"certificate,omitempty"`
	}{addr.String(), os.Getpid(), o.transport, o.settings(), string(certificate)})
}

// controlled returns a context that ends with the reader, so that no server outlives its parent
// process. Each line read is a command to collect garbage and to return memory to the system; the
// reply is one line.
func controlled(ctx context.Context, commands io.Reader, replies io.Writer) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		for lines := bufio.NewScanner(commands); lines.Scan(); { // any end of the input ends the server
			child.CollectGarbage()
			fmt.Fprintln(replies, `{"collected":true}`)
		}
	}()
	return ctx
}
