package results

import (
	"fmt"
	"slices"
)

// Valid reports whether the trial's figures may be used: it ran to its end and
// every gate passed. One that saturated is valid, and describes overload.
func (t Trial) Valid() bool {
	return (t.Status == Complete || t.Status == Saturated) && len(t.FailedChecks()) == 0
}

// FailedGates are the gates that void the trial.
func (t Trial) FailedChecks() []ValidityCheck {
	return slices.DeleteFunc(slices.Clone(t.Checks), func(g ValidityCheck) bool { return g.Passed })
}

// Name names the trial among those of its run.
func (t Trial) Name() string {
	name := fmt.Sprintf("block %d %s", t.Repetition, t.ConfigurationName())
	if t.Attempt > 0 {
		name += fmt.Sprintf(" (attempt %d)", t.Attempt+1)
	}
	return name
}
