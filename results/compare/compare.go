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
package compare

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Verdict is what a comparison concludes.
type Verdict string

// Different: significant, beyond the margin, and the interval excludes 1.
// Equivalent: the 90 % interval lies within the margin. Small: significant, but
// the estimate is within the margin. Inconclusive: none of these can be said.
// TooFew: fewer blocks than can support any verdict.
const (
	Different    Verdict = "different"
	Equivalent   Verdict = "equivalent"
	Small        Verdict = "detectable but below margin"
	Inconclusive Verdict = "inconclusive"
	TooFew       Verdict = "too few blocks"
)

// MinBlocks is the smallest number of blocks that can support a verdict: with
// six pairs of transports Holm asks for p < 0.05/6, and the smallest p of n sign flips is 2/2ⁿ.
const MinBlocks = 8

// A Plan is what is fixed before measuring. The zero value works.
type Plan struct {
	Margin float64 // relative difference that matters; default 0.05
	Alpha  float64 // of the family; default 0.05
}

func (p Plan) margin() float64 { return fallback(p.Margin, 0.05) }
func (p Plan) alpha() float64  { return fallback(p.Alpha, 0.05) }

func fallback(x, otherwise float64) float64 {
	if x == 0 {
		return otherwise
	}
	return x
}

// A Pairing is one metric of two sides, measured in the same blocks: A[i] and
// B[i] are of block i. +Inf is a value: what never arrived.
type Pairing struct {
	Metric string
	Names  [2]string
	A, B   []float64
}

// A Difference is what there is to say of B against A.
type Difference struct {
	Metric   string
	Names    [2]string
	Blocks   int
	Ratio    float64 // B over A
	Lo, Hi   float64 // 95 % interval of Ratio
	Lo90     float64 // 90 % interval of Ratio, for equivalence
	Hi90     float64
	P        float64 // of the sign-flip test
	Adjusted float64 // P after Holm's adjustment over the family
	Verdict  Verdict
	Needed   int // blocks that would probably decide it; 0 when decided or not to be said
	Infinite [2]int
	Warnings []error
}

// Warnings of a Difference.
var (
	ErrInfinite = errors.New("some blocks are infinite: the test uses ranks in place of sizes")
	ErrBoth     = errors.New("infinite on both sides of a block: counted as no difference")
	ErrNoRange  = errors.New("too few blocks for an interval at this level")
)

// All compares a declared family of pairings.
func (p Plan) All(family []Pairing) ([]Difference, error) {
	found := make([]Difference, len(family))
	for i, pairing := range family {
		d, err := p.estimate(pairing)
		if err != nil {
			return nil, err
		}
		found[i] = d
	}
	holm(found)
	for i := range found {
		p.conclude(&found[i])
	}
	return found, nil
}

// estimate fills in everything that needs no other member of the family.
func (p Plan) estimate(pairing Pairing) (Difference, error) {
	d := Difference{Metric: pairing.Metric, Names: pairing.Names, Blocks: len(pairing.A)}
	logs, err := pairing.logs(&d)
	if err != nil {
		return d, err
	}
	if len(logs) == 0 {
		d.Ratio, d.Lo, d.Hi, d.Lo90, d.Hi90, d.P = math.NaN(), 0, math.Inf(1), 0, math.Inf(1), 1
		return d, nil
	}
	means := walsh(logs)
	d.Ratio = ratio(median(means))
	lo, hi, ok := signedRankInterval(means, len(logs), 0.05)
	d.Lo, d.Hi = ratio(lo), ratio(hi)
	lo90, hi90, ok90 := signedRankInterval(means, len(logs), 0.10)
	d.Lo90, d.Hi90 = ratio(lo90), ratio(hi90)
	if !ok || !ok90 {
		d.Warnings = append(d.Warnings, ErrNoRange)
	}
	if d.Infinite != [2]int{} {
		d.Warnings = append(d.Warnings, ErrInfinite)
		logs = signedRanks(logs)
	}
	d.P = SignFlip(logs)
	return d, nil
}

// logs are the logarithms of the blocks' ratios.
func (p Pairing) logs(d *Difference) ([]float64, error) {
	if len(p.A) != len(p.B) {
		return nil, fmt.Errorf("%s: %d blocks of %s, %d of %s: pairs are needed", p.Metric, len(p.A), p.Names[0], len(p.B), p.Names[1])
	}
	logs := make([]float64, 0, len(p.A))
	for i := range p.A {
		a, b := p.A[i], p.B[i]
		if !(a > 0) || !(b > 0) {
			return nil, fmt.Errorf("%s, block %d: %v and %v: only positive figures have a ratio", p.Metric, i+1, a, b)
		}
		if math.IsInf(a, 1) {
			d.Infinite[0]++
		}
		if math.IsInf(b, 1) {
			d.Infinite[1]++
		}
		if math.IsInf(a, 1) && math.IsInf(b, 1) {
			d.Warnings = append(d.Warnings, ErrBoth)
			logs = append(logs, 0)
			continue
		}
		logs = append(logs, math.Log(b)-math.Log(a)) // not ln(b/a): this is exactly antisymmetric
	}
	return logs, nil
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
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case family[i].P < family[j].P:
			return -1
		case family[i].P > family[j].P:
			return 1
		default:
			return 0
		}
	})
	largest := 0.0
	for rank, i := range order {
		largest = max(largest, min(1, family[i].P*float64(len(family)-rank)))
		family[i].Adjusted = largest
	}
}

// conclude gives exactly one verdict.
func (p Plan) conclude(d *Difference) {
	margin := 1 + p.margin()
	significant := d.Adjusted < p.alpha() && (d.Lo > 1 || d.Hi < 1)
	switch {
	case d.Blocks < MinBlocks:
		d.Verdict = TooFew
		d.Needed = MinBlocks
	case significant && (d.Ratio > margin || d.Ratio < 1/margin):
		d.Verdict = Different
	case d.Lo90 > 1/margin && d.Hi90 < margin:
		d.Verdict = Equivalent
	case significant:
		d.Verdict = Small
	default:
		d.Verdict = Inconclusive
		d.Needed = p.needed(*d)
	}
}

// needed estimates how many blocks would narrow the interval to the margin: its
// width falls with the square root of their number.
func (p Plan) needed(d Difference) int {
	half := (math.Log(d.Hi) - math.Log(d.Lo)) / 2
	if math.IsInf(half, 0) || math.IsNaN(half) {
		return 0
	}
	factor := half / math.Log(1+p.margin())
	return max(d.Blocks+1, int(math.Ceil(float64(d.Blocks)*factor*factor)))
}
