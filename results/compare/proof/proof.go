// Package proof checks the statistics of results/compare against a known truth:
// simulated runs whose sides differ by nothing, or by exactly what was put in.
//
// It owns the noise of those runs and what must come out of them. It must never
// be part of a judgement.
package proof

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"pushbench/results/compare"
)

// A Check is one line of the proof.
type Check struct {
	What      string // "false alarms, 12 blocks"
	Expected  string // what must come out
	Measured  string
	Tolerance string // what may come out
	Pass      bool
}

// A judge compares a declared family; the one that counts is compare.Plan's.
type judge func([]compare.Pairing) []compare.Difference

// Seed is the one whose checks are part of every test.
const Seed = 1

// Checks simulates some 30,000 comparisons. The same seed gives the same checks,
// whatever the machine. It takes a few seconds.
func Checks(seed uint64) []Check { return checks(seed, compare.Plan{}.All) }

func checks(seed uint64, j judge) []Check {
	return []Check{
		falseAlarms(seed, j, 8, 10_000),
		falseAlarms(seed, j, 12, 10_000),
		falseVerdicts(seed, j),
		power(seed, j, "5 % more on a quiet rig (2 % from trial to trial)", quiet, 12, 500),
		power(seed, j, "5 % more on a noisy rig (14 %)", noisy, 144, 100),
		coverage(seed, j),
		equivalence(seed, j, "at the margin, quiet rig: called equivalent", 1.05, "≤ 5.00 %", 0, 0.063),
		equivalence(seed, j, "alike, quiet rig: called equivalent", 1, "≥ 95.00 %", 0.95, 1),
		reciprocity(seed, j),
		permutation(seed, j),
	}
}

// falseAlarms counts significant differences of a side from itself. The exact test
// has steps of 2/2ⁿ, so its level is the largest step below 5 %: 4.69 % with 8
// blocks, 4.98 % with 12. That takes no randomised and no mid-p test to lie in the
// band, which is the 99 % band of 2,000 comparisons about 5 %.
//
// The level is exact for blocks that are independent. Trials that resemble the one
// before couple neighbouring blocks, and then it is a little more: 5.1 % with 8
// and 5.3 % with 12 blocks of this noise, over 72,000 comparisons each (4.7 and
// 5.0 without the correlation). Hence five times 2,000 in Checks, so that chance
// does not decide.
func falseAlarms(seed uint64, j judge, blocks, runs int) Check {
	random := rand.New(rand.NewPCG(seed, uint64(blocks)))
	rejected := 0
	for i := range runs {
		all := family(hostile.run(random, blocks, alike))
		if j(all[i%len(all):][:1])[0].P < 0.05 {
			rejected++
		}
	}
	steps := math.Ldexp(1, blocks-1)
	level := (math.Ceil(0.05*steps) - 1) / steps
	return within(fmt.Sprintf("A/A, %d blocks: significant", blocks), share(level), 0.037, 0.063, ratio(rejected, runs))
}

// falseVerdicts counts pairs of equal sides that are called different in the end:
// three metrics make the family of 18 comparisons that a run declares by default.
func falseVerdicts(seed uint64, j judge) Check {
	const runs, metrics = 600, 3
	random := rand.New(rand.NewPCG(seed, 1))
	wrong, pairs := 0, 0
	for range runs {
		var declared []compare.Pairing
		for range metrics {
			declared = append(declared, family(hostile.run(random, 12, alike))...)
		}
		for _, d := range j(declared) {
			pairs++
			if d.Verdict == compare.Different {
				wrong++
			}
		}
	}
	return within("A/A, 12 blocks: called different", "< "+share(0.01), 0, 0.01, ratio(wrong, pairs))
}

// power counts how often a shift of 5 % is found.
func power(seed uint64, j judge, what string, r rig, blocks, runs int) Check {
	found := often(rand.NewPCG(seed, 2), j, r, blocks, runs, 1.05, func(d compare.Difference) bool { return d.P < 0.05 && d.Ratio > 1 })
	return within(fmt.Sprintf("%s, %d blocks: found", what, blocks), "≥ "+share(0.95), 0.95, 1, found)
}

// coverage counts how often the 95 % interval holds the truth. The exact interval
// of 12 blocks holds it in 95.8 %.
func coverage(seed uint64, j judge) Check {
	held := often(rand.NewPCG(seed, 3), j, hostile, 12, 2000, 1.05, func(d compare.Difference) bool { return d.Lo <= 1.05 && 1.05 <= d.Hi })
	return within("95 % interval, 12 blocks: holds the truth", share(0.958), 0.93, 0.97, held)
}

// equivalence counts how often sides that differ by the factor are called equivalent.
// Of such as differ by the whole margin, two one-sided tests at 5 % may let pass 5 %.
func equivalence(seed uint64, j judge, what string, factor float64, theory string, lo, hi float64) Check {
	called := often(rand.NewPCG(seed, 6), j, quiet, 12, 2000, factor, func(d compare.Difference) bool { return d.Verdict == compare.Equivalent })
	return within(what, theory, lo, hi, called)
}

// often is the share of simulated comparisons of two sides, the second the factor times as
// large as the first, in which something holds.
func often(source rand.Source, j judge, r rig, blocks, runs int, factor float64, holds func(compare.Difference) bool) float64 {
	random, n := rand.New(source), 0
	for range runs {
		values := r.run(random, blocks, [sides]float64{1, factor, 1, 1})
		if holds(j([]compare.Pairing{{A: values[0], B: values[1]}})[0]) {
			n++
		}
	}
	return ratio(n, runs)
}

// reciprocity counts comparisons that swapping the sides changes in any bit but
// the ratio's, which must become its reciprocal.
func reciprocity(seed uint64, j judge) Check {
	return none(seed, 4, "sides swapped: not the reciprocal", func(_ *rand.Rand, p compare.Pairing) bool {
		d, s := j([]compare.Pairing{p})[0], j([]compare.Pairing{{A: p.B, B: p.A}})[0]
		return s.P == d.P && s.Verdict == d.Verdict && s.Needed == d.Needed &&
			reciprocal(d.Ratio, s.Ratio) && reciprocal(d.Lo, s.Hi) && reciprocal(d.Hi, s.Lo) && reciprocal(d.Lo90, s.Hi90) && reciprocal(d.Hi90, s.Lo90)
	})
}

// reciprocal of floating-point numbers: the larger one is computed and the smaller
// one is one over it.
func reciprocal(x, y float64) bool { return x == 1/y || y == 1/x }

// permutation counts comparisons that the order of the blocks changes in any bit.
func permutation(seed uint64, j judge) Check {
	return none(seed, 5, "blocks in another order: not the same", func(random *rand.Rand, p compare.Pairing) bool {
		var q compare.Pairing
		for _, i := range random.Perm(len(p.A)) {
			q.A, q.B = append(q.A, p.A[i]), append(q.B, p.B[i])
		}
		d, e := j([]compare.Pairing{p})[0], j([]compare.Pairing{q})[0]
		return d.Ratio == e.Ratio && d.Lo == e.Lo && d.Hi == e.Hi && d.P == e.P && d.Verdict == e.Verdict && d.Needed == e.Needed
	})
}

// none wants a property of every one of 300 comparisons: of 8 to 24 blocks, the
// most beyond what is tried sign by sign, with outliers, ties and, in one of three,
// infinities.
func none(seed, stream uint64, what string, holds func(*rand.Rand, compare.Pairing) bool) Check {
	const runs = 300
	blocks := []int{8, 9, 10, 11, 12, 13, 24}
	random := rand.New(rand.NewPCG(seed, stream))
	broken := 0
	for i := range runs {
		values := hostile.run(random, blocks[i%len(blocks)], [sides]float64{1, 1 + float64(i%5)/20, 1, 1})
		p := compare.Pairing{A: values[0], B: values[1]}
		p.B[1], p.A[1] = p.B[0], p.A[0]
		if i%3 == 0 {
			p.B[2], p.A[3], p.A[4], p.B[4] = math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1)
		}
		if !holds(random, p) {
			broken++
		}
	}
	return Check{What: what, Expected: "0", Measured: fmt.Sprintf("%d of %d", broken, runs), Tolerance: "0", Pass: broken == 0}
}

// Live checks comparisons of two sides that truly differ, B over A, each by the factor
// that its own servers report: the direction must always be right, the difference
// significant in nine of ten, and the interval must contain the truth in 17 of 20.
// With 20 comparisons a power of 0.99 passes 99.9 % of the time, one of 0.80 21 %.
//
// Each value of the series is rounded to a share of at most resolution, 0.001 for 0.1 %.
// On a quiet machine every trial rounds to the same value and the interval has no width,
// so it is widened by what rounding hides.
func Live(what string, truths []float64, resolution float64, series []compare.Pairing) []Check {
	n := len(series)
	var right, found, held int
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
			held++
		}
	}
	return []Check{
		atLeast(what+": direction right", right, n, n),
		atLeast(what+": found", found, n, (9*n+9)/10),
		atLeast(what+": interval holds the truth", held, n, (17*n+19)/20),
	}
}

func atLeast(what string, k, n, least int) Check {
	return Check{
		What: what, Expected: fmt.Sprintf("%d of %d", n, n), Measured: fmt.Sprintf("%d of %d", k, n),
		Tolerance: fmt.Sprintf("≥ %d", least), Pass: n > 0 && k >= least,
	}
}

func within(what, theory string, lo, hi, x float64) Check {
	return Check{What: what, Expected: theory, Measured: share(x), Tolerance: share(lo) + " … " + share(hi), Pass: lo <= x && x <= hi}
}

func ratio(k, n int) float64 { return float64(k) / float64(n) }

func share(x float64) string { return fmt.Sprintf("%.2f %%", 100*x) }

// Passed reports whether every check holds.
func Passed(all []Check) bool {
	return !slices.ContainsFunc(all, func(c Check) bool { return !c.Pass })
}
