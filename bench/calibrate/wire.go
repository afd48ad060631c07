package calibrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/bench/clock"
	"pushbench/bench/lab"
	"pushbench/bench/payload"
	"pushbench/results"
	"pushbench/results/metric"
	"pushbench/results/summary"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A ServeCommand is the argument list of a server of one transport that listens on
// host:port, over TLS or not, and is spoken to as Rig.Serve's is.
type ServeCommand func(transport scenarios.Transport, listen string, secured bool) []string

// A WireAccount is one exchange over real sockets, counted by up to three who do
// not know of each other: our clients, the kernel's TCP, and a network interface.
type WireAccount struct {
	Name     string
	Window   WireSpan // all clients were connected, and stayed
	Whole    WireSpan // from before the first connection until after the last
	Observed bool     // the interface counted, too
}

// A WireSpan is what was counted in a part of an exchange.
type WireSpan struct {
	Messages  int64 // deliveries
	Ours      results.Wire
	TCP       client.TCP
	Interface lab.Counters
}

// Wire exchanges messages over every transport on loopback, which any
// user may, and compares our count of bytes with TCP's: they must agree exactly.
func Wire(ctx context.Context, engine string, serve ServeCommand) ([]WireAccount, error) {
	return exchanges(engine, func(way wireWay) (WireAccount, error) {
		x := exchange{way: way, engine: engine, serve: serve}
		return x.run(ctx)
	})
}

// WireOnInterface does the same with the server in a network namespace
// of its own, so that the interface on the way to it counts all that crosses, too.
// It needs root.
//
// What TCP sends twice the interface counts twice, and nobody at the clients' end
// knows of it. There is nothing to lose on such a link, but a machine that is busy
// can be late with an acknowledgement; such an exchange is made again.
func WireOnInterface(ctx context.Context, engine string, serve ServeCommand) ([]WireAccount, error) {
	return exchanges(engine, func(way wireWay) (account WireAccount, err error) {
		const attempts = 5
		for range attempts {
			account, err = exchangeOnInterface(ctx, way, engine, serve)
			if !errors.Is(err, errResent) {
				break
			}
		}
		return account, err
	})
}

// errResent says that an exchange cannot be compared.
var errResent = errors.New("TCP sent some segments again: the machine is too busy to compare with an interface")

func exchangeOnInterface(ctx context.Context, way wireWay, engine string, serve ServeCommand) (account WireAccount, err error) {
	link, err := lab.NewLink()
	if err != nil {
		return account, err
	}
	defer func() { err = errors.Join(err, link.Close()) }()
	x := exchange{way: way, engine: engine, serve: serve, link: link}
	if account, err = x.run(ctx); err != nil {
		return account, err
	}
	account.Observed = true
	resent, err := link.Resent()
	if err == nil && resent+account.Whole.TCP.Up.Again > 0 {
		err = errResent
	}
	return account, err
}

// A wireWay is a transport in one of its settings.
type wireWay struct {
	transport     scenarios.Transport
	newConnection bool
	secured       bool // by TLS
}

func (w wireWay) String() string {
	name := string(w.transport)
	if w.newConnection {
		name += ", new connections"
	}
	if w.secured {
		name += ", TLS"
	}
	return name
}

// exchanges runs one exchange for every way that an engine has.
func exchanges(engine string, run func(wireWay) (WireAccount, error)) (accounts []WireAccount, err error) {
	for _, transport := range scenarios.ClientOpened {
		ways := []wireWay{{transport: transport}}
		if transports.Of(transport).Polls {
			ways = append(ways, wireWay{transport: transport, newConnection: true})
		}
		if engine == engines.Goroutine {
			for _, plain := range slices.Clone(ways) {
				ways = append(ways, wireWay{plain.transport, plain.newConnection, true})
			}
		}
		for _, way := range ways {
			account, err := run(way)
			if err != nil {
				return nil, fmt.Errorf("exchange over %s: %w", way, err)
			}
			accounts = append(accounts, account)
		}
	}
	return accounts, nil
}

// An exchange is small and closed-loop: what is counted in it depends on no clock.
type exchange struct {
	way    wireWay
	engine string
	serve  ServeCommand
	link   *lab.Link // whose interface counts; nil: loopback

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

func (x *exchange) run(ctx context.Context) (account WireAccount, err error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeWait)
	defer cancel()
	account.Name = x.way.String()
	if err := x.start(); err != nil {
		return account, err
	}
	defer func() { err = errors.Join(err, x.server.End(child.EndWait)) }()
	before, err := x.reading()
	if err != nil {
		return account, err
	}
	if err := x.dial(ctx); err != nil {
		return account, err
	}
	defer x.close()
	if err := x.open(ctx, exchangeClients); err != nil {
		return account, err
	}
	connected, err := x.quiet(ctx)
	if err != nil {
		return account, err
	}
	if err := x.talk(ctx); err != nil {
		return account, err
	}
	said, err := x.quiet(ctx)
	if err != nil {
		return account, err
	}
	x.close()
	after, err := x.quiet(ctx)
	account.Window, account.Whole = results.Minus(said, connected), results.Minus(after, before)
	return account, err
}

// start starts the server.
func (x *exchange) start() (err error) {
	listen, options := "127.0.0.1:0", child.Options{}
	if x.link != nil {
		listen, options.Inside = net.JoinHostPort(x.link.Theirs.String(), "0"), x.link.Inside
	}
	x.server, err = child.Start(child.Server, x.serve(x.way.transport, listen, x.way.secured), options)
	return err
}

// dial makes the clients' engine, once the server says where it listens.
func (x *exchange) dial(ctx context.Context) error {
	g, err := x.server.AwaitGreeting(ctx)
	if err != nil {
		return err
	}
	secured, err := child.TLSConfig(g.Certificate)
	if err != nil {
		return err
	}
	x.clients, err = engines.New(x.engine, client.Config{
		Target: g.Listening, Transport: x.way.transport, Traffic: &x.traffic, TLS: secured, NewConnection: x.way.newConnection,
		Interval: exchangeInterval, Pacing: scenarios.FixedRate, Hold: exchangeWait / 2,
	})
	return err
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
	if x.clients != nil {
		x.clients.Close()
	}
}

// reading reads all counters.
func (x *exchange) reading() (r WireSpan, err error) {
	r.Messages = int64(x.heard.now().delivered)
	r.Ours, r.TCP = x.traffic.Snapshot(), x.traffic.TCP()
	r.Ours.Up.Segments, r.Ours.Down.Segments = r.TCP.Up.Segments, r.TCP.Down.Segments
	if x.link != nil {
		r.Interface, err = x.link.Counters()
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

// WireRows are the comparisons that the accounts allow: exact ones with TCP's
// count, and within 1 % with an interface's, for the metric that a report prints.
func WireRows(accounts []WireAccount) (rows []Row) {
	for _, a := range accounts {
		rows = append(rows,
			Row{What: a.Name + ": bytes up", Unit: "B", Theory: float64(a.Whole.TCP.Up.Bytes), Measured: float64(a.Whole.Ours.Up.Bytes)},
			Row{What: a.Name + ": bytes down", Unit: "B", Theory: float64(a.Whole.TCP.Down.Bytes), Measured: float64(a.Whole.Ours.Down.Bytes)})
		if a.Observed {
			rows = append(rows, a.Window.interfaceRow(a.Name), a.Whole.interfaceRow(a.Name+", whole"))
		}
	}
	return rows
}

// interfaceRow compares with the interface what each delivered message puts on
// the wire, headers of TCP and IP included.
func (s WireSpan) interfaceRow(name string) Row {
	known := s.onInterface() - s.ethernet()
	measured := summary.Measure(metric.PacketBytesPerMessage, results.Trial{Cost: results.Cost{Delivered: s.Messages, Wire: s.Ours}})
	return Row{What: name + ": bytes on an interface", Unit: "B/msg", Theory: known, Measured: measured.X, Tolerance: percent(1, known)}
}

func (s WireSpan) each(n int64) float64 { return float64(n) / float64(s.Messages) }

// onInterface is what the interface counted for each message.
func (s WireSpan) onInterface() float64 { return s.each(s.Interface.Up.Bytes + s.Interface.Down.Bytes) }

// ethernet is what of it is Ethernet's.
func (s WireSpan) ethernet() float64 {
	return s.each(lab.EthernetHeader * (s.Interface.Up.Packets + s.Interface.Down.Packets))
}

// WireTable writes what each message put on the wire by each count, and what
// stands between them: headers and handshakes.
func WireTable(w io.Writer, accounts []WireAccount) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "B/msg\tpayload\tenvelope\tframing\tHTTP headers\tours\tTCP_INFO\tTCP/IP headers\thandshakes\tEthernet\tsum\tinterface\tdifference\t")
	for _, a := range accounts {
		for _, part := range []struct {
			name string
			span WireSpan
		}{{"connected", a.Window}, {"whole", a.Whole}} {
			fmt.Fprintf(t, "%s: %s\t", a.Name, part.name)
			part.span.write(t, a.Observed)
		}
	}
	return t.Flush()
}

func (s WireSpan) write(w io.Writer, observed bool) {
	up, down := s.Ours.Up, s.Ours.Down
	headers := s.each(summary.SegmentHeader * (up.Segments + down.Segments))
	handshakes := s.each(summary.HandshakeOptions * s.Ours.Dials)
	sum := s.each(s.Ours.Bytes()) + headers + handshakes + s.ethernet()
	for _, n := range []int64{up.Payload + down.Payload, up.Envelope + down.Envelope, up.Framing + down.Framing, up.Headers + down.Headers, s.Ours.Bytes(), s.TCP.Up.Bytes + s.TCP.Down.Bytes} {
		fmt.Fprintf(w, "%.1f\t", s.each(n))
	}
	if !observed {
		fmt.Fprintf(w, "%.1f\t%.1f\t\t\t\t\t\n", headers, handshakes)
		return
	}
	known := s.onInterface()
	fmt.Fprintf(w, "%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%+.2f %%\t\n", headers, handshakes, s.ethernet(), sum, known, 100*(sum-known)/known)
}
