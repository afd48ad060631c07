package proof

import (
	"math"
	"math/rand/v2"

	"pushbench/results/compare"
)

// sides is the number of alternating sides in a simulated run, as of transports.
const sides = 4

// williams are the orders of a repetition, see bench.Orders: every side has each position and
// directly follows each other side equally often.
var williams = [sides][sides]int{{0, 1, 3, 2}, {1, 2, 0, 3}, {2, 3, 1, 0}, {3, 0, 2, 1}}

// A setup is the noise of a machine on identical trials: lognormal about the true value, correlated
// with the previous trial, with rare outliers.
type setup struct {
	sigma       float64 // standard deviation of a trial's logarithm
	correlation float64 // with the previous trial
	outliers    float64 // share of trials that are three times as large
}

// The setups of the checks.
var (
	// hostile is the noise that must not cause false positives.
	hostile = setup{sigma: 0.1, correlation: 0.5, outliers: 0.02}
	// quiet is the noise of a setup suitable for comparing 5 %.
	quiet = setup{sigma: 0.02, correlation: 0.5}
	// noisy is the noise of two shared virtual cores: over 4 repetitions of scenario chat, the
	// paired log ratios of p50, p99 and server CPU per message had a median standard deviation of
	// 0.155 in one run (0.08 to 0.26 by pair), which is 0.136 per trial at this correlation, and
	// of 0.128 in another (0.05 to 0.42).
	noisy = setup{sigma: 0.136, correlation: 0.5}
)

// run simulates repetitions with four alternating sides; side i is factor[i] times as large as the
// true value. It returns each side's value in each repetition.
func (s setup) run(random *rand.Rand, repetitions int, factor [sides]float64) (values [sides][]float64) {
	state := random.NormFloat64()
	for side := range values {
		values[side] = make([]float64, repetitions)
	}
	var orders []int
	for repetition := range repetitions {
		if len(orders) == 0 {
			orders = random.Perm(sides)
		}
		for _, side := range williams[orders[0]] {
			state = s.correlation*state + math.Sqrt(1-s.correlation*s.correlation)*random.NormFloat64()
			x := factor[side] * math.Exp(s.sigma*state)
			if random.Float64() < s.outliers {
				x *= 3
			}
			values[side][repetition] = x
		}
		orders = orders[1:]
	}
	return values
}

// equal is four sides without a difference.
var equal = [sides]float64{1, 1, 1, 1}

// family returns all pairs of a simulated run.
func family(values [sides][]float64) []compare.Pairing {
	var all []compare.Pairing
	for a := range sides {
		for b := a + 1; b < sides; b++ {
			all = append(all, compare.Pairing{A: values[a], B: values[b]})
		}
	}
	return all
}
