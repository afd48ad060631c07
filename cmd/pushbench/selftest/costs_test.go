package selftest

import (
	"slices"
	"testing"

	"pushbench/bench/calibrate"
)

func TestCalibratedRowsKeepTheirVerdict(t *testing.T) {
	got := calibrated([]calibrate.Row{
		{What: "length", Unit: "m", Theory: 2, Measured: 2},
		{What: "weight", Unit: "kg", Theory: 2, Measured: 2.5, Tolerance: 0.25},
	})
	want := []Row{
		{What: "length", Theory: "2 m", Measured: "2 m", Passed: true},
		{What: "weight", Theory: "2 kg", Measured: "2.5 kg", Allowed: "± 0.25 kg"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
