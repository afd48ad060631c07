package client

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pushbench/bench/clock"
)

// delayOf returns one direction of a first connection.
func delayOf(l Link) DelayLine {
	d := (&Config{Link: l}).Distance(Subscription{Topics: []string{"a"}}, Downstream)
	up, _ := d.DelayLines()
	return up
}

// Without jitter and rate, bytes leave exactly half a round trip after they enter.
func TestDelayIsHalfARoundTrip(t *testing.T) {
	d := (&Config{Link: Link{RTT: 41}}).Distance(Subscription{Topics: []string{"a"}}, Downstream)
	up, down := d.DelayLines()
	for _, now := range []clock.Instant{100, 100, 137, 1e9} {
		if u, w := up.ExitTime(1000, now), down.ExitTime(0, now); u != now+20 || w != now+21 {
			t.Errorf("entered at %d: left at %d and %d, want 20 and 21 later", now, u, w)
		}
	}
}

// At one megabyte per second, each thousand bytes take one millisecond, and idle time does
// not accumulate capacity.
func TestRateDelaysBytes(t *testing.T) {
	const ms = clock.Instant(time.Millisecond)
	l := delayOf(Link{RTT: 20 * time.Millisecond, Rate: 1e6})
	for i, c := range []struct{ now, want clock.Instant }{{0, 11 * ms}, {0, 12 * ms}, {1 * ms, 13 * ms}, {50 * ms, 61 * ms}} {
		if got := l.ExitTime(1000, c.now); got != c.want {
			t.Errorf("segment %d: left at %v, want %v", i, time.Duration(got), time.Duration(c.want))
		}
	}
}

// Jitter is uniform from 0 to its limit, and never reorders segments.
func TestJitterIsUniformAndKeepsOrder(t *testing.T) {
	const n, limit = 20_000, 1000
	spaced, dense := delayOf(Link{RTT: 100, Jitter: limit, Seed: 7}), delayOf(Link{RTT: 100, Jitter: limit, Seed: 7})
	var waits []int
	last := clock.Instant(0)
	for i := range n {
		now := clock.Instant(i * 10_000)
		waits = append(waits, int(spaced.ExitTime(1, now)-now)-50)
		out := dense.ExitTime(1, clock.Instant(i))
		if out < last || out < clock.Instant(i+50) || out > clock.Instant(i+50+limit) {
			t.Fatalf("segment %d left at %d, after one at %d", i, out, last)
		}
		last = out
	}
	slices.Sort(waits)
	if waits[0] < 0 || waits[n-1] > limit {
		t.Errorf("jitter of %d … %d, want within 0 … %d", waits[0], waits[n-1], limit)
	}
	for i, got := range waits { // Kolmogorov-Smirnov at 0.1 %: 1.95/√n
		if want := float64(i) / n * (limit + 1); float64(got)-want > 1.95/141.4*limit || want-float64(got) > 1.95/141.4*limit+1 {
			t.Fatalf("%d waits: %d are at most %d, want a uniform distribution", n, i, got)
		}
	}
}

// The seed determines the jitter, which differs between connections and directions.
func TestJitterDependsOnTheSeed(t *testing.T) {
	draw := func(seed uint64, client, dial int) (waits []clock.Instant) {
		d := (&Config{Link: Link{Jitter: time.Second, Seed: seed}}).Distance(Subscription{Client: client, Topics: []string{"a"}}, Downstream)
		var up, down DelayLine
		for range dial {
			up, down = d.DelayLines()
		}
		return []clock.Instant{up.ExitTime(0, 0), down.ExitTime(0, 0)}
	}
	first := draw(1, 1, 1)
	if second := draw(1, 1, 1); !slices.Equal(first, second) {
		t.Errorf("the same seed gives %v, then %v", first, second)
	}
	if first[0] == first[1] {
		t.Errorf("both directions wait %v, want different jitter", first[0])
	}
	for _, other := range [][]clock.Instant{draw(2, 1, 1), draw(1, 2, 1), draw(1, 1, 2)} {
		if other[0] == first[0] || other[1] == first[1] {
			t.Errorf("another seed, client or connection waits %v, the first %v, want different jitter", other, first)
		}
	}
}

// All bytes leave once and in order, however they are split on entry or exit.
func TestDelayLineKeepsOrderAndBytes(t *testing.T) {
	for _, link := range []Link{{RTT: 5}, {RTT: 5, Jitter: 100}, {Jitter: 50, Rate: 1e9}} {
		r := rand.New(rand.NewPCG(1, 2))
		l := delayOf(link)
		var in, out []byte
		for now := clock.Instant(0); now < 20_000; now++ {
			data := make([]byte, r.IntN(4000))
			for i := range data {
				data[i] = byte(len(in) + i)
			}
			in = append(in, data...)
			l.EnterPaced(len(data), data, now)
			for p, ok := l.First(); ok && p.Due <= now && r.IntN(3) > 0; p, ok = l.First() {
				n := r.IntN(p.Size + 1)
				out = append(out, p.Data[:n]...)
				l.Remove(n)
			}
			if l.size != len(in)-len(out) {
				t.Fatalf("%d bytes in transit, want %d", l.size, len(in)-len(out))
			}
			if now%100 == 0 {
				in, out = in[len(out):], nil
				for p, ok := l.First(); ok; p, ok = l.First() {
					out = append(out, p.Data...)
					l.Remove(p.Size)
				}
				if string(in) != string(out) {
					t.Fatalf("%+v: the %d bytes that left differ from the %d that entered", link, len(out), len(in))
				}
				in, out = nil, nil
			}
		}
	}
}

// A backend has no link, and neither has a Link without delay and rate.
func TestBackendHasNoLink(t *testing.T) {
	subscriber, backend := Subscription{Topics: []string{"a"}}, Subscription{Publishes: true}
	for _, c := range []struct {
		name string
		link Link
		sub  Subscription
		want bool
	}{
		{"a round trip", Link{RTT: 1}, subscriber, true},
		{"jitter alone", Link{Jitter: 1}, subscriber, true},
		{"a rate alone", Link{Rate: 1}, subscriber, true},
		{"nothing", Link{Seed: 7}, subscriber, false},
		{"a backend", Link{RTT: 1, Jitter: 1, Rate: 1}, backend, false},
	} {
		d := (&Config{Link: c.link}).Distance(c.sub, Downstream)
		if got := d.Delayed(); got != c.want {
			t.Errorf("%s: got delayed %v, want %v", c.name, got, c.want)
		}
	}
}

// A message of many segments has one jitter, as a message in one piece has. With 35 jitters
// in order, it would have the largest of them.
func TestLargeMessageHasOneJitter(t *testing.T) {
	const size, n = 50_000, 2000
	link := &Link{Jitter: 1000, Rate: 1_000_000_000}
	serial := clock.Instant(size) // 1 ns per byte
	sum := map[string]float64{}
	for i := range uint64(n) {
		for name, enter := range map[string]func(*DelayLine){
			"up":   func(l *DelayLine) { l.Enter(Segment{Size: size}, 0) },
			"down": func(l *DelayLine) { l.EnterPaced(size, nil, 0) },
		} {
			l := DelayLine{link: link, random: *rand.NewPCG(i, 3)}
			enter(&l)
			sum[name] += float64(l.lastExit - serial)
		}
	}
	for name, total := range sum {
		if mean := total / n; mean < 470 || mean > 530 {
			t.Errorf("%s: a jitter of up to 1000 ns delays by %.0f ns on average, want about 500", name, mean)
		}
	}
}
