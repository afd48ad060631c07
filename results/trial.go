package results

import (
	"fmt"
	"slices"
)

// Valid reports whether the trial's values may be used: it is complete and every validity check
// passed. A saturated trial is valid, and describes overload.
func (t Trial) Valid() bool {
	return (t.Status == Complete || t.Status == Saturated) && len(t.FailedChecks()) == 0
}

// FailedChecks returns the validity checks that make the trial invalid.
func (t Trial) FailedChecks() []ValidityCheck {
	return slices.DeleteFunc(slices.Clone(t.Checks), func(c ValidityCheck) bool { return c.Passed })
}

// Name returns a name that is unique within the run.
func (t Trial) Name() string {
	name := fmt.Sprintf("repetition %d %s", t.Repetition, t.ConfigurationName())
	if t.Attempt > 0 {
		name += fmt.Sprintf(" (attempt %d)", t.Attempt+1)
	}
	return name
}
