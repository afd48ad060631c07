package app

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"pushbench/results"
)

// searched searches loads from one on.
func searched(from, most float64, whole bool, try func(load float64) (results.Probe, bool, error)) (results.Highest, error) {
	var found results.Highest
	s := search{Highest: &found, from: from, most: most, whole: whole, try: func(load float64, _ int) (results.Probe, bool, error) {
		p, rig, err := try(load)
		p.Load = load
		return p, rig, err
	}}
	err := s.run()
	return found, err
}

// Whatever the limit, what is found holds, what is beyond does not, and they are as near
// as was asked.
func TestASearchEndsAtTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Bool().Draw(t, "whole")
		limit := math.Exp(rapid.Float64Range(math.Log(20), math.Log(2e6)).Draw(t, "limit"))
		const most = 1e6
		tries := 0
		f, err := searched(100, most, whole, func(load float64) (results.Probe, bool, error) {
			tries++
			return results.Probe{Held: load <= limit, Why: "too much"}, false, nil
		})
		if err != nil || f.Load > limit || f.Load <= 0 || f.Confirmed != 3 || tries > mostTries {
			t.Fatalf("%+v, %v after %d tries: want at most %v", f, err, tries, limit)
		}
		switch {
		case limit >= most:
			if f.Load != most || f.Beyond != 0 {
				t.Fatalf("%+v, want all of %v", f, most)
			}
		case f.Beyond <= limit || f.Beyond > f.Load*1.06+1 || f.Why != "too much":
			t.Fatalf("%+v, want the first beyond %v", f, limit)
		}
	})
}

// What held by luck does not count.
func TestASearchConfirms(t *testing.T) {
	asked := map[float64]int{}
	f, err := searched(100, 1e6, false, func(load float64) (results.Probe, bool, error) {
		asked[load]++
		return results.Probe{Held: load < 480 || load < 520 && asked[load] == 1}, false, nil
	})
	if err != nil || f.Load >= 480 || f.Load < 450 || f.Beyond < 480 || f.Confirmed != 3 {
		t.Errorf("%+v, %v, want just below 480", f, err)
	}
}

func TestASearchThatFindsNothing(t *testing.T) {
	tries := 0
	f, err := searched(100, 1e6, false, func(float64) (results.Probe, bool, error) { tries++; return results.Probe{Why: "never"}, false, nil })
	if err != nil || f.Load != 0 || f.Why != "never" || tries != 4 {
		t.Errorf("%+v, %v after %d tries", f, err, tries)
	}
	if _, err := searched(1, 1, true, func(float64) (results.Probe, bool, error) { return results.Probe{Held: true}, false, nil }); err != nil {
		t.Errorf("one load that holds: %v", err)
	}
}

// Where the rig comes to its end, the load is a lower bound and says so.
func TestASearchThatTheRigEnds(t *testing.T) {
	f, err := searched(100, 1e6, false, func(load float64) (results.Probe, bool, error) {
		return results.Probe{Held: load < 300, Why: "late"}, true, nil
	})
	if err != nil || !f.SetupLimited || f.Load >= 300 || f.Load < 280 {
		t.Errorf("%+v, %v", f, err)
	}
	broken := errors.New("no server")
	if _, err := searched(100, 1e6, false, func(float64) (results.Probe, bool, error) { return results.Probe{}, false, broken }); !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
}

// Whenever an error ends a search, what it found is true of the loads that were tried by then:
// the highest that held is below the lowest that did not.
func TestSearchReturnsWhatItFoundBesideAnError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Bool().Draw(t, "whole")
		limit := math.Exp(rapid.Float64Range(math.Log(20), math.Log(2e6)).Draw(t, "limit"))
		last := rapid.IntRange(0, 30).Draw(t, "tries before the error")
		lucky := rapid.IntRange(0, 30).Draw(t, "the try that holds by luck")
		ended := errors.New("ended")
		var held []float64
		beyond, tries := 0.0, 0
		f, err := searched(100, 1e6, whole, func(load float64) (results.Probe, bool, error) {
			if tries == last {
				return results.Probe{}, false, ended
			}
			tries++
			if load <= limit || tries == lucky {
				held = append(held, load)
				return results.Probe{Held: true}, false, nil
			}
			beyond = load
			return results.Probe{}, false, nil
		})
		if err == nil {
			return // it had finished
		}
		want := 0.0
		for _, load := range held {
			if beyond == 0 || load < beyond {
				want = max(want, load)
			}
		}
		if !errors.Is(err, ended) || f.Beyond != beyond || f.Load > want || f.Load == 0 && want > 0 {
			t.Fatalf("%+v, %v; want up to %v, not at %v", f, err, want, beyond)
		}
	})
}

// What holds only the first time that it is tried ends a search, and is no load.
func TestSearchOfUnsteadyLoads(t *testing.T) {
	for _, whole := range []bool{false, true} {
		tried := map[float64]bool{}
		tries := 0
		f, err := searched(8, 1e6, whole, func(load float64) (results.Probe, bool, error) {
			tries++
			first := !tried[load]
			tried[load] = true
			return results.Probe{Held: first && load < 500}, false, nil
		})
		if tries > mostTries || f.Confirmed != 0 || err == nil && f.Load != 0 || err != nil && !errors.Is(err, errUnsteady) {
			t.Errorf("whole numbers %v: %+v, %v after %d tries", whole, f, err, tries)
		}
	}
}

// A step below few clients is one client less.
func TestSearchStepsBelowFewClients(t *testing.T) {
	asked := map[float64]int{}
	f, err := searched(8, 8, true, func(load float64) (results.Probe, bool, error) {
		asked[load]++
		return results.Probe{Held: load < 7 || asked[load] == 1}, false, nil
	})
	if err != nil || f.Load != 6 || f.Beyond != 7 {
		t.Errorf("%+v, %v; want 6, and not 7", f, err)
	}
}
