package compare

import (
	"cmp"
	"math"
	"slices"
)

// walsh returns the means of all pairs of xs, including each with itself, in ascending order. It
// excludes and counts the undefined ones: of opposite infinities, and of an unknown number (NaN).
func walsh(xs []float64) (means []float64, unknown int) {
	means = make([]float64, 0, len(xs)*(len(xs)+1)/2)
	for i, x := range xs {
		for _, y := range xs[i:] {
			if mean := (x + y) / 2; !math.IsNaN(mean) {
				means = append(means, mean)
			} else {
				unknown++
			}
		}
	}
	slices.Sort(means)
	return means, unknown
}

// signedRankInterval inverts Wilcoxon's signed-rank test of n pairs, two-sided
// at alpha: the values that the test would not reject are those between the k-th
// and the k-th last of the pairwise means. The unknown means may lie below or above all others. It
// is unbounded, and ok is false, if even the most extreme ranking is not significant.
func signedRankInterval(means []float64, unknown, n int, alpha float64) (lo, hi float64, ok bool) {
	k := signedRankCritical(n, alpha/2)
	switch {
	case k == 0:
		return math.Inf(-1), math.Inf(1), false
	case k <= unknown:
		return math.Inf(-1), math.Inf(1), true
	default:
		return means[k-1-unknown], means[len(means)-k+unknown], true
	}
}

// signedRankCritical returns the largest k with P(T < k) ≤ tail, where T is the sum of the positive
// ranks of n pairs without a difference. It is exact: each of the 2ⁿ sign patterns is equally
// likely.
func signedRankCritical(n int, tail float64) int {
	below := 0.0
	for k, p := range signedRankDistribution(n) {
		below += p
		if below > tail {
			return k
		}
	}
	return 0
}

// signedRankDistribution returns the distribution of T, computed by adding one rank at a time.
func signedRankDistribution(n int) []float64 {
	distribution := make([]float64, n*(n+1)/2+1)
	distribution[0] = 1
	for rank := 1; rank <= n; rank++ {
		addFlip(distribution[:rank*(rank+1)/2+1], rank)
	}
	return distribution
}

// signedRanks replaces each x by its sign times the rank of its size; equal
// sizes share their mean rank.
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
