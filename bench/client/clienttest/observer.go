// Package clienttest has a sink for tests of simulated clients: it keeps what an engine
// reports and waits for what is expected.
//
// It owns no expectation of an engine or a server: those are cmd/internal/conformance's.
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

// Patience is how long a test waits for what must happen.
const Timeout = 30 * time.Second

// A Witness is a sink that keeps all it is told.
type Observer struct {
	mu      sync.Mutex // guards what follows
	calls   []Call
	changed chan struct{} // closed and replaced whenever something is told
}

// Told is one call of a sink: a batch if Batch is set, else an event.
type Call struct {
	Client int
	Batch  *client.Batch // a copy
	Event  client.Event
	At     clock.Instant
}

// NewWitness has been told nothing yet.
func NewObserver() *Observer { return &Observer{changed: make(chan struct{})} }

// Deliver keeps a copy of a batch.
func (w *Observer) Deliver(c int, b *client.Batch, at clock.Instant) {
	batch := &client.Batch{Cursor: bytes.Clone(b.Cursor), Gaps: slices.Clone(b.Gaps), Ack: b.Ack}
	for _, m := range b.Messages {
		batch.Messages = append(batch.Messages, client.Message{Topic: bytes.Clone(m.Topic), Seq: m.Seq, Data: bytes.Clone(m.Data)})
	}
	w.add(Call{Client: c, Batch: batch, At: at})
}

// Event keeps an event.
func (w *Observer) Event(c int, e client.Event, at clock.Instant) {
	w.add(Call{Client: c, Event: e, At: at})
}

func (w *Observer) add(what Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, what)
	close(w.changed)
	w.changed = make(chan struct{})
}

// All is what was told so far.
func (w *Observer) All() []Call {
	all, _ := w.snapshot()
	return all
}

func (w *Observer) snapshot() ([]Call, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clip(w.calls), w.changed
}

// Await waits until a condition holds of what was told.
func (w *Observer) Await(t testing.TB, what string, holds func([]Call) bool) {
	t.Helper()
	limit := time.After(Timeout)
	for {
		told, changed := w.snapshot()
		if holds(told) {
			return
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("no %s within %v; told so far:\n%s", what, Timeout, Format(told))
		}
	}
}

// Events are the events of one client of the given kinds.
func Events(told []Call, c int, kinds ...client.Kind) (events []client.Event) {
	for _, one := range told {
		if one.Client == c && one.Batch == nil && slices.Contains(kinds, one.Event.Kind) {
			events = append(events, one.Event)
		}
	}
	return events
}

// Batches are what one client was delivered.
func Batches(told []Call, c int) (batches []*client.Batch) {
	for _, one := range told {
		if one.Client == c && one.Batch != nil {
			batches = append(batches, one.Batch)
		}
	}
	return batches
}

// Messages are those of all batches of one client, in order.
func Messages(told []Call, c int) (messages []client.Message) {
	for _, b := range Batches(told, c) {
		messages = append(messages, b.Messages...)
	}
	return messages
}

// Gaps are those that one client was told.
func Gaps(told []Call, c int) (gaps []client.Gap) {
	for _, b := range Batches(told, c) {
		gaps = append(gaps, b.Gaps...)
	}
	return gaps
}

// Words is what was told, a line each, short enough for a failure's message.
func Format(told []Call) string {
	var b strings.Builder
	for _, one := range told[max(0, len(told)-40):] {
		if one.Batch == nil {
			fmt.Fprintf(&b, "\tclient %d: %s id=%d seq=%d %s\n", one.Client, kinds[one.Event.Kind], one.Event.ID, one.Event.Seq, one.Event.Cause)
			continue
		}
		fmt.Fprintf(&b, "\tclient %d: batch ack=%v gaps=%+v", one.Client, one.Batch.Ack, one.Batch.Gaps)
		for _, m := range one.Batch.Messages {
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
}
