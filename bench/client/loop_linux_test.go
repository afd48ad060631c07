package client

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pushbench/bench/clock"
)

// Timers come in order, each once, however they are set, changed and removed.
func TestTimers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var timers timers
		links := make([]*link, 1+r.IntN(60))
		want := map[*link]clock.Instant{}
		for i := range links {
			links[i] = new(link)
		}
		for range 300 {
			k := links[r.IntN(len(links))]
			if r.IntN(3) == 0 {
				timers.remove(k)
				delete(want, k)
			} else {
				at := clock.Instant(r.IntN(100))
				timers.set(k, at)
				want[k] = at
			}
		}
		var got []clock.Instant
		for now := clock.Instant(0); now < 100; now++ {
			for k := timers.pop(now); k != nil; k = timers.pop(now) {
				if at, ok := want[k]; !ok || at != now {
					t.Fatalf("popped at %d what was set for %d (%v)", now, at, ok)
				}
				delete(want, k)
				got = append(got, now)
			}
		}
		if !slices.IsSorted(got) || len(want) != 0 || timers.first() != never {
			t.Fatalf("popped %v, %d never", got, len(want))
		}
	}
}
