package selftest

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/bench/clock"
	"pushbench/bench/model"
	"pushbench/bench/relay"
	"pushbench/bench/trace"
	"pushbench/results"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// wireChecks compare the counters of clients with an independent reader of the wire.
var wireChecks = []check{
	{name: "bytes", title: "clients count the same bytes and requests as a relay between client and server", run: wireBytes},
	{name: "frames", title: "WebSocket frames have the headers of RFC 6455, section 5.2", run: frames},
	{name: "retries", title: "a request without a response is reported, and never retried without being counted", run: retries},
}

// A clientGroup is a group of clients of one transport, connected to a server, usually
// through a relay.
type clientGroup struct {
	server   *child.Process
	relay    *relay.Relay // nil: none
	engine   client.Engine
	traffic  client.Traffic
	observer observer
	sessions []client.Session
}

func (l *lab) connect(transport scenarios.Transport, clients int, config client.Config, relayed bool) (g *clientGroup, err error) {
	g = &clientGroup{}
	defer func() {
		if err != nil { // else it would disturb checks that need an idle machine
			g.close()
		}
	}()
	config.Transport, config.Traffic = transport, &g.traffic
	if g.server, config.Target, err = l.serve(string(transport)); err != nil {
		return nil, err
	}
	if relayed {
		if g.relay, err = relay.Start(config.Target, nil); err != nil {
			return nil, err
		}
		config.Target = g.relay.Addr
	}
	if g.engine, err = engines.New(l.options.Engine, config); err != nil {
		return nil, err
	}
	for c := range clients {
		g.sessions = append(g.sessions, g.engine.Open(client.Subscription{
			Client: c, Worker: c % g.engine.Workers(), Topics: []string{"a"}, Publishes: true, Phase: float64(c) / float64(clients),
		}, &g.observer))
	}
	return g, eventually(func() bool { return g.observer.subscribed.Load() == int64(clients) })
}

// close ends the sessions, the engine, the relay and the server.
func (g *clientGroup) close() {
	for _, s := range g.sessions {
		s.Close()
	}
	if g.engine != nil {
		g.engine.Close()
	}
	if g.relay != nil {
		g.relay.Close()
	}
	if g.server != nil {
		_ = g.server.End(child.ExitTimeout) // its exit status does not matter
	}
}

// An observer counts the events of its sessions.
type observer struct{ subscribed, messages, acked, broken atomic.Int64 }

func (w *observer) Deliver(_ int, b *client.Batch, _ clock.Instant) {
	w.messages.Add(int64(len(b.Messages)))
}

func (w *observer) Event(_ int, e client.Event, _ clock.Instant) {
	switch {
	case e.Kind == client.Connected && !e.Stages.Resume:
		w.subscribed.Add(1)
	case e.Kind == client.Acked:
		w.acked.Add(1)
	case e.Kind == client.Disconnected:
		w.broken.Add(1)
	}
}

// echoed waits until a number of messages has been published and delivered to each session.
func (g *clientGroup) echoed(published int) error {
	return eventually(func() bool {
		return g.observer.messages.Load() == int64(len(g.sessions)*published) && g.observer.acked.Load() == int64(published)
	})
}

// wireBytes exchanges messages of many sizes between three clients of each transport.
func wireBytes(l *lab) ([]Result, error) { return each(scenarios.ClientOpened, l.wireBytesOf) }

func (l *lab) wireBytesOf(transport scenarios.Transport) ([]Result, error) {
	const clients = 3
	g, err := l.connect(transport, clients, client.Config{Interval: 20 * time.Millisecond, PollTimeout: 200 * time.Millisecond}, true)
	if err != nil {
		return nil, err
	}
	defer g.close()
	published, payloads := 0, 0
	for _, size := range []int{0, 1, 64, 125, 126, 1000, 10_000, 60_000} {
		for _, s := range g.sessions {
			s.Publish(uint32(published), "a", bytes.Repeat([]byte("x"), size))
			published, payloads = published+1, payloads+size
		}
	}
	if err := g.echoed(published); err != nil {
		return nil, err
	}
	for _, s := range g.sessions {
		s.Close()
	}
	up, down, requests := g.settled()
	w := g.traffic.Snapshot()
	return prefixed(string(transport),
		exactly("bytes up", up, w.Up.Bytes),
		// A client that disconnects may leave the last bytes of the server unread.
		between(fmt.Sprintf("bytes down at the relay (up to %d B per client stay unread)", unreadMax), "", float64(w.Down.Bytes), float64(w.Down.Bytes)+unreadMax*clients, float64(down)),
		exactly("requests", requests, w.Requests),
		exactly("payload up", int64(payloads), w.Up.Payload),
		exactly("payload down", int64(clients*payloads), w.Down.Payload),
		exactly("bytes up = payload + envelope + framing + headers", w.Up.Bytes, w.Up.Payload+w.Up.Envelope+w.Up.Framing+w.Up.Headers),
		exactly("bytes down = payload + envelope + framing + headers", w.Down.Bytes, w.Down.Payload+w.Down.Envelope+w.Down.Framing+w.Down.Headers)), nil
}

// unreadMax is the number of bytes that a client may leave unread per connection: one response.
const unreadMax = 300

// settled waits until the relay has read all bytes that clients wrote. On a timeout the
// rows fail.
func (g *clientGroup) settled() (up, down, requests int64) {
	_ = eventually(func() bool {
		up, down = g.relay.Bytes()
		return up == g.traffic.Snapshot().Up.Bytes
	})
	return up, down, g.relay.Requests()
}

// eventually waits for a condition until the read timeout.
func eventually(done func() bool) error {
	ticker, limit := time.NewTicker(time.Millisecond), time.After(readTimeout)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ticker.C:
		case <-limit:
			return fmt.Errorf("no response within %v", readTimeout)
		}
	}
	return nil
}

// frames publishes messages of sizes around the limits and reads their frames on the wire.
func frames(l *lab) (rows []Result, err error) {
	g, err := l.connect(transports.WebSocket, 1, client.Config{}, true)
	if err != nil {
		return nil, err
	}
	defer g.close()
	sizes := []int{125, 126, 65535, 65536}
	for i, size := range sizes {
		around := len(fmt.Sprintf(`{"id":%d,"topic":"a","data":""}`, i))
		before := g.traffic.Snapshot()
		g.sessions[0].Publish(uint32(i), "a", bytes.Repeat([]byte("x"), size-around))
		if err := g.echoed(i + 1); err != nil {
			return rows, err
		}
		after := g.traffic.Snapshot()
		rows = append(rows, exactly(fmt.Sprintf("header of a masked frame of %d bytes", size),
			int64(model.FrameHeader(size, true)), after.Up.Framing-before.Up.Framing))
	}
	g.sessions[0].Close()
	g.settled()
	// Package trace parses frames independently of the client that wrote these.
	var up, down []trace.Step
	for _, step := range trace.Read("frames", g.relay.Conversations(), nil).Steps {
		switch step.Kind {
		case trace.Up:
			up = append(up, step)
		case trace.Down:
			down = append(down, step)
		}
	}
	headers := up[1:] // after the request
	if rows = append(rows, exactly("frames on the wire, including the close frame", len(sizes)+1, len(headers))); len(headers) != len(sizes)+1 {
		return rows, nil
	}
	for i, size := range sizes {
		rows = append(rows, exactly(fmt.Sprintf("header on the wire, frame of %d bytes", size), model.FrameHeader(size, true), headers[i].Bytes-size))
	}
	return append(rows,
		exactly("smallest response to an upgrade", 129, down[0].Bytes),
		exactly("close frame of 2 bytes, masked", model.FrameHeader(2, true), headers[len(sizes)].Bytes-2)), nil
}

// retries resets every tenth request: the relay must see as many requests as clients count.
func retries(l *lab) ([]Result, error) {
	return each([]scenarios.Transport{transports.ShortPoll, transports.LongPoll}, func(transport scenarios.Transport) ([]Result, error) {
		g, err := l.connect(transport, 4, client.Config{Interval: 5 * time.Millisecond, PollTimeout: 5 * time.Millisecond}, true)
		if err != nil {
			return nil, err
		}
		defer g.close()
		g.relay.Refuse(10)
		const enough = 50
		err = eventually(func() bool { return g.relay.Resets() >= enough })
		g.relay.Refuse(0)
		if err != nil {
			return nil, err
		}
		_ = eventually(func() bool { return g.observer.broken.Load() >= g.relay.Resets() }) // on a timeout the rows fail
		for _, s := range g.sessions {
			s.Close()
		}
		_, _, requests := g.settled()
		return []Result{
			exactly(string(transport)+" requests on the wire", requests, g.traffic.Requests.Load()),
			exactly(string(transport)+" failures reported", g.relay.Resets(), g.observer.broken.Load()),
		}, nil
	})
}

// lossless checks that a trial delivered every expected message.
func lossless(t results.Trial) Result { return exactly(t.Transport+" lost", 0, t.Ledger.Lost) }
