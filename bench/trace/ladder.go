package trace

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/bench/clock"
	"pushbench/bench/relay"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A Ladder is an experiment with one client: it connects and waits, a backend publishes a
// message, and the client publishes one itself, all of it through a relay that keeps every
// byte. Nothing of it is a figure: a relay and one message say how a transport works, not how
// fast it is.
type Ladder struct {
	Engine      string
	Serve       func(transport scenarios.Transport, listen string) []string // argument list of a server
	Interval    time.Duration                                               // of short polling
	PollTimeout time.Duration                                               // of long polling
	Quiet       time.Duration                                               // from being subscribed until the message is published
}

// The messages of a ladder, and how long any of it may take.
const (
	ladderTopic = "news"
	ladderFirst = "something happened at the server, which nobody has asked for"
	ladderOwn   = "something that the client has to say to all who listen to it"
	ladderWait  = 10 * time.Second
)

// Do runs the experiment over one transport. Of what the client counted by itself, the relay
// must have seen as much: else it is an error.
func (l Ladder) Do(ctx context.Context, transport scenarios.Transport) (t Trace, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.Quiet+l.PollTimeout+2*l.Interval+ladderWait)
	defer cancel()
	server, greeting, err := child.StartServer(ctx, l.Serve(transport, "127.0.0.1:0"), child.Options{})
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, server.End(child.EndWait)) }()
	between, err := relay.Start(greeting.Listening)
	if err != nil {
		return t, err
	}
	defer between.Close()
	one := new(climber)
	traffic := new(client.Traffic)
	if err := l.climb(ctx, transport, greeting.Listening, between, traffic, one); err != nil {
		return t, fmt.Errorf("trace %s: %w", transport, err)
	}
	// The client's goodbye may be on the way to the relay; what is missing in the end is reported.
	for limit := clock.Now().Add(child.EndWait); clock.Now() < limit; {
		if up, _ := between.Bytes(); up >= traffic.Snapshot().Up.Bytes || !clock.Wait(ctx, clock.Now().Add(pollEvery)) {
			break
		}
	}
	between.Close()
	one.mu.Lock()
	defer one.mu.Unlock()
	t = Read(string(transport), between.Conversations(), one.notes)
	if w := traffic.Snapshot(); w.Up.Bytes != t.Up || !t.Heard(w.Down.Bytes) || w.Requests != int64(t.Requests) {
		return t, fmt.Errorf("trace %s: the client counted %d B up, %d B down and %d requests, but %s crossed", transport, w.Up.Bytes, w.Down.Bytes, w.Requests, t.Summary())
	}
	return t, nil
}

// pollEvery is how often a state that nothing announces is looked at.
const pollEvery = time.Millisecond

// climb has the client and the backend do their parts.
func (l Ladder) climb(ctx context.Context, transport scenarios.Transport, server string, between *relay.Relay, traffic *client.Traffic, one *climber) error {
	clients, err := engines.New(l.Engine, client.Config{
		Target: between.Addr, Workers: 1, Transport: transport, Traffic: traffic,
		Interval: l.Interval, Pacing: scenarios.FixedRate, PollTimeout: l.PollTimeout,
	})
	if err != nil {
		return err
	}
	defer clients.Close()
	backends, err := engines.New(l.Engine, client.Config{Target: server, Workers: 1, Transport: transport, Traffic: new(client.Traffic)})
	if err != nil {
		return err
	}
	defer backends.Close()
	backend := backends.Open(client.Subscription{Client: 1}, one)
	defer backend.Close()
	session := clients.Open(client.Subscription{Client: 0, Topics: []string{ladderTopic}, Delivery: string(scenarios.Every), Publishes: true}, one)
	defer session.Close()
	if err := one.until(ctx, "being subscribed", func() bool { return one.subscribed && one.ready }); err != nil {
		return err
	}
	select {
	case <-time.After(l.Quiet):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	one.note(Note{AtServer: true, Text: "a backend publishes a message"})
	backend.Publish(1, ladderTopic, []byte(ladderFirst))
	if err := one.until(ctx, "the message", func() bool { return one.heard >= 1 }); err != nil {
		return err
	}
	one.note(Note{Text: "the client publishes a message of its own"})
	session.Publish(2, ladderTopic, []byte(ladderOwn))
	if err := one.until(ctx, "the client's own message", func() bool { return one.heard >= 2 && one.acked }); err != nil {
		return err
	}
	// The relay has read every request that the client counts, among them the poll that a
	// long-polling client sends at once: closing beside it would count a request of which
	// nothing was sent.
	return one.until(ctx, "the next poll", func() bool {
		w := traffic.Snapshot()
		return between.Requests() == w.Requests && (!transports.Of(transport).Holds || w.Polls > one.answered)
	})
}

// A climber is the sink of both, and keeps what happens at either end.
type climber struct {
	mu                sync.Mutex // guards what follows
	subscribed, ready bool       // the client, the backend
	acked             bool
	heard             int
	answered          int64 // answers that the client received, with a message or without
	notes             []Note
	failed            error
}

// Deliver implements client.Sink.
func (c *climber) Deliver(who int, b *client.Batch, _ clock.Instant) {
	if who != 0 || len(b.Messages) == 0 {
		return
	}
	c.note(Note{Text: "the client has it: " + strings.TrimSpace(brief(string(b.Messages[0].Data)))})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answered++
	c.heard += len(b.Messages)
}

// brief is the beginning of a message.
func brief(s string) string {
	const most = 24
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// Event implements client.Sink.
func (c *climber) Event(who int, e client.Event, _ clock.Instant) {
	if e.Kind == client.Connected && who == 0 {
		c.note(Note{Text: "the client is subscribed"})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case e.Kind == client.Polled && who == 0:
		c.answered++
	case e.Kind == client.Connected && who == 0:
		c.subscribed = true
	case e.Kind == client.Connected:
		c.ready = true
	case e.Kind == client.Acked && who == 0:
		c.acked = true
	case e.Kind == client.Disconnected || e.Kind == client.Failed || e.Kind == client.Dropped:
		c.failed = errors.New(e.Cause)
	}
}

// note keeps what happens now.
func (c *climber) note(n Note) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n.At = time.Now()
	c.notes = append(c.notes, n)
}

// until waits for something that events bring about.
func (c *climber) until(ctx context.Context, what string, done func() bool) error {
	for {
		c.mu.Lock()
		is, failed := done(), c.failed
		c.mu.Unlock()
		switch {
		case is:
			return nil
		case failed != nil:
			return fmt.Errorf("wait for %s: %w", what, failed)
		case !clock.Wait(ctx, clock.Now().Add(pollEvery)):
			return fmt.Errorf("wait for %s: %w", what, context.Cause(ctx))
		}
	}
}
