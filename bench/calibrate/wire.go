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

// A ServeCommand is the argument list of a server of one transport that listens on
// host:port, over TLS or not, and is spoken to as Rig.Serve's is.
type ServeCommand func(transport scenarios.Transport, listen string, secured bool) []string

// A WireAccount is one exchange over real sockets, counted by up to three who do
// not know of each other: our clients, the kernel's TCP, and a network interface.
type WireAccount struct {
	Name   string
	Window WireSpan // all clients were connected, and stayed
	Whole  WireSpan // from before the first connection until after the last
}

// A WireSpan is what was counted in a part of an exchange.
type WireSpan struct {
	Messages  int64 // deliveries
	Ours      results.Wire
	TCP       client.TCP
	Interface Counters // zero without a Network
}

// Counters are what crossed a network interface: whole Ethernet frames, headers included.
type Counters struct {
	Up, Down Frames // up: to the server
}

// Frames are those of one direction.
type Frames struct{ Bytes, Packets int64 }

// A Network is where the server of an exchange runs, and an interface on the way to it.
type Network struct {
	Host     string                         // address to listen on
	Inside   func(start func() error) error // calls start where the server is to run
	Counters func() (Counters, error)       // reads the interface
}

// Wire exchanges messages over every transport on loopback, which any
// user may, and compares our count of bytes with TCP's: they must agree exactly.
func Wire(ctx context.Context, engine string, serve ServeCommand) (accounts []WireAccount, err error) {
	for _, way := range Ways(engine) {
		account, err := Exchange(ctx, engine, serve, way, nil)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, account)
	}
	return accounts, nil
}

// A Way is a transport in one of its settings.
type Way struct {
	transport     scenarios.Transport
	newConnection bool
	secured       bool // by TLS
}

func (w Way) String() string {
	name := string(w.transport)
	if w.newConnection {
		name += ", new connections"
	}
	if w.secured {
		name += ", TLS"
	}
	return name
}

// Ways are all that an engine has.
func Ways(engine string) (all []Way) {
	for _, transport := range scenarios.ClientOpened {
		ways := []Way{{transport: transport}}
		if transports.Of(transport).Polls {
			ways = append(ways, Way{transport: transport, newConnection: true})
		}
		if engine == engines.Goroutine {
			for _, plain := range slices.Clone(ways) {
				ways = append(ways, Way{plain.transport, plain.newConnection, true})
			}
		}
		all = append(all, ways...)
	}
	return all
}

// An exchange is small and closed-loop: what is counted in it depends on no clock.
type exchange struct {
	way     Way
	engine  string
	serve   ServeCommand
	network *Network // nil: loopback

	server   *child.Process
	traffic  client.Traffic
	clients  client.Engine
	sessions []client.Session
	heard    tally
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
	exchangeInterval   = 250 * time.Millisecond // of short polls: between two, all is quiet
	exchangeWait       = 30 * time.Second
	exchangeTopic      = "t"
)

// Exchange makes one exchange; the network is optional.
func Exchange(ctx context.Context, engine string, serve ServeCommand, way Way, network *Network) (account WireAccount, err error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeWait)
	defer cancel()
	x := exchange{way: way, engine: engine, serve: serve, network: network}
	account.Name = way.String()
	if err := x.run(ctx, &account); err != nil {
		return account, fmt.Errorf("exchange over %s: %w", way, err)
	}
	return account, nil
}

func (x *exchange) run(ctx context.Context, account *WireAccount) (err error) {
	if err := x.start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.server.End(child.EndWait)) }()
	defer x.close()
	before, err := x.reading()
	if err != nil {
		return err
	}
	if err := x.open(ctx, exchangeClients); err != nil {
		return err
	}
	connected, err := x.quiet(ctx)
	if err != nil {
		return err
	}
	if err := x.talk(ctx); err != nil {
		return err
	}
	said, err := x.quiet(ctx)
	if err != nil {
		return err
	}
	x.close()
	after, err := x.quiet(ctx)
	account.Window, account.Whole = results.Minus(said, connected), results.Minus(after, before)
	return err
}

// start starts the server, and makes the clients' engine.
func (x *exchange) start(ctx context.Context) error {
	host, options := "127.0.0.1", child.Options{}
	if x.network != nil {
		host, options.Inside = x.network.Host, x.network.Inside
	}
	server, g, err := child.StartServer(ctx, x.serve(x.way.transport, net.JoinHostPort(host, "0"), x.way.secured), options)
	if err != nil {
		return err
	}
	x.server = server
	x.clients, err = engines.New(x.engine, client.Config{
		Target: g.Listening, Transport: x.way.transport, Traffic: &x.traffic, TLS: g.TLS, NewConnection: x.way.newConnection,
		Interval: exchangeInterval, Pacing: scenarios.FixedRate, PollTimeout: exchangeWait / 2,
	})
	if err != nil {
		return errors.Join(err, server.End(child.EndWait))
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
		x.sessions = append(x.sessions, x.clients.Open(sub, &x.heard))
	}
	return x.heard.await(ctx, "clients connected", func(t tallied) int { return t.connected }, n)
}

// talk publishes in rounds, each of which is heard by all before the next begins.
func (x *exchange) talk(ctx context.Context) error {
	for range exchangeRounds {
		for range exchangeEach {
			size := exchangeShort
			if x.sent%16 == 15 {
				size = exchangeLong
			}
			data := payload.Append(nil, 1, x.sent, size)
			x.sessions[x.sent%exchangePublishers].Publish(x.sent, exchangeTopic, data)
			x.sent++
			if err := x.heard.await(ctx, "publications acknowledged", func(t tallied) int { return t.acked }, int(x.sent)); err != nil {
				return err
			}
		}
		if err := x.heard.await(ctx, "messages delivered", func(t tallied) int { return t.delivered }, int(x.sent)*exchangeClients); err != nil {
			return err
		}
	}
	return nil
}

// close ends all sessions; it may be called again.
func (x *exchange) close() {
	for _, s := range x.sessions {
		s.Close()
	}
	x.sessions = nil
	x.clients.Close()
}

// reading reads all counters.
func (x *exchange) reading() (r WireSpan, err error) {
	r.Messages = int64(x.heard.now().delivered)
	r.Ours, r.TCP = x.traffic.Snapshot(), x.traffic.TCP()
	r.Ours.Up.Segments, r.Ours.Down.Segments = r.TCP.Up.Segments, r.TCP.Down.Segments
	if x.network != nil {
		r.Interface, err = x.network.Counters()
	}
	return r, err
}

// quietFor is longer than what TCP holds back by itself: an acknowledgement, at most 40 ms.
const quietFor = 60 * time.Millisecond

// quiet is a reading while nothing is under way: two in a row that are the same.
func (x *exchange) quiet(ctx context.Context) (WireSpan, error) {
	last, err := x.reading()
	for err == nil {
		if !clock.Wait(ctx, clock.Now().Add(quietFor)) {
			return last, fmt.Errorf("waited for a quiet moment: %w", context.Cause(ctx))
		}
		before := last
		if last, err = x.reading(); last == before {
			break
		}
	}
	return last, err
}

// A tally is a sink that only counts.
type tally struct {
	mu sync.Mutex // guards what follows
	tallied
}

type tallied struct {
	connected, acked, delivered int
	trouble                     string // the first thing that went wrong
}

// Deliver counts messages.
func (t *tally) Deliver(_ int, b *client.Batch, _ clock.Instant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.delivered += len(b.Messages)
	if len(b.Gaps) > 0 {
		t.trouble = "the server declared a gap"
	}
}

// Event counts what went right, and keeps what did not.
func (t *tally) Event(_ int, e client.Event, _ clock.Instant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.Kind {
	case client.Connected:
		t.connected++
	case client.Acked:
		t.acked++
	case client.Failed, client.Dropped, client.Disconnected:
		t.trouble = e.Cause
	}
}

func (t *tally) now() tallied {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tallied
}

// await waits until a count is reached.
func (t *tally) await(ctx context.Context, what string, count func(tallied) int, want int) error {
	for {
		now := t.now()
		switch got := count(now); {
		case now.trouble != "":
			return fmt.Errorf("%s: %s", what, now.trouble)
		case got >= want:
			return nil
		case !clock.Wait(ctx, clock.Now().Add(time.Millisecond)):
			return fmt.Errorf("%s: %d of %d: %w", what, got, want, context.Cause(ctx))
		}
	}
}

// WireRows compare our count of bytes with TCP's, which must be the same.
func WireRows(accounts []WireAccount) (rows []Result) {
	for _, a := range accounts {
		rows = append(rows,
			Result{What: a.Name + ": bytes up", Unit: "B", Expected: float64(a.Whole.TCP.Up.Bytes), Measured: float64(a.Whole.Ours.Up.Bytes)},
			Result{What: a.Name + ": bytes down", Unit: "B", Expected: float64(a.Whole.TCP.Down.Bytes), Measured: float64(a.Whole.Ours.Down.Bytes)})
	}
	return rows
}
