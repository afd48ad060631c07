package app

import (
	"errors"
	"fmt"
	"math"

	"pushbench/results"
)

// A search finds the highest load that meets a limit: it doubles the load, then bisects, then
// confirms the result by repeated probes. Loads have 3 significant digits, so that users can repeat
// them.
type search struct {
	*results.Highest         // the result; with an error the highest load that met the limit so far, perhaps only once
	from             float64 // the first load tried, above 0
	most             float64 // the highest load tried
	whole            bool    // loads are whole numbers
	try              probing
	tries            int
	err              error // the first error of a probe, which ends the search
}

// A probing tries a load; n counts the probes of a search from 1. setup reports that the test setup
// or the machine was too weak, so that the load is not decided.
type probing func(load float64, n int) (p results.Probe, setup bool, err error)

// Precision and limits of a search.
const (
	capacityWithin  = 0.05 // largest relative difference between the highest load that met the limit and the lowest that did not
	capacityConfirm = 3    // confirmations of the result
	setupFailures   = 3    // failures of the test setup at a load that make it the setup's limit, not a disturbance
	maxHalvings     = 3    // halvings of a first load that fails, before a search gives up
	maxTries        = 60   // probes of one search
)

// errUnsteady is the error of a search in which no load met the limit in all of its probes.
var errUnsteady = &Error{Inconclusive, errors.New("no load met the limit in all of its probes")}

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

// meets probes a load, updates the result and reports whether the load met the limit.
func (s *search) meets(load float64) bool {
	if s.tries++; s.err == nil && s.tries > maxTries {
		s.err = fmt.Errorf("%w: %d probes", errUnsteady, maxTries)
	}
	if s.err != nil {
		return false
	}
	p, setup, err := s.probe(load)
	switch {
	case err != nil:
		s.err = err
		return false
	case p.Held:
		s.Load = load
	default:
		s.Load, s.Beyond, s.Why, s.SetupLimited, s.Confirmed = 0, load, p.Why, setup, 0
		for _, lower := range s.Probes {
			if lower.Held && lower.Load < load {
				s.Load = max(s.Load, lower.Load)
			}
		}
	}
	return p.Held
}

// probe tries a load until it is decided or the test setup has failed setupFailures times.
func (s *search) probe(load float64) (p results.Probe, setup bool, err error) {
	for range setupFailures {
		p, setup, err = s.try(load, len(s.Probes)+1)
		if err == nil || p.Open {
			s.Probes = append(s.Probes, p)
		}
		if err != nil || !setup || p.Folder == "" {
			break
		}
	}
	return p, setup, err
}

// bracket finds a load that meets the limit and a higher one that does not. It finds none if all
// loads are too high.
func (s *search) bracket() {
	load := s.round(s.from)
	for halvings := 0; !s.meets(load); halvings++ {
		next := s.round(load / 2)
		if s.err != nil || halvings == maxHalvings || next <= 0 || next >= load {
			return
		}
		load = next
	}
	for s.err == nil && s.Beyond == 0 && s.Load < s.most {
		next := s.round(min(s.Load*2, s.most))
		if next <= s.Load {
			return
		}
		s.meets(next)
	}
}

// bisect halves the interval between the highest load that met the limit and the lowest that did
// not.
func (s *search) bisect() {
	for s.err == nil && s.Beyond > s.Load*(1+capacityWithin) {
		middle := s.round(math.Sqrt(s.Load * s.Beyond))
		if middle <= s.Load || middle >= s.Beyond {
			return
		}
		s.meets(middle)
	}
}

// confirmed repeats the probe of the highest load.
func (s *search) confirmed() bool {
	for s.Confirmed = 0; s.Confirmed < capacityConfirm; s.Confirmed++ {
		if !s.meets(s.Load) {
			return false
		}
	}
	return true
}

// stepDown follows a load that met the limit by chance: it tries the loads below, step by step.
func (s *search) stepDown() {
	lowest := s.from / math.Pow(2, maxHalvings)
	for load := s.below(s.Beyond); s.err == nil && load > 0 && load >= lowest; load = s.below(load) {
		if s.meets(load) {
			return
		}
	}
	if s.err == nil {
		s.Load = 0
	}
}

// below is the load one step below another.
func (s *search) below(load float64) float64 {
	next := s.round(load / (1 + capacityWithin))
	if next >= load { // 5 % of few clients is less than one client
		return load - 1
	}
	return next
}

// round keeps 3 significant digits, and no fraction if loads are whole numbers.
func (s *search) round(x float64) float64 {
	if x <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-2)
	x = math.Round(x/unit) * unit
	if s.whole {
		return math.Round(x)
	}
	// A power of ten below 1 is no binary fraction: round, so that the printed load is the one tried.
	return math.Round(x*1e6) / 1e6
}
