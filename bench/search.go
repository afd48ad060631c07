package bench

import (
	"fmt"
	"math"
)

// A Search looks for the highest load at which something holds: by doubling, then by halving
// what is left in between, then by trying the last one again.
type Search struct {
	From    float64 // the first load tried, above 0
	Most    float64 // beyond it nothing is tried
	Within  float64 // how near the highest that held and the lowest that did not must come, as a share
	Confirm int     // how often the highest must hold again
	Whole   bool    // loads are whole numbers
}

// A Tried is what became of one load.
type Tried struct {
	Held bool
	Rig  bool   // it is not known: the rig, or this machine, came to its end first
	Why  string // where it did not hold
}

// A Found is what a search ends with.
type Found struct {
	Load      float64 // the highest that held, and held again so often; 0: none
	Beyond    float64 // the lowest that did not; 0: none was found up to the most
	Why       string  // why it did not
	Rig       bool    // the rig's end, not the load's: Load is a lower bound
	Confirmed int
}

const (
	fewestHalvings = 3  // below a load that does not hold, before a search gives up
	mostTries      = 60 // of one search, whatever it meets
)

// Do searches. Loads have three significant digits, so that a person can repeat them.
func (s Search) Do(try func(load float64) (Tried, error)) (Found, error) {
	f, tries := Found{}, 0
	held := func(load float64) (bool, error) {
		tries++
		t, err := try(load)
		if err != nil {
			return false, err
		}
		if !t.Held {
			f.Beyond, f.Why, f.Rig = load, t.Why, t.Rig
		}
		return t.Held, nil
	}
	lo, err := s.bracket(held, &f)
	if err != nil || lo == 0 {
		return f, err
	}
	for tries < mostTries {
		for f.Beyond > 0 && f.Beyond > lo*(1+s.Within) {
			middle := s.round(math.Sqrt(lo * f.Beyond))
			if middle <= lo || middle >= f.Beyond {
				break
			}
			ok, err := held(middle)
			if err != nil {
				return f, err
			}
			if ok {
				lo = middle
			}
		}
		for f.Confirmed = 0; f.Confirmed < s.Confirm; f.Confirmed++ {
			ok, err := held(lo)
			if err != nil {
				return f, err
			}
			if !ok {
				break
			}
		}
		if f.Confirmed == s.Confirm {
			f.Load = lo
			return f, nil
		}
		// It held by luck: what is a step below must show that it holds.
		for lo = s.round(lo / (1 + s.Within)); ; lo = s.round(lo / (1 + s.Within)) {
			if lo <= 0 || lo < s.From/math.Pow(2, fewestHalvings) || tries >= mostTries {
				return f, nil
			}
			ok, err := held(lo)
			if err != nil {
				return f, err
			}
			if ok {
				break
			}
		}
	}
	return f, fmt.Errorf("no load held %d times in %d tries", s.Confirm, tries)
}

// bracket finds a load that holds, 0 when none does, and above it one that does not.
func (s Search) bracket(held func(float64) (bool, error), f *Found) (lo float64, err error) {
	load := s.round(s.From)
	for halvings := 0; ; halvings++ {
		ok, err := held(load)
		if err != nil {
			return 0, err
		}
		if ok {
			break
		}
		if next := s.round(load / 2); halvings < fewestHalvings && next > 0 && next < load {
			load = next
			continue
		}
		return 0, nil
	}
	lo = load
	for f.Beyond == 0 && lo < s.Most {
		next := s.round(math.Min(lo*2, s.Most))
		if next <= lo {
			break
		}
		ok, err := held(next)
		if err != nil {
			return 0, err
		}
		if ok {
			lo = next
		}
	}
	return lo, nil
}

// round keeps three significant digits, and where loads are whole no fraction.
func (s Search) round(x float64) float64 {
	if x <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-2)
	x = math.Round(x/unit) * unit
	if s.Whole {
		return math.Round(x)
	}
	// A power of ten below 1 is no binary fraction: what is printed must be what is tried.
	return math.Round(x*1e6) / 1e6
}
