// Package proof validates the statistics of results/compare against a known truth: simulated runs
// whose sides are equal, or differ by a known factor.
//
// It owns the noise of those runs and their expected results. It must never be part of an
// analysis.
package proof

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"pushbench/results/compare"
)

// A Check is one check of the statistics.
type Check struct {
	What      string // "A/A, 12 repetitions: significant"
	Expected  string
	Measured  string
	Tolerance string // the accepted values
	Pass      bool
}

// A procedure compares a declared family; the real one is compare.Plan.All.
type procedure func([]compare.Pairing) []compare.Difference

// Seed is the seed of the checks in every test.
const Seed = 1

// Checks simulates some 30,000 comparisons. The same seed gives the same checks on any machine. It
// takes a few seconds.
func Checks(seed uint64) []Check { return checks(seed, compare.Plan{}.All) }

func checks(seed uint64, run procedure) []Check {
	return []Check{
		falsePositives(seed, run, 8, 10_000),
		falsePositives(seed, run, 12, 10_000),
		falseVerdicts(seed, run),
		power(seed, run, "a true difference of 5 %, trials varying by 2 %", quiet, 12, 500),
		power(seed, run, "a true difference of 5 %, trials varying by 14 %", noisy, 144, 100),
		coverage(seed, run),
		equivalence(seed, run, "a true difference of the margin, trials varying by 2 %: called equivalent", 1.05, "≤ 5.00 %", 0, 0.063),
		equivalence(seed, run, "no true difference, trials varying by 2 %: called equivalent", 1, "≥ 95.00 %", 0.95, 1),
		reciprocity(seed, run),
		permutation(seed, run),
	}
}

// falsePositives counts significant differences of a side from itself. The exact test has steps of
// 2/2ⁿ, so its level is the largest step below 5 %: 4.69 % with 8 repetitions, 4.98 % with 12. Both
// are in the tolerance, the 99 % band of 2,000 comparisons about 5 %, without a randomised or mid-p
// test.
//
// The level is exact for independent repetitions. Correlated trials couple neighbouring
// repetitions and increase it slightly: to 5.1 % with 8 and 5.3 % with 12 repetitions of this noise,
// over 72,000 comparisons each (4.7 and 5.0 without the correlation). Checks therefore uses five
// times 2,000 comparisons.
func falsePositives(seed uint64, run procedure, repetitions, runs int) Check {
	random := rand.New(rand.NewPCG(seed, uint64(repetitions)))
	rejected := 0
	for i := range runs {
		all := family(hostile.run(random, repetitions, equal))
		if run(all[i%len(all):][:1])[0].P < 0.05 {
			rejected++
		}
	}
	steps := math.Ldexp(1, repetitions-1)
	level := (math.Ceil(0.05*steps) - 1) / steps
	return within(fmt.Sprintf("A/A, %d repetitions: significant", repetitions), share(level), 0.037, 0.063, ratio(rejected, runs))
}

// falseVerdicts counts pairs of equal sides with the verdict Different, in families of 18 comparisons:
// every pair of four sides by three metrics.
func falseVerdicts(seed uint64, run procedure) Check {
	const runs, metrics = 600, 3
	random := rand.New(rand.NewPCG(seed, 1))
	wrong, pairs := 0, 0
	for range runs {
		var declared []compare.Pairing
		for range metrics {
			declared = append(declared, family(hostile.run(random, 12, equal))...)
		}
		for _, d := range run(declared) {
			pairs++
			if d.Verdict == compare.Different {
				wrong++
			}
		}
	}
	return within("A/A, 12 repetitions: called different", "< "+share(0.01), 0, 0.01, ratio(wrong, pairs))
}

// power counts how often a difference of 5 % is found.
func power(seed uint64, run procedure, what string, s setup, repetitions, runs int) Check {
	found := often(rand.NewPCG(seed, 2), run, s, repetitions, runs, 1.05, func(d compare.Difference) bool { return d.P < 0.05 && d.Ratio > 1 })
	return within(fmt.Sprintf("%s, %d repetitions: detected", what, repetitions), "≥ "+share(0.95), 0.95, 1, found)
}

// coverage counts how often the 95 % interval contains the true ratio. The exact interval of 12
// repetitions contains it in 95.8 %.
func coverage(seed uint64, run procedure) Check {
	covered := often(rand.NewPCG(seed, 3), run, hostile, 12, 2000, 1.05, func(d compare.Difference) bool { return d.Lo <= 1.05 && 1.05 <= d.Hi })
	return within("95 % interval, 12 repetitions: contains the true ratio", share(0.958), 0.93, 0.97, covered)
}

// equivalence counts how often sides that differ by the factor are called equivalent. If they differ
// by the margin, two one-sided tests at 5 % may call 5 % of them equivalent.
func equivalence(seed uint64, run procedure, what string, factor float64, expected string, lo, hi float64) Check {
	called := often(rand.NewPCG(seed, 6), run, quiet, 12, 2000, factor, func(d compare.Difference) bool { return d.Verdict == compare.Equivalent })
	return within(what, expected, lo, hi, called)
}

// often returns the share of simulated comparisons with a property. The second side is the factor
// times as large as the first.
func often(source rand.Source, run procedure, s setup, repetitions, runs int, factor float64, property func(compare.Difference) bool) float64 {
	random, n := rand.New(source), 0
	for range runs {
		values := s.run(random, repetitions, [sides]float64{1, factor, 1, 1})
		if property(run([]compare.Pairing{{A: values[0], B: values[1]}})[0]) {
			n++
		}
	}
	return ratio(n, runs)
}

// reciprocity counts comparisons that a swap of the sides changes. The ratio must become its exact
// reciprocal; everything else must keep every bit.
func reciprocity(seed uint64, run procedure) Check {
	return none(seed, 4, "sides swapped: not the reciprocal", func(_ *rand.Rand, p compare.Pairing) bool {
		d, s := run([]compare.Pairing{p})[0], run([]compare.Pairing{{A: p.B, B: p.A}})[0]
		return s.P == d.P && s.Verdict == d.Verdict && s.Needed == d.Needed &&
			reciprocal(d.Ratio, s.Ratio) && reciprocal(d.Lo, s.Hi) && reciprocal(d.Hi, s.Lo) && reciprocal(d.Lo90, s.Hi90) && reciprocal(d.Hi90, s.Lo90)
	})
}

// reciprocal reports whether x and y are reciprocals: the larger one is computed, and the smaller
// one is one divided by it.
func reciprocal(x, y float64) bool { return x == 1/y || y == 1/x }

// permutation counts comparisons that the order of the repetitions changes in any bit.
func permutation(seed uint64, run procedure) Check {
	return none(seed, 5, "repetitions in another order: not the same", func(random *rand.Rand, p compare.Pairing) bool {
		var q compare.Pairing
		for _, i := range random.Perm(len(p.A)) {
			q.A, q.B = append(q.A, p.A[i]), append(q.B, p.B[i])
		}
		d, e := run([]compare.Pairing{p})[0], run([]compare.Pairing{q})[0]
		return d.Ratio == e.Ratio && d.Lo == e.Lo && d.Hi == e.Hi && d.P == e.P && d.Verdict == e.Verdict && d.Needed == e.Needed
	})
}

// none requires a property of all 300 comparisons: of 8 to 24 repetitions, where 24 exceed the exact
// enumeration of signs, with outliers, ties and, in one of three, infinities.
func none(seed, stream uint64, what string, property func(*rand.Rand, compare.Pairing) bool) Check {
	const runs = 300
	repetitions := []int{8, 9, 10, 11, 12, 13, 24}
	random := rand.New(rand.NewPCG(seed, stream))
	violations := 0
	for i := range runs {
		values := hostile.run(random, repetitions[i%len(repetitions)], [sides]float64{1, 1 + float64(i%5)/20, 1, 1})
		p := compare.Pairing{A: values[0], B: values[1]}
		p.B[1], p.A[1] = p.B[0], p.A[0]
		if i%3 == 0 {
			p.B[2], p.A[3], p.A[4], p.B[4] = math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1)
		}
		if !property(random, p) {
			violations++
		}
	}
	return Check{What: what, Expected: "0", Measured: fmt.Sprintf("%d of %d", violations, runs), Tolerance: "0", Pass: violations == 0}
}

// Live checks comparisons of two sides with a real difference, B over A, each by the factor that its
// own servers report: the direction must always be right, the difference significant in nine of
// ten, and the interval must contain the true ratio in 17 of 20. With 20 comparisons, a power of
// 0.99 passes in 99.9 % of cases and one of 0.80 in 21 %.
//
// Each value of the series has a relative rounding error of at most resolution, 0.001 for 0.1 %. On
// a quiet machine, all trials round to the same value and the interval has no width, so it is
// widened by the rounding error.
func Live(what string, truths []float64, resolution float64, series []compare.Pairing) []Check {
	n := len(series)
	var right, found, covered int
	for i, p := range series {
		d := compare.Plan{}.All([]compare.Pairing{p})[0]
		if !((d.Ratio > 1) == (truths[i] > 1) && d.Ratio != 1) {
			continue // NaN included
		}
		right++
		if d.P < 0.05 {
			found++
		}
	}
	for i, d := range compare.Intervals(series) {
		if d.Lo*(1-resolution) <= truths[i] && truths[i] <= d.Hi*(1+resolution) && !math.IsNaN(d.Ratio) {
			covered++
		}
	}
	return []Check{
		atLeast(what+": direction correct", right, n, n),
		atLeast(what+": detected", found, n, (9*n+9)/10),
		atLeast(what+": interval contains the true ratio", covered, n, (17*n+19)/20),
	}
}

func atLeast(what string, k, n, least int) Check {
	return Check{
		What: what, Expected: fmt.Sprintf("%d of %d", n, n), Measured: fmt.Sprintf("%d of %d", k, n),
		Tolerance: fmt.Sprintf("≥ %d", least), Pass: n > 0 && k >= least,
	}
}

func within(what, expected string, lo, hi, x float64) Check {
	return Check{What: what, Expected: expected, Measured: share(x), Tolerance: share(lo) + " … " + share(hi), Pass: lo <= x && x <= hi}
}

func ratio(k, n int) float64 { return float64(k) / float64(n) }

func share(x float64) string { return fmt.Sprintf("%.2f %%", 100*x) }

// Passed reports whether every check passed.
func Passed(all []Check) bool {
	return !slices.ContainsFunc(all, func(c Check) bool { return !c.Pass })
}
