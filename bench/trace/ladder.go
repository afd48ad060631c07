package trace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"pushbench/bench/child"
	"pushbench/bench/client"
	"pushbench/bench/client/engines"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/bench/relay"
	"pushbench/bench/target"
	"pushbench/scenarios"
	"pushbench/scenarios/transports"
)

// A Ladder is an experiment with one client. The client subscribes and waits, a backend
// publishes a message, and the client publishes one. A relay between client and server
// records every byte. The times are not measurements: a relay and one message show how a
// transport works, not how fast it is.
type Ladder struct {
	Engine      string
	Target      *scenarios.Target                                           // the server; nil: pushbench's own
	Serve       func(transport scenarios.Transport, listen string) []string // argument list of a server
	Interval    time.Duration                                               // of short polling
	PollTimeout time.Duration                                               // of long polling
	Silence     time.Duration                                               // from the subscription until the first message
}

// The messages of a ladder, and the time limit of each step.
const (
	ladderTopic    = "news"
	backendMessage = "an event that has occurred at the server without any request"
	clientMessage  = "a message that the client publishes for all its subscribers."
	ladderRun      = 0x1adde700 // marks payloads for a target
	ladderWait     = 10 * time.Second
)

// Do runs the experiment over one transport. It returns an error if the byte and request
// counts of the client differ from those of the relay.
func (l Ladder) Do(ctx context.Context, transport scenarios.Transport) (t Trace, err error) {
	var options child.Options
	if l.Target != nil {
		options.Preparation = time.Duration(l.Target.Start.Within)
	}
	server, greeting, err := child.StartServer(ctx, l.Serve(transport, "127.0.0.1:0"), options)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, server.End(child.ExitTimeout)) }()
	between, err := relay.Start(greeting.Listening, nil)
	if err != nil {
		return t, err
	}
	defer between.Close()
	ctx, cancel := context.WithTimeout(ctx, l.Silence+l.PollTimeout+2*l.Interval+ladderWait)
	defer cancel()
	ctx, flooded := context.WithCancelCause(ctx)
	between.Limit(relay.Most, func() { flooded(relay.ErrMost) })
	traffic := new(client.Traffic)
	config, err := l.config(transport, greeting)
	if err != nil {
		return t, err
	}
	o := &observer{subscribes: Subscribes(transport, config.Dialect)}
	if err := l.play(ctx, config, between, traffic, o); err != nil {
		err = fmt.Errorf("trace %s: %w", transport, err)
		if l.Target == nil || errors.Is(err, relay.ErrMost) {
			return t, err
		}
		return l.read(transport, between, o, config.Dialect), err
	}
	// The last bytes of the client may not have reached the relay yet. A difference at the end
	// is reported.
	for limit := clock.Now().Add(child.ExitTimeout); clock.Now() < limit; {
		if up, _ := between.Bytes(); up >= traffic.Snapshot().Up.Bytes || !clock.Wait(ctx, clock.Now().Add(pollEvery)) {
			break
		}
	}
	t = l.read(transport, between, o, config.Dialect)
	if w := traffic.Snapshot(); w.Up.Bytes != t.Up || !t.Complete(w.Down.Bytes) || w.Requests != int64(t.Requests) {
		return t, fmt.Errorf("trace %s: the client counted %d B up, %d B down and %d requests, but the relay recorded %s", transport, w.Up.Bytes, w.Down.Bytes, w.Requests, t.Summary())
	}
	return t, nil
}

// read makes a trace of what the relay has recorded, and closes it.
func (l Ladder) read(transport scenarios.Transport, between *relay.Relay, o *observer, dialect *target.Dialect) Trace {
	between.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	if l.Target == nil {
		return Read(string(transport), between.Conversations(), o.notes)
	}
	return ReadForeign(fmt.Sprintf("%s over %s", l.Target.Name, transport), between.Conversations(), o.notes, dialect.Mask)
}

// Subscribes is the note of a client that is subscribed. The server of a target tells nothing of a long poll that it
// holds, so that a client which sends one may still be refused.
func Subscribes(transport scenarios.Transport, dialect *target.Dialect) string {
	if dialect != nil && transports.Of(transport).Holds {
		return "the client polls, and counts as subscribed"
	}
	return "the client is subscribed"
}

// pollEvery is the interval for checking a state without a notification.
const pollEvery = time.Millisecond

// config configures the clients of a server.
func (l Ladder) config(transport scenarios.Transport, server child.Greeting) (c client.Config, err error) {
	c = client.Config{
		Target: server.Listening, Authority: cmp.Or(server.Authority, server.Listening), Workers: 1, Transport: transport, Traffic: new(client.Traffic),
		Interval: l.Interval, Pacing: scenarios.FixedRate, PollTimeout: l.PollTimeout,
	}
	if l.Target == nil {
		return c, nil
	}
	c.Payloads = payload.NewScanner(ladderRun, func(uint32) int { return len(clientMessage) })
	c.Dialect, err = target.Compile(l.Target, transport, os.LookupEnv)
	return c, err
}

// message is the payload of a publication: a target's clients find it by its identity.
func (l Ladder) message(index uint32, text string) []byte {
	if l.Target == nil {
		return []byte(text)
	}
	return payload.Append(nil, ladderRun, index, len(clientMessage))
}

// play runs the steps of the client and the backend.
func (l Ladder) play(ctx context.Context, direct client.Config, between *relay.Relay, traffic *client.Traffic, o *observer) error {
	if l.Target != nil {
		if err := client.CreateTopics(ctx, &direct, []string{ladderTopic}); err != nil {
			return err
		}
	}
	relayed := direct
	relayed.Target, relayed.Traffic = between.Addr, traffic
	clients, err := engines.New(l.Engine, relayed)
	if err != nil {
		return err
	}
	defer clients.Close()
	backends, err := engines.New(l.Engine, direct)
	if err != nil {
		return err
	}
	defer backends.Close()
	session := clients.Open(client.Subscription{Client: 0, Topics: []string{ladderTopic}, Delivery: string(scenarios.Every), Publishes: true}, o)
	defer session.Close()
	if err := o.until(ctx, "the subscription", func() bool { return o.subscribed }); err != nil {
		return err
	}
	silent := clock.Now().Add(l.Silence)
	if err := o.until(ctx, "the first message", func() bool { return clock.Now() >= silent }); err != nil {
		return err
	}
	received := 0
	if direct.Dialect == nil || direct.Dialect.Posts() {
		backend := backends.Open(client.Subscription{Client: 1}, o)
		defer backend.Close()
		received++
		o.note(Note{AtServer: true, Text: "a backend publishes a message"})
		backend.Publish(1, ladderTopic, l.message(1, backendMessage))
		if err := o.until(ctx, "the message", func() bool { return o.heard >= received }); err != nil {
			return err
		}
	}
	received++
	acknowledges := direct.Dialect == nil || direct.Dialect.Posts() && !direct.Dialect.PublishesInFrames() || direct.Dialect.Acknowledges()
	o.note(Note{Text: "the client publishes a message"})
	session.Publish(2, ladderTopic, l.message(2, clientMessage))
	if err := o.until(ctx, "the client's own message", func() bool { return o.heard >= received && (o.acked || !acknowledges) }); err != nil {
		return err
	}
	// Wait until the relay has read every request that the client counts, including the next
	// poll of a long-polling client. Closing earlier could count a request of which no byte
	// was sent.
	return o.until(ctx, "the next poll", func() bool {
		w := traffic.Snapshot()
		return between.Requests() == w.Requests && (!transports.Of(direct.Transport).Holds || w.Polls > o.answered)
	})
}

// An observer is the sink of client and backend. It records their events.
type observer struct {
	mu         sync.Mutex // guards what follows
	subscribed bool
	acked      bool
	heard      int
	answered   int64 // responses that the client received, with or without a message
	notes      []Note
	failed     error
	subscribes string // its note
}

// Deliver implements client.Sink.
func (o *observer) Deliver(client int, b *client.Batch, _ clock.Instant) {
	if client != 0 || len(b.Messages) == 0 {
		return
	}
	o.note(Note{Text: "the client received: " + strings.TrimSpace(brief(string(b.Messages[0].Data)))})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answered++
	o.heard += len(b.Messages)
}

// brief shortens a message.
func brief(s string) string {
	const limit = 24
	if len(s) <= limit {
		return s
	}
	return s[:limit] + "…"
}

// Event implements client.Sink.
func (o *observer) Event(who int, e client.Event, _ clock.Instant) {
	if e.Kind == client.Connected && who == 0 {
		o.note(Note{Text: o.subscribes})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case e.Kind == client.Polled && who == 0:
		o.answered++
	case e.Kind == client.Connected && who == 0:
		o.subscribed = true
	case e.Kind == client.Acked && who == 0:
		o.acked = true
	case e.Kind == client.Disconnected || e.Kind == client.Failed || e.Kind == client.Dropped:
		o.failed = errors.New(e.Cause)
	}
}

// note records an event with the current time.
func (o *observer) note(n Note) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n.At = time.Now()
	o.notes = append(o.notes, n)
}

// until waits for a condition that depends on events.
func (o *observer) until(ctx context.Context, what string, done func() bool) error {
	for {
		o.mu.Lock()
		reached, failed := done(), o.failed
		o.mu.Unlock()
		switch {
		case reached:
			return nil
		case failed != nil:
			return fmt.Errorf("wait for %s: %w", what, failed)
		case !clock.Wait(ctx, clock.Now().Add(pollEvery)):
			return fmt.Errorf("wait for %s: %w", what, context.Cause(ctx))
		}
	}
}
