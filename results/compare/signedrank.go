package compare

import (
	"cmp"
	"math"
	"slices"
)

// walsh returns all means of two of xs, each with itself included, ascending, but for
// those that could be anything, which it counts: of opposite infinities, and of a
// number that is not known (NaN).
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
// and the k-th last of the pairwise means, of which the unknown ones may lie below or
// above all others. It is unbounded, and not ok, where even
// the most extreme ranking is not rare enough.
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

// signedRankCritical is the largest k with P(T < k) ≤ tail, T being the sum of
// the positive ranks of n pairs without a difference. Exact: each of the 2ⁿ
// signings is equally likely.
func signedRankCritical(n int, tail float64) int {
	below := 0.0
	for k, p := range signedRankLaw(n) {
		below += p
		if below > tail {
			return k
		}
	}
	return 0
}

// signedRankLaw is the distribution of T, by adding one rank after another.
func signedRankLaw(n int) []float64 {
	law := make([]float64, n*(n+1)/2+1)
	law[0] = 1
	for rank := 1; rank <= n; rank++ {
		addFlip(law[:rank*(rank+1)/2+1], rank)
	}
	return law
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
