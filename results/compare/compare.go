// Package compare tests which differences between two sides are significant.
//
// It owns the statistics of trials. A sample is a trial, and the two trials of a repetition are
// compared with each other. The procedure is fixed before the measurement: it must never choose a
// test, a margin or a number of repetitions by looking at the data.
//
// The procedure, for each declared metric and each pair of sides a and b:
//
//   - d = ln(b/a) in every repetition: readers think in ratios, and their logarithms are
//     symmetric under swapping the sides;
//   - estimate: the median of the means of all two-element selections of d, including each
//     element with itself (Hodges and Lehmann, 1963);
//   - interval: the inversion of Wilcoxon's signed-rank test, exact;
//   - test: the mean of d under all sign flips, exact and two-sided, which
//     assumes only that the two sides could be exchanged (Fisher, 1935);
//   - Holm's adjustment (1979) over the declared family of metrics and pairs of sides;
//   - equivalence: two one-sided tests (Schuirmann, 1987), read off the 90 % interval.
//
// Analyze applies it to a run. The package uses no random numbers, and neither the order of the
// repetitions nor that of the pairs changes any bit of the result.
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

// Verdicts, with the values kept for compatibility with existing files; String returns the label. A
// difference is significant if its adjusted p is below alpha and the 95 % interval excludes 1.
const (
	Different    Verdict = "different"                   // significant, and the estimate is beyond the margin
	Equivalent   Verdict = "equivalent"                  // the 90 % interval is within the margin
	Small        Verdict = "detectable but below margin" // significant, not equivalent, and the estimate is within the margin
	Inconclusive Verdict = "inconclusive"                // none of these
	TooFew       Verdict = "too few repetitions"         // fewer repetitions than any verdict requires
	Incomparable Verdict = "not comparable"              // some repetition has no ratio; the pair remains in the family
	Withheld     Verdict = "no verdict"                  // the run as a whole supports none, see Analysis.Withheld

	// Verdicts on two builds that were measured twice, see Analysis.Confirm.
	Refuted     Verdict = "worse, but not confirmed"         // significantly worse, but not in the second measurement
	Unconfirmed Verdict = "worse, confirmation inconclusive" // significantly worse; the second measurement is inconclusive
)

// labels maps the verdicts whose display differs from their value in CSV and JSON files.
var labels = map[Verdict]string{
	TooFew:      "too few repetitions",
	Refuted:     "worse, but not confirmed",
	Unconfirmed: "worse, confirmation inconclusive",
}

// String returns the verdict for display. Files contain the constant's value instead.
func (v Verdict) String() string { return cmp.Or(labels[v], string(v)) }

// MinRepetitions is the smallest number of repetitions that can support a verdict.
const MinRepetitions = results.VerdictRepetitions

// MinDecisive returns the fewest repetitions with which a member of a family of this size can be
// significant: the smallest p of n sign flips is 2/2ⁿ, and Holm's adjustment requires the smallest p
// of the family to be below alpha divided by the family's size.
func (p Plan) MinDecisive(size int) int {
	repetitions := MinRepetitions
	for math.Ldexp(2, -repetitions)*float64(size) >= alpha {
		repetitions++
	}
	return repetitions
}

// A Plan contains the parameters that are fixed before the measurement. The zero value is usable.
type Plan struct {
	Margin float64 // relative difference that matters; default 0.05
}

func (p Plan) margin() float64 { return cmp.Or(p.Margin, 0.05) }

// alpha is the probability of a false positive in a whole family of comparisons.
const alpha = 0.05

// A Pairing is one metric of two sides, measured in the same repetitions: A[i] and B[i] are from the
// same repetition. +Inf is a value, due to lost messages. If a side has no value, Missing contains the
// reasons, and A and B are empty.
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
	Needed      int    // estimated repetitions for a conclusion; 0 if there is one or if it is unknown
	Infinite    [2]int // repetitions in which each side is infinite
	Warnings    []error
}

// Warnings of a Difference.
var (
	ErrInfinite     = errors.New("infinite in some repetitions: the test uses ranks instead of values")
	ErrBothInfinite = errors.New("infinite on both sides of a repetition: its ratio is undefined")
	ErrUnbounded    = errors.New("too few repetitions for a bounded interval")
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

// Intervals compares pairings that were not declared. Their differences have a ratio and intervals,
// but no p and no verdict, to prevent a selection by significance.
func Intervals(pairings []Pairing) []Difference {
	found := make([]Difference, len(pairings))
	for i, pairing := range pairings {
		found[i], _ = estimate(pairing)
		found[i].P, found[i].Adjusted = math.NaN(), math.NaN()
	}
	return found
}

// estimate returns a difference with its ratio and intervals, which do not depend on the rest of the
// family, and the logarithm of the ratio in each repetition.
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

// check returns the reasons why there is no ratio. A zero is not replaced by a small number,
// as the ratio would depend on that number.
func (p Pairing) check() []error {
	if len(p.Missing) > 0 {
		return p.Missing
	}
	if len(p.A) != len(p.B) {
		return []error{fmt.Errorf("%d repetitions of %s, %d of %s: equal numbers are required", len(p.A), p.Names[0], len(p.B), p.Names[1])}
	}
	for i := range p.A {
		if !(p.A[i] > 0) || !(p.B[i] > 0) {
			return []error{fmt.Errorf("%.4g and %.4g in a repetition: %w", p.A[i], p.B[i], ErrNoRatio)}
		}
	}
	return nil
}

// logs returns the logarithm of the ratio in each repetition. It is NaN if both sides are infinite, as
// the ratio is then undefined.
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

// signFlipOrRanks returns the p-value of the sign-flip test of the logarithms, or of their signed
// ranks if one is infinite. A repetition without a ratio counts for neither side.
func signFlipOrRanks(logs []float64) float64 {
	values := slices.Clone(logs)
	for i, x := range values {
		if math.IsNaN(x) {
			values[i] = 0
		}
	}
	if slices.ContainsFunc(values, func(x float64) bool { return math.IsInf(x, 0) }) {
		values = signedRanks(values)
	}
	return SignFlip(values)
}

// ratio returns exp(log), computed so that swapping the sides gives the reciprocal to the last bit.
func ratio(log float64) float64 {
	if log < 0 {
		return 1 / math.Exp(-log)
	}
	return math.Exp(log)
}

// holm sets the family's adjusted p-values.
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

// conclude sets the verdict, and Needed. The size of the family determines how many repetitions a
// sufficiently small p requires.
func (p Plan) conclude(d *Difference, size int) {
	margin := 1 + p.margin()
	significant := d.Adjusted < alpha && (d.Lo > 1 || d.Hi < 1)
	switch {
	case d.Verdict == Incomparable:
	case d.Repetitions < MinRepetitions:
		d.Verdict = TooFew
		d.Needed = p.MinDecisive(size)
	case significant && (d.Ratio > margin || d.Ratio < 1/margin):
		d.Verdict = Different
	case d.Lo90 > 1/margin && d.Hi90 < margin:
		d.Verdict = Equivalent
	case significant:
		d.Verdict = Small
		d.Needed = p.needed(*d, size)
	default:
		d.Verdict = Inconclusive
		d.Needed = p.needed(*d, size)
	}
}

// needed estimates how many repetitions a conclusion requires, if further ones resemble these; 0 if
// unknown. The test statistic grows with √n and the interval shrinks with 1/√n, where n is the number
// of repetitions. If the interval is beyond the margin, p must become small enough. Otherwise, the
// interval's half width must shrink to the margin or, for a significant difference, to the distance
// between the estimate and the margin.
func (p Plan) needed(d Difference, size int) int {
	least := max(d.Repetitions+1, p.MinDecisive(size))
	margin := math.Log(1 + p.margin())
	halfWidth, effect := (math.Log(d.Hi)-math.Log(d.Lo))/2, math.Abs(math.Log(d.Ratio))
	var factor float64 // required growth of √n
	switch beyond := math.Max(d.Lo, 1/d.Hi) > 1+p.margin(); {
	case math.IsInf(halfWidth, 0) || math.IsNaN(halfWidth):
		return 0
	case beyond && d.Repetitions < p.MinDecisive(size):
		return least
	case beyond:
		factor = normalQuantile(alpha/float64(size)) / normalQuantile(d.P)
	case d.Verdict == Small:
		factor = halfWidth / math.Abs(margin-effect)
	default:
		factor = halfWidth / margin
	}
	const limit = 10_000 // beyond it the estimate is useless
	if repetitions := math.Ceil(float64(d.Repetitions) * factor * factor); repetitions < limit {
		return max(least, int(repetitions))
	}
	return 0
}

// normalQuantile returns the z for which a standard normal variable exceeds z in absolute value with
// probability p.
func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(1-p) }
