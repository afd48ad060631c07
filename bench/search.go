package bench

import (
	"errors"
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

// ErrUnsteady is of a search that found no load which holds each time that it is tried.
var ErrUnsteady = errors.New("no load held each time it was tried")

// Do searches. Loads have three significant digits, so that a person can repeat them. Beside
// an error it returns what it had found by then: the highest load that held so far, which may
// have held only once.
func (s Search) Do(try func(load float64) (Tried, error)) (Found, error) {
	h := &hunt{Search: s, try: try}
	err := h.run()
	return h.Found, err
}

// A hunt is a search under way.
type hunt struct {
	Search
	Found
	try   func(load float64) (Tried, error)
	held  []float64
	tries int
}

func (h *hunt) run() error {
	if err := h.bracket(); err != nil {
		return err
	}
	for h.Load > 0 {
		if err := h.bisect(); err != nil {
			return err
		}
		if confirmed, err := h.confirm(); confirmed || err != nil {
			return err
		}
		if err := h.stepDown(); err != nil {
			return err
		}
	}
	return nil
}

// holds tries a load. Of what was found it keeps what the load leaves true.
func (h *hunt) holds(load float64) (bool, error) {
	if h.tries == mostTries {
		return false, fmt.Errorf("%w: %d tries", ErrUnsteady, mostTries)
	}
	h.tries++
	t, err := h.try(load)
	switch {
	case err != nil:
		return false, err
	case t.Held:
		h.held, h.Load = append(h.held, load), load
	default:
		h.Found = Found{Beyond: load, Why: t.Why, Rig: t.Rig}
		for _, lower := range h.held {
			if lower < load {
				h.Load = max(h.Load, lower)
			}
		}
	}
	return t.Held, nil
}

// bracket finds a load that holds, none where all are too high, and above it one that does not.
func (h *hunt) bracket() error {
	load := h.round(h.From)
	for halvings := 0; ; halvings++ {
		if ok, err := h.holds(load); err != nil {
			return err
		} else if ok {
			break
		}
		next := h.round(load / 2)
		if halvings == fewestHalvings || next <= 0 || next >= load {
			return nil
		}
		load = next
	}
	for h.Beyond == 0 && h.Load < h.Most {
		next := h.round(math.Min(h.Load*2, h.Most))
		if next <= h.Load {
			return nil
		}
		if _, err := h.holds(next); err != nil {
			return err
		}
	}
	return nil
}

// bisect halves what lies between the highest load that held and the lowest that did not.
func (h *hunt) bisect() error {
	for h.Beyond > h.Load*(1+h.Within) {
		middle := h.round(math.Sqrt(h.Load * h.Beyond))
		if middle <= h.Load || middle >= h.Beyond {
			return nil
		}
		if _, err := h.holds(middle); err != nil {
			return err
		}
	}
	return nil
}

// confirm tries the highest load again.
func (h *hunt) confirm() (bool, error) {
	for h.Confirmed = 0; h.Confirmed < h.Confirm; h.Confirmed++ {
		if ok, err := h.holds(h.Load); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// stepDown follows a load that held by luck: what is a step below must show that it holds.
func (h *hunt) stepDown() error {
	least := h.From / math.Pow(2, fewestHalvings)
	for load := h.below(h.Beyond); load > 0 && load >= least; load = h.below(load) {
		if ok, err := h.holds(load); ok || err != nil {
			return err
		}
	}
	h.Load = 0
	return nil
}

// below is the load a step below another.
func (s Search) below(load float64) float64 {
	next := s.round(load / (1 + s.Within))
	if next >= load { // of few clients, 5 % are less than one
		return load - 1
	}
	return next
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
