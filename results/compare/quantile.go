package compare

import "math"

// QuantileRanks are the ranks, from 1, of the order statistics that enclose the
// quantile q of n independent observations with about 95 % confidence, whatever
// their distribution. It speaks of one trial's own observations and must be
// labelled so: it knows nothing of what another trial would find. ok is false
// when a rank lies outside the observations.
func QuantileRanks(n int64, q float64) (lo, hi int64, ok bool) {
	const z = 1.959964 // the normal's 97.5 % point
	centre, spread := float64(n)*q, z*math.Sqrt(float64(n)*q*(1-q))
	lo, hi = int64(math.Floor(centre-spread)), int64(math.Ceil(centre+spread))+1
	return lo, hi, lo >= 1 && hi <= n
}
