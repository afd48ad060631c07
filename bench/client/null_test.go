package client

import (
	"sync"
	"testing"

	"pushbench/bench/clock"
)

// A tally counts deliveries by client and events by kind.
type tally struct {
	mu        sync.Mutex
	delivered map[int]int // by client
	kinds     map[Kind]int
	last      uint64
	disorder  int
}

func (s *tally) Deliver(client int, b *Batch, _ clock.Instant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.delivered == nil {
		s.delivered = map[int]int{}
	}
	s.delivered[client] += len(b.Messages)
	if client == 0 {
		if b.Messages[0].Seq <= s.last {
			s.disorder++
		}
		s.last = b.Messages[0].Seq
	}
}

func (s *tally) Event(_ int, e Event, _ clock.Instant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kinds == nil {
		s.kinds = map[Kind]int{}
	}
	s.kinds[e.Kind]++
}

// A queue is a feed of publications that are all due.
type queue struct {
	session Session
	left    int
}

func (q *queue) Next() (clock.Instant, bool) { return 0, q.left > 0 }
func (q *queue) Take() Publication {
	q.left--
	return Publication{Session: q.session, ID: uint32(q.left), Topic: "t", Payload: []byte("x")}
}

// Every message reaches every subscriber of every worker once and in order, and its
// publisher receives every acknowledgement.
func TestNullDeliversEverything(t *testing.T) {
	const workers, each = 2, 3 * nullQueueSize
	n := Null(workers)
	sinks := [workers]tally{}
	feeds := make([]*queue, workers)
	for c := range 4 {
		w := c % workers
		s := n.Open(Subscription{Client: c, Worker: w, Topics: []string{"t"}}, &sinks[w])
		if c < workers {
			feeds[w] = &queue{session: s, left: each}
		}
	}
	for w, feed := range feeds {
		n.Pace(w, feed)
	}
	n.Close()
	for w := range sinks {
		s := &sinks[w]
		for c := w; c < 4; c += workers {
			if got := s.delivered[c]; got != workers*each {
				t.Errorf("client %d got %d messages, want %d", c, got, workers*each)
			}
		}
		if s.kinds[Connected] != 2 || s.kinds[Sending] != each || s.kinds[Acked] != each || s.disorder != 0 {
			t.Errorf("got events %v and %d messages out of order, want 2 Connected, all sent and acknowledged, in order", s.kinds, s.disorder)
		}
	}
}
