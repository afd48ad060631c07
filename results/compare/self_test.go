package compare_test

import (
	"testing"

	"pushbench/results/compare"
	"pushbench/results/summary"
)

// The first, third, fifth … repetition is compared with the following one; an odd last one is not used.
func TestSelfComparisonsPairNeighbouringRepetitions(t *testing.T) {
	values := series{"a": {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 9}, "b": steady(17, 5)}
	r := run([]string{"a", "b"}, values)
	for _, d := range compare.SelfComparisons(r, summary.Of(r)) {
		if d.Repetitions != 8 || d.Names[0] != d.Names[1] {
			t.Fatalf("%d comparisons of %v, want 8 of a row with itself", d.Repetitions, d.Names)
		}
		switch {
		case d.Names[0] == "a" && (d.Verdict != compare.Different || d.Ratio < 1.9):
			t.Errorf("every second repetition is twice as large: %+v", d)
		case d.Names[0] == "b" && d.Verdict == compare.Different:
			t.Errorf("every repetition equals the previous one: %+v", d)
		}
	}
	few := run([]string{"a", "b"}, map[string][]float64{"a": {1, 2}, "b": {1, 1}})
	for _, d := range compare.SelfComparisons(few, summary.Of(few)) {
		if d.Verdict != compare.TooFew {
			t.Errorf("two repetitions: %+v", d)
		}
	}
}
