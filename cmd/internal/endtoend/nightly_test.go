//go:build nightly

package endtoend

import "testing"

// All mutants, those included whose proofs need a quiet machine.
func TestSelfTestCatchesEveryMutant(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) { m.caught(t) })
	}
}
