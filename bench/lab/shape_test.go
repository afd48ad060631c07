package lab

import (
	"math"
	"testing"
	"time"

	"pushbench/bench/clock"
)

// crossing sends packets of one size at one rate into a way, and says when each came out
// after the first was sent, by its number; -1: never.
func crossing(w *way, n, size int, every time.Duration) []time.Duration {
	came := make([]time.Duration, n)
	number := map[*byte]int{}
	for i := range came {
		came[i] = -1
		packet := make([]byte, size)
		number[&packet[0]] = i
		w.enter(packet, clock.Instant(time.Duration(i)*every))
	}
	last := clock.Instant(0)
	for range n {
		at, ok := w.due()
		if !ok {
			break
		}
		p := w.leave()
		if len(w.ahead) == 0 && p.due < last {
			panic("packets come out in no order")
		}
		came[number[&p.packet[0]]] = at.Sub(0)
	}
	return came
}

func TestDelayIsExact(t *testing.T) {
	for i, at := range crossing(newWay(Shape{}, 25*time.Millisecond, 0), 100, 60, time.Millisecond) {
		if want := time.Duration(i)*time.Millisecond + 25*time.Millisecond; at != want {
			t.Fatalf("packet %d came at %v, want %v", i, at, want)
		}
	}
}

// The jitter is uniform, and no packet overtakes another.
func TestJitter(t *testing.T) {
	const n = 20_000
	came := crossing(newWay(Shape{Jitter: 10 * time.Millisecond, Seed: 1}, 20*time.Millisecond, 0), n, 60, 50*time.Millisecond)
	sum := 0.0
	for i, at := range came {
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
	for i, at := range crossing(newWay(Shape{Jitter: 10 * time.Millisecond, Seed: 1}, 20*time.Millisecond, 0), n, 60, time.Millisecond) {
		if at < last {
			t.Fatalf("packet %d came at %v, before the one before it", i, at)
		}
		last = at
	}
}

// Of n packets a share p is lost, within 3.3 standard errors of the binomial law; the same
// seed loses the same ones, another seed and the other way lose others.
func TestLoss(t *testing.T) {
	const n, p = 50_000, 0.01
	lost := func(seed, stream uint64) (which []int) {
		for i, at := range crossing(newWay(Shape{Loss: p, Seed: seed}, time.Millisecond, stream), n, 60, time.Microsecond) {
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
		t.Errorf("the same seed lost %d of %d again", got, len(first))
	}
	for _, other := range [][]int{lost(2, 0), lost(1, 1)} {
		if got := same(first, other); got > len(first)/5 {
			t.Errorf("another seed or way lost %d of %d of the same", got, len(first))
		}
	}
}

// A limited line is full: it carries its rate, the rest waits, and what finds the queue full is dropped.
func TestRate(t *testing.T) {
	const rate, size = 1e6, 1000 // a packet a millisecond
	w := newWay(Shape{Rate: rate, Queue: 100}, 0, 0)
	came := crossing(w, 1000, size, 500*time.Microsecond) // twice as many as it carries
	carried, last := 0, time.Duration(0)
	for _, at := range came {
		if at >= 0 {
			carried++
			last = max(last, at)
		}
	}
	if got := float64(carried) * size / last.Seconds(); math.Abs(got-rate) > rate/1000 {
		t.Errorf("it carried %.0f bytes a second, want %.0f", got, rate)
	}
	if want := 600; math.Abs(float64(carried-want)) > 2 { // 500 in half a second, and the queue
		t.Errorf("%d packets came, want %d", carried, want)
	}
	if w.counts.Overflowed != int64(1000-carried) {
		t.Errorf("%d counted as dropped, want %d", w.counts.Overflowed, 1000-carried)
	}
	for i, at := range crossing(newWay(Shape{Rate: rate}, 10*time.Millisecond, 0), 100, size, 2*time.Millisecond) { // half as many
		if want := time.Duration(i)*2*time.Millisecond + 11*time.Millisecond; at != want {
			t.Fatalf("packet %d came at %v, want %v: the delay and its own millisecond", i, at, want)
		}
	}
}

// A share of the packets does not wait, and so comes before those that do.
func TestReorder(t *testing.T) {
	const n, p = 20_000, 0.05
	w := newWay(Shape{Reorder: p, Seed: 3}, 10*time.Millisecond, 0)
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
