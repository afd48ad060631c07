package lab

import (
	"math"
	"testing"
	"time"

	"pushbench/bench/clock"
)

// crossing sends packets of one size at one rate into a delay line. It returns when each
// departed after the first was sent, by its number; -1: never.
func crossing(w *delayLine, n, size int, every time.Duration) []time.Duration {
	arrived := make([]time.Duration, n)
	number := map[*byte]int{}
	for i := range arrived {
		arrived[i] = -1
		packet := make([]byte, size)
		number[&packet[0]] = i
		w.push(packet, clock.Instant(time.Duration(i)*every))
	}
	last := clock.Instant(0)
	for range n {
		at, ok := w.due()
		if !ok {
			break
		}
		p := w.pop()
		if len(w.reordered) == 0 && p.due < last {
			panic("packets depart out of order")
		}
		arrived[number[&p.packet[0]]] = at.Sub(0)
	}
	return arrived
}

func TestDelayIsExact(t *testing.T) {
	for i, at := range crossing(newDelayLine(Shape{}, 25*time.Millisecond, 0), 100, 60, time.Millisecond) {
		if want := time.Duration(i)*time.Millisecond + 25*time.Millisecond; at != want {
			t.Fatalf("packet %d arrived at %v, want %v", i, at, want)
		}
	}
}

// Jitter is uniform, and no packet overtakes another.
func TestJitterIsUniformAndKeepsOrder(t *testing.T) {
	const n = 20_000
	arrived := crossing(newDelayLine(Shape{Jitter: 10 * time.Millisecond, Seed: 1}, 20*time.Millisecond, 0), n, 60, 50*time.Millisecond)
	sum := 0.0
	for i, at := range arrived {
		delay := at - time.Duration(i)*50*time.Millisecond
		if delay < 20*time.Millisecond || delay > 30*time.Millisecond {
			t.Fatalf("packet %d took %v, want 20 to 30 ms", i, delay)
		}
		sum += delay.Seconds() * 1e3
	}
	if mean := sum / n; math.Abs(mean-25) > 0.1 {
		t.Errorf("mean delay %.2f ms, want 25", mean)
	}
	last := time.Duration(0)
	for i, at := range crossing(newDelayLine(Shape{Jitter: 10 * time.Millisecond, Seed: 1}, 20*time.Millisecond, 0), n, 60, time.Millisecond) {
		if at < last {
			t.Fatalf("packet %d arrived at %v, before its predecessor", i, at)
		}
		last = at
	}
}

// A share p of n packets is lost, within 3.3 standard errors of the binomial distribution. The
// same seed loses the same packets; another seed and the other direction lose others.
func TestLossFollowsShareAndSeed(t *testing.T) {
	const n, p = 50_000, 0.01
	lost := func(seed, stream uint64) (which []int) {
		for i, at := range crossing(newDelayLine(Shape{Loss: p, Seed: seed}, time.Millisecond, stream), n, 60, time.Microsecond) {
			if at < 0 {
				which = append(which, i)
			}
		}
		return which
	}
	first := lost(1, 0)
	if off := math.Abs(float64(len(first)) - n*p); off > 3.3*math.Sqrt(n*p*(1-p)) {
		t.Errorf("%d of %d lost, want %v", len(first), n, n*p)
	}
	same := func(a, b []int) (n int) {
		seen := map[int]bool{}
		for _, i := range a {
			seen[i] = true
		}
		for _, i := range b {
			if seen[i] {
				n++
			}
		}
		return n
	}
	if got := same(first, lost(1, 0)); got != len(first) {
		t.Errorf("the same seed lost %d of the same %d", got, len(first))
	}
	for _, other := range [][]int{lost(2, 0), lost(1, 1)} {
		if got := same(first, other); got > len(first)/5 {
			t.Errorf("another seed or direction lost %d of the same %d", got, len(first))
		}
	}
}

// With a limited rate, a delay line carries that rate. Other packets wait, and packets that
// meet a full queue are dropped.
func TestRateLimitQueuesAndDrops(t *testing.T) {
	const rate, size = 1e6, 1000 // one packet per millisecond
	w := newDelayLine(Shape{Rate: rate, Queue: 100}, 0, 0)
	arrived := crossing(w, 1000, size, 500*time.Microsecond) // twice as many as it carries
	carry, last := 0, time.Duration(0)
	for _, at := range arrived {
		if at >= 0 {
			carry++
			last = max(last, at)
		}
	}
	if got := float64(carry) * size / last.Seconds(); math.Abs(got-rate) > rate/1000 {
		t.Errorf("carried %.0f bytes per second, want %.0f", got, rate)
	}
	if want := 600; math.Abs(float64(carry-want)) > 2 { // 500 in half a second, and the queue
		t.Errorf("%d packets arrived, want %d", carry, want)
	}
	if w.counts.Overflowed != int64(1000-carry) {
		t.Errorf("%d counted as dropped, want %d", w.counts.Overflowed, 1000-carry)
	}
	for i, at := range crossing(newDelayLine(Shape{Rate: rate}, 10*time.Millisecond, 0), 100, size, 2*time.Millisecond) { // half as many
		if want := time.Duration(i)*2*time.Millisecond + 11*time.Millisecond; at != want {
			t.Fatalf("packet %d arrived at %v, want %v: the delay and its own millisecond", i, at, want)
		}
	}
}

// A share of the packets does not wait, and therefore overtakes others.
func TestReorderedPacketsDoNotWait(t *testing.T) {
	const n, p = 20_000, 0.05
	w := newDelayLine(Shape{Reorder: p, Seed: 3}, 10*time.Millisecond, 0)
	early := 0
	for i, at := range crossing(w, n, 60, time.Millisecond) {
		switch delay := at - time.Duration(i)*time.Millisecond; delay {
		case 0:
			early++
		case 10 * time.Millisecond:
		default:
			t.Fatalf("packet %d took %v, want none or 10 ms", i, delay)
		}
	}
	if off := math.Abs(float64(early) - n*p); off > 3.3*math.Sqrt(n*p*(1-p)) || w.counts.Overtook != int64(early) {
		t.Errorf("%d of %d did not wait (%d counted), want %v", early, n, w.counts.Overtook, n*p)
	}
}
