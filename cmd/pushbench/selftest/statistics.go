package selftest

import (
	"fmt"
	"slices"
	"time"

	"pushbench/results/compare"
	"pushbench/results/compare/proof"
	"pushbench/results/metric"
)

// judgements are the proofs about what comparisons conclude.
var judgements = []claim{
	{name: "statistics", says: "over simulated runs, verdicts are as often wrong as they say", run: simulated},
	{name: "service", says: "a server that holds messages for 10.5 ms is slower than one that holds them for 10.0", slow: true, run: service},
}

func simulated(*lab) ([]Result, error) { return checked(proof.Checks(proof.Seed)), nil }

// checked are checks of the statistics, as they are printed here.
func checked(checks []proof.Check) (rows []Result) {
	for _, c := range checks {
		rows = append(rows, Result{What: c.What, Expected: c.Expected, Measured: c.Measured, Allowed: c.Tolerance, Passed: c.Pass})
	}
	return rows
}

// bucketWidth is the width of the widest bucket of a histogram, as a share of the values in it.
const bucketWidth = 0.001

// service makes twenty comparisons of eight pairs of trials each. The truth of each is by
// the servers' own account of how long they held its messages, which timers make longer
// than asked by a changing amount, and what the rest of a delivery takes on both sides.
func service(l *lab) ([]Result, error) {
	const comparisons, pairs = 20, 8
	sides := [2]time.Duration{10 * time.Millisecond, 10500 * time.Microsecond}
	series := make([]compare.Pairing, comparisons)
	held := make([][2][]float64, comparisons)
	var rest []float64
	for c := range series {
		series[c] = compare.Pairing{Metric: metric.P50, Names: [2]string{"delay=10ms", "delay=10500us"}}
		for pair := range pairs {
			var p50 [2]float64
			for turn := range sides {
				side := (turn + pair + c) % 2 // who goes first changes from pair to pair
				really, latency, err := l.heldFor(sides[side], time.Second)
				if err != nil {
					return nil, err
				}
				p50[side] = ms(latency)
				held[c][side] = append(held[c][side], ms(really))
				rest = append(rest, ms(latency-really))
			}
			series[c].A, series[c].B = append(series[c].A, p50[0]), append(series[c].B, p50[1])
		}
	}
	common, truths := middle(rest), make([]float64, comparisons)
	for c, h := range held {
		ratios := make([]float64, pairs)
		for i := range ratios {
			ratios[i] = (h[1][i] + common) / (h[0][i] + common)
		}
		truths[c] = middle(ratios)
	}
	return checked(proof.Live(fmt.Sprintf("10.5 ms against 10.0, truly %.4f", middle(truths)), truths, bucketWidth, series)), nil
}

func middle(x []float64) float64 { return slices.Sorted(slices.Values(x))[len(x)/2] }
