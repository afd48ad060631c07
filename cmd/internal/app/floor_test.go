package app

import (
	"slices"
	"testing"

	"pushbench/bench/host"
)

func TestNoiseAboveTheSmallestDifferenceOfAVerdictIsAWarning(t *testing.T) {
	same := slices.Repeat([]float64{1}, floorRepetitions)
	steady, unsteady := slices.Clone(same), slices.Clone(same)
	for i := range floorRepetitions {
		steady[i] += 0.02 * float64(i%2*2-1)
		unsteady[i] += 0.2 * float64(i%2*2-1)
	}
	for want, b := range map[host.State][]float64{host.Fine: steady, host.Warn: unsteady} {
		if got := diagnoseFloor([2][]float64{same, b}); got.State != want || (got.Advice == "") != (want == host.Fine) {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
}

func TestEchoHasOneMedianPerSliceOfEachSide(t *testing.T) {
	sides, err := echoSides(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, side := range sides {
		if len(side) != floorRepetitions || slices.Min(side) <= 0 {
			t.Errorf("got %v, want %d latencies", side, floorRepetitions)
		}
	}
}
