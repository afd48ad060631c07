package validity

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pushbench/results"
)

// Known values of Kendall's S for n = 4: of the 24 orders, 1, 3, 5, 6, 5, 3, 1 have
// S = 6, 4, 2, 0, −2, −4, −6.
func TestKendallPValue(t *testing.T) {
	for _, test := range []struct {
		n, s int
		want float64
	}{{4, 6, 2.0 / 24}, {4, -6, 2.0 / 24}, {4, 4, 8.0 / 24}, {4, 2, 18.0 / 24}, {4, 0, 1}, {1, 0, 1}, {10, 45, 2.0 / 3628800}} {
		if got := kendallPValue(test.n, test.s); math.Abs(got-test.want) > 1e-12 {
			t.Errorf("n = %d, S = %d: p = %g, want %g", test.n, test.s, got, test.want)
		}
	}
}

// Without a trend, the check's false-positive rate over 20,000 windows of ten segments is between a
// quarter of the declared 1 % and 1 %.
func TestFalsePositiveRateIsAsDeclared(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	const windows = 20_000
	failed := 0
	for range windows {
		a, b := make([]float64, segmentCount), make([]float64, segmentCount)
		for i := range a {
			a[i], b[i] = random.NormFloat64(), random.ExpFloat64()
		}
		if min(mannKendall(a), mannKendall(b)) < trendLevel/2 {
			failed++
		}
	}
	if share := float64(failed) / windows; share > trendLevel || share < trendLevel/4 {
		t.Errorf("%.2f %% of windows without a trend fail, want %.2f to %.2f %%", 100*share, 100*trendLevel/4, 100*trendLevel)
	}
}

// A slope of one standard deviation of the noise per segment is detected in 95 % of windows.
func TestTrendsAreDetected(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	const windows = 1000
	found := 0
	for range windows {
		series := make([]float64, segmentCount)
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

func TestCutLeavesOutWarmUpDrainAndEmptySegments(t *testing.T) {
	all := seconds(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21)
	all[20].Start = 20 * time.Second                                       // the drain
	all = append([]results.Interval{{Start: -time.Second}}, all...)        // the warm-up
	all = append(all, results.Interval{Start: 3 * time.Second, Length: 1}) // no delivery
	due := make([]Due, 20)
	for i := range due {
		due[i] = Due{Pairs: int64(i), Squares: int64(10 * i)}
	}
	count := func(segments []segment) (latencies, pairs int64) {
		for _, s := range segments {
			latencies += s.delivered.Count()
			pairs += s.due.Pairs
			if s.due.Pairs > 0 && s.due.fanOut() != 10 {
				t.Errorf("mean fan-out %v, want 10", s.due.fanOut())
			}
		}
		return latencies, pairs
	}
	segments := cut(all, due, 0, 20*time.Second)
	if n, pairs := count(segments); len(segments) != 7 || n != 20 || pairs != 190+3 {
		t.Errorf("%d segments of %d latencies, %d due, want 7 of 20 and 193", len(segments), n, pairs)
	}
	segments = cut(all, nil, 4*time.Second, 20*time.Second)
	if n, pairs := count(segments); len(segments) != 4 || n != 16 || pairs != 0 {
		t.Errorf("polling every 4 s: %d segments of %d latencies, %d due, want 4 of 16, unknown", len(segments), n, pairs)
	}
	if passed, detail := noTrend(Evidence{Seconds: seconds(1, 2, 3, 4, 5, 6, 7), Window: time.Minute}); !passed {
		t.Errorf("the trend test is applied to 7 segments: %s", detail)
	}
}

// A significant trend fails the check only if the drift exceeds a fifth of the margin.
func TestSmallDriftPasses(t *testing.T) {
	for _, c := range []struct {
		step   time.Duration // from segment to segment, beginning with 10 ms
		margin float64
		passes bool
	}{
		{6 * time.Microsecond, 0.05, true}, // 0.5 % in nine steps
		{-6 * time.Microsecond, 0.05, true},
		{22 * time.Microsecond, 0.05, false}, // 2 %
		{-22 * time.Microsecond, 0.05, false},
		{22 * time.Microsecond, 0.2, true},
		{22 * time.Microsecond, 0, false}, // no margin is declared
		{0, 0, true},
	} {
		var all []results.Interval
		for i := range 10 {
			one := results.Interval{Start: time.Duration(i) * time.Second, Length: time.Second}
			one.Latency.RecordMany(10*time.Millisecond+time.Duration(i)*c.step, 100)
			all = append(all, one)
		}
		if passed, detail := noTrend(Evidence{Seconds: all, Window: 10 * time.Second, Margin: c.margin}); passed != c.passes {
			t.Errorf("steps of %v, a margin of %v: passed %v: %s", c.step, c.margin, passed, detail)
		}
	}
}

// The slope is the median slope: a single segment does not cause a drift.
func TestDrift(t *testing.T) {
	for _, c := range []struct {
		series []float64
		want   float64
	}{
		{[]float64{10, 11, 12, 13, 14}, 4.0 / 12},
		{[]float64{14, 13, 12, 11, 10}, 4.0 / 12},
		{[]float64{10, 10, 10, 10, 1000}, 0},
		{[]float64{5}, 0},
		{[]float64{0, 0, 0}, 0},
	} {
		if got := drift(c.series); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v: %v, want %v", c.series, got, c.want)
		}
	}
}

// A trend that follows the schedule is not detected, even if the schedule's own trend is steep. A
// trend beyond the schedule's is detected.
func TestTrendOfTheScheduleIsIgnored(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 9))
	const windows = 5000
	for name, c := range map[string]struct {
		follows     float64 // weight of the schedule in the latencies, in units of their noise
		slope       float64 // of the schedule per segment, in units of its noise
		beyond      float64 // slope of the latencies beyond the schedule's, in units of their noise
		least, most float64 // share of windows that fail
	}{
		"weak influence":                      {0.2, 0, 0, trendLevel / 4, trendLevel * 1.2},
		"weak influence, rising schedule":     {0.2, 0.5, 0, 0, trendLevel},
		"strong influence":                    {2, 0, 0, 0, trendLevel}, // both orders are nearly the same: the test is conservative
		"strong influence, rising schedule":   {2, 0.5, 0, 0, trendLevel},
		"independent trend":                   {2, 0, 2, 0.9, 1},
		"independent trend, falling schedule": {2, -0.3, 3, 0.6, 1},
	} {
		failed := 0
		for range windows {
			due, a, b := make([]float64, segmentCount), make([]float64, segmentCount), make([]float64, segmentCount)
			for i := range due {
				due[i] = c.slope*float64(i) + random.NormFloat64()
				a[i] = c.follows*due[i] + c.beyond*float64(i) + random.NormFloat64()
				b[i] = c.follows*due[i] + c.beyond*float64(i) + random.ExpFloat64()
			}
			if min(partialMannKendall(a, due), partialMannKendall(b, due)) < trendLevel/2 {
				failed++
			}
		}
		if share := float64(failed) / windows; share < c.least || share > c.most {
			t.Errorf("%s: %.2f %% of windows fail, want %.2f to %.2f %%", name, 100*share, 100*c.least, 100*c.most)
		}
	}
}

// With a constant schedule, the exact test is used.
func TestConstantScheduleUsesTheExactTest(t *testing.T) {
	series, even := []float64{3, 1, 4, 1, 5, 9, 2, 6, 5, 3}, make([]float64, 10)
	if got, want := partialMannKendall(series, even), mannKendall(series); got != want {
		t.Errorf("p = %v, want %v", got, want)
	}
	if got := partialMannKendall(series, series); got < 0.5 {
		t.Errorf("the schedule itself: p = %v, want no trend", got)
	}
}
