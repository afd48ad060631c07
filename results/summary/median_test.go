package summary_test

import (
	"math"
	"slices"
	"testing"

	"pushbench/results/summary"
)

func TestMedianOfNumbers(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		of   []float64
		want float64
	}{
		{nil, math.NaN()},
		{[]float64{7}, 7},
		{[]float64{3, 1, 2}, 2},
		{[]float64{4, 1, 3, 2}, 2.5},
		{[]float64{inf, 1, inf}, inf},
		{[]float64{-inf, inf}, math.NaN()},
		{[]float64{1, math.NaN(), 2}, math.NaN()},
	} {
		before := slices.Clone(c.of)
		got := summary.Median(c.of)
		if got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("median of %v: got %v, want %v", c.of, got, c.want)
		}
		for i := range before {
			if c.of[i] != before[i] && !math.IsNaN(before[i]) {
				t.Errorf("%v was reordered to %v", before, c.of)
			}
		}
	}
}
