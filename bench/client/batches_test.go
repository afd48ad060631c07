package client

import (
	"testing"

	"pushbench/bench/clock"
)

// Nowhere takes deliveries and events, and forgets them.
type nowhere struct{}

func (nowhere) Deliver(int, *Batch, clock.Instant) {}
func (nowhere) Event(int, Event, clock.Instant)    {}

// Messages a write are counted by answer, event or frame: one that carries ten
// messages is one, and one that carries none is none.
func TestBatchesAreCountedByWrite(t *testing.T) {
	traffic := &Traffic{}
	s := NewSubscriber(&Config{Traffic: traffic}, Subscription{}, nowhere{}, &Scratch{})
	s.ready = true
	for _, body := range []string{string(plainBatch()), `{"cursor":"c","messages":[]}`, `{"cursor":"c","messages":[{"topic":"t","seq":1,"data":"x"}]}`} {
		if err := s.Receive([]byte(body), 0); err != nil {
			t.Fatal(err)
		}
	}
	if got := traffic.Batches.Load(); got != 2 {
		t.Errorf("got %d batches, want 2: ten messages in one, none, and one", got)
	}
}
