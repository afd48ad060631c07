package selftest

import (
	"fmt"
	"slices"
	"time"

	"pushbench/results/compare"
	"pushbench/results/compare/proof"
	"pushbench/results/metric"
)

// statisticsChecks verify the conclusions of comparisons.
var statisticsChecks = []check{
	{name: "statistics", title: "in simulated runs, verdicts are wrong as often as their error rate states", run: simulated},
	{name: "small-difference", title: "a server that delays messages by 10.5 ms is slower than one that delays them by 10.0 ms", slow: true, run: smallDifference},
}

func simulated(*lab) ([]Result, error) { return checked(proof.Checks(proof.Seed)), nil }

// checked returns the checks of the statistics in the format of the self-test.
func checked(checks []proof.Check) (rows []Result) {
	for _, c := range checks {
		rows = append(rows, Result{What: c.What, Expected: c.Expected, Measured: c.Measured, Allowed: c.Tolerance, Passed: c.Pass})
	}
	return rows
}

// bucketWidth is the width of the widest bucket of a histogram, relative to its values.
const bucketWidth = 0.001

// smallDifference makes twenty comparisons of eight pairs of trials each. The true ratio of
// a comparison follows from the delays that the servers report, which timers make longer
// than configured by a varying amount, and the remaining latency, equal on both sides.
func smallDifference(l *lab) ([]Result, error) {
	const comparisons, pairs = 20, 8
	sides := [2]time.Duration{10 * time.Millisecond, 10500 * time.Microsecond}
	series := make([]compare.Pairing, comparisons)
	delays := make([][2][]float64, comparisons)
	var rest []float64
	for c := range series {
		series[c] = compare.Pairing{Metric: metric.P50, Names: [2]string{"delay=10ms", "delay=10500us"}}
		for pair := range pairs {
			var p50 [2]float64
			for turn := range sides {
				side := (turn + pair + c) % 2 // the order alternates between pairs
				actual, latency, err := l.delayed(sides[side], time.Second)
				if err != nil {
					return nil, err
				}
				p50[side] = ms(latency)
				delays[c][side] = append(delays[c][side], ms(actual))
				rest = append(rest, ms(latency-actual))
			}
			series[c].A, series[c].B = append(series[c].A, p50[0]), append(series[c].B, p50[1])
		}
	}
	common, truths := median(rest), make([]float64, comparisons)
	for c, d := range delays {
		ratios := make([]float64, pairs)
		for i := range ratios {
			ratios[i] = (d[1][i] + common) / (d[0][i] + common)
		}
		truths[c] = median(ratios)
	}
	return checked(proof.Live(fmt.Sprintf("10.5 ms / 10.0 ms, true ratio %.4f", median(truths)), truths, bucketWidth, series)), nil
}

func median(x []float64) float64 { return slices.Sorted(slices.Values(x))[len(x)/2] }
