package bench

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pushbench/results"
)

// Known values: of Kendall's S for n = 4, 24 orders have 1, 3, 5, 6, 5, 3, 1 of them
// at S = 6, 4, 2, 0, −2, −4, −6.
func TestConcordance(t *testing.T) {
	for _, test := range []struct {
		n, s int
		want float64
	}{{4, 6, 2.0 / 24}, {4, -6, 2.0 / 24}, {4, 4, 8.0 / 24}, {4, 2, 18.0 / 24}, {4, 0, 1}, {1, 0, 1}, {10, 45, 2.0 / 3628800}} {
		if got := concordance(test.n, test.s); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("n = %d, S = %d: p = %g, want %g", test.n, test.s, got, test.want)
		}
	}
}

// Without a trend the gate refuses as seldom as it says, over 20,000 windows of ten
// slices: at most 1 %, and not far less.
func TestTrendsAreSeldomFoundWhereThereAreNone(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	const windows = 20_000
	refused := 0
	for range windows {
		a, b := make([]float64, sliceCount), make([]float64, sliceCount)
		for i := range a {
			a[i], b[i] = random.NormFloat64(), random.ExpFloat64()
		}
		if min(mannKendall(a), mannKendall(b)) < trendLevel/2 {
			refused++
		}
	}
	if share := float64(refused) / windows; share > trendLevel || share < trendLevel/4 {
		t.Errorf("refused %.2f %% of windows without a trend, want at most %.2f %% and not nearly none", 100*share, 100*trendLevel)
	}
}

// A trend that is as large as the noise is found nearly always.
func TestTrendsAreFound(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	const windows = 1000
	found := 0
	for range windows {
		series := make([]float64, sliceCount)
		for i := range series {
			series[i] = float64(i) + random.NormFloat64()
		}
		if mannKendall(series) < trendLevel/2 {
			found++
		}
	}
	if found < windows*95/100 {
		t.Errorf("found %d of %d trends", found, windows)
	}
}

func TestCutLeavesOutWhatIsNotOfTheWindow(t *testing.T) {
	all := seconds(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21)
	all[20].Start = 20 * time.Second                                       // the drain
	all = append([]results.Interval{{Start: -time.Second}}, all...)        // the warm-up
	all = append(all, results.Interval{Start: 3 * time.Second, Length: 1}) // nothing came
	parts := cut(all, 20*time.Second)
	var n int64
	for _, p := range parts {
		n += p.Count()
	}
	if len(parts) != 7 || n != 20 {
		t.Errorf("%d slices of %d latencies, want 7 of 20", len(parts), n)
	}
	if passed, detail := stationary(Evidence{Seconds: seconds(1, 2, 3, 4, 5, 6, 7), Window: time.Minute}); !passed {
		t.Errorf("7 slices judged: %s", detail)
	}
}
