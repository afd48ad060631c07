package results

import (
	"fmt"
	"slices"
)

// Valid reports whether the trial's figures may be used: it ran to its end and
// every gate passed. One that saturated is valid, and describes overload.
func (t Trial) Valid() bool {
	return (t.Status == Complete || t.Status == Saturated) && len(t.FailedGates()) == 0
}

// FailedGates are the gates that void the trial.
func (t Trial) FailedGates() []Gate {
	return slices.DeleteFunc(slices.Clone(t.Gates), func(g Gate) bool { return g.Passed })
}

// Name names the trial among those of its run.
func (t Trial) Name() string {
	name := fmt.Sprintf("block %d %s", t.Block, t.CaseName())
	if t.Again > 0 {
		name += fmt.Sprintf(" (attempt %d)", t.Again+1)
	}
	return name
}
