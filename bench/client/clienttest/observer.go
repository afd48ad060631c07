// Package clienttest provides a sink for tests of simulated clients: it records what an
// engine reports and waits for what is expected.
//
// It owns no expectation of an engine or a server: those are in cmd/internal/conformance.
package clienttest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
)

// Timeout is how long a test waits for an expected event.
const Timeout = 30 * time.Second

// An Observer is a sink that records every call.
type Observer struct {
	mu      sync.Mutex // guards what follows
	calls   []Call
	changed chan struct{} // closed and replaced at every call
}

// A Call is one call of a sink: a delivery if Batch is set, else an event.
type Call struct {
	Client int
	Batch  *client.Batch // a copy
	Event  client.Event
	At     clock.Instant
}

// NewObserver returns an Observer without calls.
func NewObserver() *Observer { return &Observer{changed: make(chan struct{})} }

// Deliver records a copy of a batch.
func (o *Observer) Deliver(c int, b *client.Batch, at clock.Instant) {
	batch := &client.Batch{Cursor: bytes.Clone(b.Cursor), Gaps: slices.Clone(b.Gaps), Ack: b.Ack}
	for _, m := range b.Messages {
		batch.Messages = append(batch.Messages, client.Message{Topic: bytes.Clone(m.Topic), Seq: m.Seq, Data: bytes.Clone(m.Data)})
	}
	o.add(Call{Client: c, Batch: batch, At: at})
}

// Event records an event.
func (o *Observer) Event(c int, e client.Event, at clock.Instant) {
	o.add(Call{Client: c, Event: e, At: at})
}

func (o *Observer) add(c Call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, c)
	close(o.changed)
	o.changed = make(chan struct{})
}

// All returns the calls so far.
func (o *Observer) All() []Call {
	all, _ := o.snapshot()
	return all
}

func (o *Observer) snapshot() ([]Call, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clip(o.calls), o.changed
}

// recheck is the time between two looks at a condition while nothing is recorded: it may depend on something else, such as
// the count of polls.
const recheck = 5 * time.Millisecond

// Await waits until the calls satisfy a condition.
func (o *Observer) Await(t testing.TB, what string, condition func([]Call) bool) {
	t.Helper()
	limit := time.After(Timeout)
	tick := time.NewTicker(recheck)
	defer tick.Stop()
	for {
		calls, changed := o.snapshot()
		if condition(calls) {
			return
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-limit:
			t.Fatalf("timed out after %v waiting for %s; calls so far:\n%s", Timeout, what, Format(calls))
		}
	}
}

// Events returns the events of one client of the given kinds.
func Events(calls []Call, c int, kinds ...client.Kind) (events []client.Event) {
	for _, call := range calls {
		if call.Client == c && call.Batch == nil && slices.Contains(kinds, call.Event.Kind) {
			events = append(events, call.Event)
		}
	}
	return events
}

// Batches returns the batches that one client received.
func Batches(calls []Call, c int) (batches []*client.Batch) {
	for _, call := range calls {
		if call.Client == c && call.Batch != nil {
			batches = append(batches, call.Batch)
		}
	}
	return batches
}

// Messages returns the messages of all batches of one client, in order.
func Messages(calls []Call, c int) (messages []client.Message) {
	for _, b := range Batches(calls, c) {
		messages = append(messages, b.Messages...)
	}
	return messages
}

// Gaps returns the declared gaps that one client received.
func Gaps(calls []Call, c int) (gaps []client.Gap) {
	for _, b := range Batches(calls, c) {
		gaps = append(gaps, b.Gaps...)
	}
	return gaps
}

// Format formats the last 40 calls, one per line, for a failure message.
func Format(calls []Call) string {
	var b strings.Builder
	for _, call := range calls[max(0, len(calls)-40):] {
		if call.Batch == nil {
			fmt.Fprintf(&b, "\tclient %d: %s id=%d seq=%d %s\n", call.Client, kinds[call.Event.Kind], call.Event.ID, call.Event.Seq, call.Event.Cause)
			continue
		}
		fmt.Fprintf(&b, "\tclient %d: batch ack=%v gaps=%+v", call.Client, call.Batch.Ack, call.Batch.Gaps)
		for _, m := range call.Batch.Messages {
			fmt.Fprintf(&b, " %s#%d=%.20q", m.Topic, m.Seq, m.Data)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

var kinds = map[client.Kind]string{
	client.Connecting:   "connecting",
	client.Connected:    "connected",
	client.Disconnected: "disconnected",
	client.Sending:      "sending",
	client.Acked:        "acked",
	client.Failed:       "failed",
	client.Dropped:      "dropped",
	client.Polled:       "polled",
	client.Stepped:      "stepped",
}
