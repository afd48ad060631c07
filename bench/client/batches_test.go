package client

import (
	"testing"

	"pushbench/bench/clock"
)

// nowhere is a sink that discards deliveries and events.
type nowhere struct{}

func (nowhere) Deliver(int, *Batch, clock.Instant) {}
func (nowhere) Event(int, Event, clock.Instant)    {}

// A response, event or frame with messages counts as one batch, however many messages it
// carries; one without messages does not count.
func TestOnlyBatchesWithMessagesAreCounted(t *testing.T) {
	traffic := &Traffic{}
	s := NewSubscriber(&Config{Traffic: traffic}, Subscription{}, nowhere{}, &Scratch{})
	s.ready = true
	for _, body := range []string{string(plainBatch()), `{"cursor":"c","messages":[]}`, `{"cursor":"c","messages":[{"topic":"t","seq":1,"data":"x"}]}`} {
		if err := s.Receive([]byte(body), 0); err != nil {
			t.Fatal(err)
		}
	}
	if got := traffic.Batches.Load(); got != 2 {
		t.Errorf("got %d batches, want 2: with ten messages and with one", got)
	}
}
