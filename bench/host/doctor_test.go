package host

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"pushbench/bench/validity"
)

func TestOpenFilesAreHeldAgainstEachScenario(t *testing.T) {
	needs := []OpenFiles{{"small", 200}, {"large", 2000}}
	for limit, want := range map[uint64]Standing{2000: Fine, 1999: Warn, 200: Warn, 199: Fail} {
		if got, advice := judgeFiles(limit, needs); got != want || (advice == "") != (want == Fine) {
			t.Errorf("limit %d: got %s %q, want %s", limit, got, advice, want)
		}
	}
}

func TestTimerIsHeldAgainstTheGatesFloor(t *testing.T) {
	for late, want := range map[time.Duration]Standing{time.Millisecond: Fine, time.Millisecond + 1: Warn} {
		if got := judgeTimer(slices.Repeat([]time.Duration{late}, 100)); got.State != want {
			t.Errorf("%v late: got %s, want %s", late, got.State, want)
		}
	}
}

func TestVariationIsThatOfASample(t *testing.T) {
	if got, want := variation([]float64{2, 4, 4, 4, 5, 5, 7, 9}), math.Sqrt(32.0/7)/5; math.Abs(got-want) > 1e-12 {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := judgeLoops([]float64{1, 1, 1}).State; got != Fine {
		t.Errorf("the same each time: got %s", got)
	}
	if got := judgeLoops([]float64{1, 2, 1}).State; got != Warn {
		t.Errorf("twice as long once: got %s", got)
	}
}

func TestStandstillsAreHeldAgainstTheGatesShare(t *testing.T) {
	for total, want := range map[time.Duration]Standing{15 * time.Millisecond: Fine, 16 * time.Millisecond: Warn} {
		if got := hiccups(validity.Stalls{{Core: 0}, {Core: 1, Total: total}}); got.State != want {
			t.Errorf("%v: got %s, want %s", total, got.State, want)
		}
	}
	if got := hiccups(nil); got.State != Hidden || got.Found != "" {
		t.Errorf("nobody watched: got %+v, want it hidden and nothing found", got)
	}
}

func TestOnlyAFailureMakesAMachineUnusable(t *testing.T) {
	allowed := []Diagnosis{{State: Fine}, {State: Warn}, {State: Hidden}}
	if err := Usable(allowed); err != nil {
		t.Errorf("got %v, want none", err)
	}
	if err := Usable(append(allowed, Diagnosis{Check: "x", State: Fail})); !errors.Is(err, ErrUnsuitable) {
		t.Errorf("got %v, want ErrVoid", err)
	}
}
