package compare

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// noise generates realistic values of consecutive trials: lognormal, with an autocorrelation of 0.5,
// and one in fifty three times as large.
type noise struct {
	random *rand.Rand
	state  float64
	sigma  float64
}

func newNoise(seed uint64, sigma float64) *noise {
	return &noise{random: rand.New(rand.NewPCG(seed, 99)), sigma: sigma}
}

func (n *noise) next() float64 {
	const correlation = 0.5
	n.state = correlation*n.state + math.Sqrt(1-correlation*correlation)*n.random.NormFloat64()
	x := math.Exp(n.sigma * n.state)
	if n.random.IntN(50) == 0 {
		x *= 3
	}
	return x
}

// draw simulates n repetitions of two sides that differ by the factor. As in a run, their trials
// alternate, so both have the same drift.
func draw(seed uint64, sigma float64, n int, factor float64) Pairing {
	drift := newNoise(seed, sigma)
	own := rand.New(rand.NewPCG(seed, 7))
	p := Pairing{Metric: "p50", Names: [2]string{"a", "b"}}
	for range n {
		p.A = append(p.A, drift.next()*math.Exp(sigma*own.NormFloat64()))
		p.B = append(p.B, factor*drift.next()*math.Exp(sigma*own.NormFloat64()))
	}
	return p
}

func one(t *testing.T, p Pairing) Difference {
	t.Helper()
	return Plan{}.All([]Pairing{p})[0]
}

// Four equal sides in one run are a family of six pairs. At most 1 % of the pairs may be called
// different, and at most 5 % of the families may contain such a pair.
func TestFamilyOfEqualSidesHasFewFalsePositives(t *testing.T) {
	const families, sides = 500, 4
	pairs, wrong, affected := 0, 0, 0
	for i := range uint64(families) {
		// The sides alternate on one machine, so they share its drift.
		drift, own := newNoise(i, 0.04), rand.New(rand.NewPCG(i, 7))
		var values [sides][]float64
		for range 12 {
			for side := range values {
				values[side] = append(values[side], drift.next()*math.Exp(0.04*own.NormFloat64()))
			}
		}
		var family []Pairing
		for a := range sides {
			for b := a + 1; b < sides; b++ {
				family = append(family, Pairing{Metric: "p50", A: values[a], B: values[b]})
			}
		}
		found := Plan{}.All(family)
		wrongBefore := wrong
		for _, d := range found {
			pairs++
			if d.Verdict == Different {
				wrong++
			}
		}
		if wrong > wrongBefore {
			affected++
		}
	}
	t.Logf("%d of %d pairs and %d of %d families called different", wrong, pairs, affected, families)
	if wrong > pairs/100 || affected > families/20 {
		t.Errorf("%d of %d pairs and %d of %d families of equal sides called different", wrong, pairs, affected, families)
	}
}

func TestSwappedSidesGiveTheReciprocal(t *testing.T) {
	for seed := range uint64(200) {
		p := draw(seed, 0.1, 8+int(seed%9), 1.2)
		d := one(t, p)
		s := one(t, Pairing{Metric: p.Metric, Names: [2]string{"b", "a"}, A: p.B, B: p.A})
		if s.P != d.P || s.Verdict != d.Verdict {
			t.Fatalf("seed %d: swapped: p %v and %s, was %v and %s", seed, s.P, s.Verdict, d.P, d.Verdict)
		}
		for _, values := range [][2]float64{{d.Ratio, s.Ratio}, {d.Lo, s.Hi}, {d.Hi, s.Lo}, {d.Lo90, s.Hi90}} {
			if values[0] != 1/values[1] && values[1] != 1/values[0] {
				t.Fatalf("seed %d: %v swapped is %v, not its reciprocal", seed, values[0], values[1])
			}
		}
	}
}

func TestVerdicts(t *testing.T) {
	steady := func(n int, factor float64) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = factor * (1 + 0.001*float64(i%5))
		}
		return xs
	}
	wild := []float64{1, 3, 0.4, 2, 0.6, 1.5, 0.9, 1.1, 2.2, 0.5, 1.3, 0.8}
	for _, c := range []struct {
		name string
		a, b []float64
		want Verdict
	}{
		{"twice as much", steady(12, 1), steady(12, 2), Different},
		{"half as much", steady(12, 2), steady(12, 1), Different},
		{"the same", steady(12, 1), steady(12, 1.0001), Equivalent},
		{"too few", steady(7, 1), steady(7, 2), TooFew},
		{"noise", steady(12, 1), wild, Inconclusive},
		{
			"significant but small, interval beyond the margin",
			[]float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
			[]float64{1.01, 1.02, 1.09, 1.03, 1.08, 1.01, 1.10, 1.02, 1.07, 1.03, 1.09, 1.02},
			Small,
		},
	} {
		d := one(t, Pairing{Metric: "p50", Names: [2]string{"a", "b"}, A: c.a, B: c.b})
		if d.Verdict != c.want {
			t.Errorf("%s: %s (ratio %.3f, 95 %% %.3f … %.3f, p %.4f), want %s", c.name, d.Verdict, d.Ratio, d.Lo, d.Hi, d.Adjusted, c.want)
		}
		if open := d.Verdict == Inconclusive || d.Verdict == TooFew; open && d.Needed == 0 || !open && d.Verdict != Small && d.Needed > 0 {
			t.Errorf("%s: %s, but %d repetitions needed", c.name, d.Verdict, d.Needed)
		}
	}
}

func TestInfiniteRepetitions(t *testing.T) {
	inf := math.Inf(1)
	d := one(t, Pairing{
		Metric: "p99", Names: [2]string{"a", "b"},
		A: []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, B: []float64{inf, 5, inf, 7, 8, inf, 6, 9, inf, 5.5},
	})
	if d.Verdict != Different || d.Infinite != [2]int{0, 4} {
		t.Errorf("lost in 4 of 10 repetitions and five times slower in the others: %s, infinite %v", d.Verdict, d.Infinite)
	}
	if !slices.ContainsFunc(d.Warnings, func(err error) bool { return errors.Is(err, ErrInfinite) }) {
		t.Errorf("warnings %v do not include ErrInfinite", d.Warnings)
	}
	all := slices.Repeat([]float64{inf}, 12)
	if both := one(t, Pairing{Metric: "p99", A: all, B: all}); both.Verdict != Inconclusive || both.P != 1 || !math.IsNaN(both.Ratio) || both.Lo != 0 || both.Hi != inf {
		t.Errorf("infinite on both sides: %+v; two infinite sides are not equivalent", both)
	}
}

// If each repetition is infinite on one side, in turns, the comparison is inconclusive with any number
// of repetitions.
func TestAlternatingInfinitiesAreInconclusive(t *testing.T) {
	for n := 12; n <= 32; n += 2 {
		p := Pairing{A: slices.Repeat([]float64{1}, n), B: slices.Repeat([]float64{1}, n)}
		for i := range n {
			if i%2 == 0 {
				p.A[i] = math.Inf(1)
			} else {
				p.B[i] = math.Inf(1)
			}
		}
		if d := one(t, p); d.Verdict != Inconclusive || d.Lo90 != 0 || !math.IsInf(d.Hi90, 1) {
			t.Errorf("%d repetitions: %s, 90 %% %v … %v, 95 %% %v … %v", n, d.Verdict, d.Lo90, d.Hi90, d.Lo, d.Hi)
		}
	}
}

// A repetition that is infinite on both sides widens the interval, but does not hide the difference.
func TestOneRepetitionInfiniteOnBothSides(t *testing.T) {
	p := Pairing{A: slices.Repeat([]float64{1}, 12), B: slices.Repeat([]float64{2}, 12)}
	p.A[3], p.B[3] = math.Inf(1), math.Inf(1)
	if d := one(t, p); d.Verdict != Different || d.Ratio != 2 {
		t.Errorf("twice as much in the other eleven: %+v", d)
	}
}

func TestOnlyPositiveValuesHaveARatio(t *testing.T) {
	for _, bad := range []float64{0, -1, math.NaN()} {
		for _, p := range []Pairing{{A: []float64{1, bad}, B: []float64{1, 1}}, {A: []float64{1, 1}, B: []float64{1, bad}}} {
			d := one(t, p)
			if d.Verdict != Incomparable || d.P != 1 || !math.IsNaN(d.Ratio) || !errors.Is(errors.Join(d.Warnings...), ErrNoRatio) {
				t.Errorf("%v was compared: %+v", bad, d)
			}
		}
	}
	if d := one(t, Pairing{A: []float64{1, 2}, B: []float64{1}}); d.Verdict != Incomparable {
		t.Errorf("two repetitions were compared with one: %+v", d)
	}
}

// Holm's adjustment of three known p-values.
func TestHolm(t *testing.T) {
	family := []Difference{{P: 0.04}, {P: 0.01}, {P: 0.03}}
	holm(family)
	for i, want := range []float64{0.06, 0.03, 0.06} {
		if math.Abs(family[i].Adjusted-want) > 1e-12 {
			t.Errorf("p %v of three adjusted to %v, want %v", family[i].P, family[i].Adjusted, want)
		}
	}
}

// The smallest two-sided p of n sign flips is 2/2ⁿ.
func TestSignFlipIsExact(t *testing.T) {
	for n := 1; n <= 12; n++ {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = 1 + float64(i)/10
		}
		if got, want := SignFlip(xs), 2/math.Pow(2, float64(n)); got != want {
			t.Errorf("n = %d, all positive: p %v, want %v", n, got, want)
		}
	}
	// The sums of the 8 sign patterns of 1, 2, 3 are ±6, ±4, ±2, 0 and 0. Six of them are at least 2 in
	// absolute value.
	if got := SignFlip([]float64{1, -2, 3}); got != 6.0/8 {
		t.Errorf("p of 1, −2, 3 is %v, want 0.75", got)
	}
}

// The distribution of rounded sizes agrees with the exact one where both are computed.
func TestLatticeSignFlipAgreesWithExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for n := 14; n <= maxExact; n++ {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = random.NormFloat64() + 0.3
		}
		sizes, _ := sizesAndSum(xs)
		if exact, rounded := SignFlip(xs), latticeSignFlip(xs, sizes); math.Abs(exact-rounded) > 0.0005 {
			t.Errorf("n = %d: exact p %v, of rounded sizes %v", n, exact, rounded)
		}
	}
	if p := SignFlip(make([]float64, maxExact+1)); p != 1 {
		t.Errorf("no difference in any repetition: p %v, want 1", p)
	}
}

// The order of repetitions and pairings does not change any bit of a difference.
func TestResultIsIndependentOfOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	for seed := range uint64(50) {
		family := []Pairing{draw(seed, 0.1, 9, 1), draw(seed+100, 0.1, 12, 1.2), draw(seed+200, 0.1, 24, 1.05)}
		want := Plan{}.All(family)
		for i, p := range family {
			random.Shuffle(len(p.A), func(i, j int) { p.A[i], p.A[j], p.B[i], p.B[j] = p.A[j], p.A[i], p.B[j], p.B[i] })
			family[i] = p
		}
		slices.Reverse(family)
		got := Plan{}.All(family)
		slices.Reverse(got)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: got %+v, want %+v", seed, got, want)
		}
	}
}

// If all repetitions have the same ratio, the interval is a point. Equal absolute values are ties.
func TestTies(t *testing.T) {
	same := slices.Repeat([]float64{990.38}, 12)
	d := one(t, Pairing{A: same, B: same})
	if d.Verdict != Equivalent || d.P != 1 || d.Ratio != 1 || d.Lo != 1 || d.Hi != 1 {
		t.Errorf("equal sides: %+v", d)
	}
	twice := slices.Repeat([]float64{2 * 990.38}, 12)
	if d := one(t, Pairing{A: same, B: twice}); d.Verdict != Different || d.P != 2/math.Pow(2, 12) {
		t.Errorf("each repetition is twice as large: %+v", d)
	}
	mixed := slices.Concat(same[:6], twice[:6])
	if d := one(t, Pairing{A: same, B: mixed}); d.Verdict != Inconclusive || d.P != 2/math.Pow(2, 6) {
		t.Errorf("six of twelve repetitions differ: %+v", d) // six differences have a sign, the others are zero
	}
}

// A pair without a ratio remains in the family. Otherwise the adjustment of the others would be smaller
// than declared.
func TestPairWithoutARatioRemainsInTheFamily(t *testing.T) {
	same := slices.Repeat([]float64{1}, 12)
	twice := slices.Repeat([]float64{2}, 12)
	found := Plan{}.All([]Pairing{{A: same, B: twice}, {Missing: []error{errors.New("too few")}}, {A: same, B: slices.Repeat([]float64{0}, 12)}})
	if want := 3 * 2 / math.Pow(2, 12); found[0].Adjusted != want || found[0].Verdict != Different {
		t.Errorf("p adjusted to %v, %s; want %v", found[0].Adjusted, found[0].Verdict, want)
	}
	for _, d := range found[1:] {
		if d.Verdict != Incomparable || d.Needed != 0 || d.Adjusted != 1 {
			t.Errorf("%+v", d)
		}
	}
}

// Seven repetitions support no verdict. With 18 comparisons, nine repetitions cannot show a difference
// of any size.
func TestMinDecisive(t *testing.T) {
	for size, want := range map[int]int{1: 8, 6: 8, 7: 9, 12: 9, 13: 10, 18: 10, 54: 12} {
		if got := (Plan{}).MinDecisive(size); got != want {
			t.Errorf("a family of %d: %d repetitions, want %d", size, got, want)
		}
	}
	for n := 1; n <= 12; n++ {
		family := make([]Pairing, 18)
		for i := range family {
			family[i] = Pairing{A: slices.Repeat([]float64{1}, n), B: slices.Repeat([]float64{9}, n)}
		}
		d := Plan{}.All(family)[0]
		want := Different
		switch {
		case n < MinRepetitions:
			want = TooFew
		case n < 10:
			want = Inconclusive
		}
		if d.Verdict != want || want != Different && d.Needed != 10 {
			t.Errorf("%d repetitions: %s, %d needed; want %s", n, d.Verdict, d.Needed, want)
		}
	}
}

// A half width of 10 % requires (ln 1.1 / ln 1.05)² times as many repetitions.
func TestNeededRepetitions(t *testing.T) {
	d := Difference{Repetitions: 12, Lo: 1 / 1.1, Hi: 1.1}
	if got, want := (Plan{}).needed(d, 1), 46; got != want {
		t.Errorf("%d repetitions, want %d", got, want)
	}
	// The estimate is 4 % and the margin 5 %, so the half width must shrink to 1 %.
	d = Difference{Repetitions: 12, Ratio: 1.04, Lo: 1.04 / 1.03, Hi: 1.04 * 1.03, Verdict: Small}
	if got, want := (Plan{}).needed(d, 1), 115; got != want {
		t.Errorf("detectable: %d repetitions, want %d", got, want)
	}
	// The interval is beyond the margin, but p is too large. With 18 comparisons it must be below
	// 0.0028, which is 2.99 standard deviations; 0.05 is 1.96.
	d = Difference{Repetitions: 12, Ratio: 1.6, Lo: 1.2, Hi: 2, P: 0.05}
	if got, want := (Plan{}).needed(d, 18), 28; got != want {
		t.Errorf("p is too large: %d repetitions, want %d", got, want)
	}
	d.Hi = math.Inf(1)
	if got := (Plan{}).needed(d, 1); got != 0 {
		t.Errorf("an unbounded interval: %d repetitions, want 0 for unknown", got)
	}
}

// Critical values from Wilcoxon's published tables (two-sided 0.05): T ≤ c rejects.
func TestSignedRankTable(t *testing.T) {
	for n, want := range map[int]int{5: -1, 6: 0, 7: 2, 8: 3, 9: 5, 10: 8, 12: 13, 15: 25, 20: 52} {
		if got := signedRankCritical(n, 0.025) - 1; got != want {
			t.Errorf("n = %d: critical value %d, tables say %d", n, got, want)
		}
	}
	sum := 0.0
	for _, p := range signedRankDistribution(16) {
		sum += p
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("the distribution for n = 16 sums to %v", sum)
	}
}

func TestSignedRanks(t *testing.T) {
	got := signedRanks([]float64{-3, 1, 0, 3, math.Inf(-1)})
	if want := []float64{-3.5, 2, 0, 3.5, -5}; !slices.Equal(got, want) {
		t.Errorf("signed ranks %v, want %v", got, want)
	}
}

func BenchmarkCompare12(b *testing.B) {
	p := draw(1, 0.05, 12, 1.1)
	for b.Loop() {
		Plan{}.All([]Pairing{p})
	}
}
