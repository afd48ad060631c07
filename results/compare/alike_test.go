package compare_test

import (
	"testing"

	"pushbench/results/compare"
	"pushbench/results/summary"
)

// Neighbouring blocks are paired, the odd one out is nobody's.
func TestAlikePairsNeighbours(t *testing.T) {
	figures := figures{"a": {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 9}, "b": steady(17, 5)}
	r := run([]string{"a", "b"}, figures)
	for _, d := range compare.Alike(r, summary.Of(r)) {
		if d.Repetitions != 8 || d.Names[0] != d.Names[1] {
			t.Fatalf("%d pairs of %v", d.Repetitions, d.Names)
		}
		switch {
		case d.Names[0] == "a" && (d.Verdict != compare.Different || d.Ratio < 1.9):
			t.Errorf("every second block is twice as much: %+v", d)
		case d.Names[0] == "b" && d.Verdict == compare.Different:
			t.Errorf("every block is like the one before: %+v", d)
		}
	}
	few := run([]string{"a", "b"}, map[string][]float64{"a": {1, 2}, "b": {1, 1}})
	for _, d := range compare.Alike(few, summary.Of(few)) {
		if d.Verdict != compare.TooFew {
			t.Errorf("one pair: %+v", d)
		}
	}
}
