package calibrate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A ServeCommand returns the argument list of a server of one transport that listens on
// host:port, with or without TLS, and is controlled like a server of Setup.Serve.
type ServeCommand func(transport scenarios.Transport, listen string, secured bool) []string

// A WireAccount is one exchange over real sockets with up to three independent counters: our
// clients, the kernel's TCP, and a network interface.
type WireAccount struct {
	Name   string
	Window WireSpan // while all clients were connected
	Whole  WireSpan // from before the first connection until after the last
}

// A WireSpan contains the counts of a part of an exchange.
type WireSpan struct {
	Messages  int64        // deliveries
	Counted   results.Wire // by the clients
	TCP       client.TCP
	Interface Counters // zero without a Network
}

// Counters are those of a network interface: Ethernet frames including headers.
type Counters struct {
	Up, Down Frames // up: to the server
}

// Frames counts the frames of one direction.
type Frames struct{ Bytes, Packets int64 }

// A Network is the network of the server of an exchange, with an interface on the path.
type Network struct {
	Host     string                         // address to listen on
	Inside   func(start func() error) error // calls start in the network of the server
	Counters func() (Counters, error)       // reads the interface
}

// Wire exchanges messages over every transport on loopback, which needs no privilege. The
// byte counts of clients and TCP must be equal.
func Wire(ctx context.Context, engine string, serve ServeCommand) (accounts []WireAccount, err error) {
	for _, variant := range Variants(engine) {
		account, err := Exchange(ctx, engine, serve, variant, nil)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, account)
	}
	return accounts, nil
}

// A Variant is a transport with one of its settings.
type Variant struct {
	transport     scenarios.Transport
	newConnection bool
	secured       bool // with TLS
}

func (v Variant) String() string {
	name := string(v.transport)
	if v.newConnection {
		name += ", new connections"
	}
	if v.secured {
		name += ", TLS"
	}
	return name
}

// Variants returns the variants that an engine supports.
func Variants(engine string) (all []Variant) {
	for _, transport := range scenarios.ClientOpened {
		variants := []Variant{{transport: transport}}
		if transports.Of(transport).Polls {
			variants = append(variants, Variant{transport: transport, newConnection: true})
		}
		if engine == engines.Goroutine {
			for _, plain := range slices.Clone(variants) {
				variants = append(variants, Variant{plain.transport, plain.newConnection, true})
			}
		}
		all = append(all, variants...)
	}
	return all
}

// An exchange is a small closed loop, so that its counts do not depend on time.
type exchange struct {
	variant Variant
	engine  string
	serve   ServeCommand
	network *Network // nil: loopback

	server   *child.Process
	traffic  client.Traffic
	clients  client.Engine
	sessions []client.Session
	tally    counter
	sent     uint32
}

// The size of an exchange. Every sixteenth message is longer than a segment.
const (
	exchangeClients    = 20
	exchangePublishers = 4
	exchangeRounds     = 6
	exchangeEach       = 14 // messages of a round
	exchangeShort      = 64
	exchangeLong       = 4096
	exchangeInterval   = 250 * time.Millisecond // of short polls: long enough for idle times between them
	exchangeWait       = 30 * time.Second
	exchangeTopic      = "t"
)

// Exchange makes one exchange; the network is optional.
func Exchange(ctx context.Context, engine string, serve ServeCommand, variant Variant, network *Network) (account WireAccount, err error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeWait)
	defer cancel()
	x := exchange{variant: variant, engine: engine, serve: serve, network: network}
	account.Name = variant.String()
	if err := x.run(ctx, &account); err != nil {
		return account, fmt.Errorf("exchange over %s: %w", variant, err)
	}
	return account, nil
}

func (x *exchange) run(ctx context.Context, account *WireAccount) (err error) {
	if err := x.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.server.End(child.ExitTimeout)) }()
	defer x.close()
	before, err := x.reading()
	if err != nil {
		return err
	}
	if err := x.open(ctx, exchangeClients); err != nil {
		return err
	}
	connected, err := x.settled(ctx)
	if err != nil {
		return err
	}
	if err := x.converse(ctx); err != nil {
		return err
	}
	delivered, err := x.settled(ctx)
	if err != nil {
		return err
	}
	x.close()
	after, err := x.settled(ctx)
	account.Window, account.Whole = results.Minus(delivered, connected), results.Minus(after, before)
	return err
}

// start starts the server and the engine of the clients.
func (x *exchange) start(ctx context.Context) error {
	host, options := "127.0.0.1", child.Options{}
	if x.network != nil {
		host, options.Inside = x.network.Host, x.network.Inside
	}
	server, g, err := child.StartServer(ctx, x.serve(x.variant.transport, net.JoinHostPort(host, "0"), x.variant.secured), options)
	if err != nil {
		return err
	}
	x.server = server
	x.clients, err = engines.New(x.engine, client.Config{
		Target: g.Listening, Transport: x.variant.transport, Traffic: &x.traffic, TLS: g.TLS, NewConnection: x.variant.newConnection,
		Interval: exchangeInterval, Pacing: scenarios.FixedRate, PollTimeout: exchangeWait / 2,
	})
	if err != nil {
		return errors.Join(err, server.End(child.ExitTimeout))
	}
	return nil
}

// open connects clients until there are n.
func (x *exchange) open(ctx context.Context, n int) error {
	for c := len(x.sessions); c < n; c++ {
		sub := client.Subscription{
			Client: c, Worker: c % x.clients.Workers(), Topics: []string{exchangeTopic},
			Delivery: string(scenarios.Every), Publishes: c < exchangePublishers,
		}
		x.sessions = append(x.sessions, x.clients.Open(sub, &x.tally))
	}
	return x.tally.await(ctx, "clients connected", func(t counts) int { return t.connected }, n)
}

// converse publishes in rounds. Each round is delivered to all clients before the next.
func (x *exchange) converse(ctx context.Context) error {
	for range exchangeRounds {
		for range exchangeEach {
			size := exchangeShort
			if x.sent%16 == 15 {
				size = exchangeLong
			}
			data := payload.Append(nil, 1, x.sent, size)
			x.sessions[x.sent%exchangePublishers].Publish(x.sent, exchangeTopic, data)
			x.sent++
			if err := x.tally.await(ctx, "publications acknowledged", func(t counts) int { return t.acked }, int(x.sent)); err != nil {
				return err
			}
		}
		if err := x.tally.await(ctx, "messages delivered", func(t counts) int { return t.delivered }, int(x.sent)*exchangeClients); err != nil {
			return err
		}
	}
	return nil
}

// close ends all sessions; it may be called twice.
func (x *exchange) close() {
	for _, s := range x.sessions {
		s.Close()
	}
	x.sessions = nil
	x.clients.Close()
}

// reading reads all counters.
func (x *exchange) reading() (r WireSpan, err error) {
	r.Messages = int64(x.tally.now().delivered)
	r.Counted, r.TCP = x.traffic.Snapshot(), x.traffic.TCP()
	r.Counted.Up.Segments, r.Counted.Down.Segments = r.TCP.Up.Segments, r.TCP.Down.Segments
	if x.network != nil {
		r.Interface, err = x.network.Counters()
	}
	return r, err
}

// settleTime exceeds the longest delay of TCP itself: 40 ms for an acknowledgement.
const settleTime = 60 * time.Millisecond

// settled reads the counters until two consecutive readings are equal.
func (x *exchange) settled(ctx context.Context) (WireSpan, error) {
	last, err := x.reading()
	for err == nil {
		if !clock.Wait(ctx, clock.Now().Add(settleTime)) {
			return last, fmt.Errorf("wait until the counters are stable: %w", context.Cause(ctx))
		}
		before := last
		if last, err = x.reading(); last == before {
			break
		}
	}
	return last, err
}

// A counter is a sink that only counts.
type counter struct {
	mu sync.Mutex // guards what follows
	counts
}

type counts struct {
	connected, acked, delivered int
	failure                     string // the last failure
}

// Deliver counts messages.
func (t *counter) Deliver(_ int, b *client.Batch, _ clock.Instant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.delivered += len(b.Messages)
	if len(b.Gaps) > 0 {
		t.failure = "the server declared a gap"
	}
}

// Event counts connections and acknowledgements, and records a failure.
func (t *counter) Event(_ int, e client.Event, _ clock.Instant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.Kind {
	case client.Connected:
		t.connected++
	case client.Acked:
		t.acked++
	case client.Failed, client.Dropped, client.Disconnected:
		t.failure = e.Cause
	}
}

func (t *counter) now() counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

// await waits until a count is reached.
func (t *counter) await(ctx context.Context, what string, count func(counts) int, want int) error {
	for {
		now := t.now()
		switch got := count(now); {
		case now.failure != "":
			return fmt.Errorf("%s: %s", what, now.failure)
		case got >= want:
			return nil
		case !clock.Wait(ctx, clock.Now().Add(time.Millisecond)):
			return fmt.Errorf("%s: %d of %d: %w", what, got, want, context.Cause(ctx))
		}
	}
}

// WireRows compare the byte counts of clients and TCP, which must be equal.
func WireRows(accounts []WireAccount) (rows []Result) {
	for _, a := range accounts {
		rows = append(rows,
			Result{What: a.Name + ": bytes up", Unit: "B", Expected: float64(a.Whole.TCP.Up.Bytes), Measured: float64(a.Whole.Counted.Up.Bytes)},
			Result{What: a.Name + ": bytes down", Unit: "B", Expected: float64(a.Whole.TCP.Down.Bytes), Measured: float64(a.Whole.Counted.Down.Bytes)})
	}
	return rows
}
