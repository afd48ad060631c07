package selftest

import (
	"slices"
	"testing"

	"pushbench/bench/calibrate"
)

func TestCalibratedRowsKeepTheirResult(t *testing.T) {
	got, err := calibrated([]calibrate.Result{
		{What: "length", Unit: "m", Expected: 2, Measured: 2},
		{What: "weight", Unit: "kg", Expected: 2, Measured: 2.5, Tolerance: 0.25},
	}, nil)
	want := []Result{
		{What: "length", Expected: "2 m", Measured: "2 m", Passed: true},
		{What: "weight", Expected: "2 kg", Measured: "2.5 kg", Allowed: "± 0.25 kg"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
