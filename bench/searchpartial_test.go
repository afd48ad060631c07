package bench

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Whenever an error ends a search, what it found is true of the loads that were tried by then:
// the highest that held is below the lowest that did not.
func TestSearchReturnsWhatItFoundBesideAnError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := fivePercent
		s.Whole = rapid.Bool().Draw(t, "whole")
		limit := math.Exp(rapid.Float64Range(math.Log(20), math.Log(2e6)).Draw(t, "limit"))
		last := rapid.IntRange(0, 30).Draw(t, "tries before the error")
		lucky := rapid.IntRange(0, 30).Draw(t, "the try that holds by luck")
		ended := errors.New("ended")
		var held []float64
		beyond, tries := 0.0, 0
		f, err := s.Do(func(load float64) (Tried, error) {
			if tries == last {
				return Tried{}, ended
			}
			tries++
			if load <= limit || tries == lucky {
				held = append(held, load)
				return Tried{Held: true}, nil
			}
			beyond = load
			return Tried{}, nil
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
		s := Search{From: 8, Most: 1e6, Within: 0.05, Confirm: 3, Whole: whole}
		tries := 0
		f, err := s.Do(func(load float64) (Tried, error) {
			tries++
			first := !tried[load]
			tried[load] = true
			return Tried{Held: first && load < 500}, nil
		})
		if tries > mostTries || f.Confirmed != 0 || err == nil && f.Load != 0 || err != nil && !errors.Is(err, ErrUnsteady) {
			t.Errorf("whole numbers %v: %+v, %v after %d tries", whole, f, err, tries)
		}
	}
}

// A step below few clients is one client less.
func TestSearchStepsBelowFewClients(t *testing.T) {
	s := Search{From: 8, Most: 8, Within: 0.05, Confirm: 1, Whole: true}
	asked := map[float64]int{}
	f, err := s.Do(func(load float64) (Tried, error) {
		asked[load]++
		return Tried{Held: load < 7 || asked[load] == 1}, nil
	})
	if err != nil || f.Load != 6 || f.Beyond != 7 {
		t.Errorf("%+v, %v; want 6, and not 7", f, err)
	}
}
