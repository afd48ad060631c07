package summary_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pushbench/results"
	"pushbench/results/summary"
)

func TestQuantileRanks(t *testing.T) {
	if lo, hi, ok := summary.QuantileRanks(10_000, 0.99); lo != 9880 || hi != 9921 || !ok {
		t.Errorf("p99 of 10,000: ranks %d … %d, want 9880 … 9921", lo, hi)
	}
	if _, _, ok := summary.QuantileRanks(100, 0.999); ok {
		t.Error("p99.9 of 100 has an interval")
	}
	// Coverage on uniform observations, whose quantile q is q.
	random := rand.New(rand.NewPCG(2, 2))
	const trials, n, q = 2000, 1000, 0.9
	covered := 0
	for range trials {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = random.Float64()
		}
		slices.Sort(xs)
		lo, hi, _ := summary.QuantileRanks(n, q)
		if xs[lo-1] <= q && q <= xs[hi-1] {
			covered++
		}
	}
	if covered < trials*94/100 || covered > trials*98/100 {
		t.Errorf("%d of %d intervals contain the quantile, want 94 … 98 %%", covered, trials)
	}
}

// The width of the interval follows from the independent observations, not from the deliveries: a
// message to 20 clients is one observation.
func TestWithinCountsIndependentObservations(t *testing.T) {
	var h results.Histogram
	for i := range 20_000 {
		h.Record(time.Duration(i+1) * 100 * time.Microsecond) // 0.1 … 2000 ms
	}
	wide, ok := summary.Within(results.Latency{Histogram: h, Independent: 1000}, 0.5)
	narrow, ok2 := summary.Within(results.Latency{Histogram: h, Independent: 20_000}, 0.5)
	if !ok || !ok2 {
		t.Fatal("no interval")
	}
	// 1,000: ranks 469 and 532, at 46.9 and 53.2 % of 2 s.
	if got := [2]float64{wide.Lo.X, wide.Hi.X}; got[0] < 937 || got[0] > 939 || got[1] < 1063 || got[1] > 1066 {
		t.Errorf("1,000 observations: %v ms, want 938 and 1064", got)
	}
	if narrow.Hi.X-narrow.Lo.X > (wide.Hi.X-wide.Lo.X)/4 {
		t.Errorf("20 times as many observations: %v against %v", narrow, wide)
	}
}

func TestWithinIncludesLostMessages(t *testing.T) {
	var h results.Histogram
	for range 9890 {
		h.Record(time.Millisecond)
	}
	// 1.1 % of 10,000 are lost: p99 is infinite, and its interval begins before that.
	over, ok := summary.Within(results.Latency{Histogram: h, Infinite: 110, Independent: 10_000}, 0.99)
	if !ok || over.Lo.Known != summary.Shown || over.Hi.Known != summary.Infinite {
		t.Errorf("got %v, %v; want a finite and an infinite bound", over, ok)
	}
	if over, ok := summary.Within(results.Latency{Histogram: h, Independent: 999}, 0.99); ok {
		t.Errorf("p99 of 999 observations has the interval %v", over)
	}
	if over, ok := summary.Within(results.Latency{}, 0.5); ok {
		t.Errorf("an empty latency has the interval %v", over)
	}
}
