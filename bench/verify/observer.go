package verify

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"pushbench/bench/client"
	"pushbench/bench/clock"
	"pushbench/bench/payload"
	"pushbench/bench/trace"
)

// An observer is the sink of all clients of a trial.
type observer struct {
	mu      sync.Mutex // guards what follows
	seen    seen
	notes   []trace.Note
	changed chan struct{} // closed and replaced with each event
}

// A seen is what happened so far, by client.
type seen struct {
	messages   map[int][]uint32  // indexes of intact payloads, in order
	damaged    map[uint32][]byte // other payloads
	subscribed map[int]int
	up         map[int]bool // subscribed, and not disconnected since
	lost       map[int]int  // connections
	acked      map[int]int
	causes     map[int]string // of the last lost connection
	failures   map[int]string // of the last publication that failed
	step       map[int]uint32 // of the protocol
}

func newObserver() *observer {
	return &observer{changed: make(chan struct{}), seen: seen{
		messages: map[int][]uint32{}, damaged: map[uint32][]byte{}, subscribed: map[int]int{}, up: map[int]bool{}, lost: map[int]int{}, acked: map[int]int{},
		causes: map[int]string{}, failures: map[int]string{}, step: map[int]uint32{},
	}}
}

// since returns the messages of a client from an index on.
func (s *seen) since(c int, from uint32) (all []uint32) {
	for _, index := range s.messages[c] {
		if index >= from {
			all = append(all, index)
		}
	}
	return all
}

// arrived reports whether a message has arrived at a client, changed or not.
func (s *seen) arrived(index uint32) bool {
	return s.has(firstClient, index) || s.has(secondClient, index) || s.damaged[index] != nil
}

func (s *seen) has(c int, index uint32) bool { return slices.Contains(s.messages[c], index) }

// Deliver implements client.Sink.
func (o *observer) Deliver(c int, b *client.Batch, _ clock.Instant) {
	o.update(func() {
		for _, m := range b.Messages {
			_, index, err := payload.Parse(m.Data)
			if err != nil {
				o.seen.damaged[payload.Found{Data: m.Data}.Index()] = bytes.Clone(m.Data)
				continue
			}
			o.seen.messages[c] = append(o.seen.messages[c], index)
			if c == firstClient {
				o.notes = append(o.notes, trace.Note{At: time.Now(), Text: fmt.Sprintf("the client received message %d", index)})
			}
		}
	})
}

// Event implements client.Sink.
func (o *observer) Event(c int, e client.Event, _ clock.Instant) {
	o.update(func() {
		switch e.Kind {
		case client.Connected:
			o.seen.subscribed[c]++
			o.seen.up[c] = true
			if c == firstClient {
				o.notes = append(o.notes, trace.Note{At: time.Now(), Text: "the client is subscribed"})
			}
		case client.Disconnected:
			o.seen.lost[c]++
			o.seen.up[c] = false
			o.seen.causes[c] = e.Cause
			if c == firstClient {
				o.notes = append(o.notes, trace.Note{At: time.Now(), Text: "the connection ended: " + e.Cause})
			}
		case client.Acked:
			o.seen.acked[c]++
		case client.Failed, client.Dropped:
			o.seen.failures[c] = e.Cause
		case client.Stepped:
			o.seen.step[c] = e.ID
		default:
		}
	})
}

func (o *observer) update(do func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	do()
	close(o.changed)
	o.changed = make(chan struct{})
}

// snapshot returns a copy of what happened so far.
func (o *observer) snapshot() *seen {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := &seen{
		messages: map[int][]uint32{}, damaged: maps.Clone(o.seen.damaged), subscribed: maps.Clone(o.seen.subscribed), up: maps.Clone(o.seen.up), lost: maps.Clone(o.seen.lost),
		acked: maps.Clone(o.seen.acked), causes: maps.Clone(o.seen.causes), failures: maps.Clone(o.seen.failures), step: maps.Clone(o.seen.step),
	}
	for c, all := range o.seen.messages {
		s.messages[c] = slices.Clone(all)
	}
	return s
}

// note adds what the verification does to the ladder.
func (o *observer) note(text string) {
	o.update(func() { o.notes = append(o.notes, trace.Note{At: time.Now(), Text: text}) })
}

func (o *observer) noted() []trace.Note {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.notes)
}

// until waits for a condition, and reports whether it was met in time.
func (o *observer) until(ctx context.Context, within time.Duration, met func(*seen) bool) bool {
	limit := time.NewTimer(within)
	defer limit.Stop()
	for {
		o.mu.Lock()
		done, changed := met(&o.seen), o.changed
		o.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-changed:
		case <-limit.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}
