package host

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"pushbench/bench/validity"
)

func TestOpenFilesAreComparedWithEachScenario(t *testing.T) {
	required := []OpenFiles{{"small", 200}, {"large", 2000}}
	for limit, want := range map[uint64]State{2000: Fine, 1999: Warn, 200: Warn, 199: Fail} {
		if got, advice := judgeFiles(limit, required); got != want || (advice == "") != (want == Fine) {
			t.Errorf("limit %d: got %s %q, want %s", limit, got, advice, want)
		}
	}
}

func TestTimerIsComparedWithTheLowestLimitOfTheCheck(t *testing.T) {
	for late, want := range map[time.Duration]State{time.Millisecond: Fine, time.Millisecond + 1: Warn} {
		if got := judgeTimer(slices.Repeat([]time.Duration{late}, 100)); got.State != want {
			t.Errorf("%v late: got %s, want %s", late, got.State, want)
		}
	}
}

func TestVariationUsesTheSampleStandardDeviation(t *testing.T) {
	if got, want := variation([]float64{2, 4, 4, 4, 5, 5, 7, 9}), math.Sqrt(32.0/7)/5; math.Abs(got-want) > 1e-12 {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := judgeLoops([]float64{1, 1, 1}).State; got != Fine {
		t.Errorf("equal durations: got %s", got)
	}
	if got := judgeLoops([]float64{1, 2, 1}).State; got != Warn {
		t.Errorf("one duration doubled: got %s", got)
	}
}

func TestStallsAreComparedWithTheShareThatTheCheckAllows(t *testing.T) {
	for total, want := range map[time.Duration]State{15 * time.Millisecond: Fine, 16 * time.Millisecond: Warn} {
		if got := idleStalls(validity.Stalls{{Core: 0}, {Core: 1, Total: total}}); got.State != want {
			t.Errorf("%v: got %s, want %s", total, got.State, want)
		}
	}
	if got := idleStalls(nil); got.State != Hidden || got.Found != "" {
		t.Errorf("without a monitor: got %+v, want Hidden and no value", got)
	}
}

func TestOnlyAFailureMakesAMachineUnsuitable(t *testing.T) {
	allowed := []Diagnosis{{State: Fine}, {State: Warn}, {State: Hidden}}
	if err := Usable(allowed); err != nil {
		t.Errorf("got %v, want none", err)
	}
	if err := Usable(append(allowed, Diagnosis{Check: "x", State: Fail})); !errors.Is(err, ErrUnsuitable) {
		t.Errorf("got %v, want ErrUnsuitable", err)
	}
}
