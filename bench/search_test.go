package bench

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

var fivePercent = Search{From: 100, Most: 1e6, Within: 0.05, Confirm: 3}

// Whatever the limit, what is found holds, what is beyond does not, and they are as near
// as was asked.
func TestASearchEndsAtTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := fivePercent
		s.Whole = rapid.Bool().Draw(t, "whole")
		limit := math.Exp(rapid.Float64Range(math.Log(20), math.Log(2e6)).Draw(t, "limit"))
		tries := 0
		f, err := s.Do(func(load float64) (Tried, error) {
			tries++
			return Tried{Held: load <= limit, Why: "too much"}, nil
		})
		if err != nil || f.Load > limit || f.Load <= 0 || f.Confirmed != 3 || tries > mostTries {
			t.Fatalf("%+v, %v after %d tries: want at most %v", f, err, tries, limit)
		}
		switch {
		case limit >= s.Most:
			if f.Load != s.Most || f.Beyond != 0 {
				t.Fatalf("%+v, want all of %v", f, s.Most)
			}
		case f.Beyond <= limit || f.Beyond > f.Load*1.06+1 || f.Why != "too much":
			t.Fatalf("%+v, want the first beyond %v", f, limit)
		}
	})
}

// What held by luck does not count.
func TestASearchConfirms(t *testing.T) {
	asked := map[float64]int{}
	f, err := fivePercent.Do(func(load float64) (Tried, error) {
		asked[load]++
		return Tried{Held: load < 480 || load < 520 && asked[load] == 1}, nil
	})
	if err != nil || f.Load >= 480 || f.Load < 450 || f.Beyond < 480 || f.Confirmed != 3 {
		t.Errorf("%+v, %v, want just below 480", f, err)
	}
}

func TestASearchThatFindsNothing(t *testing.T) {
	tries := 0
	f, err := fivePercent.Do(func(float64) (Tried, error) { tries++; return Tried{Why: "never"}, nil })
	if err != nil || f.Load != 0 || f.Why != "never" || tries != 4 {
		t.Errorf("%+v, %v after %d tries", f, err, tries)
	}
	if _, err := (Search{From: 1, Most: 1, Confirm: 1, Whole: true}).Do(func(float64) (Tried, error) { return Tried{Held: true}, nil }); err != nil {
		t.Errorf("one load that holds: %v", err)
	}
}

// Where the rig comes to its end, the load is a lower bound and says so.
func TestASearchThatTheRigEnds(t *testing.T) {
	f, err := fivePercent.Do(func(load float64) (Tried, error) {
		return Tried{Held: load < 300, Rig: true, Why: "late"}, nil
	})
	if err != nil || !f.Rig || f.Load >= 300 || f.Load < 280 {
		t.Errorf("%+v, %v", f, err)
	}
	broken := errors.New("no server")
	if _, err := fivePercent.Do(func(float64) (Tried, error) { return Tried{}, broken }); !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
}
