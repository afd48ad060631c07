package app

import (
	"errors"
	"fmt"
	"math"

	"pushbench/results"
)

// A search looks for the highest load at which something holds: by doubling, then by halving
// what is left in between, then by trying the last one again. Loads have three significant
// digits, so that a person can repeat them.
type search struct {
	*results.Highest         // the result; beside an error the highest load that held so far, which may have held only once
	from             float64 // the first load tried, above 0
	most             float64 // beyond it nothing is tried
	whole            bool    // loads are whole numbers
	try              probing
	tries            int
	err              error // the first of a try: no other load is tried then
}

// A probing tries a load; n counts the probes of a search from 1. rig reports that the test setup
// or the machine was too weak, so that the load is not decided.
type probing func(load float64, n int) (p results.Probe, rig bool, err error)

// How near a search comes, and how often it tries again.
const (
	capacityWithin  = 0.05 // how near the highest that held and the lowest that did not must come, as a share
	capacityConfirm = 3    // how often the highest must hold again
	rigLimit        = 3    // so often the test setup must fail at a load before that is its limit, and no disturbance
	fewestHalvings  = 3    // below a load that does not hold, before a search gives up
	mostTries       = 60   // of one search, whatever it meets
)

// errUnsteady is of a search that found no load which holds each time that it is tried.
var errUnsteady = &Error{Inconclusive, errors.New("no load held each time it was tried")}

func (s *search) run() error {
	s.bracket()
	for s.err == nil && s.Load > 0 {
		s.bisect()
		if s.confirmed() {
			break
		}
		s.stepDown()
	}
	return s.err
}

// holds tries a load. It keeps of the result what the load leaves true.
func (s *search) holds(load float64) bool {
	if s.tries++; s.err == nil && s.tries > mostTries {
		s.err = fmt.Errorf("%w: %d tries", errUnsteady, mostTries)
	}
	if s.err != nil {
		return false
	}
	p, rig, err := s.probe(load)
	switch {
	case err != nil:
		s.err = err
		return false
	case p.Held:
		s.Load = load
	default:
		s.Load, s.Beyond, s.Why, s.SetupLimited, s.Confirmed = 0, load, p.Why, rig, 0
		for _, lower := range s.Probes {
			if lower.Held && lower.Load < load {
				s.Load = max(s.Load, lower.Load)
			}
		}
	}
	return p.Held
}

// probe tries a load until it is decided, or the test setup has failed at it rigLimit times.
func (s *search) probe(load float64) (p results.Probe, rig bool, err error) {
	for range rigLimit {
		p, rig, err = s.try(load, len(s.Probes)+1)
		if err == nil || p.Open {
			s.Probes = append(s.Probes, p)
		}
		if err != nil || !rig || p.Folder == "" {
			break
		}
	}
	return p, rig, err
}

// bracket finds a load that holds, none where all are too high, and above it one that does not.
func (s *search) bracket() {
	load := s.round(s.from)
	for halvings := 0; !s.holds(load); halvings++ {
		next := s.round(load / 2)
		if s.err != nil || halvings == fewestHalvings || next <= 0 || next >= load {
			return
		}
		load = next
	}
	for s.err == nil && s.Beyond == 0 && s.Load < s.most {
		next := s.round(min(s.Load*2, s.most))
		if next <= s.Load {
			return
		}
		s.holds(next)
	}
}

// bisect halves what lies between the highest load that held and the lowest that did not.
func (s *search) bisect() {
	for s.err == nil && s.Beyond > s.Load*(1+capacityWithin) {
		middle := s.round(math.Sqrt(s.Load * s.Beyond))
		if middle <= s.Load || middle >= s.Beyond {
			return
		}
		s.holds(middle)
	}
}

// confirmed tries the highest load again.
func (s *search) confirmed() bool {
	for s.Confirmed = 0; s.Confirmed < capacityConfirm; s.Confirmed++ {
		if !s.holds(s.Load) {
			return false
		}
	}
	return true
}

// stepDown follows a load that held by luck: what is a step below must show that it holds.
func (s *search) stepDown() {
	least := s.from / math.Pow(2, fewestHalvings)
	for load := s.below(s.Beyond); s.err == nil && load > 0 && load >= least; load = s.below(load) {
		if s.holds(load) {
			return
		}
	}
	if s.err == nil {
		s.Load = 0
	}
}

// below is the load a step below another.
func (s *search) below(load float64) float64 {
	next := s.round(load / (1 + capacityWithin))
	if next >= load { // of few clients, 5 % are less than one
		return load - 1
	}
	return next
}

// round keeps three significant digits, and where loads are whole no fraction.
func (s *search) round(x float64) float64 {
	if x <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-2)
	x = math.Round(x/unit) * unit
	if s.whole {
		return math.Round(x)
	}
	// A power of ten below 1 is no binary fraction: what is printed must be what is tried.
	return math.Round(x*1e6) / 1e6
}
