package compare

import (
	"cmp"
	"math"
	"slices"
)

// walsh returns the means of all two-element selections of xs, including each element with itself, in
// ascending order. It excludes and counts undefined means: those of opposite infinities, and those of
// an undefined number (NaN).
func walsh(xs []float64) (means []float64, undefined int) {
	means = make([]float64, 0, len(xs)*(len(xs)+1)/2)
	for i, x := range xs {
		for _, y := range xs[i:] {
			if mean := (x + y) / 2; !math.IsNaN(mean) {
				means = append(means, mean)
			} else {
				undefined++
			}
		}
	}
	slices.Sort(means)
	return means, undefined
}

// signedRankInterval returns the interval of the values that Wilcoxon's signed-rank test of n
// differences, two-sided at alpha, would not reject. It extends from the k-th smallest to the k-th
// largest of the means that walsh returns. Undefined means may lie below or above all others, so they
// widen it. It is unbounded, and ok is false, if even n differences of one sign are not significant.
func signedRankInterval(means []float64, undefined, n int, alpha float64) (lo, hi float64, ok bool) {
	k := signedRankCritical(n, alpha/2)
	switch {
	case k == 0:
		return math.Inf(-1), math.Inf(1), false
	case k <= undefined:
		return math.Inf(-1), math.Inf(1), true
	default:
		return means[k-1-undefined], means[len(means)-k+undefined], true
	}
}

// signedRankCritical returns the largest k with P(T < k) ≤ tail, where T is the sum of the positive
// ranks of n differences. It is exact: under the null hypothesis, each of the 2ⁿ sign patterns is
// equally likely.
func signedRankCritical(n int, tail float64) int {
	cumulative := 0.0
	for k, p := range signedRankDistribution(n) {
		cumulative += p
		if cumulative > tail {
			return k
		}
	}
	return 0
}

// signedRankDistribution returns the probability of each value of T, computed by adding one rank at a
// time.
func signedRankDistribution(n int) []float64 {
	distribution := make([]float64, n*(n+1)/2+1)
	distribution[0] = 1
	for rank := 1; rank <= n; rank++ {
		addFlip(distribution[:rank*(rank+1)/2+1], rank)
	}
	return distribution
}

// signedRanks returns the sign of each x times the rank of its absolute value. Equal absolute values
// share their mean rank; a zero stays zero.
func signedRanks(xs []float64) []float64 {
	ranks := make([]float64, len(xs))
	for i, x := range xs {
		smaller, equal := 0, 0
		for _, y := range xs {
			switch cmp.Compare(math.Abs(y), math.Abs(x)) {
			case -1:
				smaller++
			case 0:
				equal++
			}
		}
		if x != 0 {
			ranks[i] = math.Copysign(float64(2*smaller+equal+1)/2, x)
		}
	}
	return ranks
}
