// Package compare says which differences between two sides are real.
//
// It owns the statistics of trials: the trial is the sample, blocks are the
// pairs, and the procedure is fixed before anything is measured. It must never
// choose a test, a margin or a number of blocks by what the data look like.
//
// The procedure, for each declared metric and pair of sides:
//
//   - d = ln(b/a) in every block: ratios are what people speak of, and their
//     logarithms are symmetric under swapping the sides;
//   - estimate: the median of all pairwise means of d (Hodges and Lehmann, 1963);
//   - interval: the inversion of Wilcoxon's signed-rank test, exact;
//   - test: the mean of d under all sign flips, exact and two-sided, which
//     assumes only that the two sides could be exchanged (Fisher, 1935);
//   - Holm's adjustment (1979) over the declared family of metrics and pairs;
//   - equivalence: two one-sided tests (Schuirmann, 1987), read off the 90 % interval.
//
// Judge applies it to a run. Nothing here draws random numbers, and the order in
// which blocks or pairs come in changes no bit of what comes out.
package compare

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"pushbench/results"
	"pushbench/results/summary"
)

// A Verdict is what a comparison concludes.
type Verdict string

// Different: significant, beyond the margin, and the interval excludes 1.
// Equivalent: the 90 % interval lies within the margin. Small: significant, but
// the estimate is within the margin. Inconclusive: none of these can be said.
// TooFew: fewer blocks than can support any verdict. Incomparable: some block has
// no ratio; the pair stays in the family that Holm's adjustment counts.
const (
	Different    Verdict = "different"
	Equivalent   Verdict = "equivalent"
	Small        Verdict = "detectable but below margin"
	Inconclusive Verdict = "inconclusive"
	TooFew       Verdict = "too few blocks"
	Incomparable Verdict = "not comparable"
	Withheld     Verdict = "no verdict"

	// Of two builds that were measured twice, see Judgement.Confirm:
	Refuted     Verdict = "worse, but not again"
	Unconfirmed Verdict = "worse, and undecided again"
)

// labels are the verdicts whose display differs from their value in CSV and JSON files.
var labels = map[Verdict]string{
	TooFew:      "too few repetitions",
	Refuted:     "worse, but not confirmed",
	Unconfirmed: "worse, confirmation inconclusive",
}

// String returns the verdict for display. Files have the verdict itself.
func (v Verdict) String() string { return cmp.Or(labels[v], string(v)) }

// MinBlocks is the smallest number of blocks that can support a verdict.
const MinRepetitions = results.VerdictRepetitions

// Decisive is the smallest number of blocks with which one member of a family
// of this size can be significant: the smallest p of n sign flips is 2/2ⁿ, and
// Holm asks the family's smallest for alpha over its size.
func (p Plan) Decisive(family int) int {
	blocks := MinRepetitions
	for math.Ldexp(2, -blocks)*float64(family) >= alpha {
		blocks++
	}
	return blocks
}

// A Plan is what is fixed before measuring. The zero value works.
type Plan struct {
	Margin float64 // relative difference that matters; default 0.05
}

func (p Plan) margin() float64 { return cmp.Or(p.Margin, 0.05) }

// alpha is the probability of a false positive in a whole family of comparisons.
const alpha = 0.05

// A Pairing is one metric of two sides, measured in the same blocks: A[i] and
// B[i] are of block i. +Inf is a value: what never arrived. A side without a
// value has Missing, which says why, and no blocks.
type Pairing struct {
	Metric  string
	Names   [2]string
	A, B    []float64
	Missing []error
}

// A Difference is what there is to say of B against A.
type Difference struct {
	Metric      string
	Names       [2]string
	Repetitions int
	Ratio       float64 // B over A
	Lo, Hi      float64 // 95 % interval of Ratio
	Lo90        float64 // 90 % interval of Ratio, for equivalence
	Hi90        float64
	P           float64 // of the sign-flip test
	Adjusted    float64 // P after Holm's adjustment over the family
	Verdict     Verdict
	Needed      int    // blocks that would probably decide it; 0 when decided or not to be said
	Infinite    [2]int // blocks in which a side is infinite
	Warnings    []error
}

// Warnings of a Difference.
var (
	ErrInfinite = errors.New("infinite in some repetitions: the test uses ranks instead of values")
	ErrBoth     = errors.New("infinite on both sides of a repetition: its ratio is undefined")
	ErrNoRange  = errors.New("too few repetitions for an interval at this level")
	ErrNoRatio  = errors.New("only positive values have a ratio")
)

// All compares a declared family of pairings.
func (p Plan) All(family []Pairing) []Difference {
	found := make([]Difference, len(family))
	for i, pairing := range family {
		d, logs := estimate(pairing)
		d.P = signFlipOrRanks(logs)
		found[i] = d
	}
	holm(found)
	for i := range found {
		p.conclude(&found[i], len(found))
	}
	return found
}

// Intervals estimates pairings that nobody declared: they have a ratio and
// intervals, but no p and no verdict, so that none is picked for being significant.
func Intervals(pairings []Pairing) []Difference {
	found := make([]Difference, len(pairings))
	for i, pairing := range pairings {
		found[i], _ = estimate(pairing)
		found[i].P, found[i].Adjusted = math.NaN(), math.NaN()
	}
	return found
}

// estimate fills in what needs neither a test nor the rest of the family, and
// returns the logarithms of the blocks' ratios.
func estimate(pairing Pairing) (Difference, []float64) {
	d := Difference{Metric: pairing.Metric, Names: pairing.Names, Repetitions: len(pairing.A)}
	d.Ratio, d.Hi, d.Hi90 = math.NaN(), math.Inf(1), math.Inf(1)
	if d.Warnings = pairing.check(); d.Warnings != nil {
		d.Verdict = Incomparable
		return d, nil
	}
	logs := pairing.logs(&d)
	if len(logs) == 0 {
		return d, nil
	}
	means, unknown := walsh(logs)
	d.Ratio = ratio(summary.Median(means))
	lo, hi, ok := signedRankInterval(means, unknown, len(logs), 0.05)
	d.Lo, d.Hi = ratio(lo), ratio(hi)
	lo90, hi90, ok90 := signedRankInterval(means, unknown, len(logs), 0.10)
	d.Lo90, d.Hi90 = ratio(lo90), ratio(hi90)
	if !ok || !ok90 {
		d.Warnings = append(d.Warnings, ErrNoRange)
	}
	return d, logs
}

// check refuses what has no ratios. A zero is not made a small number: the ratio
// would say how small.
func (p Pairing) check() []error {
	if len(p.Missing) > 0 {
		return p.Missing
	}
	if len(p.A) != len(p.B) {
		return []error{fmt.Errorf("%d repetitions of %s, %d of %s: pairs are required", len(p.A), p.Names[0], len(p.B), p.Names[1])}
	}
	for i := range p.A {
		if !(p.A[i] > 0) || !(p.B[i] > 0) {
			return []error{fmt.Errorf("%.4g and %.4g in a repetition: %w", p.A[i], p.B[i], ErrNoRatio)}
		}
	}
	return nil
}

// logs are the logarithms of the blocks' ratios; of a block that is infinite on both
// sides NaN, as it may be anything.
func (p Pairing) logs(d *Difference) []float64 {
	logs := make([]float64, len(p.A))
	for i := range p.A {
		for side, x := range [2]float64{p.A[i], p.B[i]} {
			if math.IsInf(x, 1) {
				d.Infinite[side]++
			}
		}
		logs[i] = math.Log(p.B[i]) - math.Log(p.A[i]) // not ln(b/a): this is exactly antisymmetric; ∞ − ∞ is NaN
	}
	if d.Infinite != [2]int{} {
		d.Warnings = append(d.Warnings, ErrInfinite)
	}
	if slices.ContainsFunc(logs, math.IsNaN) {
		d.Warnings = append(d.Warnings, ErrBoth)
	}
	return logs
}

// signFlipOrRanks tests the sizes where they have a mean, and their ranks where
// one is infinite. A block without a ratio speaks for neither side.
func signFlipOrRanks(logs []float64) float64 {
	known := slices.Clone(logs)
	for i, x := range known {
		if math.IsNaN(x) {
			known[i] = 0
		}
	}
	if slices.ContainsFunc(known, func(x float64) bool { return math.IsInf(x, 0) }) {
		known = signedRanks(known)
	}
	return SignFlip(known)
}

// ratio is exp, made so that swapping the sides gives the reciprocal to the last bit.
func ratio(log float64) float64 {
	if log < 0 {
		return 1 / math.Exp(-log)
	}
	return math.Exp(log)
}

// holm adjusts the family's p-values.
func holm(family []Difference) {
	order := make([]int, len(family))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(family[i].P, family[j].P) })
	largest := 0.0
	for rank, i := range order {
		largest = max(largest, min(1, family[i].P*float64(len(family)-rank)))
		family[i].Adjusted = largest
	}
}

// conclude gives exactly one verdict. The family's size says how many blocks it
// takes before any p is small enough.
func (p Plan) conclude(d *Difference, family int) {
	margin := 1 + p.margin()
	significant := d.Adjusted < alpha && (d.Lo > 1 || d.Hi < 1)
	switch {
	case d.Verdict == Incomparable:
	case d.Repetitions < MinRepetitions:
		d.Verdict = TooFew
		d.Needed = p.Decisive(family)
	case significant && (d.Ratio > margin || d.Ratio < 1/margin):
		d.Verdict = Different
	case d.Lo90 > 1/margin && d.Hi90 < margin:
		d.Verdict = Equivalent
	case significant:
		d.Verdict = Small
		d.Needed = p.needed(*d, family)
	default:
		d.Verdict = Inconclusive
		d.Needed = p.needed(*d, family)
	}
}

// needed estimates how many blocks would decide a comparison, were the others like
// these; 0 where that cannot be said. What must grow is the test's statistic, as the
// root of their number does, until p is small enough; or what must shrink is the
// interval, as that root's reciprocal does: to the margin, or, of what is known to
// differ, to what lies between the estimate and the margin.
func (p Plan) needed(d Difference, family int) int {
	least := max(d.Repetitions+1, p.Decisive(family))
	margin := math.Log(1 + p.margin())
	half, size := (math.Log(d.Hi)-math.Log(d.Lo))/2, math.Abs(math.Log(d.Ratio))
	var factor float64 // by which the root of the number must grow
	switch beyond := math.Max(d.Lo, 1/d.Hi) > 1+p.margin(); {
	case math.IsInf(half, 0) || math.IsNaN(half):
		return 0
	case beyond && d.Repetitions < p.Decisive(family):
		return least
	case beyond:
		factor = normalQuantile(alpha/float64(family)) / normalQuantile(d.P)
	case d.Verdict == Small:
		factor = half / math.Abs(margin-size)
	default:
		factor = half / margin
	}
	const most = 10_000 // beyond it the guess is worth nothing
	if blocks := math.Ceil(float64(d.Repetitions) * factor * factor); blocks < most {
		return max(least, int(blocks))
	}
	return 0
}

// normalQuantile is how many standard deviations a normal variable exceeds, on either
// side, with probability p.
func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(1-p) }
