package compare

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// maxExact is the number of pairs up to which every one of the 2ⁿ signings is tried.
const maxExact = 20

// SignFlip is the two-sided p-value of the mean of xs: the share of all ways to
// flip signs whose mean is at least as far from 0. Neither the order of xs nor
// flipping all of them changes a bit of it. Beyond maxExact sizes are rounded,
// see latticeSignFlip.
func SignFlip(xs []float64) float64 {
	if len(xs) == 0 {
		return 1
	}
	sizes, observed := sizesAndSum(xs)
	if len(xs) > maxExact {
		return latticeSignFlip(xs, sizes)
	}
	// Sums of the same numbers in another order differ in the last bits.
	limit := observed - 1e-12*total(sizes)
	extreme, sum := 0, total(sizes)
	for flip := range uint(1) << len(sizes) {
		if math.Abs(sum) >= limit {
			extreme++
		}
		// Gray code: each signing differs from the last in one place.
		place := bits.TrailingZeros(^flip)
		if place == len(sizes) {
			break
		}
		sum -= 2 * sizes[place]
		sizes[place] = -sizes[place]
	}
	return float64(extreme) / float64(uint(1)<<len(sizes))
}

// sizesAndSum are the absolute values in ascending order, and how far the sum of
// xs is from 0. Both signs are added up apart, the smallest first, which makes the sum
// the same for xs in any order and with all signs flipped.
func sizesAndSum(xs []float64) (sizes []float64, sum float64) {
	var up, down float64
	for _, x := range slices.SortedFunc(slices.Values(xs), func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) }) {
		sizes = append(sizes, math.Abs(x))
		up += max(x, 0)
		down += max(-x, 0)
	}
	return sizes, math.Abs(up - down)
}

// lattice is how many steps the sizes of a test of many pairs are rounded to,
// all together: each is off by half a step at most.
const lattice = 1 << 15

// latticeSignFlip counts signings by adding one rounded size after another to the
// law of the sum, as for ranks. With n pairs of like size a sum's spread is
// lattice/√n steps and its rounding error about √(n/12) of them: below 0.2 % of the
// spread up to 200 pairs. Drawing signings at random would be off by more.
func latticeSignFlip(xs, sizes []float64) float64 {
	step := total(sizes) / lattice
	if step == 0 {
		return 1
	}
	whole := 0
	law := make([]float64, lattice+len(sizes)+1) // law[s]: the chance that the flipped sizes add up to s
	law[0] = 1
	for _, x := range sizes {
		k := int(math.Round(x / step))
		addFlip(law[:whole+k+1], k)
		whole += k
	}
	observed := 0
	for _, x := range xs {
		observed += int(math.Round(x / step))
	}
	p := 0.0
	for s, chance := range law[:whole+1] {
		if d := whole - 2*s; max(d, -d) >= max(observed, -observed) {
			p += chance
		}
	}
	return min(p, 1)
}

// addFlip makes the law of a sum that of the sum with k added or not, each with
// chance ½; the law's last k places are zero before.
func addFlip(law []float64, k int) {
	for s := len(law) - 1; s >= k; s-- {
		law[s] = (law[s] + law[s-k]) / 2
	}
	for s := range law[:k] {
		law[s] /= 2
	}
}

func total(xs []float64) (sum float64) {
	for _, x := range xs {
		sum += x
	}
	return sum
}
