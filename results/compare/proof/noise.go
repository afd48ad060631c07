package proof

import (
	"math"
	"math/rand/v2"

	"pushbench/results/compare"
)

// sides is how many sides take turns in a simulated run: as many as transports.
const sides = 4

// williams are the orders of a block, see bench.Orders: every side comes equally
// often at each place and right after each other one.
var williams = [sides][sides]int{{0, 1, 3, 2}, {1, 2, 0, 3}, {2, 3, 1, 0}, {3, 0, 2, 1}}

// A rig is what a machine does to trials that are all alike: each is lognormal
// about the truth, resembles the one before, and now and then is far off.
type rig struct {
	sigma       float64 // standard deviation of a trial's logarithm
	correlation float64 // with the trial before
	outliers    float64 // share of trials that are three times as large
}

// The rigs of the checks.
var (
	// hostile is the noise that no false alarm may come from.
	hostile = rig{sigma: 0.1, correlation: 0.5, outliers: 0.02}
	// quiet is a rig worth comparing 5 % on.
	quiet = rig{sigma: 0.02, correlation: 0.5}
	// noisy is what two virtual cores that others share are like: over 4 blocks of a
	// chat the paired log ratios of p50, p99 and server CPU a message had a median
	// standard deviation of 0.155 in one run (0.08 to 0.26 by pair), which is 0.136 a
	// trial at this correlation, and of 0.128 in another (0.05 to 0.42).
	noisy = rig{sigma: 0.136, correlation: 0.5}
)

// run simulates blocks in which four sides take turns; side s is factor[s] times
// as large as the truth. It returns each side's value in each block.
func (r rig) run(random *rand.Rand, blocks int, factor [sides]float64) (values [sides][]float64) {
	state := random.NormFloat64()
	for side := range values {
		values[side] = make([]float64, blocks)
	}
	var rows []int
	for block := range blocks {
		if len(rows) == 0 {
			rows = random.Perm(sides)
		}
		for _, side := range williams[rows[0]] {
			state = r.correlation*state + math.Sqrt(1-r.correlation*r.correlation)*random.NormFloat64()
			x := factor[side] * math.Exp(r.sigma*state)
			if random.Float64() < r.outliers {
				x *= 3
			}
			values[side][block] = x
		}
		rows = rows[1:]
	}
	return values
}

// alike are four sides without a difference.
var alike = [sides]float64{1, 1, 1, 1}

// family are all pairs of a simulated run.
func family(values [sides][]float64) []compare.Pairing {
	var all []compare.Pairing
	for a := range sides {
		for b := a + 1; b < sides; b++ {
			all = append(all, compare.Pairing{A: values[a], B: values[b]})
		}
	}
	return all
}
