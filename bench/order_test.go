package bench

import (
	"fmt"
	"testing"

	"pushbench/scenarios"
)

func TestOrdersAreBalanced(t *testing.T) {
	for n := 1; n <= 13; n++ {
		transports := make([]scenarios.Transport, n)
		for i := range transports {
			transports[i] = scenarios.Transport(fmt.Sprint(i))
		}
		rows := len(williams(n))
		positions := map[string]int{}
		after := map[string]int{}
		for _, order := range Orders(transports, rows, 7) {
			seen := map[scenarios.Transport]bool{}
			for i, tr := range order {
				seen[tr] = true
				positions[fmt.Sprint(tr, "@", i)]++
				if i > 0 {
					after[fmt.Sprint(order[i-1], ">", tr)]++
				}
			}
			if len(seen) != n {
				t.Fatalf("n=%d: %v does not contain every transport once", n, order)
			}
		}
		equal(t, n, "positions", positions, n*n)
		equal(t, n, "successions", after, n*(n-1))
	}
}

func equal(t *testing.T, n int, what string, counts map[string]int, kinds int) {
	t.Helper()
	if len(counts) != kinds {
		t.Errorf("n=%d: %d kinds of %s, want %d", n, len(counts), what, kinds)
	}
	want := -1
	for kind, count := range counts {
		if want < 0 {
			want = count
		}
		if count != want {
			t.Errorf("n=%d: %s: %q occurs %d times, others %d times", n, what, kind, count, want)
		}
	}
}

func TestSeedDeterminesOrders(t *testing.T) {
	a := fmt.Sprint(Orders(scenarios.Transports, 8, 1))
	if b := fmt.Sprint(Orders(scenarios.Transports, 8, 1)); a != b {
		t.Errorf("the same seed gives two orders:\n%s\n%s", a, b)
	}
	if b := fmt.Sprint(Orders(scenarios.Transports, 8, 2)); a == b {
		t.Errorf("two seeds give the same order: %s", a)
	}
}
