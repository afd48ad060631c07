package client

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"pushbench/bench/clock"
	"pushbench/scenarios"
)

// Agent names the tool in every request.
const Agent = "pushbench"

// Config says whom the clients of an engine talk to, and how.
type Config struct {
	Target    string // host:port
	Workers   int    // threads that serve sessions; default: one for each core that this process may use
	Transport scenarios.Transport
	Traffic   *Traffic    // where bytes are counted; required
	TLS       *tls.Config // what connections are secured with; nil: nothing. Event loops have none

	Interval      time.Duration    // short polling: between polls
	Pacing        scenarios.Pacing // short polling
	Hold          time.Duration    // long polling: how long the server may hold a poll
	NewConnection bool             // polling: a TCP connection for every poll
	InFlight      int              // publishes a session may have waiting or unanswered; default 4096
	Patience      time.Duration    // how long a client that waits for something hears nothing before it takes its connection for dead; 0: for ever
	Head          int              // bytes of a client's request head, which is filled up to it; 0: as it is
	Link          Link             // how far the clients are from the server; default: loopback

	Host   func(client int) netip.Addr   // the address that a client connects from; nil: any. A backend has none
	Beside func(open func() error) error // has a backend's sockets made where it stands; default: here, as all others

	// Receive is where a client listens for what the server posts, and under which address
	// the server is to find it, "" being the same; default: a port of this machine's own.
	Receive func(client int) (listen, known string)
}

const defaultInFlight = 4096

func (c *Config) setDefaults() {
	if c.InFlight == 0 {
		c.InFlight = defaultInFlight
	}
	if c.Workers == 0 {
		c.Workers = runtime.NumCPU()
	}
	if c.TLS != nil && c.TLS.ServerName == "" {
		c.TLS = c.TLS.Clone()
		c.TLS.ServerName, _, _ = net.SplitHostPort(c.Target) // what is no host and port is refused when it is dialled
	}
}

// Goroutines returns the engine that gives every session a goroutine of its
// own, on gorilla/websocket and fasthttp's codec. A session with no topics only
// publishes, and may be opened against any server.
func Goroutines(config Config) Transport {
	config.setDefaults()
	return &engine{Config: config}
}

type engine struct {
	Config
	pacing       sync.WaitGroup
	writeBuffers sync.Pool // of gorilla's, shared by all sockets
}

func (e *engine) Open(sub Subscription, sink Sink) Session {
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{subscriber: newSubscriber(&e.Config, sub, sink, new(reader)), engine: e, over: e.distance(sub, wayDown), cancel: cancel}
	switch {
	case e.Transport == scenarios.WebSocket && !sub.backend():
		socket := &socket{session: s}
		s.up = &outbox{session: s, send: socket.send, online: socket.online}
		s.start(ctx, socket.serve)
	case len(sub.Topics) == 0:
		s.up = newPoster(ctx, s)
	default:
		if sub.Publishes {
			s.up = newPoster(ctx, s)
		}
		s.start(ctx, s.receiver())
	}
	return s
}

// Workers are Go's scheduler's.
func (e *engine) Workers() int { return e.Config.Workers }

// Pace gives a feed a goroutine of its own: see clock.Sharpen.
func (e *engine) Pace(_ int, feed Feed) { pace(&e.pacing, feed) }

// pace publishes what a feed gives, when it is due, in a goroutine that wait waits for.
func pace(wait *sync.WaitGroup, feed Feed) {
	wait.Go(func() {
		clock.Sharpen()
		for {
			due, ok := feed.Next()
			now := clock.Now()
			switch {
			case !ok:
				return
			case due > now:
				clock.SleepUntil(min(due, now.Add(feedCheck)))
			default:
				p := feed.Take()
				p.Session.Publish(p.ID, p.Topic, p.Payload)
			}
		}
	})
}

func (e *engine) Close() { e.pacing.Wait() }

// feedCheck is how long a feed may go without being asked whether it has ended.
const feedCheck = 100 * time.Millisecond

// receiver is the way down of the transports that are plain HTTP.
func (s *session) receiver() func(context.Context) error {
	switch s.engine.Transport {
	case scenarios.SSE:
		return (&stream{session: s}).serve
	case scenarios.Webhook:
		return (&receiver{session: s}).serve
	default:
		return (&poller{session: s, beat: beat{every: s.engine.Interval}}).serve
	}
}

// A session keeps one client subscribed until it is closed.
type session struct {
	subscriber
	engine *engine
	over   distance // of the way down
	up     *outbox
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (s *session) Publish(id uint32, topic string, payload []byte) {
	s.up.push(id, topic, payload)
}

func (s *session) Close() {
	if s.up != nil {
		s.up.shut()
	}
	s.cancel()
	s.done.Wait()
	if s.up != nil {
		s.up.close()
	}
}

// head is the size of a request's head; a backend's is as it is.
func (s *session) head() int {
	if s.sub.backend() {
		return 0
	}
	return s.engine.Head
}

// opened notes when the stages of a connection ended that are not its requests'.
func (s *session) opened(c *conn) {
	s.stages.TCP = c.opened.Sub(s.dialled)
	if c.secured != 0 {
		s.stages.TLS = c.secured.Sub(s.dialled)
	}
}

// start runs serve, which connects and works until the connection ends, again
// and again until the session is closed. Each time it ends, and each attempt, is told.
func (s *session) start(ctx context.Context, serve func(context.Context) error) {
	s.done.Go(func() {
		for attempt := 0; ; attempt++ {
			s.connecting(clock.Now())
			err := serve(ctx)
			if ctx.Err() != nil {
				return
			}
			s.tell(Event{Kind: Disconnected, Cause: cause(err)}, clock.Now())
			if s.ready {
				attempt = 0
			}
			if !pause(ctx, backOff(attempt)) {
				return
			}
			s.traffic.Reconnects.Add(1)
		}
	})
}

// pause waits, and says whether it waited to the end.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
