// Package compare tests which differences between two sides are significant.
//
// It owns the statistics of trials: the trial is the sample, repetitions are the pairs, and the
// procedure is fixed before the measurement. It must never choose a test, a margin or a number of
// repetitions by looking at the data.
//
// The procedure, for each declared metric and pair of sides:
//
//   - d = ln(b/a) in every repetition: readers think in ratios, and their logarithms are
//     symmetric under swapping the sides;
//   - estimate: the median of all pairwise means of d (Hodges and Lehmann, 1963);
//   - interval: the inversion of Wilcoxon's signed-rank test, exact;
//   - test: the mean of d under all sign flips, exact and two-sided, which
//     assumes only that the two sides could be exchanged (Fisher, 1935);
//   - Holm's adjustment (1979) over the declared family of metrics and pairs;
//   - equivalence: two one-sided tests (Schuirmann, 1987), read off the 90 % interval.
//
// Analyze applies it to a run. The package uses no random numbers, and the order of repetitions or
// pairs does not change any bit of the result.
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

// A Verdict is the conclusion of a comparison.
type Verdict string

// Different: significant, beyond the margin, and the interval excludes 1.
// Equivalent: the 90 % interval is within the margin. Small: significant, but the estimate is
// within the margin. Inconclusive: none of these. TooFew: fewer repetitions than any verdict
// requires. Incomparable: some repetition has no ratio; the pair remains in the family of Holm's
// adjustment.
const (
	Different    Verdict = "different"
	Equivalent   Verdict = "equivalent"
	Small        Verdict = "detectable but below margin"
	Inconclusive Verdict = "inconclusive"
	TooFew       Verdict = "too few blocks"
	Incomparable Verdict = "not comparable"
	Withheld     Verdict = "no verdict"

	// Verdicts on two builds that were measured twice, see Analysis.Confirm:
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

// MinRepetitions is the smallest number of repetitions that can support a verdict.
const MinRepetitions = results.VerdictRepetitions

// Decisive returns the smallest number of repetitions with which one member of a family of this
// size can be significant: the smallest p of n sign flips is 2/2ⁿ, and Holm's adjustment requires
// the smallest p of the family to be below alpha divided by the family's size.
func (p Plan) MinDecisive(family int) int {
	repetitions := MinRepetitions
	for math.Ldexp(2, -repetitions)*float64(family) >= alpha {
		repetitions++
	}
	return repetitions
}

// A Plan has the parameters that are fixed before the measurement. The zero value is usable.
type Plan struct {
	Margin float64 // relative difference that matters; default 0.05
}

func (p Plan) margin() float64 { return cmp.Or(p.Margin, 0.05) }

// alpha is the probability of a false positive in a whole family of comparisons.
const alpha = 0.05

// A Pairing is one metric of two sides, measured in the same repetitions: A[i] and B[i] belong to
// one. +Inf is a value, due to lost messages. If a side has no value, Missing has the reasons and
// A and B are empty.
type Pairing struct {
	Metric  string
	Names   [2]string
	A, B    []float64
	Missing []error
}

// A Difference is the comparison of B with A.
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
	Needed      int    // repetitions that would probably decide it; 0 if decided or unknown
	Infinite    [2]int // repetitions in which a side is infinite
	Warnings    []error
}

// Warnings of a Difference.
var (
	ErrInfinite     = errors.New("infinite in some repetitions: the test uses ranks instead of values")
	ErrBothInfinite = errors.New("infinite on both sides of a repetition: its ratio is undefined")
	ErrUnbounded    = errors.New("too few repetitions for an interval at this level")
	ErrNoRatio      = errors.New("only positive values have a ratio")
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

// Intervals estimates pairings that were not declared: they have a ratio and intervals, but no p
// and no verdict, to prevent a selection by significance.
func Intervals(pairings []Pairing) []Difference {
	found := make([]Difference, len(pairings))
	for i, pairing := range pairings {
		found[i], _ = estimate(pairing)
		found[i].P, found[i].Adjusted = math.NaN(), math.NaN()
	}
	return found
}

// estimate returns the part of a difference that requires neither a test nor the rest of the
// family, and the logarithms of the ratios of the repetitions.
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
		d.Warnings = append(d.Warnings, ErrUnbounded)
	}
	return d, logs
}

// check returns the reasons for which there is no ratio. A zero is not replaced by a small number,
// as the ratio would depend on that number.
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

// logs returns the logarithms of the ratios of the repetitions. It is NaN for a repetition that is
// infinite on both sides, as its ratio is undefined.
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
		d.Warnings = append(d.Warnings, ErrBothInfinite)
	}
	return logs
}

// signFlipOrRanks tests the values, or their ranks if one is infinite. A repetition without a ratio
// counts for neither side.
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

// ratio is exp, computed so that swapping the sides gives the reciprocal to the last bit.
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

// conclude sets exactly one verdict. The size of the family determines how many repetitions a
// sufficiently small p requires.
func (p Plan) conclude(d *Difference, family int) {
	margin := 1 + p.margin()
	significant := d.Adjusted < alpha && (d.Lo > 1 || d.Hi < 1)
	switch {
	case d.Verdict == Incomparable:
	case d.Repetitions < MinRepetitions:
		d.Verdict = TooFew
		d.Needed = p.MinDecisive(family)
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

// needed estimates how many repetitions would decide a comparison, if further ones resemble these;
// 0 if unknown. The test's statistic grows with the root of their number, until p is small enough.
// The interval shrinks with the reciprocal of that root: to the width of the margin, or, for a
// significant difference, to the distance between the estimate and the margin.
func (p Plan) needed(d Difference, family int) int {
	least := max(d.Repetitions+1, p.MinDecisive(family))
	margin := math.Log(1 + p.margin())
	half, size := (math.Log(d.Hi)-math.Log(d.Lo))/2, math.Abs(math.Log(d.Ratio))
	var factor float64 // required growth of the root of the number
	switch beyond := math.Max(d.Lo, 1/d.Hi) > 1+p.margin(); {
	case math.IsInf(half, 0) || math.IsNaN(half):
		return 0
	case beyond && d.Repetitions < p.MinDecisive(family):
		return least
	case beyond:
		factor = normalQuantile(alpha/float64(family)) / normalQuantile(d.P)
	case d.Verdict == Small:
		factor = half / math.Abs(margin-size)
	default:
		factor = half / margin
	}
	const limit = 10_000 // beyond it the estimate is useless
	if repetitions := math.Ceil(float64(d.Repetitions) * factor * factor); repetitions < limit {
		return max(least, int(repetitions))
	}
	return 0
}

// normalQuantile returns the number of standard deviations that a normal variable exceeds, on
// either side, with probability p.
func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(1-p) }
