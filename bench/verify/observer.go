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
	mu     sync.Mutex // guards what follows
	seen   seen
	copies map[delivery]int // noted ones
	notes  []trace.Note

	subscribes string // the note of a client that is subscribed

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

// A server may send any number of copies, and of messages that were not published. Those beyond these limits are not noted.
const (
	maxSeen   = 1000
	maxCopies = 100 // of a message, at each client
)

// A delivery is a message that arrived at a client.
type delivery struct {
	client int
	index  uint32
}

func newObserver(subscribes string) *observer {
	return &observer{subscribes: subscribes, changed: make(chan struct{}), copies: map[delivery]int{}, seen: seen{
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
				if index := (payload.Found{Data: m.Data}).Index(); o.seen.damaged[index] != nil || len(o.seen.damaged) < maxSeen {
					o.seen.damaged[index] = bytes.Clone(m.Data)
				}
				continue
			}
			key := delivery{c, index}
			if copies := o.copies[key]; copies == maxCopies || copies == 0 && len(o.copies) >= maxSeen {
				continue
			}
			o.copies[key]++
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
				o.notes = append(o.notes, trace.Note{At: time.Now(), Text: o.subscribes})
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
