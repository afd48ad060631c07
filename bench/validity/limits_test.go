package validity

import (
	"testing"
	"time"
)

// A trial that uses more than 50 % of either limit of the load generator has a warning. With more
// than 80 %, the check fails.
func TestCeilingWarnsThenFails(t *testing.T) {
	for _, c := range []struct {
		rate   float64
		cpu    time.Duration // of 20 s
		warned bool
		failed bool
	}{
		{0.49e6, 9 * time.Second, false, false},
		{0.51e6, 9 * time.Second, true, false},
		{0.49e6, 11 * time.Second, true, false},
		{0.79e6, 15 * time.Second, true, false},
		{0.81e6, 0, true, true},
		{0, 17 * time.Second, true, true},
	} {
		e := ValidEvidence()
		e.Ceiling, e.Rate, e.Trial.Agents, e.Trial.Cost.Generator.CPU = 1e6, c.rate, nil, c.cpu
		passed, detail := belowCeiling(e)
		if warned := len(NearCeiling(e)) > 0; warned != c.warned || passed == c.failed {
			t.Errorf("%.0f per second, %v of CPU: warned %v, passed %v (%s)", c.rate, c.cpu, warned, passed, detail)
		}
	}
}
