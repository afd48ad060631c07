package client

import (
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"pushbench/bench/clock"
)

// The polls of a client are on one grid, each later than now and at most one interval
// later, however late the response was.
func TestPollsStayOnTheGrid(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		every := time.Duration(1 + r.Int64N(int64(2*time.Second)))
		start := clock.Instant(r.Int64N(1 << 50))
		phase := r.Float64()
		b := grid{every: every}
		b.start(start, phase)
		if got := b.first.Sub(start); got < 0 || got > every {
			t.Fatalf("every %v, phase %v: got the first %v after the start, want 0 … %v", every, phase, got, every)
		}
		now := start
		for range 10 {
			next := b.next(now)
			if wait := next.Sub(now); wait <= 0 || wait > every {
				t.Fatalf("every %v, now first%+v: got %v to wait, want more than 0 and at most %v", every, now.Sub(b.first), wait, every)
			}
			if off := next.Sub(b.first) % every; off != 0 {
				t.Fatalf("every %v: got %v off the grid, want 0s", every, off)
			}
			now = next.Add(time.Duration(r.Int64N(3 * int64(every))))
		}
	}
}

func TestGrid(t *testing.T) {
	b := grid{every: 10}
	b.start(100, 0.5)
	for _, c := range []struct{ now, want clock.Instant }{
		{100, 105},
		{104, 105},
		{105, 115}, // a poll due now has just been sent
		{106, 115},
		{114, 115},
		{131, 135}, // two polls skipped, none sent late
	} {
		if got := b.next(c.now); got != c.want {
			t.Errorf("next(%d): got %d, want %d", c.now, got, c.want)
		}
	}
}

func TestBackOff(t *testing.T) {
	for attempt := range 100 {
		ceiling := min(backOffBase<<min(attempt, 10), backOffCap)
		for range 100 {
			if got := backOff(attempt); got <= 0 || got > ceiling {
				t.Fatalf("attempt %d: got %v, want more than 0 and at most %v", attempt, got, ceiling)
			}
		}
	}
	for attempt, want := range map[int]time.Duration{0: 50 * time.Millisecond, 1: 100 * time.Millisecond, 5: 1600 * time.Millisecond, 6: 2 * time.Second, 1 << 40: 2 * time.Second} {
		var longest time.Duration
		for range 1000 {
			longest = max(longest, backOff(attempt))
		}
		// The chance that a thousand draws all stay below 9/10 is 10^-46.
		if longest > want || longest < want*9/10 {
			t.Errorf("attempt %d: got at most %v in 1000, want close to %v", attempt, longest, want)
		}
	}
}

// A server that refuses each connection just after it counts as subscribed is not asked again and again without a pause.
func TestBackOffEndsWhenTheServerServes(t *testing.T) {
	config := Config{Transport: "longpoll", Traffic: new(Traffic)}
	s := NewSubscriber(&config, Subscription{}, discard{}, new(Scratch))
	at := clock.Instant(1)
	for i, c := range []struct {
		ready, served bool
		lived         time.Duration
		want          int
	}{
		{false, false, time.Hour, 1},
		{true, false, 0, 2},
		{true, false, backOffCap - 1, 3},
		{true, true, 0, 1},
		{true, false, 0, 2},
		{true, false, backOffCap, 1},
	} {
		s.Connecting(at)
		s.ready, s.readyAt = c.ready, at
		if c.served {
			s.polledEmpty(at)
		}
		s.Disconnected(io.EOF, at.Add(c.lived))
		if s.attempt != c.want {
			t.Errorf("connection %d: attempt %d, want %d", i, s.attempt, c.want)
		}
	}
}

type discard struct{}

func (discard) Deliver(int, *Batch, clock.Instant) {}
func (discard) Event(int, Event, clock.Instant)    {}
