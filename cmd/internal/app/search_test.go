package app

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"pushbench/results"
)

// searched searches loads upwards of from.
func searched(from, most float64, whole bool, try func(load float64) (results.Probe, bool, error)) (results.Highest, error) {
	var found results.Highest
	s := search{Highest: &found, from: from, most: most, whole: whole, try: func(load float64, _ int) (results.Probe, bool, error) {
		p, setup, err := try(load)
		p.Load = load
		return p, setup, err
	}}
	err := s.run()
	return found, err
}

// For any limit, the load found meets it, the load beyond does not, and they are within the
// precision of the search.
func TestSearchEndsAtTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Bool().Draw(t, "whole")
		limit := math.Exp(rapid.Float64Range(math.Log(20), math.Log(2e6)).Draw(t, "limit"))
		const most = 1e6
		tries := 0
		f, err := searched(100, most, whole, func(load float64) (results.Probe, bool, error) {
			tries++
			return results.Probe{Held: load <= limit, Why: "too much"}, false, nil
		})
		if err != nil || f.Load > limit || f.Load <= 0 || f.Confirmed != 3 || tries > maxTries {
			t.Fatalf("%+v, %v after %d probes: want at most %v", f, err, tries, limit)
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

// A load that met the limit once by chance does not count.
func TestSearchConfirms(t *testing.T) {
	probes := map[float64]int{}
	f, err := searched(100, 1e6, false, func(load float64) (results.Probe, bool, error) {
		probes[load]++
		return results.Probe{Held: load < 480 || load < 520 && probes[load] == 1}, false, nil
	})
	if err != nil || f.Load >= 480 || f.Load < 450 || f.Beyond < 480 || f.Confirmed != 3 {
		t.Errorf("%+v, %v, want just below 480", f, err)
	}
}

func TestSearchWithoutResult(t *testing.T) {
	tries := 0
	f, err := searched(100, 1e6, false, func(float64) (results.Probe, bool, error) { tries++; return results.Probe{Why: "never"}, false, nil })
	if err != nil || f.Load != 0 || f.Why != "never" || tries != 4 {
		t.Errorf("%+v, %v after %d probes", f, err, tries)
	}
	if _, err := searched(1, 1, true, func(float64) (results.Probe, bool, error) { return results.Probe{Held: true}, false, nil }); err != nil {
		t.Errorf("one load that meets the limit: %v", err)
	}
}

// If the test setup reaches its limit, the result is marked as a lower bound.
func TestSearchLimitedByTheSetup(t *testing.T) {
	f, err := searched(100, 1e6, false, func(load float64) (results.Probe, bool, error) {
		return results.Probe{Held: load < 300, Why: "late"}, true, nil
	})
	if err != nil || !f.SetupLimited || f.Load >= 300 || f.Load < 280 {
		t.Errorf("%+v, %v", f, err)
	}
	failed := errors.New("no server")
	if _, err := searched(100, 1e6, false, func(float64) (results.Probe, bool, error) { return results.Probe{}, false, failed }); !errors.Is(err, failed) {
		t.Errorf("%v, want %v", err, failed)
	}
}

// The result of a search that an error ends is consistent with the loads tried so far: the highest
// that met the limit is below the lowest that did not.
func TestSearchReturnsItsResultWithAnError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Bool().Draw(t, "whole")
		limit := math.Exp(rapid.Float64Range(math.Log(20), math.Log(2e6)).Draw(t, "limit"))
		last := rapid.IntRange(0, 30).Draw(t, "probes before the error")
		lucky := rapid.IntRange(0, 30).Draw(t, "the probe that passes by chance")
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
			return // the search had finished
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

// A load that meets the limit only in its first probe is no result.
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
		if tries > maxTries || f.Confirmed != 0 || err == nil && f.Load != 0 || err != nil && !errors.Is(err, errUnsteady) {
			t.Errorf("whole numbers %v: %+v, %v after %d probes", whole, f, err, tries)
		}
	}
}

// One step below a small number of clients is one client less.
func TestSearchStepsDownByOneClient(t *testing.T) {
	probes := map[float64]int{}
	f, err := searched(8, 8, true, func(load float64) (results.Probe, bool, error) {
		probes[load]++
		return results.Probe{Held: load < 7 || probes[load] == 1}, false, nil
	})
	if err != nil || f.Load != 6 || f.Beyond != 7 {
		t.Errorf("%+v, %v; want 6, and not 7", f, err)
	}
}
