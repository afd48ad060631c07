//go:build nightly && linux

package endtoend

import (
	"testing"

	"pushbench/bench/client/engines"
)

// All mutants, those included whose proofs need a quiet machine.
func TestSelfTestCatchesEveryMutant(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) { m.caught(t) })
	}
}

// The bytes of every engine are those that TCP counts.
func TestWireBytesOfEveryEngineAreTCPs(t *testing.T) {
	for _, engine := range engines.Names()[1:] {
		t.Run(engine, func(t *testing.T) { wireBytes(t, engine) })
	}
}
