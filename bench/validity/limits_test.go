package validity

import (
	"testing"
	"time"
)

// More than 50 % of either limit of the load generator is a warning, more than 80 % is refused.
func TestNearTheCeiling(t *testing.T) {
	for _, c := range []struct {
		offered float64
		cpu     time.Duration // of 20 s
		warned  bool
		refused bool
	}{
		{0.49e6, 9 * time.Second, false, false},
		{0.51e6, 9 * time.Second, true, false},
		{0.49e6, 11 * time.Second, true, false},
		{0.79e6, 15 * time.Second, true, false},
		{0.81e6, 0, true, true},
		{0, 17 * time.Second, true, true},
	} {
		e := ValidEvidence()
		e.Ceiling, e.Offered, e.Trial.Cost.Generator.CPU = 1e6, c.offered, c.cpu
		passed, detail := belowCeiling(e)
		if warned := len(NearCeiling(e)) > 0; warned != c.warned || passed == c.refused {
			t.Errorf("%.0f per second, %v of CPU: warned %v, passed %v (%s)", c.offered, c.cpu, warned, passed, detail)
		}
	}
}
